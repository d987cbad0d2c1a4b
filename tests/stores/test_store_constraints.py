"""What the database enforces on fields, with the platform's codes in the error of any client (ORG-4)."""

from __future__ import annotations

import pytest
from org_stores import Client, insert
from store_helpers import custom, make_object, refused

from orgsync_reconcile.errors import RecordError
from orgsync_reconcile.model.schema import FieldDef, FieldType
from orgsync_reconcile.stores.sql.org import Org

T = FieldType

REFUSED: list[tuple[str, FieldDef, object, str]] = [
    ("text", custom("F__c", T.TEXT, length=5), "sixsix", "STRING_TOO_LONG"),
    ("long text", custom("F__c", T.LONG_TEXT_AREA, length=300), "x" * 301, "STRING_TOO_LONG"),
    ("rich text", custom("F__c", T.RICH_TEXT_AREA, length=300), "x" * 301, "STRING_TOO_LONG"),
    ("email", custom("F__c", T.EMAIL, length=10), "someone@acme.example", "STRING_TOO_LONG"),
    ("precision", custom("F__c", T.NUMBER, precision=5, scale=2), 100_000, "NUMBER_OUTSIDE_VALID_RANGE"),
    ("currency", custom("F__c", T.CURRENCY, precision=18, scale=2), 10**18, "NUMBER_OUTSIDE_VALID_RANGE"),
    ("checkbox", custom("F__c", T.CHECKBOX), 2, "INVALID_TYPE_ON_FIELD_IN_RECORD"),
    ("date", custom("F__c", T.DATE), "31.01.2026", "INVALID_TYPE_ON_FIELD_IN_RECORD"),
    ("lookup", custom("F__c", T.LOOKUP, reference_to=["Account"]), "001", "MALFORMED_ID"),
    ("picklist", custom("F__c", T.PICKLIST, picklist=["a", "b"], restricted=True), "c", "RESTRICTED_PICKLIST"),
    (
        "several",
        custom("F__c", T.MULTI_SELECT_PICKLIST, picklist=["a", "b"], restricted=True),
        "a;c",
        "RESTRICTED_PICK",
    ),
    ("part", custom("F__c", T.MULTI_SELECT_PICKLIST, picklist=["ab", "b"], restricted=True), "a;b", "RESTRICTED_PICK"),
]
#: A server reads these another way: it rounds, and knows times without seconds.
REFUSED_BY_FILES: list[tuple[str, FieldDef, object, str]] = [
    ("no number", custom("F__c", T.PERCENT, precision=5, scale=2), "many", "NUMBER_OUTSIDE_VALID_RANGE"),
    ("fraction", custom("F__c", T.NUMBER, precision=5, scale=2), 1.5, "NUMBER_OUTSIDE_VALID_RANGE"),
    ("datetime", custom("F__c", T.DATETIME), "2026-01-31 12:00", "INVALID_TYPE_ON_FIELD_IN_RECORD"),
    ("time", custom("F__c", T.TIME), "12:00", "INVALID_TYPE_ON_FIELD_IN_RECORD"),
]

ACCEPTED: list[tuple[str, FieldDef, object]] = [
    ("text", custom("F__c", T.TEXT, length=5), "five5"),
    ("astral", custom("F__c", T.TEXT, length=2), "\U0001f600é"),
    ("precision", custom("F__c", T.NUMBER, precision=5, scale=2), -99_999),
    ("18 digits", custom("F__c", T.CURRENCY, precision=18, scale=2), 10**18 - 1),
    ("date", custom("F__c", T.DATE), "2026-01-31"),
    ("datetime", custom("F__c", T.DATETIME), "2026-01-31T12:00:00.000Z"),
    ("time", custom("F__c", T.TIME), "23:59:59.999Z"),
    ("unrestricted", custom("F__c", T.PICKLIST, picklist=["a"]), "other"),
    ("several", custom("F__c", T.MULTI_SELECT_PICKLIST, picklist=["a", "a;b", "c d"], restricted=True), "c d;a"),
    ("one", custom("F__c", T.MULTI_SELECT_PICKLIST, picklist=["a", "b"], restricted=True), "b"),
    ("external", custom("F__c", T.EXTERNAL_LOOKUP, length=20, reference_to=["X__x"]), "key"),
]


@pytest.mark.parametrize(("field", "value", "code"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_bad_value_is_refused_on_insert_and_update(
    field: FieldDef, value: object, code: str, org: Org, client: Client
) -> None:
    """ORG-4, LOG-1: length, precision, type and picklist hold for every client, and the field is named."""
    _is_refused(org, client, field, value, code)


def _is_refused(org: Org, client: Client, field: FieldDef, value: object, code: str) -> None:
    make_object(org, field)
    with refused(f"{code}.*:F__c"):
        insert(client, "Thing__c", F__c=value)
    insert(client, "Thing__c", Name="blank")
    with refused(f"{code}.*:F__c"):
        client.execute('UPDATE "Thing__c" SET "F__c" = ?', [value])


@pytest.mark.files_only
@pytest.mark.parametrize(
    ("field", "value", "code"), [row[1:] for row in REFUSED_BY_FILES], ids=[row[0] for row in REFUSED_BY_FILES]
)
def test_a_value_of_another_form_is_refused_by_files(
    field: FieldDef, value: object, code: str, org: Org, client: Client
) -> None:
    """ORG-4: what a file holds is in the form that all programs read."""
    _is_refused(org, client, field, value, code)


@pytest.mark.parametrize(("field", "value"), [row[1:] for row in ACCEPTED], ids=[row[0] for row in ACCEPTED])
def test_a_good_value_is_kept(field: FieldDef, value: object, org: Org, client: Client) -> None:
    """ORG-4: values at the limits are kept as they are, and blank is allowed where nothing is required."""
    make_object(org, field)
    insert(client, "Thing__c", F__c=value)
    assert client.execute('SELECT "F__c" FROM "Thing__c"').fetchone() == (value,)
    if field.type is not T.CHECKBOX:
        client.execute('UPDATE "Thing__c" SET "F__c" = NULL')


@pytest.mark.parametrize("blank", [None, ""])
def test_required_means_not_blank(blank: object, org: Org, client: Client) -> None:
    """ORG-4: required fields refuse blanks with the platform's code."""
    make_object(org, custom("F__c", T.TEXT, length=5, required=True))
    with refused("REQUIRED_FIELD_MISSING:F__c"):
        insert(client, "Thing__c", Name="x", F__c=blank)
    with refused("REQUIRED_FIELD_MISSING:F__c"):
        insert(client, "Thing__c", Name="left out")


def test_unique_ignores_case_and_deleted_records(org: Org, client: Client) -> None:
    """ORG-4: unique among records that are not deleted; blanks are no duplicates."""
    make_object(org, custom("F__c", T.TEXT, length=20, unique=True))
    first = insert(client, "Thing__c", F__c="Key")
    with refused("DUPLICATE_VALUE:F__c"):
        insert(client, "Thing__c", F__c="KEY")
    insert(client, "Thing__c")
    insert(client, "Thing__c")
    client.execute('DELETE FROM "Thing__c" WHERE "Id" = ?', [first])
    insert(client, "Thing__c", F__c="key")
    with refused("DUPLICATE_VALUE"):
        client.execute('UPDATE "Thing__c" SET "IsDeleted" = FALSE WHERE "Id" = ?', [first])


def test_case_sensitive_unique_tells_case_apart(org: Org, client: Client) -> None:
    """ORG-4: unless the field says that case counts."""
    make_object(org, custom("F__c", T.TEXT, length=20, unique=True, case_sensitive=True))
    insert(client, "Thing__c", F__c="Key")
    insert(client, "Thing__c", F__c="KEY")
    with refused("DUPLICATE_VALUE"):
        insert(client, "Thing__c", F__c="KEY")


def test_defaults_fill_what_is_left_out(org: Org, client: Client) -> None:
    """ORG-4: literal defaults, scaled for numbers; a checkbox is false unless told."""
    make_object(
        org,
        custom("Text__c", T.TEXT, length=20, default="it's new"),
        custom("Rate__c", T.NUMBER, precision=5, scale=2, default="1.25"),
        custom("Yes__c", T.CHECKBOX, default="true"),
        custom("No__c", T.CHECKBOX),
        custom("Pick__c", T.PICKLIST, picklist=["a", "b"], default="b"),
    )
    insert(client, "Thing__c", Name="x")
    row = client.execute('SELECT "Text__c", "Rate__c", "Yes__c", "No__c", "Pick__c" FROM "Thing__c"').fetchone()
    assert row == ("it's new", 125, 1, 0, "b")


def test_geolocation_has_two_checked_columns(org: Org, client: Client) -> None:
    """ORG-4: a geolocation is a latitude and a longitude."""
    make_object(org, custom("Place__c", T.GEOLOCATION, scale=5))
    insert(client, "Thing__c", Place__Latitude__s=46.95, Place__Longitude__s=7.44)
    assert client.execute('SELECT "Place__Latitude__s", "Place__Longitude__s" FROM "Thing__c"').fetchone() == (
        46.95,
        7.44,
    )
    with refused("NUMBER_OUTSIDE_VALID_RANGE:Place__Longitude__s"):
        insert(client, "Thing__c", Place__Longitude__s=200)


def test_auto_numbers_count_in_their_format(org: Org, client: Client) -> None:
    """ORG-4: an auto-number is filled by the org, and a value that is given is kept."""
    make_object(org, custom("No__c", T.AUTO_NUMBER, display_format="A-{0000}"))
    insert(client, "Thing__c")
    insert(client, "Thing__c", No__c="kept")
    insert(client, "Thing__c")
    assert client.execute('SELECT "No__c" FROM "Thing__c" ORDER BY orgsync_row').fetchall() == [
        ("A-0001",),
        ("kept",),
        ("A-0002",),
    ]


def test_a_roll_up_keeps_its_definition_and_what_is_written(org: Org, client: Client) -> None:
    """ORG-4: roll-ups are described, and hold what the org's own programs write."""
    field = custom(
        "Total__c",
        T.ROLL_UP_SUMMARY,
        summary=["sum", "Contact", "AccountId", "Age__c"],
        result_type="number",
        precision=18,
        scale=2,
    )
    make_object(org, field)
    insert(client, "Thing__c", Total__c=1250)
    assert client.execute('SELECT "Total__c" FROM "Thing__c"').fetchone() == (1250,)


def test_lookups_are_not_enforced_by_the_database(client: Client) -> None:
    """ORG-4: a lookup to a record that is not there is for the org check and the engine to find."""
    insert(client, "Contact", LastName="x", AccountId="001zzz000000001AAA")


@pytest.mark.parametrize("name", ["Busy_locked__c", "Is_full__c", "Readonly_database__c"])
def test_a_field_name_never_changes_the_kind_of_error(name: str, org: Org) -> None:
    """ORG-4: a refused record is a record error with code and field, whatever the field is called."""
    make_object(org, custom(name, T.TEXT, length=2))
    with pytest.raises(RecordError, match="STRING_TOO_LONG") as caught, org.transaction() as db:
        insert(db, "Thing__c", **{name: "long"})
    assert caught.value.code == "STRING_TOO_LONG"
    assert name in str(caught.value)
