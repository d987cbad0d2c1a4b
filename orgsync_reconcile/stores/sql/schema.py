"""An org's objects and fields: the registry, and the tables that follow it (ORG-2 to ORG-6)."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

from orgsync_reconcile.errors import MetadataError
from orgsync_reconcile.model.schema import FieldDef, FieldType, ObjectDef
from orgsync_reconcile.stores.sql.layout import WORD, Capture, Child, Mirror, Wanted
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.own_triggers import with_sql_triggers
from orgsync_reconcile.stores.sql.schema_events import tell_of_schema


@lru_cache(maxsize=65_536)
def _field(text: str) -> FieldDef:
    """A field from its registry text. Both orgs, and many objects, hold the same texts; fields never change."""
    return FieldDef.from_dict(json.loads(text))


class Objects(Mapping[str, ObjectDef]):
    """The org's objects by name, each read from the registry when it is first asked for."""

    def __init__(self, org: Org) -> None:
        self._org = org
        rows = org.db.execute("SELECT name, number, definition FROM orgsync_object ORDER BY name").fetchall()
        self._rows: dict[str, tuple[int, str]] = {name: (number, text) for name, number, text in rows}
        self._read: dict[str, ObjectDef] = {}

    def __getitem__(self, name: str) -> ObjectDef:
        if name not in self._read:
            number, text = self._rows[name]
            rows = self._org.db.execute(
                "SELECT definition FROM orgsync_field WHERE object = ? AND definition IS NOT NULL ORDER BY number",
                [number],
            )
            parsed = [_field(row[0]) for row in rows]
            self._read[name] = ObjectDef(**json.loads(text), fields={item.name: item for item in parsed})
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def number(self, name: str) -> int:
        """The object's permanent number."""
        return self._rows[name][0]


def field_numbers(org: Org, object_number: int) -> dict[str, int]:
    """Field name -> permanent number, of the fields that exist."""
    rows = org.db.execute(
        "SELECT name, number FROM orgsync_field WHERE object = ? AND definition IS NOT NULL", [object_number]
    )
    return dict(rows.fetchall())


def definition_text(obj: ObjectDef) -> str:
    """An object's registry text, without its fields."""
    values = {
        "name": obj.name,
        "key_prefix": obj.key_prefix,
        "label": obj.label,
        "custom": obj.custom,
        "deployed": obj.deployed,
        "kind": obj.kind,
    }
    return json.dumps(values, sort_keys=True)


def _register(org: Org, obj: ObjectDef) -> int:
    """Writes the object and its fields to the registry; numbers once given stay."""
    db = org.db
    db.execute(
        "INSERT INTO orgsync_object (name, key_prefix, definition) VALUES (?1, ?2, ?3)"
        " ON CONFLICT (name) DO UPDATE SET definition = excluded.definition",
        [obj.name, obj.key_prefix, definition_text(obj)],
    )
    number: int = db.execute("SELECT number FROM orgsync_object WHERE name = ?", [obj.name]).fetchone()[0]
    taken: dict[str, int] = dict(
        db.execute("SELECT name, number FROM orgsync_field WHERE object = ?", [number]).fetchall()
    )
    following = max(taken.values(), default=-1) + 1
    for field in obj.fields.values():
        if field.name not in taken:
            taken[field.name] = following
            following += 1
    db.execute("UPDATE orgsync_field SET definition = NULL WHERE object = ?", [number])
    db.executemany(
        "INSERT INTO orgsync_field (object, number, name, definition) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (object, number) DO UPDATE SET definition = excluded.definition",
        [(number, taken[f.name], f.name, json.dumps(f.to_dict(), sort_keys=True)) for f in obj.fields.values()],
    )
    for field in obj.fields.values():
        if field.type is FieldType.AUTO_NUMBER:
            db.execute("INSERT OR IGNORE INTO orgsync_autonumber VALUES (?, ?, 1)", [obj.name, field.name])
    return number


def free_key_prefix(org: Org, taken: Collection[str] = ()) -> str:
    """The next key prefix for a custom object: a00, a01, … in lowercase letters and digits.

    `taken` are prefixes that objects will have which are not deployed yet. Raises MetadataError where none is left.
    """
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    used = {row[0] for row in org.db.execute("SELECT key_prefix FROM orgsync_object")}.union(taken)
    for first in digits[10:]:
        for second in digits:
            for third in digits:
                prefix = f"{first}{second}{third}"
                if prefix not in used:
                    return prefix
    raise MetadataError("this org has no key prefix left for another custom object", where=org.label)


def _children(objects: Objects, wanted: Iterable[str]) -> dict[str, list[Child]]:
    """Parent -> the references that cascade from it."""
    found: dict[str, list[Child]] = {name: [] for name in wanted}
    for name in objects:
        for field in objects[name].fields.values():
            if not field.cascade_delete:
                continue
            parents = found if "*" in field.reference_to else field.reference_to
            for parent in parents:
                if parent in found and parent != name and objects[parent].kind == "object":
                    found[parent].append(Child(object=name, field=field.name))
    return found


def captures(org: Org, objects: Objects) -> dict[str, Capture]:
    """Object -> what of it is captured, from the publications and user switches of this org's connections."""
    db = org.db
    published: dict[str, set[str]] = {}
    connections: dict[str, set[int]] = {}
    live = 'SELECT number FROM orgsync_connection AS c JOIN "PartnerNetworkConnection" AS p ON p."Id" = c.id WHERE p."ConnectionStatus" <> \'Inactive\''
    for number, name in db.execute(f"SELECT connection, object FROM orgsync_published WHERE connection IN ({live})"):
        published.setdefault(name, set())
        connections.setdefault(name, set()).add(number)
    for name, field in db.execute(f"SELECT object, field FROM orgsync_published_field WHERE connection IN ({live})"):
        published.setdefault(name, set()).add(field)
    # What arrives over one connection goes on over another, also where it arrives one way (CON-10).
    for number, name in db.execute(f"SELECT connection, object FROM orgsync_subscribed WHERE connection IN ({live})"):
        connections.setdefault(name, set()).add(number)
    if db.execute(f'{live} AND p."IsSyncUsers" = TRUE').fetchone():
        for name in ("User", "PermissionSetAssignment"):
            published[name] = {f.name for f in objects[name].fields.values() if f.type is not FieldType.FORMULA}
            connections[name] = {row[0] for row in db.execute(live)}
    triggered = with_sql_triggers(org, published)
    result: dict[str, Capture] = {}
    for name, fields in published.items():
        if name not in objects:
            continue
        numbers = field_numbers(org, objects.number(name))
        columns = {
            column: numbers[field]
            for field in sorted(fields)
            if field in numbers
            for column in objects[name].fields[field].columns
        }
        alone = len(connections.get(name, ())) <= 1 and name not in triggered
        result[name] = Capture(number=objects.number(name), columns=columns, suppress=alone)
    return result


def mirrors(org: Org, objects: Objects) -> dict[str, list[Mirror]]:
    """Object -> its declared mirrors of auto-numbers, as far as both fields exist (AUT-1)."""
    found: dict[str, list[Mirror]] = {}
    for name, field, mirror in org.db.execute(
        "SELECT DISTINCT object, field, mirror FROM orgsync_mirror ORDER BY object, field, mirror"
    ):
        if name in objects and {field, mirror} <= objects[name].fields.keys():
            found.setdefault(name, []).append(Mirror(field=field, mirror=mirror, number=objects.number(name)))
    return found


def rebuild_triggers(org: Org, names: Iterable[str], objects: Objects | None = None) -> None:
    """Makes the triggers of these objects what schema and publications ask for. Inside a transaction."""
    objects = objects or Objects(org)
    wanted = [name for name in dict.fromkeys(names) if name in objects]
    children = _children(objects, wanted)
    capture = captures(org, objects)
    highest = max((number // WORD for item in capture.values() for number in item.columns.values()), default=0)
    widen_masks(org, highest + 1)
    mirrored = mirrors(org, objects)
    org.engine.set_triggers(
        [
            (
                objects[name],
                Wanted(children=children[name], capture=capture.get(name), mirrors=mirrored.get(name, ())),
            )
            for name in wanted
        ]
    )


def widen_masks(org: Org, width: int) -> None:
    """Gives this org's tables at least `width` mask words. Inside a transaction."""
    for word in range(org.engine.mask_width(), width):
        for table in ("orgsync_change", "orgsync_held", "orgsync_outcome"):
            org.db.execute(f"ALTER TABLE {table} ADD COLUMN m{word} BIGINT")


def deploy_objects(org: Org, definitions: Iterable[ObjectDef]) -> None:
    """Creates or alters the tables of these objects, with indexes and triggers. Atomic. Raises MetadataError."""
    with org.transaction():
        known = Objects(org)
        touched: list[str] = []
        altered: list[tuple[ObjectDef, ObjectDef]] = []
        for definition in definitions:
            old = known.get(definition.name)
            obj = definition if old is None else replace(definition, key_prefix=old.key_prefix)
            _register(org, obj)
            if old is None:
                org.engine.create_table(obj)
            else:
                altered.append((old, obj))
            touched.append(obj.name)
            fields = [*obj.fields.values(), *(old.fields.values() if old else ())]
            touched.extend(parent for f in fields if f.cascade_delete for parent in f.reference_to)
        org.engine.alter_tables(altered)
        tell_of_schema(org, altered)
        objects = Objects(org)
        if "*" in touched:
            touched = list(objects)
        rebuild_triggers(org, touched, objects)
        org.touch_revision()
