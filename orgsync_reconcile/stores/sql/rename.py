"""Renaming a custom field or object of an org: its permanent number, data, links and publications stay (PUB-11, MET-7)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace

from orgsync_reconcile.errors import MetadataError
from orgsync_reconcile.metadata import to_component
from orgsync_reconcile.model.component import ComponentKey
from orgsync_reconcile.model.events import QueueAction
from orgsync_reconcile.model.schema import FieldDef, ObjectDef
from orgsync_reconcile.stores.faults import faults
from orgsync_reconcile.stores.sql.component_table import read_component, write_component
from orgsync_reconcile.stores.sql.events import tell
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.schema import Objects, definition_text, rebuild_triggers
from orgsync_reconcile.stores.sql.text import quote

_QUOTED = re.compile(r"""\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'""")
_NAME = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9]){0,39}__c")


def rename_field(org: Org, object_name: str, old: str, new: str) -> None:
    """Renames a custom field. Raises MetadataError where that cannot be; nothing is changed then."""
    with org.transaction() as db, _explained(org, f"{object_name}.{old}"):
        objects = Objects(org)
        if object_name not in objects or old not in objects[object_name].fields:
            raise MetadataError(
                f"there is no field {object_name}.{old}", where=org.label, hint="see: orgsync org describe"
            )
        obj = objects[object_name]
        field = obj.fields[old]
        _check(org, f"{object_name}.{old}", new, custom=field.custom, taken=obj.fields)
        _check_uses(org, objects, object_name, old)
        renamed = replace(field, name=new)
        fields = {
            (new if name == old else name): (renamed if name == old else item) for name, item in obj.fields.items()
        }
        org.engine.drop_derived(object_name)
        for before, after in zip(field.columns, renamed.columns, strict=True):
            db.execute(f"ALTER TABLE {quote(object_name)} RENAME COLUMN {quote(before)} TO {quote(after)}")
        number = objects.number(object_name)
        # The name of a field that is gone is free again; its number is not.
        db.execute(
            "UPDATE orgsync_field SET name = name || '#' || number WHERE object = ? AND name = ? AND definition IS NULL",
            [number, new],
        )
        db.execute(
            "UPDATE orgsync_field SET name = ?, definition = ? WHERE object = ? AND name = ?",
            [new, json.dumps(renamed.to_dict(), sort_keys=True), number, old],
        )
        after_obj = replace(obj, fields=fields)
        org.engine.alter_tables([(after_obj, after_obj)])
        for table, column in (
            ("orgsync_published_field", "field"),
            ("orgsync_subscribed_field", "field"),
            ("orgsync_published", "match_on"),
            ("orgsync_autonumber", "field"),
            ("orgsync_mirror", "field"),
            ("orgsync_mirror", "mirror"),
        ):
            db.execute(f"UPDATE {table} SET {column} = ? WHERE object = ? AND {column} = ?", [new, object_name, old])
        # What dropped out for want of the new name is back.
        back = f"renamed to {new} in "
        db.execute(
            "UPDATE orgsync_subscribed_field SET dropped = NULL WHERE object = ? AND field = ?"
            f" AND substr(dropped, 1, {len(back)}) = ?",
            [object_name, new, back],
        )
        db.execute("UPDATE orgsync_waiting SET field = ? WHERE object = ? AND field = ?", [new, number, old])
        _rename_component(org, ComponentKey("CustomField", f"{object_name}.{old}"), f"{object_name}.{new}", new)
        _rebuild(org, [object_name, *field.reference_to])
        for (connection,) in db.execute(
            "SELECT connection FROM orgsync_published_field WHERE object = ? AND field = ?", [object_name, new]
        ).fetchall():
            tell(
                org,
                connection,
                QueueAction.FIELD_MAP_NAME_UPDATE,
                object_name=object_name,
                field=new,
                detail={"before": old},
            )


def rename_object(org: Org, old: str, new: str) -> None:
    """Renames a custom object with its table. Raises MetadataError where that cannot be; nothing is changed then."""
    with org.transaction() as db, _explained(org, old):
        objects = Objects(org)
        if old not in objects:
            raise MetadataError(f"there is no object {old}", where=org.label, hint="see: orgsync org describe")
        obj = objects[old]
        _check(org, old, new, custom=obj.custom, taken=objects)
        _check_uses(org, objects, "", old)
        users = {
            name: tuple(field for field in objects[name].references() if old in field.reference_to) for name in objects
        }
        users = {name: found for name, found in users.items() if found}
        for name in {old, *users, *(parent for field in obj.references() for parent in field.reference_to)}:
            if name in objects:
                org.engine.drop_derived(name)
        db.execute(f"ALTER TABLE {quote(old)} RENAME TO {quote(new)}")
        number = objects.number(old)
        db.execute(
            "UPDATE orgsync_object SET name = ?, definition = ? WHERE number = ?",
            [new, definition_text(replace(obj, name=new)), number],
        )
        for name, fields in users.items():
            _point_at(org, objects.number(name), fields, old, new)
        renamed = Objects(org)
        org.engine.alter_tables(
            [(renamed[name], renamed[name]) for name in dict.fromkeys([new, *(new if n == old else n for n in users)])],
        )
        for table in (
            "orgsync_published",
            "orgsync_published_field",
            "orgsync_subscribed",
            "orgsync_subscribed_field",
            "orgsync_autonumber",
            "orgsync_mirror",
            "orgsync_bulk",
            "orgsync_bulk_range",
        ):
            db.execute(f"UPDATE {table} SET object = ? WHERE object = ?", [new, old])
        db.execute('UPDATE "RecordType" SET "SobjectType" = ? WHERE "SobjectType" = ?', [new, old])
        _rename_components(org, old, new)
        _rebuild(org, list(Objects(org)))
        for (connection,) in db.execute("SELECT connection FROM orgsync_published WHERE object = ?", [new]).fetchall():
            tell(org, connection, QueueAction.TYPE_MAP_NAME_UPDATE, object_name=new, detail={"before": old})


class _explained:  # noqa: N801 - a context manager that reads like a word
    """Turns what the store says of something else that stands in the way into an error that names it."""

    def __init__(self, org: Org, what: str) -> None:
        self._org, self._what = org, what

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        if isinstance(error, faults()):
            raise MetadataError(
                f"{self._what} cannot be renamed: {error}", where=self._org.label, hint="change what uses it first"
            ) from error


def _check(org: Org, what: str, new: str, *, custom: bool, taken: Iterable[str]) -> None:
    if not custom:
        raise MetadataError(f"{what} is a standard one, which has its name for good", where=org.label)
    if not _NAME.fullmatch(new):
        raise MetadataError(
            f"{new!r} is no name of a custom field or object", where=org.label, hint="for example Region__c"
        )
    if new.casefold() in {name.casefold() for name in taken}:
        raise MetadataError(f"{new} is there already", where=org.label, hint="choose another name")


def _check_uses(org: Org, objects: Objects, object_name: str, name: str) -> None:
    """Formulas and roll-ups name fields and objects in their text: they have to be changed first."""
    for owner in objects:
        fields = objects[owner].fields
        for field in fields.values():
            summed = (
                field.summary is not None
                and name in field.summary
                and (not object_name or object_name in (owner, field.summary[1]))
            )
            if object_name:
                # A formula names fields of its own object alone, those of others behind a relationship.
                named = _names_field(field.formula or "", name, alone=object_name == owner)
            else:
                named = name not in fields and _names_field(field.formula or "", name, alone=True)
            if summed or named:
                raise MetadataError(
                    f"{owner}.{field.name} is computed from {name}", where=org.label, hint="change its formula first"
                )


def _names_field(formula: str, name: str, *, alone: bool) -> bool:
    """Whether a formula names it in any case, itself or as a relationship (`__r`): `alone`, or behind another one."""
    start = r"(?<![\w$])" if alone else r"(?<=\.)"
    relation = re.escape(name.removesuffix("__c"))
    wanted = rf"{start}(?:{re.escape(name)}(?!\w)|{relation}__r(?=\s*\.))"
    return re.search(wanted, _QUOTED.sub("", formula), re.IGNORECASE) is not None


def _point_at(org: Org, number: int, fields: Iterable[FieldDef], old: str, new: str) -> None:
    for field in fields:
        changed = replace(field, reference_to=tuple(new if item == old else item for item in field.reference_to))
        org.db.execute(
            "UPDATE orgsync_field SET definition = ? WHERE object = ? AND name = ?",
            [json.dumps(changed.to_dict(), sort_keys=True), number, field.name],
        )


def _rename_component(org: Org, key: ComponentKey, full_name: str, own_name: str) -> None:
    """Moves a component to its new name; what was last synced under the old one is no longer known."""
    present = read_component(org, key)
    if present is None:
        return
    content = {**present.content, "fullName": own_name} if "fullName" in present.content else present.content
    org.db.execute("DELETE FROM orgsync_component WHERE type = ? AND full_name = ?", key)
    write_component(org, to_component(key.type, full_name, content, present.namespace), synced=False)


def _rename_components(org: Org, old: str, new: str) -> None:
    """The object's own component, its parts, and the lookups that point at it."""
    for type_, name in org.db.execute(
        "SELECT type, full_name FROM orgsync_component WHERE full_name = ?1"
        " OR substr(full_name, 1, length(?1) + 1) IN (?1 || '.', ?1 || '-')",
        [old],
    ).fetchall():
        full_name = new + name[len(old) :]
        _rename_component(org, ComponentKey(type_, name), full_name, full_name.partition(".")[2] or full_name)
    for (name,) in org.db.execute(
        f"SELECT full_name FROM orgsync_component WHERE type = 'CustomField' AND {org.db.dialect.find('content', '?')} > 0",
        [json.dumps(old)],
    ).fetchall():
        present = read_component(org, ComponentKey("CustomField", name))
        if present is not None and present.content.get("referenceTo") == old:
            content = {**present.content, "referenceTo": new}
            write_component(org, to_component("CustomField", name, content, present.namespace), synced=False)


def _rebuild(org: Org, names: Iterable[str]) -> None:
    objects = Objects(org)
    wanted: list[ObjectDef] = [objects[name] for name in dict.fromkeys(names) if name in objects]
    rebuild_triggers(org, [item.name for item in wanted], objects)
    org.touch_revision()
