"""The mirrors of auto-numbers: the field, its layouts, the secondary's format, the triggers and the values (AUT-1)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from orgsync_reconcile.metadata import mirrored_layout
from orgsync_reconcile.model.component import ComponentKey
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.desired import AutoNumberMirror
from orgsync_reconcile.model.plan import Change, Op, Reason, Risk
from orgsync_reconcile.model.schema import FieldDef, FieldType
from orgsync_reconcile.plan import address, codes
from orgsync_reconcile.plan.connection import feature_needs
from orgsync_reconcile.plan.content import component_of
from orgsync_reconcile.plan.draft import Draft, Phase, Sheet
from orgsync_reconcile.plan.mirror_checks import sound_mirrors
from orgsync_reconcile.plan.schema import Schema
from orgsync_reconcile.plan.scope import Scope

#: The length of a mirror that is made; a display format has at most as many characters.
LENGTH = 30
_PHASES = {Side.PRIMARY: Phase.MIRROR, Side.SECONDARY: Phase.MIRROR_THERE}
#: The order of the steps within one org.
_FIELD, _LAYOUT, _FORMAT, _TRIGGER, _VALUES = range(5)


@dataclass(kw_only=True, slots=True)
class Mirrors:
    """What the publications need to know of the mirrors."""

    #: The orgs with the mirrors that this plan makes.
    schemas: dict[Side, Schema]
    #: object -> its mirrors
    fields: dict[str, frozenset[str]] = field(default_factory=dict)
    #: (side, object, mirror) -> address of the action that makes it
    created: dict[tuple[Side, str, str], str] = field(default_factory=dict)


def plan_mirrors(scope: Scope, sheet: Sheet, here: Schema, there: Schema, planned: Collection[ComponentKey]) -> Mirrors:
    """Write what the declared mirrors need in both orgs, and take back the triggers of those no longer declared.

    `here` and `there` are the orgs as they will be after the deployment of the `planned` components. The values are
    planned by `plan_values`, once it is known what is published.
    """
    mirrors = Mirrors(schemas={Side.PRIMARY: here, Side.SECONDARY: there})
    sound = list(sound_mirrors(scope, sheet, here, there))
    for item in sound:
        mirrors.fields[item.object] = mirrors.fields.get(item.object, frozenset()) | {item.mirror}
        for side in Side:
            _plan_field(scope, sheet, mirrors, item, side)
            _plan_layouts(scope, sheet, item, side, planned)
            _plan_trigger(scope, sheet, mirrors, item, side)
        _plan_format(scope, sheet, there, item, planned)
    for side in Side:
        _take_back(scope, sheet, side)
    return mirrors


def _common(scope: Scope, item: AutoNumberMirror, side: Side, step: str, rank: int) -> dict[str, Any]:
    return {
        "phase": _PHASES[side],
        "rank": rank,
        "address": address.mirror(scope.name, item.object, item.mirror, side, step),
        "org": scope.org_name(side),
        "connection": scope.name,
        "source": item.origin,
    }


def _ready(scope: Scope, item: AutoNumberMirror, side: Side) -> tuple[str, ...]:
    """The connection as this org holds it, and the object."""
    parts = [ComponentKey("CustomObject", item.object), ComponentKey("CustomField", f"{item.object}.{item.field}")]
    deployments = () if side is Side.PRIMARY else tuple(address.component(scope.name, key) for key in parts)
    return (*feature_needs(scope, side), address.end(scope.name, side), *deployments)


def _plan_field(scope: Scope, sheet: Sheet, mirrors: Mirrors, item: AutoNumberMirror, side: Side) -> None:
    """The text field, where the org has none of that name; the secondary's is like the primary's."""
    schema = mirrors.schemas[side]
    obj = schema.objects[item.object]
    if item.mirror in obj.fields:
        return
    model = mirrors.schemas[Side.PRIMARY].objects[item.object].fields.get(item.mirror) or _new_field(item)
    common = _common(scope, item, side, "field", _FIELD)
    mirrors.created[side, item.object, item.mirror] = common["address"]
    earlier = address.mirror(scope.name, item.object, item.mirror, Side.PRIMARY, "field")
    sheet.drafts.append(
        Draft(
            op=Op.CREATE_MIRROR,
            change=Change.CREATE,
            after={"type": model.type.value, "label": model.label, "length": model.length},
            needs=(*_ready(scope, item, side), earlier),
            **common,
        )
    )
    objects = {**schema.objects, item.object: replace(obj, fields={**obj.fields, item.mirror: model})}
    mirrors.schemas[side] = replace(schema, objects=objects)


def _new_field(item: AutoNumberMirror) -> FieldDef:
    label = item.mirror.removesuffix("__c").replace("_", " ")
    return FieldDef(name=item.mirror, type=FieldType.TEXT, label=label, length=LENGTH, custom=True)


def _plan_layouts(
    scope: Scope, sheet: Sheet, item: AutoNumberMirror, side: Side, planned: Collection[ComponentKey]
) -> None:
    """The object's layouts that show the auto-number; those that this plan deploys come from the primary's."""
    org = scope.org(side)
    for key in sorted(org.components):
        if key.type != "Layout" or not key.full_name.startswith(f"{item.object}-"):
            continue
        foreign = org.components[key].namespace not in ("", org.info.namespace)
        if foreign or (side is Side.SECONDARY and key in planned):
            continue
        layout = component_of(org, key)
        if layout is None or mirrored_layout(layout, item.field, item.mirror) is layout:
            continue
        sheet.drafts.append(
            Draft(
                op=Op.MIRROR_LAYOUT,
                change=Change.UPDATE,
                before={"shows": item.field},
                after={"shows": item.mirror},
                needs=(
                    *_ready(scope, item, side),
                    address.mirror(scope.name, item.object, item.mirror, side, "field"),
                ),
                **_common(scope, item, side, f"layout/{key.full_name}", _LAYOUT),
            )
        )


def _plan_format(
    scope: Scope, sheet: Sheet, there: Schema, item: AutoNumberMirror, planned: Collection[ComponentKey]
) -> None:
    """The secondary counts in a format of its own, so that numbers of the two orgs never meet."""
    present = there.objects[item.object].fields[item.field].display_format
    if item.field == "Name" and ComponentKey("CustomObject", item.object) in planned:
        # The deployment of the object brings the primary's format along.
        present = scope.primary.objects[item.object].fields[item.field].display_format
    if present == item.secondary_format:
        return
    sheet.drafts.append(
        Draft(
            op=Op.SET_DISPLAY_FORMAT,
            change=Change.UPDATE,
            before={"display_format": present},
            after={"display_format": item.secondary_format, "mirrors": item.field},
            needs=_ready(scope, item, Side.SECONDARY),
            **_common(scope, item, Side.SECONDARY, "format", _FORMAT),
        )
    )


def _plan_trigger(scope: Scope, sheet: Sheet, mirrors: Mirrors, item: AutoNumberMirror, side: Side) -> None:
    known = scope.side(side)
    present = {(name, mirror): source for name, source, mirror in known.mirrors} if known else {}
    before = present.get((item.object, item.mirror))
    if before == item.field:
        return
    sheet.drafts.append(
        Draft(
            op=Op.INSTALL_MIRROR,
            change=Change.CREATE if before is None else Change.UPDATE,
            reason=Reason.ADDED if before is None else Reason.CHANGED,
            before=None if before is None else {"mirrors": before},
            after={"mirrors": item.field},
            needs=(*_ready(scope, item, side), *_made(mirrors, item, side)),
            **_common(scope, item, side, "trigger", _TRIGGER),
        )
    )


def _made(mirrors: Mirrors, item: AutoNumberMirror, side: Side) -> tuple[str, ...]:
    made = mirrors.created.get((side, item.object, item.mirror))
    return () if made is None else (made,)


def _take_back(scope: Scope, sheet: Sheet, side: Side) -> None:
    """The triggers of mirrors that the manifest no longer declares; fields and values stay."""
    known = scope.side(side)
    wanted = {(item.object, item.mirror) for item in scope.desired.auto_numbers}
    for name, source, mirror in sorted(known.mirrors) if known else ():
        if (name, mirror) not in wanted:
            sheet.drafts.append(
                Draft(
                    phase=_PHASES[side],
                    rank=_TRIGGER,
                    address=address.mirror(scope.name, name, mirror, side, "trigger"),
                    op=Op.REMOVE_MIRROR,
                    org=scope.org_name(side),
                    connection=scope.name,
                    change=Change.DELETE,
                    reason=Reason.REMOVED,
                    before={"mirrors": source},
                    source=scope.desired.origin_of("auto_numbers"),
                )
            )


def plan_values(scope: Scope, sheet: Sheet, mirrors: Mirrors) -> None:
    """Fill the blank mirrors of the records that were made in each org, before they are copied.

    Where records are linked already, this waits until the mirror is published and subscribed, so that the values are
    sent; otherwise it goes first, and nothing is queued.
    """
    for item in scope.desired.auto_numbers:
        if item.mirror not in mirrors.fields.get(item.object, ()):
            continue
        late = scope.linked(item.object) > 0
        for side in Side:
            count = scope.org(side).blank_mirrors.get((item.object, item.field, item.mirror), 0)
            if not count:
                continue
            trigger = address.mirror(scope.name, item.object, item.mirror, side, "trigger")
            common = _common(scope, item, side, "values", _VALUES)
            if late:
                common["phase"] = Phase.FILL
            sheet.drafts.append(
                Draft(
                    op=Op.FILL_MIRROR,
                    change=Change.RUN,
                    risk=Risk.MOVES_DATA,
                    after={"mirrors": item.field},
                    needs=(trigger, *_made(mirrors, item, side), *(_sent(scope, item, side) if late else ())),
                    effects={"records": count},
                    **common,
                )
            )


def _sent(scope: Scope, item: AutoNumberMirror, side: Side) -> tuple[str, ...]:
    """The publication and subscription that take the values over."""
    return tuple(
        kind(scope.name, item.object, side, name)
        for kind in (address.publication, address.subscription)
        for name in ("", item.mirror)
    )


def check_published(scope: Scope, sheet: Sheet, chosen: Mapping[str, frozenset[str]]) -> None:
    """A mirror that does not travel serves nobody; `chosen` are the fields to publish by object."""
    for item in scope.desired.auto_numbers:
        if item.mirror not in chosen.get(item.object, ()):
            sheet.warn(
                codes.MIRROR_NOT_PUBLISHED,
                f"{item.object}.{item.mirror} mirrors {item.field} but is not published",
                hint=f"publish {item.object} with {item.mirror}",
                origin=item.origin,
            )
