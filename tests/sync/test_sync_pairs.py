"""The same behaviours between any two stores."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
from sync_stories import send_all_kinds_of_values, send_both_ways
from sync_world import P, S, World, custom_object, text

from orgsync_reconcile.errors import DisturbedError
from orgsync_reconcile.stores.sql.flow import Flow, delivery
from orgsync_reconcile.sync.forward import forward
from orgsync_reconcile.sync.verify import verify, verify_by_hashes

pytestmark = pytest.mark.pairings


def test_records_go_both_ways(world: World) -> None:
    """CNF-3, LKP-1 to LKP-4, BLK-1: bulk, inserts, edits of both, deletes with children; both orgs end equal."""
    world.connect("Account", "Contact")
    parent = world.insert(P, "Account", Name="old")
    world.insert(P, "Contact", LastName="Doe", AccountId=parent)
    world.settle()
    send_both_ways(world, parent)


def test_drains_of_a_session_use_the_same_temporary_tables(world: World) -> None:
    """QUE-3: a server takes longer to make one than to send a change, so the second drain makes none anew."""
    servers = [org.db for org in world.orgs.values() if "Postgres" in type(org).__name__]
    world.connect("Account")
    record = world.insert(P, "Account", Name="one")
    made = []
    for number in range(3):
        world.update(P, "Account", record, Phone=str(number))
        world.drain()
        tables = "SELECT oid, relname FROM pg_class WHERE relnamespace = pg_my_temp_schema()"
        made.append([sorted(map(tuple, db.execute(tables).fetchall())) for db in servers])
    assert made[2] == made[1]
    world.assert_equal()


def test_refused_changes_stand_alone_among_many(world: World) -> None:
    """QUE-4, BLK-3: values that change together come and are written at once; what is refused of them holds up nothing."""
    world.deploy(custom_object("Thing__c", "a0T", text("Code__c", length=40, unique=True), text("Note__c", length=40)))
    world.connect("Thing__c")
    things = [world.insert(P, "Thing__c", Name=f"t{number}") for number in range(25)]
    world.drain()
    there = [str(world.other(P, thing)) for thing in things]
    for code in ("x", "y"):
        world.insert(S, "Thing__c", Name=code, Code__c=code)
    for number, thing in enumerate(things):
        world.update(P, "Thing__c", thing, Code__c={3: "x", 17: "Y"}.get(number, f"c{number}"))
    world.update(P, "Thing__c", things[5], Note__c="n5")
    world.drain(P)
    refused = {item.record for item in world.queue(P) if item.error}
    assert refused == {things[3], things[17]}
    codes = [world.get(S, "Thing__c", there[number], "Code__c") for number in (2, 3, 5, 17, 24)]
    assert codes == ["c2", None, "c5", None, "c24"]
    assert world.get(S, "Thing__c", there[5], "Note__c") == "n5"


def test_a_batch_that_is_taken_again_makes_its_tables_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """QUE-3: with a transaction that is rolled back go the temporary tables that it made."""
    world.connect("Account")
    record = world.insert(P, "Account", Name="one")
    write = delivery.write_staged
    trouble = [DisturbedError("others are at work", hint="run this again")]

    def disturbed(flow: Flow, *args: Any, **words: Any) -> Any:
        if trouble:
            raise trouble.pop()
        return write(flow, *args, **words)

    monkeypatch.setattr(delivery, "write_staged", disturbed)
    world.settle()
    assert not trouble
    assert world.get(S, "Account", str(world.other(P, record)), "Name") == "one"


def test_links_that_the_source_knows_stay_as_they_are(world: World) -> None:
    """QUE-3: where a source has some of the links that it is to learn of, these stay and the others come."""
    world.connect("Account")
    world.insert(P, "Account", Name="known")
    world.drain(P)
    accounts = "SELECT number, local, partner FROM orgsync_link WHERE local LIKE '001%' ORDER BY number"
    (known,) = world.clients[P].execute(accounts).fetchall()
    # As when somebody else has told it of them.
    world.clients[P].execute("UPDATE orgsync_outbox SET link = 0")
    world.insert(P, "Account", Name="new")
    world.drain(P)
    found = world.clients[P].execute(accounts).fetchall()
    assert len(found) == 2 and found[0] == known
    there = world.clients[S].execute(accounts).fetchall()
    assert {row[1:] for row in found} == {(row[2], row[1]) for row in there}
    world.assert_equal()


def test_all_kinds_of_values_arrive(world: World) -> None:
    """ORG-4: numbers with their scale, checkboxes, days and moments are the same in every store, there and back."""
    send_all_kinds_of_values(world)


def test_refused_swapped_and_conflicting(world: World) -> None:
    """BLK-3, QUE-5, CNF-1, CNF-2: what is refused waits, unique values swap, the later of two edits stays."""
    world.deploy(custom_object("Thing__c", "a0T", text("Code__c", unique=True), text("Note__c")))
    world.connect("Thing__c", settings={"conflicts": "latest-wins"})
    taken = world.insert(S, "Thing__c", Name="taken", Code__c="x")
    record = world.insert(P, "Thing__c", Name="second", Code__c="X")
    other = world.insert(P, "Thing__c", Name="third", Code__c="z")
    world.drain(P)
    assert [item.error_code for item in world.log(P)] == ["DUPLICATE_VALUE"]
    world.update(S, "Thing__c", taken, Code__c="y")
    world.settle()
    assert world.get(S, "Thing__c", str(world.other(P, record)), "Code__c") == "X"
    world.clients[P].execute("BEGIN")
    for item, code in ((record, "q"), (other, "X"), (record, "z")):
        world.update(P, "Thing__c", item, Code__c=code)
    world.clients[P].execute("COMMIT")
    world.settle()
    assert world.get(S, "Thing__c", str(world.other(P, record)), "Code__c") == "z"
    world.update(P, "Thing__c", record, Note__c="first")
    time.sleep(0.01)
    world.update(S, "Thing__c", str(world.other(P, record)), Note__c="it's later")
    world.settle()
    assert world.get(P, "Thing__c", record, "Note__c") == "it's later"
    assert any("lost 'first'" in item.description for side in (P, S) for item in world.log(side))
    world.delete(P, "Thing__c", other)
    time.sleep(0.01)
    world.update(S, "Thing__c", str(world.other(P, other)), Note__c="kept")
    world.settle()
    assert world.get(P, "Thing__c", other, "IsDeleted") == 0
    world.assert_equal()


def test_matched_forwarded_and_repaired(world: World) -> None:
    """BLK-6, FWD-1, VER-1: likes are linked, chosen records go with their children, what differs is found and mended."""
    world.deploy(custom_object("Thing__c", "a0T", text("Key__c", unique=True, external_id=True), text("Note__c")))
    like = world.insert(S, "Thing__c", Name="here before", Key__c="k1")
    record = world.insert(P, "Thing__c", Name="one", Key__c="K1", Note__c="new")
    old = world.insert(P, "Account", Name="old")
    world.insert(P, "Contact", LastName="Doe", AccountId=old)
    world.connect("Thing__c", "Account", "Contact")
    world.clients[P].execute("UPDATE orgsync_published SET match_on = 'Key__c' WHERE object = 'Thing__c'")
    sent = forward(world.pair, source=P, object_name="Account", records=[old], related=["Contact"], clock=world.clock)
    assert (sent.asked, sent.along, world.count(S, "Contact")) == (1, 1, 1)
    counts = world.bulk(P, "Thing__c")
    assert (counts["Thing__c"].copied, world.other(P, record)) == (1, like)
    assert world.get(S, "Thing__c", like, "Note__c") == "new"
    world.settle()
    world.assert_equal()
    org = world.orgs[S]
    with org.transaction() as db:
        db.mark(world.numbers[S], 1, triggers_too=True)
        db.execute('UPDATE main."Thing__c" SET "Note__c" = \'off\' WHERE "Id" = ?', [like])
        db.unmark()
    assert [item.field for item in verify_by_hashes(world.pair, clock=world.clock).differences] == ["Note__c"]
    report = verify(world.pair, clock=world.clock, repair=True)
    assert [item.field for item in report.differences] == ["Note__c"]
    world.settle()
    world.assert_equal()


def test_an_edit_in_the_middle_of_a_batch_is_settled(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """CNF-1, CNF-2: who edits the target between the look at what is pending and the writing loses nothing unsaid."""
    if "Sqlite" in type(world.orgs[S]).__name__:
        pytest.skip("a file has one writer")
    world.connect("Account")
    record = world.insert(P, "Account", Name="old")
    world.settle()
    there = str(world.other(P, record))
    world.update(P, "Account", record, Phone="primary")
    write = delivery.write_staged
    edits = ["secondary"]

    def disturbed(flow: Flow, *args: Any, **words: Any) -> Any:
        if flow.side is P and edits:
            world.update(S, "Account", there, Phone=edits.pop())
        return write(flow, *args, **words)

    monkeypatch.setattr(delivery, "write_staged", disturbed)
    world.settle()
    assert not edits
    world.assert_equal()
    assert world.get(S, "Account", there, "Phone") == "primary"
    lost = world.one(S, """SELECT "Description" FROM "PartnerNetworkSyncLog" WHERE "ConnectionEvent" = 'Conflict'""")
    assert "secondary" in str(lost)


#: What docs/scale.md says an administrator may do.
TENDED = re.findall(r"```sql\n(.*?)```", (Path(__file__).parents[2] / "docs" / "scale.md").read_text(), flags=re.DOTALL)


def test_tables_that_an_administrator_has_tended(world: World) -> None:
    """QUE-3, ORG-4: a partitioned log, storage settings and indexes of one's own outlast whatever the program does."""
    servers = [side for side in (P, S) if "Sqlite" not in type(world.orgs[side]).__name__]
    world.connect("Account", "Contact")
    old = world.insert(P, "Account", Name="old")
    world.drain()
    world.update(P, "Account", old, Phone="queued")
    for side in servers:
        client = world.clients[side]
        if client.connection.info.server_version < 170000:
            pytest.skip("numbers of a partitioned table need PostgreSQL 17")
        for statement in TENDED:
            client.run(statement.replace("acme.", f"{client.schema}."))
    world.drain()
    there = str(world.other(P, old))
    assert world.get(S, "Account", there, "Phone") == "queued"
    for number in range(20):
        world.insert(P, "Contact", LastName=f"c{number}", AccountId=old)
        world.update(S, "Account", there, Phone=str(number))
    world.settle()
    for side in (P, S):
        world.extend("Account", text("Later__c", length=20), side=side)
    world.publish("Account", ["Name", "Phone", "Later__c"])
    world.update(S, "Account", there, Later__c="x")
    world.settle()
    world.assert_equal()
    assert verify_by_hashes(world.pair, clock=world.clock).equal
    for side in servers:
        assert world.one(side, "SELECT count(*) FROM orgsync_change") == 0
        kept = "SELECT reloptions::text, relkind FROM pg_class WHERE oid = to_regclass(?)"
        assert "fillfactor=70" in str(world.one(side, kept, f'{world.clients[side].schema}."Account"'))
        assert world.one(side, "SELECT relkind::text FROM pg_class WHERE oid = to_regclass('orgsync_change')") == "p"
        assert world.one(side, "SELECT count(*) FROM pg_indexes WHERE indexname = 'account_city'") >= 1
