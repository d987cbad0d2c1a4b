"""Planner: features, contact, invitation, status steps, options, suspension, removal (CON, SUS)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from plan_facts import (
    ELISE,
    actual,
    addresses,
    by_address,
    connected,
    connection,
    desired,
    messages,
    primary,
    publication,
    published,
    secondary,
    side,
    subscribed,
    with_info,
)

from orgsync_reconcile.model.connection import (
    ConflictPolicy,
    ConnectionStatus,
    ContactRef,
    Direction,
    Side,
    SyncOptions,
)
from orgsync_reconcile.model.plan import Change, Op, Reason, Risk
from orgsync_reconcile.plan import Mode, build_plan, connection_settings

BARE = SyncOptions(metadata=False, users_primary=False, users_secondary=False)


def test_features_come_first_in_each_org() -> None:
    """CON-1: Salesforce to Salesforce is enabled before anything else is done in an org."""
    here = with_info(primary(contacts=()), features=frozenset())
    there = with_info(secondary(), features=frozenset())
    plan = build_plan(desired(), actual(here, there))
    assert addresses(plan)[:2] == [
        "acme-secondary/feature/salesforce-to-salesforce",
        "acme/feature/salesforce-to-salesforce",
    ]
    found = by_address(plan)
    assert found["acme-dr/contact"].depends_on == ("a2",)
    assert "a1" in found["acme-dr/connection/secondary"].depends_on


def test_two_connections_of_one_org_enable_its_feature_once() -> None:
    """CON-1, CON-10: a hub's feature is one action."""
    hub = with_info(primary(), features=frozenset())
    wanted = [connection(), connection(name="acme-eu")]
    plan = build_plan(desired(connections=wanted), actual(hub, secondary()))
    assert addresses(plan).count("acme/feature/salesforce-to-salesforce") == 1
    assert {"acme-dr/connection", "acme-eu/connection"} <= set(addresses(plan))


def test_missing_contact_is_created_before_the_invitation() -> None:
    """CON-2: a contact that the primary lacks is a planned action, with its account."""
    plan = build_plan(desired(), actual(primary(contacts=())))
    found = by_address(plan)
    assert found["acme-dr/contact"].op is Op.CREATE_CONTACT
    assert found["acme-dr/contact"].after == {
        "first_name": "Elise",
        "last_name": "Medina",
        "email": "elise@acme.example",
        "account": "Acme",
    }
    assert found["acme-dr/contact"].id in found["acme-dr/connection"].depends_on


@pytest.mark.parametrize(
    ("email", "made"), [("ELISE@acme.example", False), ("elise@acme.example", False), ("other@acme.example", True)]
)
def test_contact_is_matched_by_name_and_email(email: str, made: bool) -> None:
    """CON-2: an existing Contact of that name and email, in any case, is used."""
    plan = build_plan(desired(), actual(primary(contacts=(replace(ELISE, email=email),))))
    assert ("acme-dr/contact" in addresses(plan)) is made


def test_contact_without_email_is_an_error_at_its_key() -> None:
    """CON-2: a contact without email is an error."""
    contact = ContactRef(first_name="Elise", last_name="Medina", email="", account="Acme")
    plan = build_plan(desired(contact=contact), actual())
    assert not plan.applyable
    assert messages(plan, "E308") == ["the contact Elise Medina has no email address"]


def test_unknown_owner_is_an_error() -> None:
    """CON-2: the owner is a user of the primary."""
    plan = build_plan(desired(owner="nobody@acme.example"), actual())
    assert messages(plan, "E307") == ["the owner nobody@acme.example is no user of acme"]
    assert not plan.applyable


def test_new_connection_runs_from_invitation_to_active() -> None:
    """CON-4, CON-5: invite in the primary, accept in the secondary, metadata, users, active, publications."""
    plan = build_plan(desired(publication("Account")), actual())
    assert [(item.op, item.org) for item in plan.actions][:5] == [
        (Op.INVITE, "acme"),
        (Op.ACCEPT, "acme-secondary"),
        (Op.ADVANCE_CONNECTION, "acme"),
        (Op.SYNC_USER, "acme-secondary"),
        (Op.ADVANCE_CONNECTION, "acme"),
    ]
    found = by_address(plan)
    assert (found["acme-dr/connection/secondary"].after or {})["status"] == "BulkSyncMetadata"
    assert "acme-dr/connection/status/UsersInitialSync" in found
    active = found["acme-dr/connection/status/Accepted"]
    assert active.id in found["acme-dr/publication/Account"].depends_on


@pytest.mark.parametrize(
    ("options", "first", "later"),
    [
        (SyncOptions(), "BulkSyncMetadata", ["UsersInitialSync", "Accepted"]),
        (SyncOptions(metadata=False), "UsersInitialSync", ["Accepted"]),
        (SyncOptions(users_primary=False, users_secondary=False), "BulkSyncMetadata", ["Accepted"]),
        (BARE, "Accepted", []),
    ],
)
def test_options_leave_steps_out(options: SyncOptions, first: str, later: list[str]) -> None:
    """CON-5: steps that the options leave out are skipped."""
    plan = build_plan(desired(options=options), actual())
    assert (by_address(plan)["acme-dr/connection/secondary"].after or {})["status"] == first
    assert [item.address.rpartition("/")[2] for item in plan.actions if item.op is Op.ADVANCE_CONNECTION] == later


@pytest.mark.parametrize(
    ("status", "left"),
    [
        (ConnectionStatus.BULK_SYNC_METADATA, ["status/UsersInitialSync", "status/Accepted"]),
        (ConnectionStatus.USERS_INITIAL_SYNC, ["status/Accepted"]),
        (ConnectionStatus.ACCEPTED, []),
    ],
)
def test_half_finished_connection_goes_on_where_it_stopped(status: ConnectionStatus, left: list[str]) -> None:
    """REC-3, CON-5: what an earlier run reached is not planned again."""
    plan = build_plan(desired(), connected({"status": status}, {"status": status}))
    lifecycle = [item.address for item in plan.actions if item.op is not Op.SYNC_USER]
    assert lifecycle == [f"acme-dr/connection/{item}" for item in left]


def test_invited_but_not_accepted() -> None:
    """CON-4: with the invitation sent, the plan accepts and does not invite again."""
    sent = side(Side.PRIMARY, connection(options=BARE), status=ConnectionStatus.SENT)
    plan = build_plan(desired(options=BARE), actual(replace(primary(), connections={"acme-dr": sent})))
    assert addresses(plan) == ["acme-dr/connection/secondary"]


def test_active_connection_has_no_actions() -> None:
    """REC-2: a connection that is as the manifests want it plans nothing."""
    plan = build_plan(desired(), connected())
    assert plan.actions == () and plan.drift == () and plan.applyable


def test_owner_options_and_settings_of_a_live_connection() -> None:
    """CON-7: owner, option and settings changes are one planned action with before and after."""
    old = connection(owner="old@acme.example", options=SyncOptions(metadata=False))
    wanted = desired(conflicts=ConflictPolicy.LATEST_WINS, retry=(5,), options=SyncOptions(users_secondary=False))
    plan = build_plan(wanted, connected(wanted=old))
    found = by_address(plan)
    action = found["acme-dr/connection"]
    assert action.op is Op.UPDATE_CONNECTION and action.reason is Reason.CHANGED
    assert action.before == {
        "conflicts": "primary-wins",
        "metadata": False,
        "owner": "old@acme.example",
        "retry": "60,300,1800,7200,28800",
    }
    assert action.after == {
        "conflicts": "latest-wins",
        "metadata": True,
        "owner": "admin@acme.example",
        "retry": "5",
    }
    assert found["acme-dr/connection/secondary"].after == {"users": False}
    assert found["acme-dr/connection/secondary"].org == "acme-secondary"
    assert plan.drift == ()


def test_settings_changed_by_hand_are_drift() -> None:
    """REC-6: what differs from the last apply is drift; attended it is corrected, unattended reported by default."""
    facts = connected({"owner": "other@acme.example"})
    plan = build_plan(desired(), facts)
    assert [(item.address, item.reason) for item in plan.actions] == [("acme-dr/connection", Reason.DRIFT)]
    assert [(item.kind, item.detail) for item in plan.drift] == [
        ("owner", "owner was changed in acme: admin@acme.example → other@acme.example")
    ]
    alone = build_plan(desired(), facts, mode=Mode.UNATTENDED)
    assert alone.actions == () and alone.drift == plan.drift
    strict = connection(drift={"metadata": "correct", "settings": "correct"})
    facts = connected({"owner": "other@acme.example"}, wanted=strict)
    assert len(build_plan(desired(connections=[strict]), facts, mode=Mode.UNATTENDED).actions) == 1


def test_change_of_the_manifest_and_by_hand() -> None:
    """REC-6, CON-7: both at once is drift to see and a change to make."""
    facts = connected({"owner": "other@acme.example"})
    (both,) = build_plan(desired(retry=(5,)), facts).actions
    assert (both.reason, set(both.after or {})) == (Reason.CHANGED, {"owner", "retry"})
    plan = build_plan(desired(retry=(5,)), facts, mode=Mode.UNATTENDED)
    assert [(item.reason, set(item.after or {})) for item in plan.actions] == [(Reason.CHANGED, {"retry"})]
    assert [item.key for item in plan.drift] == ["owner"]


def test_settings_are_text_and_complete() -> None:
    """CON-7, BLK-1: every setting has a text, and no cutoff is an empty one."""
    wanted = connection()
    settings = connection_settings(replace(wanted, bulk_sync=replace(wanted.bulk_sync, max_age=None, stages=(60, 120))))
    assert settings["bulk_sync.max_age"] == ""
    assert settings["bulk_sync.stages"] == "60,120"
    assert settings["guards"] == "disconnect=0.3,overwrite=0.3"
    assert all(isinstance(value, str) for value in settings.values())


@pytest.mark.parametrize(
    ("direction", "expected"),
    [
        (
            Direction.TWO_WAY,
            [
                "acme-dr/connection/secondary/status/ConnectionSuspended",
                "acme-dr/connection/status/ConnectionSuspended",
            ],
        ),
        (Direction.ONE_WAY, ["acme-dr/connection/status/ConnectionSuspended"]),
    ],
)
def test_manifest_suspends(direction: Direction, expected: list[str]) -> None:
    """SUS-4: `state: suspended` suspends what sends."""
    wanted = connection(state="suspended", direction=direction)
    plan = build_plan(desired(connections=[wanted]), connected(wanted=wanted))
    assert addresses(plan) == expected
    assert {item.op for item in plan.actions} == {Op.SUSPEND}


def test_suspension_of_a_new_connection_comes_last() -> None:
    """SUS-4: a connection that is declared suspended is built first."""
    plan = build_plan(desired(publication("Account"), state="suspended"), actual())
    assert [item.op for item in plan.actions][-2:] == [Op.SUSPEND, Op.SUSPEND]


SUSPENDED: dict[str, Any] = {"status": ConnectionStatus.SUSPENDED}


def test_resume_what_the_manifest_suspended() -> None:
    """SUS-4: without a suspender, `state: active` resumes both ends."""
    plan = build_plan(desired(), connected(SUSPENDED, SUSPENDED))
    assert [item.op for item in plan.actions] == [Op.RESUME, Op.RESUME]


def test_suspension_by_command_is_drift_and_stays() -> None:
    """SUS-4, REC-6: what a person suspended is reported, not resumed; one end only is a warning (SUS-1)."""
    plan = build_plan(desired(), connected({**SUSPENDED, "suspended_by": "admin@acme.example"}))
    assert plan.actions == ()
    assert [(item.address, item.kind) for item in plan.drift] == [("acme-dr/connection", "suspended")]
    assert "admin@acme.example" in plan.drift[0].detail
    assert len(messages(plan, "W312")) == 1


def test_publications_are_refused_while_suspended() -> None:
    """SUS-1: objects cannot be published while the connection is suspended; fields wait."""
    by_hand = {**SUSPENDED, "suspended_by": "admin@acme.example"}
    plan = build_plan(desired(publication("Account")), connected(by_hand, by_hand))
    assert plan.actions == () and not plan.applyable
    assert "acme-dr/publication/Account" in messages(plan, "E311")[0]
    everything = {"published": published("Account", "Name"), "subscribed": subscribed("Account", "Name")}
    plan = build_plan(desired(publication("Account")), connected({**by_hand, **everything}, {**by_hand, **everything}))
    assert plan.actions == () and plan.applyable
    assert "12 field changes wait" in messages(plan, "W314")[0]


def test_removed_connection_is_deactivated_in_both_orgs() -> None:
    """CON-9: a connection that no manifest names is deactivated, destructively, with its links counted once."""
    facts = connected({"linked": {"Account": 7}}, {"linked": {"Account": 7}})
    plan = build_plan(desired(connections=[]), facts)
    assert [(item.address, item.org, item.op, item.risk) for item in plan.actions] == [
        ("acme-dr/connection", "acme", Op.DEACTIVATE, Risk.DESTRUCTIVE),
        ("acme-dr/connection/secondary", "acme-secondary", Op.DEACTIVATE, Risk.DESTRUCTIVE),
    ]
    assert [item.effects for item in plan.actions] == [{"disconnected": 7}, {}]
    assert all(item.change is Change.DELETE and item.reason is Reason.REMOVED for item in plan.actions)


def test_inactive_connection_is_left_alone_or_made_anew() -> None:
    """CON-9: deactivated and not in the manifests is nothing to do; named again it is invited again."""
    facts = connected({"status": ConnectionStatus.INACTIVE}, {"status": ConnectionStatus.INACTIVE})
    assert build_plan(desired(connections=[]), facts).actions == ()
    plan = build_plan(desired(), facts)
    assert [item.op for item in plan.actions][:2] == [Op.INVITE, Op.ACCEPT]
