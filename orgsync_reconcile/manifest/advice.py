"""Advice on manifests that are valid but risky or hard to live with: the codes W2xx (REC-8)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from orgsync_reconcile.catalog import standard_objects
from orgsync_reconcile.manifest import codes
from orgsync_reconcile.manifest.advice_failover import failover_advice
from orgsync_reconcile.manifest.advice_publications import publication_advice
from orgsync_reconcile.manifest.findings import in_order, shown
from orgsync_reconcile.manifest.terms import duration_text
from orgsync_reconcile.model.desired import Desired, DesiredConnection
from orgsync_reconcile.model.diagnostic import Diagnostic, Severity
from orgsync_reconcile.model.origin import Origin

#: Fields of an object from which it is worth choosing them.
MANY_FIELDS: Final = 40
#: A guard above this share lets nearly everything through.
LOOSE_SHARE: Final = 0.9
#: Days before its end from which an allowance is named.
AHEAD: Final = 7
#: Publications of one file from which reviews get hard to read.
CROWDED: Final = 10
#: Seconds for which a record that is refused should be tried again at least.
PATIENCE: Final = 3600


def lint(desired: Desired, today: date | None = None) -> tuple[Diagnostic, ...]:
    """Advice by place. What `load` found itself, such as mixed directions (PUB-7), is in `desired.diagnostics`.

    With `today`, in UTC, allowances that end within a week, or have ended, are named (REC-5).
    """
    found = [
        *_org_advice(desired),
        *_publication_advice(desired),
        *publication_advice(desired),
        *failover_advice(desired),
    ]
    for connection in desired.connections.values():
        found.extend(_connection_advice(desired, connection))
        found.extend(_sync_advice(connection))
        found.extend(_failure_advice(connection))
        found.extend(_allowance_advice(connection, today) if today else ())
    return in_order(found)


def _advice(code: str, origin: Origin, message: str, hint: str) -> Diagnostic:
    return Diagnostic(severity=Severity.WARNING, code=code, message=message, hint=hint, origin=origin)


def _org_advice(desired: Desired) -> Iterator[Diagnostic]:
    used = {name for item in desired.connections.values() for name in (item.primary, item.secondary)}
    for org in desired.orgs.values():
        if org.name not in used:
            yield _advice(
                codes.UNUSED_ORG, org.origin, f"no connection uses the org {shown(org.name)}", "connect or remove it"
            )


def _publication_advice(desired: Desired) -> Iterator[Diagnostic]:
    standard = standard_objects()
    for item in desired.publications.values():
        known = standard.get(item.object)
        if item.fields.mode == "all" and known is not None and len(known.fields) >= MANY_FIELDS:
            yield _advice(
                codes.ALL_OF_MANY_FIELDS,
                item.origins.get("fields", item.origin),
                f"all fields of {item.object} are published, and it has {len(known.fields)} before custom ones",
                "exclude what the secondary does not need",
            )
    per_file = Counter(item.origin.file for item in desired.publications.values())
    for file, count in per_file.items():
        if count > CROWDED:
            yield _advice(
                codes.CROWDED_FILE, Origin(file=file), f"{count} publications in one file", "give each its own file"
            )


def _connection_advice(desired: Desired, connection: DesiredConnection) -> Iterator[Diagnostic]:
    name = shown(connection.name)
    if not desired.publications_of(connection.name):
        yield _advice(
            codes.NOTHING_PUBLISHED, connection.origin, f"nothing is published over {name}", "add a Publication"
        )
    if connection.contact.email.casefold() == connection.owner.casefold():
        yield _advice(
            codes.CONTACT_IS_OWNER,
            connection.origin_of("contact.email"),
            "the contact has the owner's address, so the invitation goes to whoever sent it",
            "name the secondary's administrator",
        )
    for guard, share in sorted(connection.guards.items()):
        if isinstance(share, float) and share > LOOSE_SHARE:
            yield _advice(
                codes.LOOSE_GUARD,
                connection.origin_of(f"guards.{guard}"),
                f"the guard {guard} lets {share:.0%} through",
                "keep it low and allow single runs with --allow",
            )


def _allowance_advice(connection: DesiredConnection, today: date) -> Iterator[Diagnostic]:
    for item in connection.allow:
        if today + timedelta(days=AHEAD) < item.until:
            continue
        when = f"expired on {item.until}" if item.until < today else f"ends on {item.until}"
        yield _advice(
            codes.ALLOWANCE_ENDS,
            item.origin,
            f"the allowance of {item.guard} {when} ({item.reason})",
            "remove it, or set another day",
        )


def _sync_advice(connection: DesiredConnection) -> Iterator[Diagnostic]:
    options = connection.options
    if (options.users_primary or options.users_secondary) and not options.metadata:
        yield _advice(
            codes.USERS_WITHOUT_METADATA,
            connection.origin_of("sync.metadata"),
            "users are copied but metadata is not: a user whose profile or role is missing over there fails",
            "switch metadata on, or keep profiles, roles and permission sets equal by hand",
        )
    if connection.metadata_delete:
        yield _advice(
            codes.METADATA_DELETES,
            connection.origin_of("sync.metadata.delete"),
            "components that are gone from the primary are deleted in the secondary, with the data of their fields",
            "leave it off unless each plan is reviewed",
        )
    if not connection.bulk_sync.stages:
        yield _advice(
            codes.NO_BULK_STAGES,
            connection.origin_of("bulk_sync"),
            "the bulk sync has no stages, so everything is copied in one long run",
            "for example bulk_sync: {stages: [90d, 180d, 365d]}",
        )


def _failure_advice(connection: DesiredConnection) -> Iterator[Diagnostic]:
    """How long records are retried, and who hears of those that fail for good (QUE-5, LOG-3, SUS-2)."""
    if sum(connection.retry) < PATIENCE:
        yield _advice(
            codes.SHORT_RETRY,
            connection.origin_of("retry"),
            f"a record that is refused is given up after {duration_text(sum(connection.retry))}",
            "let the retries reach further, for example [1m, 5m, 30m, 2h, 8h]",
        )
    if not any(rule["event"] == "log_entry" for rule in connection.notify):
        yield _advice(
            codes.NOBODY_IS_TOLD,
            connection.origin_of("notify"),
            f"nobody is told of records that fail over {shown(connection.name)}",
            "for example notify: [{event: log_entry, email: [owner]}]",
        )
    for rule in connection.notify:
        if rule["event"] == "suspended" and not rule.get("email") and not rule.get("webhook"):
            yield _advice(
                codes.SUSPENSION_UNHEARD,
                connection.origin_of("notify"),
                "the emails about a suspension are switched off, so a suspended connection goes unnoticed",
                "remove the rule, or name somebody",
            )
