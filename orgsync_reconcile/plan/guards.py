"""Guards as data: what a plan may disconnect, overwrite, delete or deactivate, and what it would (REC-5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orgsync_reconcile.model.actual import Actual
from orgsync_reconcile.model.desired import Desired
from orgsync_reconcile.model.plan import Action, Guard, Op, Plan, Reason
from orgsync_reconcile.plan.draft import counted
from orgsync_reconcile.plan.removed import removed_connections

OK, REFUSED = "ok", "refused"
#: The names that --allow takes.
GUARDS = ("disconnect", "overwrite", "delete-metadata", "deactivate")
#: A share above one is a number of things, not a share.
_WHOLE = 1.0


def guard_plan(
    desired: Desired,
    actual: Actual,
    followers: Mapping[str, int],
    actions: Iterable[Action],
    allow: Mapping[str, float | None],
) -> tuple[Guard, ...]:
    """The guards of every connection. `followers`: connection -> components of the secondary that follow the primary.

    Destructive actions are refused unless `allow` names their guard, corrections of drift only above their share. A
    number with the guard is the most that is allowed: a share up to 1, a count above.
    """
    by_connection: dict[str, list[Action]] = {}
    for action in actions:
        by_connection.setdefault(action.connection, []).append(action)
    guards: list[Guard] = []
    for name in sorted(followers):
        connection = desired.connections[name]
        mine = by_connection.get(name, [])
        org = actual.orgs[connection.primary]
        linked = org.connections[name].linked_records if name in org.connections else 0
        guards.append(_disconnect(name, mine, linked, connection.guards.get("disconnect", 0.0), allow))
        guards.append(_overwrite(name, mine, followers[name], connection.guards.get("overwrite", 0.0), allow))
        deleted = sum(action.op is Op.DELETE_COMPONENT for action in mine)
        if deleted:
            detail = f"{name}: {counted(deleted, 'component')} of {followers[name]}"
            guards.append(_guard("delete-metadata", deleted, followers[name], 0.0, True, allow, detail))
    for name, ends in removed_connections(desired, actual).items():
        if any(action.op is Op.DEACTIVATE for action in by_connection.get(name, ())):
            linked = max(known.linked_records for known in ends.values())
            detail = f"{name}: {counted(linked, 'linked record')}"
            guards.append(_guard("deactivate", max(linked, 1), max(linked, 1), 0.0, True, allow, detail))
    return tuple(guards)


def refused(plan: Plan) -> tuple[Guard, ...]:
    """The guards that stop the plan from being applied as it is."""
    return tuple(guard for guard in plan.guards if guard.status == REFUSED)


def _disconnect(
    name: str, actions: list[Action], linked: int, limit: float, allow: Mapping[str, float | None]
) -> Guard:
    ends = [action for action in actions if action.op in (Op.UNPUBLISH_OBJECT, Op.UNSUBSCRIBE_OBJECT)]
    destructive = [action for action in ends if action.risk == "destructive"]
    number = sum(action.effects.get("disconnected", 0) for action in destructive)
    detail = f"{name}: {number} of {counted(linked, 'linked record')}"
    return _guard("disconnect", number, linked, limit, bool(destructive), allow, detail)


def _overwrite(
    name: str, actions: list[Action], followers: int, limit: float, allow: Mapping[str, float | None]
) -> Guard:
    number = sum(action.op is Op.DEPLOY_COMPONENT and action.reason is Reason.DRIFT for action in actions)
    share = number / followers if followers else 0.0
    detail = f"{name}: {number} of {counted(followers, 'component')}"
    return _guard("overwrite", number, followers, limit, share > limit, allow, detail)


def _guard(
    name: str,
    number: int,
    total: int,
    limit: float,
    asks: bool,
    allow: Mapping[str, float | None],
    detail: str,
) -> Guard:
    """One guard; `asks` says that what it counts needs an allowance."""
    share = min(number / total, 1.0) if total else 0.0
    granted = not asks
    if asks and name in allow:
        most = allow[name]
        granted = most is None or (share <= most if most <= _WHOLE else number <= most)
    return Guard(id=name, actual=round(share, 4), limit=limit, status=OK if granted else REFUSED, detail=detail)
