"""Links that an undelete in the secondary has severed: the source learns of them, and of their restoration (LKP-5)."""

from __future__ import annotations

import json
from collections.abc import Sequence

from orgsync_reconcile.stores.sql.org import Org

_PARTNERS = "SELECT p.partner FROM partner.orgsync_link AS p WHERE p.connection = :there AND p.status = {status}"
_OURS = "connection = :here AND object IN (SELECT value FROM json_each(:objects))"


def mirror_severed(source: Org, here: int, there: int, objects: Sequence[int]) -> None:
    """Brings the status of the source's links in step with the target (attached as partner).

    `here` and `there` are the connection's numbers in source and target; `objects` the source's numbers of what flows
    to the target: only there does the target decide. What was held for a severed record is forgotten. Costs a look at
    the severed links alone; safe to call at any time.
    """
    db = source.db
    facts = {"here": here, "there": there, "objects": json.dumps(list(objects))}
    severed = f"{_OURS} AND status = 1 AND local IN ({_PARTNERS.format(status=4)})"
    restored = f"{_OURS} AND status = 4 AND local IN ({_PARTNERS.format(status=1)} AND p.partner = orgsync_link.local)"
    (found,) = db.execute(
        f"SELECT EXISTS (SELECT 1 FROM main.orgsync_link WHERE {severed})"
        f" OR EXISTS (SELECT 1 FROM main.orgsync_link WHERE {restored})",
        facts,
    ).fetchone()
    if not found:
        return
    with source.transaction():
        db.execute(f"UPDATE main.orgsync_link SET status = 4 WHERE {severed}", facts)
        db.execute(f"UPDATE main.orgsync_link SET status = 1 WHERE {restored}", facts)
        db.execute(
            "DELETE FROM main.orgsync_held WHERE connection = :here AND record IN"
            " (SELECT local FROM main.orgsync_link WHERE connection = :here AND status = 4)",
            facts,
        )
