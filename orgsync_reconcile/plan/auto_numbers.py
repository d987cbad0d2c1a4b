"""The mirror of an auto-number: whether both orgs have what the workaround needs (AUT-1)."""

from __future__ import annotations

from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.desired import AutoNumberMirror
from orgsync_reconcile.model.schema import TEXTUAL, FieldType
from orgsync_reconcile.plan import address, codes
from orgsync_reconcile.plan.draft import Draft, Sheet
from orgsync_reconcile.plan.schema import Schema
from orgsync_reconcile.plan.scope import Scope
from orgsync_reconcile.plan.selection import nearest


def check_auto_numbers(scope: Scope, sheet: Sheet, here: Schema, there: Schema) -> None:
    """An error for what cannot work, a task for what is missing; `here` and `there` are the orgs' future schemas."""
    for item in scope.desired.auto_numbers:
        if not _check_source(scope, sheet, here, item):
            continue
        for side, schema in ((Side.PRIMARY, here), (Side.SECONDARY, there)):
            _check_mirror(scope, sheet, schema, item, side)
        _check_format(scope, sheet, there, item)


def _check_source(scope: Scope, sheet: Sheet, here: Schema, item: AutoNumberMirror) -> bool:
    """The field that is mirrored is an auto-number of the primary."""
    known = here.objects.get(item.object)
    field = known.fields.get(item.field) if known else None
    if field is not None and field.type is FieldType.AUTO_NUMBER:
        return True
    if known is None:
        problem, hint = f"has no object {item.object}", nearest(item.object, sorted(here.objects))
    elif field is None:
        problem, hint = f"has no field {item.object}.{item.field}", nearest(item.field, sorted(known.fields))
    else:
        problem, hint = f"has {item.object}.{item.field} as {field.type}, not as an auto-number", ""
    sheet.error(
        codes.BAD_AUTO_NUMBER,
        f"{scope.desired.primary} {problem}",
        hint=hint or "name an auto-number field",
        origin=item.origin,
    )
    return False


def _task(scope: Scope, sheet: Sheet, item: AutoNumberMirror, side: Side, task: str, why: str) -> None:
    where = f"{scope.name}/auto-number/{item.object}.{item.field}"
    sheet.task(codes.AUTO_NUMBER, where, scope.org_name(side), task, why)


def _check_mirror(scope: Scope, sheet: Sheet, schema: Schema, item: AutoNumberMirror, side: Side) -> None:
    """The mirror is a text field of the org."""
    known = schema.objects.get(item.object)
    field = known.fields.get(item.mirror) if known else None
    if field is not None and field.type in TEXTUAL:
        return
    _task(
        scope,
        sheet,
        item,
        side,
        f"create the text field {item.object}.{item.mirror} and a trigger that fills it from {item.field} where blank",
        f"{scope.org_name(side)} has {'another type of field' if field else 'no field'} of that name",
    )


def _check_format(scope: Scope, sheet: Sheet, there: Schema, item: AutoNumberMirror) -> None:
    """The secondary counts in a format of its own, so that numbers of the two orgs never meet."""
    known = there.objects.get(item.object)
    field = known.fields.get(item.field) if known else None
    if field is not None and field.display_format != item.secondary_format:
        _task(
            scope,
            sheet,
            item,
            Side.SECONDARY,
            f"set the display format of {item.object}.{item.field} to {item.secondary_format}",
            f"it is {field.display_format or 'not set'}",
        )


def check_published(scope: Scope, sheet: Sheet, drafts: list[Draft]) -> None:
    """The mirror travels: it is published already, or by one of `drafts`."""
    for item in scope.desired.auto_numbers:
        where = address.publication(scope.name, item.object, Side.PRIMARY)
        field = address.publication(scope.name, item.object, Side.PRIMARY, item.mirror)
        known = scope.primary_side.published.get(item.object) if scope.primary_side else None
        planned = any(
            draft.address == field or (draft.address == where and item.mirror in (draft.after or {}).get("fields", ()))
            for draft in drafts
        )
        if not planned and not (known and item.mirror in known.fields):
            sheet.warn(
                codes.MIRROR_NOT_PUBLISHED,
                f"{item.object}.{item.mirror} mirrors {item.field} but is not published",
                hint=f"publish {item.object} with {item.mirror}",
                origin=item.origin,
            )
