"""Which users of two orgs are one person, known over other connections: in a ring nobody is copied back (CON-10, USR-2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orgsync_reconcile.stores.sql.flow.network import has_several
from orgsync_reconcile.stores.sql.org import Org

_LINKS = (
    " FROM main.orgsync_link AS l JOIN main.orgsync_connection AS o ON o.number = l.connection"
    " WHERE l.object = (SELECT number FROM main.orgsync_object WHERE name = 'User') AND l.status = 1"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Kinship:
    """Users by Id in the source; all of it is empty where an org has no other connection."""

    #: -> the same person in the target, linked over this connection or not.
    same: Mapping[str, str] = field(default_factory=dict)
    #: -> where the person was made: an org's Id and the user's Id there. Without those who were made here.
    root: Mapping[str, str] = field(default_factory=dict)
    #: Linked with a user whom the receiving org has had from elsewhere: their usernames follow another connection.
    apart: frozenset[str] = frozenset()


def kinship(source: Org, target: Org, numbers: tuple[int, int]) -> Kinship:
    """How the users of two orgs belong together. `numbers`: the connection's in (source, target)."""
    root = _roots(source) if has_several(source) else {}
    if not (has_several(source) and has_several(target)):
        return Kinship(root=root)
    theirs = {identity: user for user, found in identities(target).items() for identity in found}
    same = {
        user: theirs[identity] for user, found in identities(source).items() for identity in found if identity in theirs
    }
    late = _late(target, numbers[1])
    partners = dict(
        target.db.execute(f"SELECT l.partner, l.local{_LINKS} AND l.connection = ?", [numbers[1]]).fetchall()
    )
    apart = _late(source, numbers[0]) | {user for user, local in partners.items() if local in late}
    return Kinship(same=same, root=root, apart=frozenset(apart))


def identities(org: Org) -> dict[str, frozenset[str]]:
    """User -> everything that the person is known as: an org's Id and the user's Id there, this org's among them."""
    found = {row[0]: {org.org_id + row[0]} for row in org.db.execute('SELECT "Id" FROM main."User"')}
    for user, org_id, partner, root in org.db.execute(f"SELECT l.local, o.partner_org_id, l.partner, l.root{_LINKS}"):
        found.setdefault(user, set()).update(filter(None, (org_id + partner, root)))
    return {user: frozenset(names) for user, names in found.items()}


def _roots(org: Org) -> dict[str, str]:
    """User -> where the person was made, of those who arrived over a connection: the first one counts."""
    rows = org.db.execute(
        f"SELECT l.local, coalesce(l.root, o.partner_org_id || l.partner){_LINKS} AND l.made_here = 1"
        " ORDER BY l.number DESC"
    )
    return dict(rows.fetchall())


def _late(org: Org, connection: int) -> set[str]:
    """Users whom the connection brought to an org that had them already: its own, or over another connection."""
    rows = org.db.execute(
        f"SELECT l.local{_LINKS} AND l.connection = ? AND l.made_here = 1 AND (substr(l.root, 1, 18) = ? OR EXISTS"
        " (SELECT 1 FROM main.orgsync_link AS e WHERE e.local = l.local AND e.status = 1 AND e.made_here = 1"
        " AND e.number < l.number))",
        [connection, org.org_id],
    )
    return {row[0] for row in rows}
