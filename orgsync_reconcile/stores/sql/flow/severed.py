"""Links that an undelete in the secondary has severed: the source learns of them, and of their restoration (LKP-5)."""

from __future__ import annotations

from collections.abc import Sequence

from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.partner import Partner
from orgsync_reconcile.stores.sql.text import commas


def mirror_severed(source: Org, partner: Partner, here: int, there: int, objects: Sequence[int]) -> None:
    """Brings the status of the source's links in step with the target (the partner).

    `here` and `there` are the connection's numbers in source and target; `objects` the source's numbers of what flows
    to the target: only there does the target decide. What was held for a severed record is forgotten. Costs a look at
    the severed links alone; safe to call at any time.
    """
    db = source.db
    (cut,) = partner.row(
        "SELECT EXISTS (SELECT 1 FROM partner.orgsync_link WHERE connection = ? AND status = 4)", [there]
    )
    mine = "FROM main.orgsync_link WHERE connection = ? AND status = 4"
    (known,) = db.execute(f"SELECT EXISTS (SELECT 1 {mine})", [here]).fetchone()
    if not (cut or known) or not objects:
        return
    partner.bring("orgsync_link", "s.connection = ? AND s.status = 4", [there])
    partner.bring_by("orgsync_link", "s.partner", f"SELECT local {mine}", [here])
    ours = f"connection = ? AND object IN ({commas(map(str, objects))})"
    theirs = "SELECT p.partner FROM partner.orgsync_link AS p WHERE p.connection = ? AND p.status"
    severed = f"{ours} AND status = 1 AND local IN ({theirs} = 4)"
    restored = f"{ours} AND status = 4 AND local IN ({theirs} = 1 AND p.partner = orgsync_link.local)"
    (found,) = db.execute(
        f"SELECT EXISTS (SELECT 1 FROM main.orgsync_link WHERE {severed})"
        f" OR EXISTS (SELECT 1 FROM main.orgsync_link WHERE {restored})",
        [here, there, here, there],
    ).fetchone()
    if not found:
        return
    with source.transaction():
        db.execute(f"UPDATE main.orgsync_link SET status = 4 WHERE {severed}", [here, there])
        db.execute(f"UPDATE main.orgsync_link SET status = 1 WHERE {restored}", [here, there])
        db.execute(
            f"DELETE FROM main.orgsync_held WHERE connection = ? AND record IN (SELECT local {mine})", [here, here]
        )
