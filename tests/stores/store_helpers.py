"""Short ways to make objects, records and connections, and to read the change log, for the store tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from orgsync_reconcile.metadata import to_component
from orgsync_reconcile.model.component import Component
from orgsync_reconcile.model.schema import FieldDef, FieldType, ObjectDef
from orgsync_reconcile.stores.faults import refusal, refusals
from orgsync_reconcile.stores.postgres.database import PostgresDatabase
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.schema import deploy_objects

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@contextmanager
def refused(what: str) -> Iterator[None]:
    """The database refuses a record within the block; `what` matches `CODE:Field`."""
    with pytest.raises(refusals()) as caught:
        yield
    code, field, _ = refusal(caught.value)
    assert re.search(what, f"{code}:{field}"), (code, field, caught.value)


def make_object(org: Org, *fields: FieldDef, name: str = "Thing__c", key_prefix: str = "a00") -> ObjectDef:
    """Deploys a custom object with a text name and these fields."""
    title = FieldDef(name="Name", type=FieldType.TEXT, length=80, name_field=True)
    everything = {item.name: item for item in (title, *fields)}
    obj = ObjectDef(name=name, key_prefix=key_prefix, label=name, custom=True, fields=everything)
    deploy_objects(org, [obj])
    return obj


def custom(name: str, type_: FieldType, **values: object) -> FieldDef:
    """A custom field."""
    return FieldDef.from_dict({"name": name, "type": type_, "custom": True, **values})


def changes(org: Org) -> list[tuple[str, str, tuple[str, ...]]]:
    """The change log as (operation, record, changed fields by name)."""
    names: dict[tuple[int, int], str] = {
        (row[0], row[1]): row[2] for row in org.db.execute("SELECT object, number, name FROM orgsync_field")
    }
    words = ", ".join(f"m{word}" for word in range(org.engine.mask_width()))
    found = []
    entry = org.db.dialect.entry
    for row in org.db.execute(f"SELECT object, op, record, {words} FROM orgsync_change ORDER BY {entry}"):
        changed = tuple(
            names[row[0], word * 62 + bit]
            for word, mask in enumerate(row[3:])
            for bit in range(62)
            if (mask or 0) >> bit & 1
        )
        found.append((row[1], row[2], changed))
    return found


def schema_state(org: Org) -> object:
    """Another value as soon as a table, column, index or trigger was made anew or altered."""
    if not isinstance(org.db, PostgresDatabase):
        return org.db.execute("PRAGMA schema_version").fetchone()
    parts = [
        f"SELECT '{name}' || oid || '.' || xmin AS mark FROM {name}" for name in ("pg_class", "pg_trigger", "pg_proc")
    ]
    parts.append("SELECT attrelid || '.' || attnum || '.' || xmin FROM pg_attribute")
    return org.db.execute(
        f"SELECT md5(string_agg(mark, ',' ORDER BY mark)) FROM ({' UNION ALL '.join(parts)}) AS t"
    ).fetchone()


def component(kind: str, name: str, /, **content: Any) -> Component:
    return to_component(kind, name, content)


def custom_object(name: str, /, **content: Any) -> Component:
    said = {"label": name, "nameField": {"type": "Text", "label": "Name"}, "deploymentStatus": "Deployed", **content}
    return component("CustomObject", name, **said)


def text_field(name: str, /, length: int = 20, **content: Any) -> Component:
    return component("CustomField", name, type="Text", length=str(length), label="x", **content)


def lookup(name: str, target: str, kind: str = "Lookup") -> Component:
    return component("CustomField", name, type=kind, referenceTo=target, label="x")
