"""Mirrors of auto-numbers in an org: declared, filled and counted; layouts and display formats with them (AUT-1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from orgsync_reconcile.errors import MetadataError
from orgsync_reconcile.metadata import mirrored_layout, with_display_format
from orgsync_reconcile.model.component import Component, ComponentKey
from orgsync_reconcile.model.schema import TEXTUAL
from orgsync_reconcile.stores.sql.component_table import read_component, write_component
from orgsync_reconcile.stores.sql.components import deploy
from orgsync_reconcile.stores.sql.layout import Mirror, fits_mirror
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.schema import Objects, deploy_objects, rebuild_triggers
from orgsync_reconcile.stores.sql.text import quote

#: Records of `t` that arrived over a connection keep the number of the org that they came from.
_MADE_HERE = 'NOT EXISTS (SELECT 1 FROM orgsync_link AS l WHERE l.local = t."Id" AND l.made_here = 1 AND l.status <> 3)'


def read_mirrors(org: Org, connection: int) -> frozenset[tuple[str, str, str]]:
    """(object, auto-number field, mirror) of the mirrors that are declared for a connection, by its number."""
    rows = org.db.execute("SELECT object, field, mirror FROM orgsync_mirror WHERE connection = ?", [connection])
    return frozenset((row[0], row[1], row[2]) for row in rows)


def create_mirror(org: Org, component: Component, *, synced: bool) -> None:
    """Makes the text field that a component describes; `synced` says that the other org has the same (MET-5).

    Raises MetadataError where the org refuses it.
    """
    failures = deploy(org, [component], synced=synced)
    if failures:
        raise MetadataError(failures[0].message, where=org.label)


def mirror_layout(org: Org, layout: str, field: str, mirror: str) -> None:
    """Puts the mirror in the place of the auto-number on a layout, by its full name. Raises MetadataError."""
    with org.transaction():
        if not _rewrite(org, ComponentKey("Layout", layout), lambda item: mirrored_layout(item, field, mirror)):
            raise MetadataError(f"there is no layout {layout}", where=org.label, hint="plan again")
        org.touch_revision()


def set_display_format(org: Org, object_name: str, field: str, text: str) -> None:
    """Lets the auto-number count on in another display format; numbers that were given stay. Raises MetadataError."""
    with org.transaction():
        obj = Objects(org).get(object_name)
        if obj is None or field not in obj.fields:
            raise MetadataError(f"there is no field {object_name}.{field}", where=org.label, hint="plan again")
        changed = replace(obj.fields[field], display_format=text)
        deploy_objects(org, [replace(obj, fields={**obj.fields, field: changed})])
        owner = ("CustomObject", object_name) if field == "Name" else ("CustomField", f"{object_name}.{field}")
        _rewrite(org, ComponentKey(*owner), lambda item: with_display_format(item, text))


def _rewrite(org: Org, key: ComponentKey, change: Callable[[Component], Component]) -> bool:
    """Saves a changed component, which counts as synced if it did before; whether there is one of that name."""
    component = read_component(org, key)
    if component is None:
        return False
    (in_step,) = org.db.execute(
        "SELECT hash = synced_hash FROM orgsync_component WHERE type = ? AND full_name = ?", key
    ).fetchone()
    write_component(org, change(component), synced=bool(in_step))
    return True


def install(org: Org, connection: int, object_name: str, field: str, mirror: str) -> None:
    """Declares a mirror for a connection, by its number: the object's triggers fill it from now on."""
    with org.transaction() as db:
        db.execute(
            "INSERT INTO orgsync_mirror (connection, object, mirror, field) VALUES (?1, ?2, ?3, ?4)"
            " ON CONFLICT (connection, object, mirror) DO UPDATE SET field = ?4",
            [connection, object_name, mirror, field],
        )
        rebuild_triggers(org, [object_name])
        org.touch_revision()


def remove(org: Org, connection: int, object_name: str, mirror: str) -> None:
    """Takes a declaration back: the triggers go, the field and its values stay."""
    with org.transaction() as db:
        db.execute(
            "DELETE FROM orgsync_mirror WHERE connection = ? AND object = ? AND mirror = ?",
            [connection, object_name, mirror],
        )
        rebuild_triggers(org, [object_name])
        org.touch_revision()


def fill(org: Org, object_name: str, field: str, mirror: str) -> int:
    """Fills the blank mirrors of records that were made here; returns how many. Last modified stays as it was (BLK-1)."""
    with org.transaction() as db:
        obj = Objects(org)[object_name]
        wanted = fits_mirror(obj, Mirror(field=field, mirror=mirror, number=0))
        return db.execute(
            f'UPDATE {quote(object_name)} AS t SET {quote(mirror)} = {quote(field)}, "SystemModstamp" = {db.dialect.now}'
            f' WHERE "IsDeleted" = FALSE AND {wanted} AND {_MADE_HERE}'
        ).rowcount


def count_blank(org: Org, objects: Objects, object_name: str, field: str, mirror: str) -> int:
    """How many records `fill` would fill; where the mirror does not exist yet, once it does; 0 where it is no text."""
    obj = objects.get(object_name)
    if obj is None or field not in obj.fields:
        return 0
    wanted = f"{quote(field)} IS NOT NULL"
    if mirror in obj.fields:
        if obj.fields[mirror].type not in TEXTUAL:
            return 0
        wanted = fits_mirror(obj, Mirror(field=field, mirror=mirror, number=0))
    row = org.db.execute(
        f'SELECT count(*) FROM {quote(object_name)} AS t WHERE "IsDeleted" = FALSE AND {wanted} AND {_MADE_HERE}'
    ).fetchone()
    return int(row[0])
