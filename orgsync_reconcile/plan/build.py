"""The plan: every planner in turn, then order, guards and fingerprint (REC-1)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from types import MappingProxyType

from orgsync_reconcile.model.actual import Actual
from orgsync_reconcile.model.desired import Desired
from orgsync_reconcile.model.diagnostic import Diagnostic, Severity
from orgsync_reconcile.model.origin import Origin
from orgsync_reconcile.model.plan import Plan
from orgsync_reconcile.plan import codes
from orgsync_reconcile.plan.address import within
from orgsync_reconcile.plan.bulk import plan_bulk
from orgsync_reconcile.plan.connection import (
    plan_contact,
    plan_features,
    plan_lifecycle,
    plan_state,
    will_be_suspended_throughout,
)
from orgsync_reconcile.plan.corrections import left_in
from orgsync_reconcile.plan.draft import Sheet
from orgsync_reconcile.plan.fingerprint import plan_id
from orgsync_reconcile.plan.guards import allowance_states, guard_plan
from orgsync_reconcile.plan.metadata import plan_metadata
from orgsync_reconcile.plan.order import numbered, run_order, targeted
from orgsync_reconcile.plan.permissions import check_owner, check_permissions
from orgsync_reconcile.plan.preflight import check_orgs
from orgsync_reconcile.plan.protection import plan_protection
from orgsync_reconcile.plan.publications import plan_publications
from orgsync_reconcile.plan.removed import plan_removed
from orgsync_reconcile.plan.scope import Mode, Scope, scope_of
from orgsync_reconcile.plan.update import plan_update
from orgsync_reconcile.plan.users import plan_users

_NOTHING_ALLOWED: Mapping[str, float | None] = MappingProxyType({})
_SEVERITIES = tuple(Severity)


def build_plan(
    desired: Desired,
    actual: Actual,
    *,
    targets: Collection[str] = (),
    excludes: Collection[str] = (),
    allow: Mapping[str, float | None] = _NOTHING_ALLOWED,
    mode: Mode = Mode.ATTENDED,
    today: date | None = None,
) -> Plan:
    """What apply would do to bring the orgs to what the manifests say (REC-1).

    `targets` and `excludes` are addresses, or what addresses begin with up to a slash; what a target needs comes along,
    what needs an excluded action goes with it. `allow` maps guard names to the most that is allowed, None for any
    amount. With a `mode` other than attended the manifests' drift policy counts: what is to be reported is not
    corrected; corrections alone leave out what Git changed (REC-6). `today`, in UTC, is for the manifests' allowances
    alone: without it none is in force.

    Never raises for what is wrong in manifests or orgs: that is in `diagnostics`, and the plan is then not applyable.
    The same facts give the same plan, whatever the order of the mappings.
    """
    sheet = Sheet(diagnostics=list(desired.diagnostics))
    followers: dict[str, int] = {}
    plan_protection(desired, actual, sheet)
    plan_removed(desired, actual, sheet)
    for name in sorted(desired.connections):
        scope = scope_of(name, desired, actual, mode=mode)
        if scope is None:
            sheet.info(
                codes.ORG_NOT_READ,
                f"{name} is left out: one of its orgs was not read",
                origin=desired.connections[name].origin,
            )
            continue
        followers[name] = _plan_connection(desired, scope, sheet)
    drafts = targeted(run_order(left_in(sheet.drafts, desired, mode)), targets, excludes)
    _check_chosen(sheet, "target", targets)
    _check_chosen(sheet, "exclude", excludes)
    actions = numbered(drafts)
    manifests = tuple(sorted((item.path, item.sha256) for item in desired.files))
    observed = {name: (actual.orgs[name].info.org_id, actual.orgs[name].info.revision) for name in sorted(actual.orgs)}
    return Plan(
        plan_id=plan_id(manifests, desired.environment, observed, actions),
        applyable=not any(item.severity is Severity.ERROR for item in sheet.diagnostics),
        manifests=manifests,
        environment=desired.environment,
        observed=observed,
        actions=actions,
        drift=tuple(sorted(sheet.drift, key=lambda item: (item.address, item.kind, item.key))),
        manual=tuple(sorted(sheet.manual, key=lambda item: (item.address, item.code, item.org))),
        guards=guard_plan(desired, actual, followers, actions, allow, today),
        diagnostics=_sorted(sheet.diagnostics),
        targets=tuple(sorted(set(targets))),
        excludes=tuple(sorted(set(excludes))),
        allowances=allowance_states(desired, today),
        wanted=sheet.wanted,
    )


def _plan_connection(desired: Desired, scope: Scope, sheet: Sheet) -> int:
    """One connection; returns how many components of its secondary follow the primary."""
    check_orgs(scope, sheet)
    check_owner(scope, sheet)
    plan_features(scope, sheet)
    plan_contact(scope, sheet)
    plan_lifecycle(scope, sheet)
    plan_update(scope, sheet)
    metadata = plan_metadata(scope, sheet)
    plan_users(scope, sheet, metadata.planned)
    plan_state(scope, sheet)
    order = plan_publications(scope, sheet, metadata.planned)
    if not will_be_suspended_throughout(scope, sheet):
        plan_bulk(scope, sheet, order)
    check_permissions(desired, scope, sheet)
    return metadata.followers


def _check_chosen(sheet: Sheet, option: str, addresses: Collection[str]) -> None:
    for address in sorted(set(addresses)):
        if not any(within(draft.address, address) for draft in sheet.drafts):
            sheet.warn(
                codes.NOTHING_TARGETED,
                f"no planned action is at or below {address}",
                hint=f"run plan without --{option} to see the addresses",
            )


def _sorted(diagnostics: Collection[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Errors first, then by place and text; the same finding twice is one."""
    nowhere = Origin(file="", line=0, column=0)
    return tuple(
        sorted(
            set(diagnostics),
            key=lambda item: (
                _SEVERITIES.index(item.severity),
                item.origin or nowhere,
                item.code,
                item.message,
            ),
        )
    )
