"""The journal of applies, in the primary: which action was started, done or failed (REC-3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orgsync_reconcile.clock import Clock, iso
from orgsync_reconcile.model.plan import Action
from orgsync_reconcile.stores.sql.org import Org

#: What stays `started` was under way when its apply ended.
STARTED, DONE, FAILED, HELD_BACK = "started", "done", "failed", "not started"


def start(org: Org, plan_id: str, actions: Sequence[Action], clock: Clock) -> dict[str, int]:
    """Notes that these actions begin, in one transaction; returns action id -> journal number."""
    numbers: dict[str, int] = {}
    with org.transaction() as db:
        for action in actions:
            ((number,),) = db.execute(
                "INSERT INTO orgsync_journal (plan_id, address, op, status, at) VALUES (?, ?, ?, ?, ?) RETURNING number",
                [plan_id, action.address, action.op.value, STARTED, iso(clock())],
            ).fetchall()
            numbers[action.id] = number
    return numbers


def finish(
    org: Org, numbers: Mapping[str, int], errors: Mapping[str, str], held_back: Mapping[str, str], clock: Clock
) -> None:
    """Notes how these actions ended. All three mappings go by action id; what is in neither of the latter is done."""
    rows = []
    for action, number in numbers.items():
        status = FAILED if action in errors else HELD_BACK if action in held_back else DONE
        rows.append((status, errors.get(action, held_back.get(action, "")), iso(clock()), number))
    with org.transaction() as db:
        db.executemany("UPDATE orgsync_journal SET status = ?, error = ?, at = ? WHERE number = ?", rows)
