"""Records that both orgs have by name and that are never copied: their Ids are paired as reference links (LKP-6)."""

from __future__ import annotations

from collections.abc import Sequence

from orgsync_reconcile.stores.sql.database import Database
from orgsync_reconcile.stores.sql.links import REFERENCE
from orgsync_reconcile.stores.sql.partner import Partner
from orgsync_reconcile.stores.sql.text import literal, quote

#: Object -> what makes a record of it the same in both orgs. `p` is the partner's record, `t` ours.
_BY_NAME = {
    "RecordType": 't."SobjectType" = p."SobjectType" AND t."DeveloperName" = p."DeveloperName"',
    "Group": 't."Type" = p."Type" AND t."Type" = \'Queue\' AND t."DeveloperName" = p."DeveloperName"',
    "CaseTeamRole": 't."Name" = p."Name"',
    "CaseTeamTemplate": 't."Name" = p."Name"',
    "Profile": 't."Name" = p."Name"',
    "UserRole": 't."Name" = p."Name"',
}

#: Object -> both parts of such a name, of a record `r`.
_NAMES = dict.fromkeys(_BY_NAME, ('r."Name"', "''")) | {
    "RecordType": ('r."SobjectType"', 'r."DeveloperName"'),
    "Group": ('r."Type"', 'r."DeveloperName"'),
}

_Name = tuple[str, str | None, str | None]


def refresh_references(db: Database, partner: Partner, connection: int, now_ms: int) -> None:
    """Pairs record types, queues, case-team roles, profiles and roles by name, in the target's links."""
    if _are_paired(db, partner, connection):
        return
    for name, same in _BY_NAME.items():
        partner.bring(name)
        row = db.execute("SELECT number FROM main.orgsync_object WHERE name = ?", [name]).fetchone()
        db.execute(
            f"DELETE FROM main.orgsync_link WHERE status = {REFERENCE} AND connection = ?1 AND object = ?2 AND NOT EXISTS"
            f' (SELECT 1 FROM main."{name}" AS t JOIN partner."{name}" AS p ON {same} WHERE t."Id" = local AND p."Id" = partner)',
            [connection, row[0]],
        )
        db.execute(
            "INSERT OR IGNORE INTO main.orgsync_link (connection, object, local, partner, status, since)"
            f' SELECT ?1, ?2, t."Id", p."Id", {REFERENCE}, ?3 FROM main."{name}" AS t JOIN partner."{name}" AS p ON {same}'
            ' WHERE t."IsDeleted" = FALSE AND p."IsDeleted" = FALSE'
            ' AND NOT EXISTS (SELECT 1 FROM main.orgsync_link AS l WHERE l.partner = p."Id" AND l.connection = ?1)',
            [connection, row[0], now_ms],
        )


def _are_paired(db: Database, partner: Partner, connection: int) -> bool:
    """Whether all that can be paired is, and nothing else: a look at the names alone."""
    links = db.execute(
        f"SELECT local, partner FROM main.orgsync_link WHERE connection = ? AND status = {REFERENCE}", [connection]
    )
    paired = {there: here for here, there in links}
    ours, ready = _read(db.execute(_listed("main")).fetchall())
    theirs, wanted = _read(partner.query(_listed("partner")).fetchall())
    missing = {name for record, name in wanted.items() if record not in paired}
    return missing.isdisjoint(ready.values()) and all(
        there in theirs and ours.get(here) == theirs[there] for there, here in paired.items()
    )


def _read(rows: Sequence[tuple[str, str, str | None, str | None, int]]) -> tuple[dict[str, _Name], dict[str, _Name]]:
    """The records by Id that have a name, and those of them that are not deleted."""
    named = {record: (kind, first, second) for record, kind, first, second, _ in rows if None not in (first, second)}
    alive = {record: named[record] for record, *_, deleted in rows if record in named and not deleted}
    return named, alive


def _listed(schema: str) -> str:
    """A query for all records that can be paired: Id, object, both parts of the name, whether it is deleted."""
    return " UNION ALL ".join(
        f'SELECT r."Id", {literal(name)}, {first}, {second}, r."IsDeleted" FROM {schema}.{quote(name)} AS r'
        + (f" WHERE {first} = 'Queue'" if name == "Group" else "")
        for name, (first, second) in _NAMES.items()
    )
