"""The triggers of many objects at once are those of one after another, and cost no look at the schema each (ORG-7)."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from shutil import copyfile

import pytest
from org_stores import Client, insert
from publishing import offer_connection
from store_helpers import NOW, changes, custom

from orgsync_reconcile.errors import OrgsyncError
from orgsync_reconcile.model.schema import FieldDef, FieldType, ObjectDef
from orgsync_reconcile.stores.sql import publications
from orgsync_reconcile.stores.sql.schema import deploy_objects, rebuild_triggers
from orgsync_reconcile.stores.sqlite.handle import SqliteOrg, open_org
from orgsync_reconcile.stores.sqlite.trigger_rows import MANY, write_triggers

pytestmark = pytest.mark.files_only

TITLE = FieldDef(name="Name", type=FieldType.TEXT, length=80, name_field=True)
TRIGGERS = "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name"


def things(count: int) -> list[ObjectDef]:
    fields = {"Name": TITLE, "Size__c": custom("Size__c", FieldType.TEXT, length=20)}
    return [
        ObjectDef(name=f"Thing{number}__c", key_prefix=f"a{number:02}", label="x", custom=True, fields=fields)
        for number in range(count)
    ]


def offer(org: SqliteOrg, names: list[str], *, together: bool) -> None:
    offer_connection(org)
    for name in names:
        publications.publish_object(org, "dr", name, ["Name"], actor="admin", clock=lambda: NOW, rebuild=not together)
    if together:
        with org.transaction():
            rebuild_triggers(org, names)


def test_many_at_once_are_the_same_as_one_after_another(new_org: Path, tmp_path: Path) -> None:
    """ORG-7: deployed, given a trigger of the org's own, published; writers that had the org open are captured too."""
    found, objects = [], things(30)
    names = [item.name for item in objects]
    for together in (True, False):
        path = Path(copyfile(new_org, tmp_path / f"{together}.db"))
        client = sqlite3.connect(path, isolation_level=None)
        client.execute("SELECT 1 FROM sqlite_master").fetchone()
        with open_org(path) as org:
            for part in [objects] if together else [[item] for item in objects]:
                deploy_objects(org, part)
            record = insert(client, "Thing7__c", Name="before")
            client.execute('CREATE TRIGGER own AFTER DELETE ON "Thing7__c" BEGIN SELECT 1; END')
            offer(org, names, together=together)
            client.execute('UPDATE "Thing7__c" SET "Name" = \'after\'')
            assert changes(org) == [("U", record, ("Name",))]
            assert org.db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            found.append(client.execute(TRIGGERS).fetchall())
        client.close()
    assert found[0] == found[1]
    assert len(found[0]) > MANY


def test_the_schema_is_looked_at_once_however_many_objects(new_org: Path, tmp_path: Path) -> None:
    """REC-1, MET-9: a first apply over thousands of objects grows with their number, not with its square."""
    looks = []
    for count in (40, 80):
        with open_org(Path(copyfile(new_org, tmp_path / f"{count}.db"))) as org:
            said: list[str] = []
            org.db.set_trace_callback(said.append)
            deploy_objects(org, things(count))
            offer(org, [item.name for item in things(count)], together=True)
            looks.append(sum(1 for text in said if "sqlite_master" in text and not text.startswith("INSERT")))
            assert not [text for text in said if text.startswith(("CREATE TRIGGER", "DROP TRIGGER"))]
    assert looks[0] == looks[1]


def test_a_trigger_that_cannot_be_read_changes_nothing(org: SqliteOrg, client: Client) -> None:
    """REC-3: the org is as it was, and goes on."""
    before = org.db.execute(TRIGGERS).fetchall()
    good = {
        f"orgsync_x{number}": f'CREATE TRIGGER "orgsync_x{number}" AFTER INSERT ON "Account" BEGIN SELECT 1; END'
        for number in range(MANY)
    }
    bad = {**good, "orgsync_y": 'CREATE TRIGGER "orgsync_y" AFTER INSERT ON "Account" BEGIN SELEKT 1; END'}
    with pytest.raises(OrgsyncError), org.transaction():
        write_triggers(org.db, {"Account": bad})
    assert org.db.execute(TRIGGERS).fetchall() == before
    assert insert(client, "Account", Name="x").startswith("001")
    with org.transaction():
        write_triggers(org.db, {"Account": good})
    assert client.execute(
        "SELECT count(*) FROM sqlite_master WHERE tbl_name = 'Account' AND type = 'trigger'"
    ).fetchone() == (MANY,)


def test_the_case_of_an_objects_name_hides_no_trigger(org: SqliteOrg, client: Client) -> None:
    """ORG-7: what the org's own trigger changes within an engine write is captured, however it names its table."""
    client.execute(
        'CREATE TRIGGER own AFTER INSERT ON account BEGIN UPDATE account SET "Phone" = 1 WHERE orgsync_row = NEW.orgsync_row; END'
    )
    offer(org, ["Account"], together=False)
    text = client.execute("SELECT sql FROM sqlite_master WHERE name = 'orgsync_Account_capture_insert'").fetchone()[0]
    assert "IS NOT 1" not in text
