"""Actions on the mirrors of auto-numbers: field, layout, format, trigger, values (AUT-1)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from orgsync_reconcile.apply.context import ApplyContext
from orgsync_reconcile.metadata import to_component
from orgsync_reconcile.model.component import Component, ComponentKey
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.plan import Action
from orgsync_reconcile.model.wording import counted
from orgsync_reconcile.stores.sql import history, mirrors
from orgsync_reconcile.stores.sql.component_table import read_component
from orgsync_reconcile.stores.sql.connections import get_connection

#: The types that a mirror may have, as metadata names them.
_TYPES = MappingProxyType({"text": "Text", "text_area": "TextArea", "long_text_area": "LongTextArea"})


def _named(action: Action) -> tuple[str, str, str]:
    """(object, mirror, step) from the address `CONN/auto-number/OBJECT.MIRROR/SIDE/STEP`."""
    _, _, pair, _, step = action.address.split("/", 4)
    name, _, mirror = pair.partition(".")
    return name, mirror, step


def _tell(context: ApplyContext, action: Action, detail: str) -> None:
    org = context.org(action.org)
    history.record_event(
        org, action.connection, history.UPDATED, detail, actor=context.actor(action.org), clock=context.clock
    )


def create(context: ApplyContext, action: Action) -> None:
    """Make the text field; the secondary's is the primary's own where that has one."""
    name, mirror, _ = _named(action)
    in_secondary = context.side(action) is Side.SECONDARY
    key = ComponentKey("CustomField", f"{name}.{mirror}")
    model = read_component(context.ends(action).primary, key) if in_secondary else None
    component = model or _described(key, mirror, action.after or {})
    mirrors.create_mirror(context.org(action.org), component, synced=model is not None)


def _described(key: ComponentKey, mirror: str, after: Mapping[str, Any]) -> Component:
    content = {"fullName": mirror, "label": after["label"], "type": _TYPES[after["type"]]}
    if after["type"] != "text_area":
        content["length"] = str(after["length"])
    if after["type"] == "long_text_area":
        content["visibleLines"] = "3"
    return to_component(key.type, key.full_name, content)


def layout(context: ApplyContext, action: Action) -> None:
    """Show the mirror on a layout in the place of the auto-number."""
    mirror, step = _named(action)[1:]
    before = action.before or {}
    mirrors.mirror_layout(context.org(action.org), step.partition("/")[2], str(before["shows"]), mirror)


def set_format(context: ApplyContext, action: Action) -> None:
    """Let the secondary count in a format of its own."""
    after = action.after or {}
    mirrors.set_display_format(
        context.org(action.org), _named(action)[0], str(after["mirrors"]), str(after["display_format"])
    )


def install(context: ApplyContext, action: Action) -> None:
    """Declare the mirror and install its triggers."""
    org, (name, mirror, _) = context.org(action.org), _named(action)
    field = str((action.after or {})["mirrors"])
    with org.transaction():
        mirrors.install(org, get_connection(org, action.connection).number, name, field, mirror)
        _tell(context, action, f"{name}.{mirror} mirrors {field}")


def remove(context: ApplyContext, action: Action) -> None:
    """Drop the triggers; the field and its values stay."""
    org, (name, mirror, _) = context.org(action.org), _named(action)
    with org.transaction():
        mirrors.remove(org, get_connection(org, action.connection).number, name, mirror)
        _tell(context, action, f"{name}.{mirror} mirrors nothing any more")


def fill(context: ApplyContext, action: Action) -> None:
    """Fill the blank mirrors of the records that were made in the org."""
    org, (name, mirror, _) = context.org(action.org), _named(action)
    field = str((action.after or {})["mirrors"])
    with org.transaction():
        filled = mirrors.fill(org, name, field, mirror)
        _tell(context, action, f"{name}.{mirror} filled from {field} in {counted(filled, 'record')}")
