"""Which declared mirrors of auto-numbers can work, and what is wrong with the others (AUT-1)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.desired import AutoNumberMirror
from orgsync_reconcile.model.schema import FieldType
from orgsync_reconcile.plan import address, codes
from orgsync_reconcile.plan.draft import Sheet
from orgsync_reconcile.plan.schema import Schema
from orgsync_reconcile.plan.scope import Scope
from orgsync_reconcile.plan.selection import nearest

_HOLDS_NUMBERS = frozenset({FieldType.TEXT, FieldType.TEXT_AREA, FieldType.LONG_TEXT_AREA})


def sound_mirrors(scope: Scope, sheet: Sheet, here: Schema, there: Schema) -> Iterator[AutoNumberMirror]:
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
