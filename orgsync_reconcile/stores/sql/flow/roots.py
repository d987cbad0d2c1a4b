"""Where a record was made: a record that comes over two connections is one record, and is linked over both (CON-10).

A record's root is the Id of the org that made it, followed by its Id there. A link holds it where the partner got the
record from elsewhere itself; otherwise the partner's record is the root. Where an org that was restored from a backup
gave an Id a second time, both records that bear it have their root noted (`orgsync_root`).
"""

from __future__ import annotations

from collections.abc import Iterable

from orgsync_reconcile.stores.sql.database import Database
from orgsync_reconcile.stores.sql.flow.paths import Path
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.partner import Partner
from orgsync_reconcile.stores.sql.text import literal, quote

#: The characters of an org's Id, with which a root begins.
ORG = 18


def came_from(record: str) -> str:
    """SQL: the root of a source's record that came from elsewhere; NULL where the source made it. `record` is SQL."""
    return (
        f"coalesce((SELECT n.root FROM partner.orgsync_root AS n WHERE n.record = {record}),"
        " (SELECT coalesce(r.root, o.partner_org_id || r.partner) FROM partner.orgsync_link AS r"
        " JOIN partner.orgsync_connection AS o ON o.number = r.connection"
        f" WHERE r.local = {record} AND r.made_here = 1 AND r.status <> 3 ORDER BY r.number LIMIT 1))"
    )


def adopt(
    db: Database, partner: Partner, paths: Iterable[Path], source: Org, target: Org, facts: tuple[int, int, int]
) -> int:
    """Links the staged new records that the target has already over another way; returns how many.

    They stay staged, as inserts under a linked Id. `facts`: the connection's number in the target, the moment, and the
    source's log position up to which its records are read.
    """
    db.execute("CREATE TEMP TABLE IF NOT EXISTS known (n BIGINT, record TEXT, root TEXT, local TEXT)")
    found = 0
    for path in paths:
        db.execute("DELETE FROM temp.known")
        root = f"coalesce({came_from('st.record')}, {literal(source.org_id)} || st.record)"
        db.execute(
            f"INSERT INTO temp.known (n, record, root) SELECT st.n, st.record, {root} FROM temp.stage AS st"
            f' CROSS JOIN partner.{quote(path.object)} AS s ON s."Id" = st.record'
            f' WHERE st.object = ? AND st.local IS NULL AND s."IsDeleted" = FALSE AND {partner.allowed(path)}'
            ' AND (st.ins = 1 OR s."CreatedDate" >= ?) AND NOT EXISTS'
            " (SELECT 1 FROM main.orgsync_link AS k WHERE k.partner = st.record AND k.connection = ?)",
            [path.source, path.since, facts[0]],
        )
        mine = (
            f"CASE WHEN substr(known.root, 1, {ORG}) = {literal(target.org_id)} AND NOT EXISTS (SELECT 1 FROM"
            f" main.orgsync_root AS n WHERE n.record = substr(known.root, {ORG + 1})) THEN substr(known.root, {ORG + 1}) END"
        )
        noted = "SELECT n.record FROM main.orgsync_root AS n WHERE n.root = known.root"
        over_further = "SELECT l.local FROM main.orgsync_link AS l WHERE l.root = known.root AND l.status <> 3"
        over_one = (
            "SELECT l.local FROM main.orgsync_link AS l JOIN main.orgsync_connection AS o ON o.number = l.connection"
            f" WHERE l.partner = substr(known.root, {ORG + 1}) AND l.made_here = 1 AND l.root IS NULL AND l.status <> 3"
            f" AND o.partner_org_id = substr(known.root, 1, {ORG})"
        )
        db.execute(f"UPDATE temp.known SET local = coalesce(({noted}), ({over_further}), {mine}, ({over_one}))")
        found += db.execute(
            "INSERT OR IGNORE INTO main.orgsync_link (connection, object, local, partner, made_here, since, seen, root)"
            f" SELECT ?, {path.target}, local, record, 1, ?, ?, root FROM temp.known WHERE local IS NOT NULL ORDER BY n",
            list(facts),
        ).rowcount
        db.execute(
            "UPDATE temp.stage SET ins = 1, local = l.local FROM temp.known AS k JOIN main.orgsync_link AS l"
            " ON l.partner = k.record AND l.connection = ? WHERE stage.n = k.n AND k.local IS NOT NULL",
            [facts[0]],
        )
    return found
