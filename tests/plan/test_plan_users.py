"""Planner: which users are copied, linked or left out (USR)."""

from __future__ import annotations

from typing import Any

from plan_facts import (
    ALL_PERMISSIONS,
    actual,
    addresses,
    by_address,
    components,
    connected,
    connection,
    desired,
    messages,
    primary,
    secondary,
    user,
)

from orgsync_reconcile.model.connection import SyncOptions
from orgsync_reconcile.model.plan import Change, Op
from orgsync_reconcile.plan import build_plan

ADMIN = {"admin@acme.example": user("admin@acme.example", permissions=ALL_PERMISSIONS)}
ADMIN_DR = {"admin@acme.example.dr": user("admin@acme.example.dr", permissions=ALL_PERMISSIONS)}


def here(**users: Any) -> dict[str, Any]:
    return {"users": {**ADMIN, **{f"{name}@acme.example": facts for name, facts in users.items()}}}


def ann(**more: Any) -> Any:
    return user("ann@acme.example", **more)


def test_users_are_copied_or_linked_at_accept() -> None:
    """USR-1, USR-2: standard users get `.dr`; one that is already there under that name is linked."""
    plan = build_plan(desired(), actual(primary(**here(ann=ann()))))
    found = by_address(plan)
    new, linked = found["acme-dr/user/ann@acme.example.dr"], found["acme-dr/user/admin@acme.example.dr"]
    assert new.op is Op.SYNC_USER and new.org == "acme-secondary" and new.change is Change.CREATE
    assert new.after == {"link": False, "source_username": "ann@acme.example"}
    assert linked.after == {"link": True, "source_username": "admin@acme.example"}


def test_others_are_left_out_and_said_so() -> None:
    """USR-1: no standard licence, no copy."""
    plan = build_plan(desired(), actual(primary(**here(ann=ann(license="Chatter Free")))))
    assert [item for item in addresses(plan) if "ann" in item] == []
    assert messages(plan, "I302") == ["1 user of acme without a standard licence is not copied: ann@acme.example"]


def test_inactive_users_are_copied_and_take_no_licence() -> None:
    """USR-1, CON-8: every user with a standard licence; only active ones need a seat in the secondary."""
    full = secondary(licenses={"Salesforce": (1, 1)})
    plan = build_plan(desired(), actual(primary(**here(bob=user("bob@acme.example", active=False))), full))
    assert "acme-dr/user/bob@acme.example.dr" in addresses(plan)
    assert messages(plan, "W304") == []
    active = build_plan(desired(), actual(primary(**here(bob=user("bob@acme.example"))), full))
    assert len(messages(active, "W304")) == 1


def test_live_connection_plans_missing_users_only() -> None:
    """USR-3, REC-2: later changes travel live; a user without a counterpart is planned."""
    changed = {**ADMIN_DR, "ann@acme.example.dr": user("ann@acme.example.dr", profile="Other")}
    assert (
        build_plan(desired(), connected(here=primary(**here(ann=ann())), there=secondary(users=changed))).actions == ()
    )
    plan = build_plan(desired(), connected(here=primary(**here(ann=ann()))))
    assert addresses(plan) == ["acme-dr/user/ann@acme.example.dr"]


def test_users_made_in_the_secondary() -> None:
    """USR-2: with `.dr` they go back without it; without it they are not copied."""
    there = {
        **ADMIN_DR,
        "eve@acme.example.dr": user("eve@acme.example.dr"),
        "sam@acme.example": user("sam@acme.example"),
    }
    plan = build_plan(desired(), connected(there=secondary(users=there)))
    assert [(item.address, item.org) for item in plan.actions] == [("acme-dr/user-back/eve@acme.example", "acme")]
    assert "sam@acme.example" in messages(plan, "I303")[0]


def test_each_direction_obeys_its_own_switch() -> None:
    """USR-3, CON-6: primary and secondary switch their own outgoing users."""
    there = secondary(users={**ADMIN_DR, "eve@acme.example.dr": user("eve@acme.example.dr")})
    for options, expected in (
        (SyncOptions(users_primary=False), ["acme-dr/user-back/eve@acme.example"]),
        (SyncOptions(users_secondary=False), ["acme-dr/user/ann@acme.example.dr"]),
        (SyncOptions(users_primary=False, users_secondary=False), []),
    ):
        wanted = connection(options=options)
        facts = connected(here=primary(**here(ann=ann())), there=there, wanted=wanted)
        assert addresses(build_plan(desired(connections=[wanted]), facts)) == expected


def test_failed_user_waits_until_it_is_saved() -> None:
    """USR-4: a failed user is listed and planned again only with another content."""
    first = {"failed_users": {"ann@acme.example": ("h-ann@acme.example", "profile Sales is missing")}}
    plan = build_plan(desired(), connected(first, here=primary(**here(ann=ann()))))
    assert plan.actions == ()
    assert [(item.code, item.why) for item in plan.manual] == [
        ("M308", "copying the user failed: profile Sales is missing")
    ]
    saved = {"failed_users": {"ann@acme.example": ("older", "profile Sales is missing")}}
    assert len(build_plan(desired(), connected(saved, here=primary(**here(ann=ann())))).actions) == 1


def test_too_few_licences() -> None:
    """CON-8: a warning per licence."""
    users = here(ann=ann(), bob=user("bob@acme.example", license="Salesforce Platform"))
    there = secondary(licenses={"Salesforce": (5, 5)})
    plan = build_plan(desired(), actual(primary(**users), there))
    assert messages(plan, "W304") == [
        "acme-secondary has 0 free Salesforce Platform licences for 1 user to copy",
        "acme-secondary has 0 free Salesforce licences for 1 user to copy",
    ]


def test_missing_profiles_roles_and_permission_sets() -> None:
    """USR-6: with metadata off, what users have and the secondary lacks is listed."""
    users = here(ann=ann(profile="Sales", role="Rep", permission_sets=frozenset({"Export"})))
    off = SyncOptions(metadata=False)
    plan = build_plan(desired(options=off), actual(primary(**users)))
    assert "lacks profile Sales, role Rep, permission set Export, and metadata sync is off" in messages(plan, "W305")[0]


def test_deployed_profiles_are_not_missing() -> None:
    """USR-6: what the same plan deploys is there when users come."""
    users = here(ann=ann(profile="Sales"))
    plan = build_plan(desired(), actual(primary(**users, **components(("Profile", "Sales", {"custom": "true"})))))
    assert messages(plan, "W305") == []
