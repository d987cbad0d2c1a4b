"""What stands between a plan and its first action: sound, not stale, allowed, permitted (REC-2, REC-5, CON-11)."""

from __future__ import annotations

from orgsync_reconcile.apply.context import ApplyContext
from orgsync_reconcile.errors import GuardRefusedError, OrgsyncError, StalePlanError
from orgsync_reconcile.model.diagnostic import Severity
from orgsync_reconcile.model.plan import CUSTOMIZING, Guard, Op, Plan
from orgsync_reconcile.plan.fingerprint import moved
from orgsync_reconcile.plan.guards import PROTECTION, UNPROTECT_HINT, above, refused
from orgsync_reconcile.stores.sql.permissions import MANAGE_CONNECTIONS, require

_CUSTOMIZED_TYPES = ("CustomField:", "CustomObject:", "Layout:", "RecordType:")
_SHOWN = 10


def check_fresh(saved: Plan, fresh: Plan) -> None:
    """Planning again gave the same plan. Raises StalePlanError, which lists what moved (REC-2)."""
    if saved.plan_id == fresh.plan_id:
        return
    lines = moved(saved, fresh)
    more = f"; and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    raise StalePlanError(
        f"the plan is stale: {'; '.join(lines[:_SHOWN]) or 'the actions come in another order'}{more}",
        hint="run orgsync plan again and review it",
    )


def check_applyable(plan: Plan) -> None:
    """The plan has no errors. Raises OrgsyncError with all of them."""
    if plan.applyable:
        return
    errors = [item for item in plan.diagnostics if item.severity is Severity.ERROR]
    raise OrgsyncError("\n".join(item.one_line() for item in errors) or "the plan cannot be applied")


def check_guards(plan: Plan) -> None:
    """No guard stands against the plan. Raises GuardRefusedError, which names the allowances (REC-5)."""
    stopped = refused(plan)
    if not stopped:
        return
    details = "; ".join(_refusal(guard) for guard in stopped)
    if any(guard.id == PROTECTION for guard in stopped):
        raise GuardRefusedError(f"the guards refuse this plan: {details}", hint=UNPROTECT_HINT)
    names = " ".join(f"--allow {name}" for name in dict.fromkeys(guard.id for guard in stopped))
    raise GuardRefusedError(f"the guards refuse this plan: {details}", hint=f"if it is meant, run with {names}")


def _refusal(guard: Guard) -> str:
    if guard.id == PROTECTION:
        return guard.detail
    if not above(guard):
        return f"{guard.id} is not allowed ({guard.detail})"
    amount = f"{guard.count}" if isinstance(guard.limit, int) else f"{guard.actual:g}"
    return f"{guard.id} {amount} is above {guard.limit:g} ({guard.detail})"


def check_permissions(plan: Plan, context: ApplyContext) -> None:
    """Whoever acts in each org may do what is planned there. Raises PermissionDeniedError before anything is changed."""
    wanted: dict[str, set[str]] = {}
    for action in plan.actions:
        needs = wanted.setdefault(action.org, set())
        if action.op is Op.CREATE_CONTACT:
            needs |= {"CreateContact", "ReadContact"}
        elif action.op in (Op.DEPLOY_COMPONENT, Op.DELETE_COMPONENT):
            if action.address.split("/", 2)[2].startswith(_CUSTOMIZED_TYPES):
                needs.add("CustomizeApplication")
        elif action.op in CUSTOMIZING:
            needs.add("CustomizeApplication")
        else:
            needs.add(MANAGE_CONNECTIONS)
    for name in sorted(wanted):
        if wanted[name]:
            require(context.org(name), context.actor(name), *sorted(wanted[name]))
