"""Planner: guards as data, targets and excludes (REC-5, --target, --exclude)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from plan_facts import (
    actual,
    addresses,
    at,
    components,
    connected,
    connection,
    desired,
    include,
    messages,
    primary,
    publication,
    published,
    secondary,
    subscribed,
    synced,
    with_info,
)

from orgsync_reconcile.model.actual import Actual
from orgsync_reconcile.model.connection import Direction
from orgsync_reconcile.model.desired import Allowance, BulkSyncPlan, Desired
from orgsync_reconcile.model.plan import Op, Plan
from orgsync_reconcile.plan import GUARDS, build_plan, from_json, refused, render_text, to_json


def two_objects() -> Actual:
    facts: dict[str, Any] = {
        "published": {
            **published("Account", "Name", "OwnerId", "ParentId", "Phone"),
            **published("Contact", "LastName"),
        },
        "linked": {"Account": 60, "Contact": 40},
        "bulk_synced": {"Account": 1, "Contact": 1},
    }
    accepted = {
        **subscribed("Account", "Name", "OwnerId", "ParentId", "Phone"),
        **subscribed("Contact", "LastName"),
    }
    return connected(facts, {"subscribed": accepted}, wanted=connection(direction=Direction.ONE_WAY))


def unpublish(allow: dict[str, float | None]) -> Plan:
    return build_plan(desired(publication("Account"), direction=Direction.ONE_WAY), two_objects(), allow=allow)


@pytest.mark.parametrize(
    ("allow", "status"),
    [
        ({}, "refused"),
        ({"deactivate": None}, "refused"),
        ({"disconnect": None}, "ok"),
        ({"disconnect": 0.4}, "ok"),
        ({"disconnect": 0.39}, "refused"),
        ({"disconnect": 40}, "ok"),
        ({"disconnect": 39}, "refused"),
    ],
)
def test_disconnecting_needs_an_allowance(allow: dict[str, float | None], status: str) -> None:
    """REC-5, PUB-10: the guard must be named; a number with it is a share up to 1, a count above."""
    plan = unpublish(allow)
    (guard,) = [item for item in plan.guards if item.id == "disconnect"]
    assert (guard.actual, guard.limit, guard.status) == (0.4, 0.3, status)
    assert "40 of 100 linked records" in guard.detail
    assert refused(plan) == (() if status == "ok" else (guard,))
    assert plan.applyable


def test_guards_of_a_harmless_plan() -> None:
    """REC-5: shown with their limits, and ok."""
    plan = build_plan(desired(publication("Account")), actual())
    assert [(item.id, item.actual, item.status) for item in plan.guards] == [
        ("disconnect", 0.0, "ok"),
        ("overwrite", 0.0, "ok"),
    ]


def test_allowance_does_not_change_the_plan_id() -> None:
    """REC-2: what is allowed is said at apply; it is no part of what is planned."""
    assert unpublish({}).plan_id == unpublish({"disconnect": None}).plan_id


def drifting(count: int, total: int) -> Actual:
    ours = components(*[("Role", f"R{index}", {"name": "ours"}) for index in range(total)])
    theirs = components(
        *[("Role", f"R{index}", {"name": "ours" if index >= count else "hand"}) for index in range(total)]
    )
    hashes = {key: item.hash for key, item in ours["components"].items()}
    theirs["components"] = {key: item._replace(synced_hash=hashes[key]) for key, item in theirs["components"].items()}
    return connected(here=primary(**ours), there=secondary(**theirs))


@pytest.mark.parametrize(
    ("count", "allow", "status"),
    [(3, {}, "ok"), (4, {}, "refused"), (4, {"overwrite": None}, "ok"), (4, {"overwrite": 0.35}, "refused")],
)
def test_overwriting_more_than_the_share(count: int, allow: dict[str, float | None], status: str) -> None:
    """REC-5, MET-5: drift correction beyond its share of the secondary's components is refused."""
    plan = build_plan(desired(), drifting(count, 10), allow=allow)
    (guard,) = [item for item in plan.guards if item.id == "overwrite"]
    assert (guard.actual, guard.status) == (count / 10, status)


def test_deleting_metadata_and_deactivating_need_an_allowance() -> None:
    """MET-4, CON-9, REC-5: both are refused unless named."""
    wanted = connection(metadata_delete=True)
    facts = connected(there=secondary(**synced(components(("Role", "Old", {})))), wanted=wanted)
    manifests = desired(connections=[wanted])
    assert [item.id for item in refused(build_plan(manifests, facts))] == ["delete"]
    assert refused(build_plan(manifests, facts, allow={"delete": None})) == ()
    removed = desired(connections=[])
    assert [item.id for item in refused(build_plan(removed, connected()))] == ["deactivate"]
    assert refused(build_plan(removed, connected(), allow={"deactivate": None})) == ()


def test_linked_users_are_no_records() -> None:
    """REC-5: a share of the records is not made smaller by the users that are linked, whom nothing disconnects."""
    facts = two_objects()
    known = facts.orgs["acme"].connections["acme-dr"]
    linked = replace(known, linked={**known.linked, "User": 900})
    acme = replace(facts.orgs["acme"], connections={"acme-dr": linked})
    manifests = desired(publication("Account"), direction=Direction.ONE_WAY)
    plan = build_plan(manifests, replace(facts, orgs={**facts.orgs, "acme": acme}))
    (guard,) = (item for item in plan.guards if item.id == "disconnect")
    assert (guard.actual, guard.detail) == (0.4, "acme-dr: 40 of 100 linked records")


BOTH = (publication("Account"), publication("Contact"))


def test_target_brings_what_it_needs() -> None:
    """REC-1: a target with its dependencies, numbered afresh."""
    plan = build_plan(
        desired(*BOTH, direction=Direction.ONE_WAY),
        connected(wanted=connection(direction=Direction.ONE_WAY)),
        targets=["acme-dr/subscription/Contact"],
    )
    assert addresses(plan) == [
        "acme-dr/publication/Account",
        "acme-dr/publication/Contact",
        "acme-dr/subscription/Account",
        "acme-dr/subscription/Contact",
    ]
    assert [item.id for item in plan.actions] == ["a1", "a2", "a3", "a4"]


def test_target_is_a_path_not_a_beginning() -> None:
    """REC-1: `…/Account` does not mean `…/AccountX`; a target without actions is said so."""
    facts = connected()
    plan = build_plan(desired(*BOTH), facts, targets=["acme-dr/publication"])
    assert addresses(plan) == ["acme-dr/publication/Account", "acme-dr/publication/Contact"]
    nothing = build_plan(desired(*BOTH), facts, targets=["acme-dr/publication/Acc"])
    assert nothing.actions == ()
    assert messages(nothing, "W313") == ["no planned action is at or below acme-dr/publication/Acc"]


def test_exclude_takes_dependents_along() -> None:
    """REC-1: what needs an excluded action goes too, whatever was targeted."""
    facts = connected(wanted=connection(direction=Direction.ONE_WAY))
    manifests = desired(*BOTH, direction=Direction.ONE_WAY)
    assert build_plan(manifests, facts, excludes=["acme-dr/publication/Account"]).actions == ()
    left = build_plan(manifests, facts, excludes=["acme-dr/publication/Contact"])
    assert addresses(left) == ["acme-dr/publication/Account", "acme-dr/subscription/Account"]
    both = build_plan(manifests, facts, targets=["acme-dr/publication"], excludes=["acme-dr/publication/Contact"])
    assert addresses(both) == ["acme-dr/publication/Account"]


def until(day: str, limit: float, guard: str = "disconnect") -> Allowance:
    return Allowance(guard=guard, limit=limit, reason="we move", until=date.fromisoformat(day), origin=at(12))


@pytest.mark.parametrize(
    ("allowance", "today", "status", "words"),
    [
        (until("2026-12-01", 0.4), date(2026, 12, 1), "ok", ""),
        (until("2026-12-01", 40), date(2026, 12, 1), "ok", ""),
        (until("2026-12-01", 39), date(2026, 12, 1), "refused", "lets up to 39 pass"),
        (until("2026-12-01", 0.39), date(2026, 12, 1), "refused", "lets up to 39.0% pass"),
        (until("2026-12-01", 0.4), date(2026, 12, 2), "refused", "manifests/acme.yaml:12 expired on 2026-12-01"),
        (until("2026-12-01", 0.4), None, "refused", "ends on 2026-12-01, and this plan knows no date"),
        (until("2026-12-01", 0.4, "move"), date(2026, 12, 1), "refused", ""),
    ],
)
def test_allowance_of_the_manifest(allowance: Allowance, today: date | None, status: str, words: str) -> None:
    """REC-5: it holds to the end of its last day; what it does not let pass says why, and where it stands."""
    wanted = desired(publication("Account"), direction=Direction.ONE_WAY, allow=(allowance,))
    plan = build_plan(wanted, two_objects(), today=today)
    (guard,) = [item for item in plan.guards if item.id == "disconnect"]
    assert guard.status == status and words in guard.detail
    assert (guard.allowed_by == "manifests/acme.yaml:12 until 2026-12-01: we move") is (status == "ok")
    assert bool(guard.blocks) is (status == "refused")
    assert from_json(to_json(plan), "plan.json") == plan


def test_the_date_enters_by_the_state_of_allowances_alone() -> None:
    """REC-1, REC-5: byte for byte the same plan on any day, but for the day after an allowance's last."""

    def text(day: date, *allow: Allowance) -> str:
        manifests = desired(publication("Account"), direction=Direction.ONE_WAY, allow=allow)
        return to_json(build_plan(manifests, two_objects(), today=day))

    assert text(date(2026, 1, 1)) == text(date(2027, 1, 1))
    item = until("2026-12-01", 0.4)
    assert text(date(2026, 1, 1), item) == text(date(2026, 12, 1), item) != text(date(2026, 12, 2), item)
    assert text(date(2026, 12, 2), item) == text(date(2027, 12, 2), item)


def narrowed(**more: Any) -> Plan:
    """Of Account's four fields two are left, both directions."""
    fields = ("Name", "OwnerId", "ParentId", "Phone")
    facts: dict[str, Any] = {"published": published("Account", *fields), "subscribed": subscribed("Account", *fields)}
    wanted = desired(publication("Account", fields=include("Name", "OwnerId")), **more)
    return build_plan(wanted, connected({**facts, "bulk_synced": {"Account": 1}}, facts))


@pytest.mark.parametrize(
    ("guards", "status"),
    [({}, "ok"), ({"unpublish": 0.49}, "refused"), ({"unpublish": 2}, "ok"), ({"unpublish": 1}, "refused")],
)
def test_unpublishing_many_fields(guards: dict[str, float], status: str) -> None:
    """REC-5: fields count once though they go both ways; a whole number is a count, a decimal a share."""
    (guard,) = [item for item in narrowed(guards=guards).guards if item.id == "unpublish"]
    assert (guard.count, guard.total, guard.actual, guard.status) == (2, 4, 0.5, status)
    assert len(guard.blocks) == (4 if status == "refused" else 0)


@pytest.mark.parametrize(("guards", "status"), [({}, "ok"), ({"move": 200}, "ok"), ({"move": 199}, "refused")])
def test_moving_many_records(guards: dict[str, float], status: str) -> None:
    """REC-5, BLK-8: what bulk syncs send has no limit unless the manifest sets one."""
    wanted = desired(publication("Account"), guards=guards, bulk_sync=BulkSyncPlan(auto=True))
    plan = build_plan(wanted, actual(primary(records={"Account": 200})))
    (guard,) = [item for item in plan.guards if item.id == "move"]
    assert (guard.count, guard.status) == (200, status)
    blocked = {action.op for action in plan.actions if action.id in guard.blocks}
    assert blocked == ({Op.BULK_SYNC} if status == "refused" else set())


def test_a_protected_org_is_left_alone_whatever_is_allowed() -> None:
    """REC-5: protection holds by the manifest and by the org itself, also while it is being put off."""
    allow = dict.fromkeys(GUARDS)
    facts = two_objects()
    acme = with_info(facts.orgs["acme"], protected=True)
    kept = replace(facts, orgs={**facts.orgs, "acme": acme})
    manifests = desired(publication("Account"), direction=Direction.ONE_WAY)

    def saying(protected: bool | None) -> Desired:
        return replace(manifests, orgs={**manifests.orgs, "acme": replace(manifests.orgs["acme"], protected=protected)})

    for wanted, known in ((True, facts), (True, kept), (None, kept), (False, kept)):
        plan = build_plan(saying(wanted), known, allow=allow)
        (guard,) = refused(plan)
        assert guard.id == "protection" and "acme is protected: 1 destructive action" in guard.detail
        assert [action.op for action in plan.actions if action.id in guard.blocks] == [Op.UNPUBLISH_OBJECT]
        assert "! " in render_text(plan) and "set protected: false" in render_text(plan)
    assert refused(build_plan(saying(False), facts, allow=allow)) == ()
    ops = [next(action.op for action in build_plan(saying(value), kept).actions) for value in (True, None, False)]
    assert ops[2] is Op.UNPROTECT and Op.UNPROTECT not in ops[:2] and Op.PROTECT not in ops[:2]
    assert from_json(to_json(build_plan(saying(False), kept)), "plan.json") == build_plan(saying(False), kept)


def test_an_exclude_that_names_nothing_is_told() -> None:
    """REC-1: a mistyped exclude leaves nothing out, so it is warned about as a mistyped target is."""
    plan = build_plan(desired(*BOTH), actual(), excludes=["acme-dr/publication/Acount"])
    assert messages(plan, "W313") == ["no planned action is at or below acme-dr/publication/Acount"]
