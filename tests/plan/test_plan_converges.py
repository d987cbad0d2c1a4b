"""A plan that was carried out leaves nothing to plan, wherever it stopped before (REC-2, REC-3)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from plan_facts import (
    actual,
    components,
    desired,
    include,
    lookup,
    obj,
    primary,
    publication,
    secondary,
    text,
    user,
    with_info,
)
from plan_simulation import Simulation

from orgsync_reconcile.model.actual import Actual
from orgsync_reconcile.model.connection import ConflictPolicy, Direction, SyncOptions
from orgsync_reconcile.model.desired import BulkSyncPlan, Desired
from orgsync_reconcile.model.schema import ANY_OBJECT
from orgsync_reconcile.plan import build_plan

STANDARD = (
    obj("Account", text("Name"), lookup("ParentId", "Account"), lookup("OwnerId", "User")),
    obj("Contact", text("LastName"), lookup("AccountId", "Account")),
    obj("Attachment", text("Name"), lookup("ParentId", ANY_OBJECT, required=True)),
)
OURS = (
    obj(
        "Account",
        text("Name"),
        text("Region__c"),
        lookup("ParentId", "Account"),
        lookup("OwnerId", "User"),
        lookup("Main__c", "Contact"),
    ),
    *STANDARD[1:],
    obj("Invoice__c", text("Name"), lookup("Account__c", "Account", required=True), text("Total__c")),
)
PARTS = components(
    ("CustomField", "Account.Region__c", {"type": "Text"}),
    ("CustomField", "Account.Main__c", {"type": "Lookup"}),
    ("CustomField", "Invoice__c.Account__c", {"type": "Lookup"}),
    ("CustomField", "Invoice__c.Total__c", {"type": "Text"}),
    ("CustomObject", "Invoice__c", {"label": "Invoice"}),
    ("RecordType", "Invoice__c.Big", {"label": "Big"}),
    ("RecordType", "Account.Partner", {"label": "Partner"}),
    ("Role", "Sales", {}),
    ("Profile", "Sales", {}),
    ("ApexClass", "Billing", {"source": "class Billing {}"}),
)


def fresh() -> Actual:
    """Two orgs that know nothing of each other; the secondary has the standard objects only."""
    here = primary(
        items=OURS,
        contacts=(),
        record_types={"Invoice__c": frozenset({"Big"}), "Account": frozenset({"Partner"})},
        **PARTS,
    )
    here = replace(here, users={**here.users, "ann@acme.example": user("ann@acme.example", profile="Sales")})
    return actual(with_info(here, features=frozenset()), with_info(secondary(items=STANDARD), features=frozenset()))


def manifests(*names: str, **more: Any) -> Desired:
    wanted = names or ("Account", "Contact", "Attachment", "Invoice__c")
    return desired(*[publication(name, 30 + index) for index, name in enumerate(wanted)], **more)


VARIANTS = [
    manifests(),
    manifests(bulk_sync=BulkSyncPlan(auto=True)),
    manifests(direction=Direction.ONE_WAY),
    manifests("Account", "Contact", options=SyncOptions(metadata=False, users_primary=False, users_secondary=False)),
    manifests(state="suspended"),
]


@pytest.mark.parametrize("wanted", VARIANTS)
def test_second_plan_is_empty(wanted: Desired) -> None:
    """REC-2: apply, then plan, has no actions."""
    first = build_plan(wanted, fresh())
    assert first.applyable and first.actions
    second = build_plan(wanted, Simulation(fresh()).run(first.actions))
    assert second.actions == () and second.applyable and second.drift == ()


@pytest.mark.parametrize("wanted", VARIANTS[:3])
def test_interrupted_apply_is_finished_by_the_next(wanted: Desired) -> None:
    """REC-3: after any number of actions, the next plan does the rest and no more."""
    first = build_plan(wanted, fresh())
    for done in range(len(first.actions) + 1):
        half = Simulation(fresh()).run(first.actions[:done])
        rest = build_plan(wanted, half)
        assert {action.address for action in rest.actions} <= {action.address for action in first.actions}
        assert build_plan(wanted, Simulation(half).run(rest.actions)).actions == ()


def test_changes_converge_too() -> None:
    """REC-2, PUB-9, PUB-10, CON-7: from one set of manifests to another and back."""
    full = manifests()
    small = manifests("Account", conflicts=ConflictPolicy.LATEST_WINS)
    one_field = desired(publication("Account", fields=include("Name")), direction=Direction.ONE_WAY)
    state = Simulation(fresh()).run(build_plan(full, fresh()).actions)
    for wanted in (small, one_field, full, one_field, small):
        plan = build_plan(wanted, state)
        assert plan.actions and plan.applyable
        state = Simulation(state).run(plan.actions)
        assert build_plan(wanted, state).actions == ()
