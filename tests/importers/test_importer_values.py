"""Values between files and storage."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgsync_reconcile.errors import RecordError
from orgsync_reconcile.importers import coerce, render
from orgsync_reconcile.model.schema import FieldDef, FieldType


def of(type_: FieldType, **options: Any) -> FieldDef:
    return FieldDef(name="X__c", type=type_, **options)


MONEY = of(FieldType.CURRENCY, precision=18, scale=2)
ONE_DIGIT = of(FieldType.NUMBER, precision=2, scale=1)
TEXT = of(FieldType.TEXT, length=5)
COLOURS = of(FieldType.PICKLIST, length=255, picklist=("Red", "Blue"), restricted=True)
MANY = of(FieldType.MULTI_SELECT_PICKLIST, length=4099, picklist=("Red", "Blue"), restricted=True)
ACCOUNT = of(FieldType.LOOKUP, length=18, reference_to=("Account",))


@pytest.mark.parametrize(
    ("raw", "field", "stored"),
    [
        ("1234567890123456.78", MONEY, 123456789012345678),
        (Decimal("0.005"), MONEY, 1),
        (Decimal("-0.005"), MONEY, -1),
        ("0.004", MONEY, 0),
        (1.005, MONEY, 101),
        ("1e2", MONEY, 10000),
        (12, of(FieldType.NUMBER, precision=8, scale=0), 12),
        ("9.94", ONE_DIGIT, 99),
        ("true", of(FieldType.CHECKBOX), 1),
        ("FALSE", of(FieldType.CHECKBOX), 0),
        (False, of(FieldType.CHECKBOX), 0),
        ("2024-02-29", of(FieldType.DATE), "2024-02-29"),
        ("2024-03-01T00:30:00+01:00", of(FieldType.DATETIME), "2024-02-29T23:30:00.000Z"),
        ("2024-03-01T10:00:00.123+0000", of(FieldType.DATETIME), "2024-03-01T10:00:00.123Z"),
        ("2024-03-01 10:00:00", of(FieldType.DATETIME), "2024-03-01T10:00:00.000Z"),
        ("2024-03-01", of(FieldType.DATETIME), "2024-03-01T00:00:00.000Z"),
        ("07:30", of(FieldType.TIME), "07:30:00.000Z"),
        ("07:30:15.250Z", of(FieldType.TIME), "07:30:15.250Z"),
        ("äöüß€", TEXT, "äöüß€"),
        (12345, TEXT, "12345"),
        ("Red", COLOURS, "Red"),
        ("Blue; Red;Blue;", MANY, "Blue;Red"),
        (["Red"], MANY, "Red"),
        ("001D000000IqhSL", ACCOUNT, "001D000000IqhSLIAZ"),
        ("001D000000IqhSLIAZ", ACCOUNT, "001D000000IqhSLIAZ"),
        ("-122.4194155", of(FieldType.GEOLOCATION, scale=4), -122.4194),
        ("aGVs\nbG8=", of(FieldType.BASE64), b"hello"),
        ("a@example.org", of(FieldType.EMAIL, length=80), "a@example.org"),
    ],
)
def test_org_4_values_become_storage_form(raw: Any, field: FieldDef, stored: Any) -> None:
    assert coerce(raw, field) == stored
    assert type(coerce(raw, field)) is type(stored)


@pytest.mark.parametrize(
    "type_", [item for item in FieldType if item not in ("formula", "roll_up_summary", "auto_number")]
)
@pytest.mark.parametrize("blank", [None, "", "  "])
def test_org_4_blank_is_nothing(type_: FieldType, blank: str | None) -> None:
    assert coerce(blank, of(type_)) is None


@pytest.mark.parametrize(
    ("raw", "field", "code"),
    [
        ("123456", TEXT, "STRING_TOO_LONG"),
        (True, TEXT, "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ({"a": 1}, TEXT, "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("Green", COLOURS, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ("Red;Green", MANY, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ("9.95", ONE_DIGIT, "NUMBER_OUTSIDE_VALID_RANGE"),
        ("1e999", MONEY, "NUMBER_OUTSIDE_VALID_RANGE"),
        (Decimal("1e99999999"), MONEY, "NUMBER_OUTSIDE_VALID_RANGE"),
        (float("inf"), MONEY, "NUMBER_OUTSIDE_VALID_RANGE"),
        (float("nan"), MONEY, "NUMBER_OUTSIDE_VALID_RANGE"),
        ("1,250", MONEY, "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        (True, MONEY, "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("maybe", of(FieldType.CHECKBOX), "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("2023-02-29", of(FieldType.DATE), "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("20230201", of(FieldType.DATE), "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("2023-02-01T25:00:00Z", of(FieldType.DATETIME), "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("0999-01-01", of(FieldType.DATE), "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("4001-01-01T00:00:00Z", of(FieldType.DATETIME), "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("0001-01-01T00:00:00+14:00", of(FieldType.DATETIME), "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("24:00", of(FieldType.TIME), "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("001D000000IqhSLIAA", ACCOUNT, "MALFORMED_ID"),
        ("nobody", ACCOUNT, "MALFORMED_ID"),
        ("181", of(FieldType.GEOLOCATION, scale=7), "NUMBER_OUTSIDE_VALID_RANGE"),
        ("not base64!", of(FieldType.BASE64), "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("nobody", of(FieldType.EMAIL, length=80), "INVALID_EMAIL_ADDRESS"),
        ("1", of(FieldType.AUTO_NUMBER), "INVALID_FIELD_FOR_INSERT_UPDATE"),
    ],
)
def test_org_4_refusals_carry_the_platforms_code(raw: Any, field: FieldDef, code: str) -> None:
    with pytest.raises(RecordError, match=rf"^{code}: X__c: .+; .+") as caught:
        coerce(raw, field)
    assert caught.value.code == code
    assert "\n" not in str(caught.value)


def test_org_4_an_unrestricted_picklist_takes_other_values() -> None:
    assert coerce("Green", of(FieldType.PICKLIST, picklist=("Red",), length=40)) == "Green"


@given(st.integers(-(10**18) + 1, 10**18 - 1), st.integers(0, 18))
def test_org_4_eighteen_digits_survive(stored: int, scale: int) -> None:
    field = of(FieldType.NUMBER, precision=18, scale=scale)
    assert coerce(render(stored, field), field) == stored


@given(st.datetimes(datetime.fromisoformat("1700-01-01"), datetime.fromisoformat("4000-12-31")))
def test_org_4_datetimes_survive(moment: datetime) -> None:
    field = of(FieldType.DATETIME)
    stored = coerce(moment.isoformat(), field)
    assert coerce(render(stored, field), field) == stored
    assert stored[:19] == moment.isoformat()[:19]


@given(st.decimals(-(10**10), 10**10, places=4))
def test_org_4_rounding_is_half_up(value: Decimal) -> None:
    stored = coerce(value, MONEY)
    assert abs(Decimal(stored) - value * 100) <= Decimal("0.5")
    assert coerce(-value, MONEY) == -stored


def test_org_4_rendering_is_natural_json() -> None:
    assert render(1, of(FieldType.CHECKBOX)) is True
    assert render(1250, MONEY) == 12.5
    assert render(123456789012345678, MONEY) == "1234567890123456.78"
    assert render(7, of(FieldType.NUMBER, precision=8, scale=0)) == 7
    assert render(b"hello", of(FieldType.BASE64)) == "aGVsbG8="
    assert render(None, MONEY) is None
    assert render("a;b", MANY) == "a;b"
    assert render(0, of(FieldType.FORMULA, result_type=FieldType.CHECKBOX)) is False
