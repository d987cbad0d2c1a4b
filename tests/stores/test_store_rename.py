"""Renaming fields and objects that formulas refer to (MET-7, PUB-11)."""

from __future__ import annotations

import sqlite3

import pytest
from org_stores import insert
from store_helpers import custom, make_object

from orgsync_reconcile.errors import MetadataError
from orgsync_reconcile.model.schema import FieldType
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.rename import rename_field, rename_object

T = FieldType

#: Formula of a field of Child__c -> what it keeps from being renamed: Child__c.Region__c, Child__c.Parent__c,
#: Parent__c.Region__c or the object Parent__c.
USES = {
    "Region__c": {"Child__c.Region__c"},
    "region__C & 'x'": {"Child__c.Region__c"},
    "Parent__r.Region__c": {"Child__c.Parent__c", "Child__c.Region__c", "Parent__c.Region__c"},
    "ISBLANK(Parent__c)": {"Child__c.Parent__c"},
    "Parent__r.Name": {"Child__c.Parent__c"},
    "'Region__c, Parent__r.Name'": set(),
    "Region__c_old": set(),
}


@pytest.mark.parametrize(("formula", "kept"), USES.items(), ids=USES)
def test_what_a_formula_refers_to_keeps_its_name(formula: str, kept: set[str], org: Org) -> None:
    """MET-7: one line names the formula's field; nothing is changed. What no formula needs is renamed."""
    region = custom("Region__c", T.TEXT, length=40)
    make_object(org, region, name="Parent__c", key_prefix="a01")
    lookup = custom("Parent__c", T.LOOKUP, reference_to=("Parent__c",))
    computed = custom("Shown__c", T.FORMULA, formula=formula, result_type="text")
    make_object(org, region, lookup, computed, name="Child__c", key_prefix="a02")
    for what in ("Child__c.Region__c", "Child__c.Parent__c", "Parent__c.Region__c"):
        object_name, _, field = what.partition(".")
        if what in kept:
            with pytest.raises(MetadataError, match=r"Child__c\.Shown__c is computed from .*change its formula first"):
                rename_field(org, object_name, field, "Other__c")
            rows = org.db.execute(f'SELECT count("{field}") FROM "{object_name}"')
            assert rows.fetchone() == (0,)
        else:
            rename_field(org, object_name, field, "Other__c")
            rename_field(org, object_name, "Other__c", field)
    rename_object(org, "Parent__c", "Owner__c")


def test_an_object_that_a_formula_names_keeps_its_name(org: Org) -> None:
    """MET-7: such as the label of an object."""
    make_object(org, name="Parent__c", key_prefix="a01")
    shown = custom("Shown__c", T.FORMULA, formula="$ObjectType.Parent__c.Label", result_type="text")
    make_object(org, shown, name="Child__c", key_prefix="a02")
    with pytest.raises(MetadataError, match=r"Child__c\.Shown__c is computed from Parent__c"):
        rename_object(org, "Parent__c", "Owner__c")


def test_what_is_computed_stays_so_when_others_are_renamed(org: Org, client: sqlite3.Connection) -> None:
    """MET-7, ORG-4: the formula goes on, and the record keeps what it holds."""
    fields = (
        custom("First__c", T.TEXT, length=40),
        custom("Last__c", T.TEXT, length=40),
        custom("Shown__c", T.FORMULA, formula="First__c & '!'", result_type="text"),
    )
    make_object(org, *fields)
    insert(client, "Thing__c", First__c="Ada", Last__c="L")
    rename_field(org, "Thing__c", "Last__c", "Family__c")
    rename_field(org, "Thing__c", "Shown__c", "Told__c")
    rename_object(org, "Thing__c", "Person__c")
    client.execute('UPDATE "Person__c" SET "First__c" = \'Eva\'')
    assert client.execute('SELECT "Told__c", "Family__c" FROM "Person__c"').fetchall() == [("Eva!", "L")]
