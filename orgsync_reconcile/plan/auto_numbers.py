"""The mirrors of auto-numbers: the field, its layouts, the secondary's format, the triggers and the values (AUT-1)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
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
from orgsync_reconcile.plan.schema import Schema
from orgsync_reconcile.plan.scope import Scope
from orgsync_reconcile.plan.selection import nearest

#: The length of a mirror that is made; a display format has at most as many characters.
LENGTH = 30
_HOLDS_NUMBERS = frozenset({FieldType.TEXT, FieldType.TEXT_AREA, FieldType.LONG_TEXT_AREA})
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
    sound = list(_sound(scope, sheet, here, there))
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


def _sound(scope: Scope, sheet: Sheet, here: Schema, there: Schema) -> Iterator[AutoNumberMirror]:
    """The declarations that can work; an error or a task for each of the others."""
    seen: set[tuple[str, str]] = set()
    for item in scope.desired.auto_numbers:
        names = {(item.object, item.field), (item.object, item.mirror)}
        if names & seen:
            twice = ", ".join(sorted(f"{name}.{member}" for name, member in names & seen))
            _error(sheet, codes.BAD_MIRROR, f"{twice} is named by two mirrors", "remove one of them", item)
            continue
        seen |= names
        if not _check_source(scope, sheet, here, item):
            continue
        known = there.objects.get(item.object)
        if known is None or getattr(known.fields.get(item.field), "type", None) is not FieldType.AUTO_NUMBER:
            sheet.task(
                codes.AUTO_NUMBER,
                address.mirror(scope.name, item.object, item.mirror),
                scope.desired.secondary,
                f"create the auto-number {item.object}.{item.field} as it is in {scope.desired.primary}",
                f"{scope.desired.secondary} has no such auto-number, and no action of the plan creates it",
            )
            continue
        fit = [
            _check_mirror(scope, sheet, schema, item, side)
            for schema, side in ((here, Side.PRIMARY), (there, Side.SECONDARY))
        ]
        if all(fit):
            yield item


def _error(sheet: Sheet, code: str, message: str, hint: str, item: AutoNumberMirror) -> None:
    sheet.error(code, message, hint=hint, origin=item.origin)


def _check_source(scope: Scope, sheet: Sheet, here: Schema, item: AutoNumberMirror) -> bool:
    """The field that is mirrored is an auto-number of the primary."""
    known = here.objects.get(item.object)
    source = known.fields.get(item.field) if known else None
    if source is not None and source.type is FieldType.AUTO_NUMBER:
        return True
    if known is None:
        problem, hint = f"has no object {item.object}", nearest(item.object, sorted(here.objects))
    elif source is None:
        problem, hint = f"has no field {item.object}.{item.field}", nearest(item.field, sorted(known.fields))
    else:
        problem, hint = f"has {item.object}.{item.field} as {source.type}, not as an auto-number", ""
    message = f"{scope.desired.primary} {problem}"
    _error(sheet, codes.BAD_AUTO_NUMBER, message, hint or "name an auto-number field", item)
    return False


def _longest(text: str) -> int:
    """How many characters a number takes in a display format, as long as it has no more digits than that."""
    return len(re.sub(r"[{}]", "", text))


def _check_mirror(scope: Scope, sheet: Sheet, schema: Schema, item: AutoNumberMirror, side: Side) -> bool:
    """A field of the mirror's name that is there already can hold the numbers of both orgs."""
    fields = schema.objects[item.object].fields
    mirror = fields.get(item.mirror)
    if mirror is None:
        return True
    room = max(_longest(item.secondary_format), _longest(fields[item.field].display_format or ""))
    problem = ""
    if mirror.type not in _HOLDS_NUMBERS:
        problem = f"is of type {mirror.type}, not text"
    elif mirror.required:
        problem = "is required, so it could not be filled after the record is made"
    elif mirror.length is not None and mirror.length < room:
        problem = f"holds {mirror.length} characters, the numbers have {room}"
    if problem:
        message = f"{item.object}.{item.mirror} of {scope.org_name(side)} cannot mirror {item.field}: it {problem}"
        _error(sheet, codes.BAD_MIRROR, message, "change the field, or name another one", item)
    return not problem


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
