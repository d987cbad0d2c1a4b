"""Values at the edge of what stores hold: what both take arrives as it is, what one cannot hold is refused alone (LOG-1)."""

from __future__ import annotations

import json

import psycopg
import pytest
from hostile_world import HostileWorld
from sync_world import CONNECTION, P, S, field, text

from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.schema import FieldType

FIELDS = (
    text("Text__c", 255),
    field("Long__c", FieldType.LONG_TEXT_AREA, length=131_072),
    field("Day__c", FieldType.DATE),
    field("Moment__c", FieldType.DATETIME),
    field("Clock__c", FieldType.TIME),
    field("Most__c", FieldType.NUMBER, precision=18, scale=0),
    field("Finest__c", FieldType.NUMBER, precision=18, scale=17),
    field("Flag__c", FieldType.CHECKBOX),
)
#: What every store holds.
HELD = {
    "right to left": {"Text__c": "\u202eشركة أكمي‏ (עברית)"},
    "beyond the basic plane": {"Text__c": "𝒜𝒸𝓂ℯ 🏳️‍🌈 👩‍👩‍👧‍👦 𠜎"},
    "combining": {"Text__c": "Zoe\u0308 n\u0303 \u1e9b\u0323"},
    "controls": {"Text__c": "\x01\x07\x1b[31m\x7f\x85\u2028 tab\tline\r\nend \\N \\. \\x00"},
    "quotes": {"Text__c": '\'; DROP TABLE "Account"; -- $$ %s ? :name {0} \\'},
    "blanks": {"Text__c": " \u00a0\u3000 "},
    "the last character": {"Text__c": "\U0010ffff\ufffe\uffff\ufeff"},
    "as long as may be": {"Text__c": "𝒜" * 255, "Long__c": "é\n" * 65_536},
    "the first day": {"Day__c": "0001-01-01", "Moment__c": "0001-01-01T00:00:00.000Z", "Clock__c": "00:00:00.000Z"},
    "the last day": {"Day__c": "9999-12-31", "Moment__c": "9999-12-31T23:59:59.999Z", "Clock__c": "23:59:59.999Z"},
    "a leap day": {"Day__c": "2000-02-29", "Moment__c": "1582-10-10T12:00:00.001Z"},
    "the greatest": {"Most__c": 10**18 - 1, "Finest__c": 10**18 - 1},
    "the least": {"Most__c": 1 - 10**18, "Finest__c": -1},
    "nothing": {"Most__c": 0, "Finest__c": 0, "Flag__c": False, "Text__c": ""},
}


def _connected(world: HostileWorld) -> HostileWorld:
    for side in (P, S):
        world.extend("Account", *FIELDS, side=side)
    world.connect("Account")
    return world


def _shown(world: HostileWorld, side: object) -> dict[str, tuple[object, ...]]:
    names = ", ".join(f'"{item.name}"' for item in FIELDS)
    rows = world.all(side, f'SELECT "Name", {names} FROM "Account" WHERE "IsDeleted" = FALSE')  # type: ignore[arg-type]
    return {row[0]: tuple(row[1:]) for row in rows}


@pytest.mark.pairings
@pytest.mark.parametrize("bulk", [False, True])
def test_what_every_store_holds_arrives_as_it_is(world: HostileWorld, bulk: bool) -> None:
    """CNF-3, VER-1, ORG-4: there and back, new and changed, by a drain and by a bulk sync; not a bit is lost."""
    _connected(world)
    for name, values in HELD.items():
        world.insert(P, "Account", Name=name, **values)
    if bulk:
        world.bulk(P)
    world.drain()
    assert _shown(world, S) == _shown(world, P)
    assert len(_shown(world, S)) == len(HELD)
    for name, values in HELD.items():
        changes = {f"{column}": value for column, value in values.items()}
        (record,) = world.all(S, 'SELECT "Id" FROM "Account" WHERE "Name" = ?', "nothing")
        world.update(S, "Account", record, **changes)
        world.drain()
        assert _shown(world, P) == _shown(world, S), name
    world.assert_equal()


#: What a file holds and a server does not, as SQL, and the field that is named.
STRANGE = {
    "NUL": ("Text__c", "'a' || char(0) || 'b'"),
    "half a character": ("Text__c", "CAST(X'61EDA080' AS TEXT)"),
    "no UTF-8": ("Text__c", "CAST(X'FFFE61' AS TEXT)"),
    "bytes": ("Text__c", "X'0061'"),
    "no such day": ("Day__c", "'2026-02-30'"),
    "no such month": ("Day__c", "'2026-19-01'"),
    "no such year": ("Day__c", "'0000-01-01'"),
    "no such hour": ("Moment__c", "'2026-01-01T24:00:00.000Z'"),
    "no such time": ("Clock__c", "'29:00:00.000Z'"),
}


@pytest.mark.pairings("sqlite-postgres", alone=True)
@pytest.mark.parametrize(("strange", "bulk"), [*((item, False) for item in STRANGE), ("NUL", True), ("no UTF-8", True)])
def test_what_the_target_cannot_hold_is_refused_alone(world: HostileWorld, strange: str, bulk: bool) -> None:
    """LOG-1, QUE-4, BLK-3: one entry that names the field; all else arrives, and the record too once it is mended."""
    _connected(world)
    column, value = STRANGE[strange]
    before = world.insert(P, "Account", Name="before")
    world.drain()
    world.clients[P].execute(f'INSERT INTO "Account" ("Name", "{column}") VALUES (\'new\', {value})')
    world.insert(P, "Account", Name="after")
    if bulk:
        world.bulk(P)
    world.drain()
    assert set(_shown(world, S)) == {"before", "after"}
    world.clients[P].execute(f'UPDATE "Account" SET "Phone" = \'1\', "{column}" = {value} WHERE "Id" = ?', [before])
    world.drain()
    (new,) = world.all(P, 'SELECT "Id" FROM "Account" WHERE "Name" = \'new\'')
    assert {(item.record, item.error_code, item.status) for item in world.log(P)} == {
        (record, "INVALID_TYPE_ON_FIELD_IN_RECORD", "Retrying") for record in (new, before)
    }
    assert all(column in item.description for item in world.log(P))
    report = world.program("--format", "json", "verify", CONNECTION)
    assert {item["field"] for item in json.loads(report.stdout)["differences"]} == {column, "Phone"}, report.output
    asked = world.program("diagnose", CONNECTION, before)
    assert asked.exit_code == 0, asked.output
    assert f"cannot hold the value of {column}" in asked.stdout
    # A change that does not touch the value is held with it; a deletion goes.
    world.delete(P, "Account", before)
    world.drain()
    assert set(_shown(world, S)) == {"after"}
    world.undelete(P, "Account", before)
    world.clients[P].execute(f'UPDATE "Account" SET "{column}" = NULL')
    world.settle()
    assert _shown(world, S) == _shown(world, P)
    world.assert_equal()


@pytest.mark.pairings("sqlite-postgres", alone=True)
def test_what_would_not_go_is_not_refused_either(world: HostileWorld) -> None:
    """LOG-1, QUE-4: an old record that waits for a bulk sync is not held; one that is deleted after its refusal is resolved."""
    for side in (P, S):
        world.extend("Account", *FIELDS, side=side)
    world.connect()
    insert = 'INSERT INTO "Account" ("Name", "Text__c", "CreatedDate") VALUES (?, \'a\' || char(0) || \'b\', ?)'
    world.clients[P].execute(insert, ["old", "2001-01-01T00:00:00.000Z"])
    world.publish("Account", ["Name", "Text__c", "Phone"])
    world.clients[P].execute('UPDATE "Account" SET "Phone" = \'1\'')
    world.drain()
    assert world.log(P) == []
    world.clients[P].execute("INSERT INTO \"Account\" (\"Name\", \"Text__c\") VALUES ('new', 'a' || char(0) || 'b')")
    world.drain()
    assert [item.status for item in world.log(P)] == ["Retrying"]
    (new,) = world.all(P, 'SELECT "Id" FROM "Account" WHERE "Name" = \'new\'')
    world.delete(P, "Account", new)
    world.settle()
    assert {item.record: item.status for item in world.log(P)} == {new: "Resolved"}
    assert world.all(P, "SELECT * FROM orgsync_held") == world.all(S, "SELECT * FROM orgsync_held") == []
    assert _shown(world, S) == {}


@pytest.mark.pairings("postgres-sqlite", alone=True)
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("Day__c", "'infinity'"),
        ("Day__c", "'0044-03-15 BC'"),
        ("Day__c", "'10000-01-01'"),
        ("Moment__c", "'-infinity'"),
        ("Moment__c", "'9999-12-31 23:59:59.9996+00'"),
        ("Clock__c", "'24:00:00'"),
        ("Most__c", "'NaN'"),
        ("Most__c", "1e18"),
        ("Finest__c", "10"),
    ],
)
def test_a_server_refuses_what_no_org_has(world: HostileWorld, column: str, value: str) -> None:
    """ORG-4: whoever writes it is told at once; nothing of it gets as far as the linked org."""
    _connected(world)
    with pytest.raises(psycopg.IntegrityError, match=column):
        world.clients[P].execute(f'INSERT INTO "Account" ("Name", "{column}") VALUES (\'new\', {value})')
    world.insert(P, "Account", Name="after")
    world.drain()
    assert set(_shown(world, S)) == {"after"}


@pytest.mark.pairings("sqlite-postgres", "postgres-sqlite")
def test_all_digits_of_a_number_are_loaded_and_found(world: HostileWorld) -> None:
    """ORG-4, ORG-8, FWD-1: 18 digits, wherever the point stands."""
    _connected(world)
    (world.folder / "Account.csv").write_text("Name,Finest__c\nMost,9.99999999999999999\nLess,9.99999999999999998\n")
    for side in (P, S):
        loaded = world.program("org", "load", world.addresses[side], "Account.csv")
        assert loaded.exit_code == 0, loaded.output
        found = dict(world.all(side, 'SELECT "Name", "Finest__c" FROM "Account"'))
        assert found == {"Most": 10**18 - 1, "Less": 10**18 - 2}
    for side in Side:
        sent = world.program(
            *("forward", CONNECTION, "Account", "--from", side.value),
            *("--where", "Finest__c = 9.99999999999999999", "--format", "json"),
        )
        assert sent.exit_code == 0, sent.output
        assert [item["copied"] for item in json.loads(sent.stdout)["objects"]] == [1], sent.output
