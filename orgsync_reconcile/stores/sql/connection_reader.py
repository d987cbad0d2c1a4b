"""An org's replication connections as a plan sees them (CON-*, PUB-*)."""

from __future__ import annotations

from collections.abc import Iterable

from orgsync_reconcile.model.actual import ActualConnection, ContactInfo
from orgsync_reconcile.model.component import ComponentKey
from orgsync_reconcile.model.connection import ConnectionStatus, Side
from orgsync_reconcile.stores.sql.applied import read_applied
from orgsync_reconcile.stores.sql.connections import get_connection
from orgsync_reconcile.stores.sql.mirrors import read_mirrors
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.publication_reader import read_published, read_subscribed

_CONTACT = (
    'SELECT c."Id", trim(coalesce(c."FirstName", \'\') || \' \' || c."LastName"), coalesce(c."Email", \'\'),'
    ' coalesce(a."Name", \'\'), c."LastName" FROM "Contact" AS c LEFT JOIN "Account" AS a ON a."Id" = c."AccountId"'
)


def read_connection(org: Org, name: str, partner: Org | None = None) -> ActualConnection:
    """One connection with its publications, subscriptions and counts of links.

    Finished bulk syncs are on record in the org that they went to: they are counted where `partner` is given.
    Raises StoreError where the org has no connection of that name.
    """
    db = org.db
    known = get_connection(org, name)
    owner = db.execute('SELECT "Username" FROM "User" WHERE "Id" = ?', [known.owner_id]).fetchone()
    contact = db.execute(f'{_CONTACT} WHERE c."Id" = ?', [known.contact_id]).fetchone()
    linked, disconnected = (_count_links(org, known.number, status) for status in (1, 2))
    failed = db.execute(
        "SELECT kind, name, hash, error FROM orgsync_failed WHERE connection = ? ORDER BY kind, name", [known.number]
    ).fetchall()
    return ActualConnection(
        name=name,
        id=known.id,
        side=known.side,
        # Whoever plans has both orgs open, so a suspension for want of the other one is over (SUS-3).
        status=ConnectionStatus.ACCEPTED if known.suspended_reason else known.status,
        owner=owner[0] if owner else "",
        contact=_contact(contact) if contact else None,
        partner_org_id=known.partner_org_id,
        feeds_and_audit_fields=known.feeds_and_audit_fields,
        metadata=known.metadata,
        users=known.users,
        suspended_by=known.suspended_by,
        settings=known.settings,
        mirrors=read_mirrors(org, known.number),
        published=read_published(org, name),
        subscribed=read_subscribed(org, name),
        linked=linked,
        disconnected=disconnected,
        bulk_synced=_bulk_synced(partner, name) if partner is not None else {},
        failed_components={
            ComponentKey(*text.split(":", 1)): (hash_, error)
            for kind, text, hash_, error in failed
            if kind == "component"
        },
        applied=read_applied(org, name) if known.side is Side.PRIMARY else None,
        failed_users={text: (hash_, error) for kind, text, hash_, error in failed if kind == "user"},
    )


def _count_links(org: Org, connection: int, status: int) -> dict[str, int]:
    """Object -> how many of its links have that status."""
    rows = org.db.execute(
        "SELECT o.name, l.n FROM (SELECT object, count(*) AS n FROM orgsync_link WHERE connection = ? AND status = ?"
        " GROUP BY object) AS l JOIN orgsync_object AS o ON o.number = l.object ORDER BY o.name",
        [connection, status],
    )
    return dict(rows.fetchall())


def _contact(row: tuple[str, str, str, str, str]) -> ContactInfo:
    return ContactInfo(id=row[0], name=row[1], email=row[2], account=row[3], last_name=row[4])


def _bulk_synced(target: Org, name: str) -> dict[str, int]:
    """Object -> finished bulk syncs that went to this org."""
    rows = target.db.execute(
        "SELECT b.object, count(*) FROM orgsync_bulk AS b JOIN orgsync_connection AS c ON c.number = b.connection"
        " WHERE c.name = ? AND b.finished IS NOT NULL GROUP BY b.object ORDER BY b.object",
        [name],
    )
    return dict(rows.fetchall())


def read_contacts(org: Org, wanted: Iterable[tuple[str, str]]) -> tuple[ContactInfo, ...]:
    """The contacts with one of these (full name, email) pairs; emails ignore case (CON-2)."""
    pairs = {(name, email.lower()) for name, email in wanted if email}
    if not pairs:
        return ()
    marks = ", ".join("?" for _ in pairs)
    rows = org.db.execute(
        f'{_CONTACT} WHERE c."IsDeleted" = FALSE AND lower(c."Email") IN ({marks}) ORDER BY c.orgsync_row',
        [email for _, email in sorted(pairs)],
    )
    found = (_contact(row) for row in rows)
    return tuple(item for item in found if (item.name, item.email.lower()) in pairs)
