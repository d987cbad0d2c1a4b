"""Which fields of an object a publication offers, and what is wrong with the ones it names (PUB-3, PUB-4, BLK-6)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches

from orgsync_reconcile.catalog import publishable_object, unpublishable_field
from orgsync_reconcile.model.desired import DesiredPublication
from orgsync_reconcile.model.graph import is_required_parent
from orgsync_reconcile.model.origin import Origin
from orgsync_reconcile.model.schema import SYSTEM_FIELDS, FieldDef, FieldType, ObjectDef
from orgsync_reconcile.plan import codes
from orgsync_reconcile.plan.draft import Sheet, listed
from orgsync_reconcile.plan.schema import Schema, resolvable

#: What the names of an address's fields end with.
_ADDRESS_PARTS = ("Street", "City", "State", "PostalCode", "Country")


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint with the nearest known name, or an empty text."""
    known = list(known)
    by_fold = {item.casefold(): item for item in known}
    found = get_close_matches(name.casefold(), by_fold, n=1, cutoff=0.6)
    return f"did you mean {by_fold[found[0]]}?" if found else ""


def chosen_fields(
    publication: DesiredPublication, item: ObjectDef, schema: Schema, published: Collection[str]
) -> frozenset[str]:
    """The fields to publish from an org with `schema`: by default all that can travel (PUB-3, PUB-4)."""
    mode, names = publication.fields.mode, publication.fields.names
    result = set()
    for name, definition in item.fields.items():
        if (mode == "include" and name not in names) or (mode == "exclude" and name in names):
            continue
        if unpublishable_field(definition) is not None:
            continue
        if definition.is_reference and mode != "include" and not resolvable(definition, schema, published):
            continue
        result.add(name)
    return frozenset(result)


def publishable(publication: DesiredPublication, schema: Schema, sheet: Sheet) -> ObjectDef | None:
    """The object to publish, or None with an error at its place in the manifest (PUB-1)."""
    name = publication.object
    origin = publication.origins.get("object", publication.origin)
    item = schema.objects.get(name)
    if item is None:
        sheet.error(
            codes.UNKNOWN_OBJECT,
            f"the primary has no object {name}",
            hint=nearest(name, sorted(schema.objects)) or "create it there first, or remove the publication",
            origin=origin,
        )
        return None
    reason = publishable_object(item)
    if reason is not None:
        sheet.error(
            codes.NOT_PUBLISHABLE,
            f"{name} cannot be published: it {reason}",
            hint="remove the publication",
            origin=origin,
        )
        return None
    return item


def check_named_fields(
    publication: DesiredPublication, item: ObjectDef, schema: Schema, published: Collection[str], sheet: Sheet
) -> None:
    """Fields that the manifest names but that do not exist or cannot travel, each at its own place (PUB-3, PUB-4)."""
    if publication.fields.mode == "all":
        return
    include = publication.fields.mode == "include"
    for name, origin in sorted(publication.fields.names.items()):
        definition = item.fields.get(name)
        if definition is None:
            if name in SYSTEM_FIELDS:
                if include:
                    _system_field(item, name, origin, sheet)
                continue
            sheet.error(
                codes.UNKNOWN_FIELD,
                f"{item.name} has no field {name}",
                hint=_parts(name, item)
                or nearest(name, sorted(item.fields))
                or f"remove it, or create the field on {item.name} first",
                origin=origin,
            )
        elif include:
            _check_included(item, definition, schema, published, origin, sheet)


def _parts(name: str, item: ObjectDef) -> str:
    """A hint for an address such as BillingAddress, which the platform puts together from fields of its own."""
    stem = name.removesuffix("Address")
    parts = [field for field in (f"{stem}{part}" for part in _ADDRESS_PARTS) if field in item.fields]
    return f"name its parts: {', '.join(parts)}" if stem != name and parts else ""


def _system_field(item: ObjectDef, name: str, origin: Origin, sheet: Sheet) -> None:
    sheet.error(
        codes.FIELD_NOT_PUBLISHABLE,
        f"{item.name}.{name} cannot be published: it is a system field",
        hint="remove it; audit fields travel by themselves with sync.feeds_and_audit_fields: true",
        origin=origin,
    )


def _check_included(
    item: ObjectDef,
    definition: FieldDef,
    schema: Schema,
    published: Collection[str],
    origin: Origin,
    sheet: Sheet,
) -> None:
    refused = unpublishable_field(definition)
    if refused is not None:
        reason, workaround = refused
        sheet.error(
            codes.FIELD_NOT_PUBLISHABLE,
            f"{item.name}.{definition.name} cannot be published: {reason}",
            hint=workaround,
            origin=origin,
        )
    elif (
        definition.is_reference and not is_required_parent(definition) and not resolvable(definition, schema, published)
    ):
        sheet.warn(
            codes.LOOKUP_WITHOUT_PARENT,
            f"{item.name}.{definition.name} looks up to {listed(definition.reference_to)}, which is not published",
            hint="publish that object too, or the lookup stays blank in the other org",
            origin=origin,
        )


def check_match(publication: DesiredPublication, item: ObjectDef, chosen: Collection[str], sheet: Sheet) -> None:
    """The match key must be a field that tells records apart, and must travel (BLK-6)."""
    name = publication.match_on
    if name is None:
        return
    origin = publication.origins.get("match_on", publication.origin)
    definition = item.fields.get(name)
    if definition is None:
        hint = nearest(name, sorted(item.fields)) or "name a unique or external id field"
        sheet.error(codes.BAD_MATCH_FIELD, f"{item.name} has no field {name}", hint=hint, origin=origin)
    elif not (definition.unique or definition.external_id):
        sheet.error(
            codes.BAD_MATCH_FIELD,
            f"{item.name}.{name} is neither unique nor an external id, so it cannot match records",
            hint="make it unique or an external id, or name another field",
            origin=origin,
        )
    elif name not in chosen:
        sheet.error(
            codes.BAD_MATCH_FIELD,
            f"{item.name}.{name} is to match records but is not published",
            hint="publish the field too",
            origin=origin,
        )


def check_required(
    publication: DesiredPublication,
    item: ObjectDef,
    schema: Schema,
    chosen: Collection[str],
    published: Collection[str],
    sheet: Sheet,
) -> None:
    """Required parents must be published (PUB-6); other required fields had better be."""
    for definition in item.fields.values():
        if is_required_parent(definition):
            parent = definition.reference_to[0]
            if parent == item.name or parent in schema.setup:
                continue
            if parent not in published:
                sheet.error(
                    codes.REQUIRED_PARENT,
                    f"{item.name}.{definition.name} is required and points at {parent}, which is not published",
                    hint=f"publish {parent} over {publication.connection} too",
                    origin=publication.origin,
                )
            elif definition.name not in chosen:
                sheet.error(
                    codes.REQUIRED_PARENT,
                    f"{item.name}.{definition.name} is required but not among the published fields",
                    hint=f"publish {definition.name} too",
                    origin=publication.origins.get("fields", publication.origin),
                )
        elif _needs_value(definition) and definition.name not in chosen:
            sheet.warn(
                codes.REQUIRED_FIELD,
                f"{item.name}.{definition.name} is required but not published: new records will be refused",
                hint=f"publish {definition.name} too, or give it a default in the other org",
                origin=publication.origins.get("fields", publication.origin),
            )


def _needs_value(item: FieldDef) -> bool:
    return (
        item.required
        and item.default is None
        and not item.is_reference
        and item.type is not FieldType.CHECKBOX
        and unpublishable_field(item) is None
    )
