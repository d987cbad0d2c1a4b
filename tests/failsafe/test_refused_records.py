"""A record that only the target refuses, for every code there is: held, told, and sent once it is mended (LOG-1, LOG-2)."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import pytest
from failsafe_world import FailsafeWorld
from org_stores import drop_trigger, own_trigger, refuse
from sync_world import CONNECTION, P, S, field, text

from orgsync_reconcile.model.schema import FieldDef, FieldType


@dataclass(frozen=True)
class Case:
    """A field of the source, what differs in the target, and a value that only the source takes."""

    code: str
    field: FieldDef
    bad: object
    good: object
    #: The target's definition of the field, set once both are connected; None: the same.
    theirs: FieldDef | None = None
    #: A rule of the target: the words of its refusal.
    rule: str = ""
    #: The value of a record that the target has already.
    taken: str | None = None
    #: The field that the log names; "": none is known.
    named: str = "Value__c"
    #: The code of a target on a server, where it is another one.
    on_server: str = ""


def choice(kind: FieldType, *values: str) -> FieldDef:
    return field("Value__c", kind, picklist=values, restricted=True)


PLAIN = text("Value__c")
CASES = {
    "blank though required": Case("REQUIRED_FIELD_MISSING", PLAIN, None, "x", theirs=text("Value__c", required=True)),
    "too long": Case("STRING_TOO_LONG", text("Value__c", 5), "123456", "12345"),
    "taken by another record": Case(
        "DUPLICATE_VALUE", PLAIN, "mine", "free", theirs=text("Value__c", unique=True), taken="mine"
    ),
    "out of the picklist": Case(
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        choice(FieldType.PICKLIST, "a", "b"),
        "b",
        "a",
        theirs=choice(FieldType.PICKLIST, "a"),
    ),
    "one of many values out of the picklist": Case(
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        choice(FieldType.MULTI_SELECT_PICKLIST, "a", "b"),
        "a;b",
        "a",
        theirs=choice(FieldType.MULTI_SELECT_PICKLIST, "a"),
    ),
    "a number with too many digits": Case(
        "NUMBER_OUTSIDE_VALID_RANGE", field("Value__c", FieldType.NUMBER, precision=3, scale=0), 1000, 999
    ),
    "words in a number": Case(
        "NUMBER_OUTSIDE_VALID_RANGE",
        field("Value__c", FieldType.NUMBER, precision=3, scale=0),
        "many",
        1,
        on_server="INVALID_TYPE_ON_FIELD_IN_RECORD",
    ),
    "no date": Case("INVALID_TYPE_ON_FIELD_IN_RECORD", field("Value__c", FieldType.DATE), "noon", "2026-11-23"),
    "no answer": Case("INVALID_TYPE_ON_FIELD_IN_RECORD", field("Value__c", FieldType.CHECKBOX), 7, 1),
    "against a rule of the target": Case(
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        PLAIN,
        "x",
        "x",
        rule="not here",
    ),
    "of a deleted record": Case("ENTITY_IS_DELETED", PLAIN, "x", "x", rule="entity is deleted"),
    "against a rule without a code": Case(
        "FIELD_CUSTOM_VALIDATION_EXCEPTION", PLAIN, "x", "x", rule="not here", named=""
    ),
}


#: A file takes any value from a client that has its checks off; a server never does.
loose_source = pytest.mark.files_only("primary")


@loose_source
@pytest.mark.pairings("sqlite-sqlite", "sqlite-postgres")
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_is_held_and_told_and_sent_once_mended(world: FailsafeWorld, case: Case) -> None:
    """LOG-1, LOG-2, QUE-4, QUE-5: others arrive; code, field, its type and the next try are told; then Resolved."""
    if case.on_server and not world.addresses[S].startswith("sqlite:"):
        case = replace(case, code=case.on_server)
    for side in (P, S):
        world.extend("Account", case.field, side=side)
    world.connect("Account")
    if case.theirs:
        world.extend("Account", case.theirs, side=S)
    if case.taken:
        world.insert(S, "Account", Name="there", Value__c=case.taken)
        world.drain(P)
    if case.rule:
        code = case.code if case.named else ""
        mend = refuse(world.clients[S], "Account", case.rule, code=code, field="Value__c", only="NEW.\"Name\" = 'bad'")
    world.clients[P].execute("PRAGMA ignore_check_constraints = ON")
    good = {"Value__c": case.good} if case.code != "DUPLICATE_VALUE" else {"Value__c": None}
    world.insert(P, "Account", Name="before", **good)
    record = world.insert(P, "Account", Name="bad", Value__c=case.bad)
    world.insert(P, "Account", Name="after", **good)

    done = world.program("drain", CONNECTION, "--from", "primary")
    assert done.exit_code == 5, done.output
    names = set(world.all(S, 'SELECT "Name" FROM "Account"'))
    assert names - {"there"} == {"before", "after"}
    (item,) = [item for item in world.queue(P) if item.record == record]
    assert (item.attempts, item.error.split(":")[0]) == (1, case.code)
    assert item.next_retry
    (entry,) = json.loads(world.program("log", "list", CONNECTION, "--format", "json").stdout)["entries"]
    kind = case.field.type.value if case.named else ""
    assert (entry["status"], entry["error_code"], entry["record"]) == ("Retrying", case.code, record)
    assert world.all(P, 'SELECT "FieldName", "FieldType" FROM "PartnerNetworkSyncLog"') == [
        (case.named or None, kind or None)
    ]
    assert entry["description"]

    if case.rule:
        mend()
        world.later(hours=1)
    else:
        world.update(P, "Account", record, Value__c=case.good)
    world.drain(P)
    there = world.other(P, record)
    assert there is not None
    assert world.get(S, "Account", there, "Value__c") == case.good
    assert world.log_words(P) == [("Retrying", case.code, record), ("Resolved", "", record)]
    assert world.queue(P) == []


@pytest.mark.pairings("sqlite-sqlite", "postgres-postgres")
def test_an_id_that_is_none_in_the_target(world: FailsafeWorld) -> None:
    """LOG-1, LOG-2: what the target's own trigger puts into a lookup is held against the record, in the platform's words."""
    world.connect("Account", "Contact")
    spoil = 'UPDATE "Contact" SET "AccountId" = \'001\' WHERE orgsync_row = NEW.orgsync_row'
    own_trigger(world.clients[S], "spoil", "AFTER INSERT", "Contact", spoil, "NEW.\"LastName\" = 'bad'")
    world.insert(P, "Contact", LastName="good")
    record = world.insert(P, "Contact", LastName="bad")
    assert world.program("drain", CONNECTION).exit_code == 5
    (entry,) = json.loads(world.program("log", "list", CONNECTION, "--format", "json").stdout)["entries"]
    assert (entry["status"], entry["error_code"], entry["record"]) == ("Retrying", "MALFORMED_ID", record)
    assert entry["description"] == "the value of AccountId is not a record Id"
    assert world.all(P, 'SELECT "FieldName", "FieldType" FROM "PartnerNetworkSyncLog"') == [("AccountId", "lookup")]
    drop_trigger(world.clients[S], "spoil")
    world.later(hours=1)
    world.drain()
    assert world.log_words(P)[-1] == ("Resolved", "", record)
    world.assert_equal()


@loose_source
def test_an_id_that_is_none_in_the_source(world: FailsafeWorld) -> None:
    """LKP-2, QUE-2: a lookup that names nothing arrives blank and is listed as missing; the record and others arrive."""
    world.connect("Account", "Contact")
    world.clients[P].execute("PRAGMA ignore_check_constraints = ON")
    record = world.insert(P, "Contact", LastName="bad", AccountId="nonsense")
    world.insert(P, "Contact", LastName="good")
    assert world.program("drain", CONNECTION).exit_code == 0
    assert world.all(S, 'SELECT "LastName", "AccountId" FROM "Contact" ORDER BY 1') == [("bad", None), ("good", None)]
    listed = json.loads(world.program("queue", "list", CONNECTION, "--format", "json").stdout)["items"]
    assert [(item["action"], item["record"]) for item in listed] == [("Missing Partner ID", record)]
    assert world.program("verify", CONNECTION).exit_code == 0
    account = world.insert(P, "Account", Name="found")
    world.update(P, "Contact", record, AccountId=account)
    world.drain()
    assert world.get(S, "Contact", str(world.other(P, record)), "AccountId") == world.other(P, account)
    world.assert_equal()
