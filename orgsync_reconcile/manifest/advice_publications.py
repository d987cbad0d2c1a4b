"""Advice on publications that are valid but leave something behind: parents, posts, one-off switches (REC-8)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from orgsync_reconcile.catalog import standard_objects
from orgsync_reconcile.manifest import codes
from orgsync_reconcile.manifest.findings import shown
from orgsync_reconcile.model.desired import Desired, DesiredConnection, DesiredPublication
from orgsync_reconcile.model.diagnostic import Diagnostic, Severity
from orgsync_reconcile.model.origin import Origin
from orgsync_reconcile.model.schema import FieldDef

#: Objects whose records travel only with `sync.feeds_and_audit_fields` (CHT-1).
_FEEDS: Final = frozenset({"FeedItem", "FeedComment"})


def publication_advice(desired: Desired) -> Iterator[Diagnostic]:
    """What single publications and the set of a connection's publications leave open."""
    for connection in desired.connections.values():
        items = desired.publications_of(connection.name)
        published = {item.object for item in items}
        for item in items:
            yield from _parents(item, published)
            yield from _switches(item, connection)


def _advice(code: str, origin: Origin, message: str, hint: str) -> Diagnostic:
    return Diagnostic(severity=Severity.WARNING, code=code, message=message, hint=hint, origin=origin)


def _parents(item: DesiredPublication, published: Collection[str]) -> Iterator[Diagnostic]:
    """Lookups of a standard object that are published without the object that they point at (PUB-4, PUB-6)."""
    known = standard_objects().get(item.object)
    for name, definition in sorted(known.fields.items()) if known else ():
        if not _leads_nowhere(definition, published):
            continue
        parent = definition.reference_to[0]
        if item.fields.mode == "include" and name in item.fields.names:
            where, verb = item.fields.names[name], "is published and looks up to"
        elif definition.required:
            where, verb = item.origins.get("object", item.origin), "is required and looks up to"
        else:
            continue
        yield _advice(
            codes.PARENT_NOT_PUBLISHED,
            where,
            f"{item.object}.{name} {verb} {parent}, which is not published",
            f"publish {parent} over {shown(item.connection)} too",
        )


def _leads_nowhere(definition: FieldDef, published: Collection[str]) -> bool:
    """Whether a lookup can point only at business objects, and none of them is published."""
    targets = definition.reference_to
    standard = standard_objects()
    business = [name for name in targets if name in standard and standard[name].kind != "setup"]
    return definition.is_reference and bool(targets) and len(business) == len(targets) and not {*targets} & {*published}


def _switches(item: DesiredPublication, connection: DesiredConnection) -> Iterator[Diagnostic]:
    if item.object in _FEEDS and not connection.options.feeds_and_audit_fields:
        yield _advice(
            codes.FEEDS_OFF,
            item.origins.get("object", item.origin),
            f"{item.object} is published, but feeds are off, so no post goes over",
            "set sync.feeds_and_audit_fields: true, or remove the publication",
        )
    if item.backfill:
        yield _advice(
            codes.BACKFILL_STAYS,
            item.origins.get("backfill", item.origin),
            "backfill is on for good: each field that is added later sends every linked record again",
            "switch it off once its values were sent",
        )
