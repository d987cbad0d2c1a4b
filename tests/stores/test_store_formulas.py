"""Formulas that the database computes from the same record, and those that it leaves alone (ORG-4)."""

from __future__ import annotations

import pytest
from org_stores import Client, insert
from store_helpers import custom, make_object

from orgsync_reconcile.model.schema import FieldType
from orgsync_reconcile.stores.faults import faults
from orgsync_reconcile.stores.sql.org import Org

T = FieldType

COMPUTED: list[tuple[str, dict[str, object], object]] = [
    ("Rate__c * 2", {"result_type": "number", "scale": 2}, 250),
    ("Rate__c / 0", {"result_type": "number", "scale": 2}, None),
    ("IF(Flag__c, 10, 20) - 1", {"result_type": "number", "scale": 0}, 9),
    ('First__c & " " & Last__c', {"result_type": "text"}, "Ada Lovelace"),
    ('IF(ISBLANK(Gone__c), "none", Gone__c)', {"result_type": "text"}, "none"),
    ('UPPER(TRIM(Last__c)) & ", it\'s"', {"result_type": "text"}, "LOVELACE, it's"),
    ("AND(Rate__c > 1, NOT(Rate__c >= 2), Flag__c)", {"result_type": "checkbox"}, 1),
    ('BLANKVALUE(Gone__c, "x") = "x"', {"result_type": "checkbox"}, 1),
    ("LEN(Last__c)", {"result_type": "number", "scale": 0}, 8),
]

NOT_COMPUTED = ["TODAY() - 1", "Account.Name", "HYPERLINK(Last__c, Last__c)", "VLOOKUP(", 'Rate__c & "x"', "Nowhere__c"]


@pytest.mark.parametrize(("formula", "kind", "value"), COMPUTED, ids=[row[0] for row in COMPUTED])
def test_same_record_formulas_are_computed(
    formula: str, kind: dict[str, object], value: object, org: Org, client: Client
) -> None:
    """ORG-4: any client reads the result, and nobody can write it."""
    make_object(
        org,
        custom("Out__c", T.FORMULA, formula=formula, **kind),
        custom("Rate__c", T.NUMBER, precision=5, scale=2),
        custom("Flag__c", T.CHECKBOX),
        custom("First__c", T.TEXT, length=40),
        custom("Last__c", T.TEXT, length=40),
        custom("Gone__c", T.TEXT, length=40),
    )
    insert(client, "Thing__c", Rate__c=125, Flag__c=1, First__c="Ada", Last__c="Lovelace")
    assert client.execute('SELECT "Out__c" FROM "Thing__c"').fetchone() == (value,)
    with pytest.raises(faults(), match=r"generated|can only be updated to DEFAULT"):
        client.execute('UPDATE "Thing__c" SET "Out__c" = NULL')


@pytest.mark.parametrize("formula", NOT_COMPUTED)
def test_other_formulas_keep_what_is_written(formula: str, org: Org, client: Client) -> None:
    """ORG-4: what SQL cannot compute from the record is a plain column with its definition kept."""
    make_object(
        org,
        custom("Rate__c", T.NUMBER, precision=5, scale=2),
        custom("Last__c", T.TEXT, length=40),
        custom("Out__c", T.FORMULA, formula=formula, result_type="text"),
    )
    insert(client, "Thing__c", Out__c="by hand")
    assert client.execute('SELECT "Out__c" FROM "Thing__c"').fetchone() == ("by hand",)


def test_names_of_people_are_computed(client: Client) -> None:
    """ORG-3, ORG-4: a contact's name follows its parts."""
    insert(client, "Contact", FirstName="Ada", LastName="Lovelace")
    client.execute('UPDATE "Contact" SET "LastName" = \'King\'')
    assert client.execute('SELECT "Name" FROM "Contact"').fetchone() == ("Ada King",)
