"""Short ways to make objects and records, and to read the change log, for the tests of orgs on PostgreSQL."""

from __future__ import annotations

from typing import Any

import psycopg

from orgsync_reconcile.model.schema import FieldDef, FieldType, ObjectDef
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.schema import deploy_objects


def custom(name: str, type_: FieldType, **values: object) -> FieldDef:
    """A custom field."""
    return FieldDef.from_dict({"name": name, "type": type_, "custom": True, **values})


def make_object(org: Org, *fields: FieldDef, name: str = "Thing__c", key_prefix: str = "a00") -> ObjectDef:
    """Deploys a custom object with a text name and these fields."""
    title = FieldDef(name="Name", type=FieldType.TEXT, length=80, name_field=True)
    everything = {item.name: item for item in (title, *fields)}
    obj = ObjectDef(name=name, key_prefix=key_prefix, label=name, custom=True, fields=everything)
    deploy_objects(org, [obj])
    return obj


def insert(client: psycopg.Connection, table: str, **values: Any) -> str:
    """Inserts a record as any client would and returns its minted Id."""
    names = ", ".join(f'"{name}"' for name in values)
    marks = ", ".join("%s" for _ in values)
    given = f"({names}) VALUES ({marks})" if values else "DEFAULT VALUES"
    row = client.execute(f'INSERT INTO "{table}" {given} RETURNING "Id"', list(values.values())).fetchone()  # type: ignore[call-overload,unused-ignore]
    assert row is not None
    return str(row[0])


def changes(org: Org) -> list[tuple[str, str, tuple[str, ...]]]:
    """The change log as (operation, record, changed fields by name)."""
    names: dict[tuple[int, int], str] = {
        (row[0], row[1]): row[2] for row in org.db.execute("SELECT object, number, name FROM orgsync_field")
    }
    words = ", ".join(f"m{word}" for word in range(org.engine.mask_width()))
    return [
        (
            row[1],
            row[2],
            tuple(
                names[row[0], word * 62 + bit]
                for word, mask in enumerate(row[3:])
                for bit in range(62)
                if (mask or 0) >> bit & 1
            ),
        )
        for row in org.db.execute(f"SELECT object, op, record, {words} FROM orgsync_change ORDER BY seq, n")
    ]
