"""Records that both orgs have by name and that are never copied: their Ids are paired as reference links (LKP-6)."""

from __future__ import annotations

from orgsync_reconcile.stores.sql.database import Database
from orgsync_reconcile.stores.sql.partner import Partner

#: Object -> what makes a record of it the same in both orgs. `p` is the partner's record, `t` ours.
_BY_NAME = {
    "RecordType": 't."SobjectType" = p."SobjectType" AND t."DeveloperName" = p."DeveloperName"',
    "Group": 't."Type" = p."Type" AND t."Type" = \'Queue\' AND t."DeveloperName" = p."DeveloperName"',
    "CaseTeamRole": 't."Name" = p."Name"',
    "CaseTeamTemplate": 't."Name" = p."Name"',
    "Profile": 't."Name" = p."Name"',
    "UserRole": 't."Name" = p."Name"',
}

#: The link status of such a pair.
REFERENCE = 3


def refresh_references(db: Database, partner: Partner, connection: int, now_ms: int) -> None:
    """Pairs record types, queues, case-team roles, profiles and roles by name, in the target's links."""
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
