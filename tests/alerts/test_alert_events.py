"""Alerts on what an unattended run finds: once as long as it lasts, and anew when it comes back (LOG-3, REC-10, SUS-2)."""

from __future__ import annotations

from pathlib import Path

from two_orgs import must, run_in, sql
from web_world import Receiver, rules


def events(hooks: Receiver) -> list[str]:
    return [document["event"] for document in hooks.documents]


def test_drift_and_failure_are_told_once_until_they_end(world: Path, hooks: Receiver) -> None:
    """LOG-3, REC-6: the same drift is not told again; other drift is; so is a failure, until a run has none."""
    rules(
        world,
        f"event: drift, webhook: '{hooks.url}'",
        f"event: reconcile_failed, webhook: '{hooks.url}'",
    )
    must(world, "apply", "--yes")
    must(world, "reconcile")
    assert hooks.got == []
    change = "UPDATE orgsync_connection SET settings = json_set(settings, '$.conflicts', '{0}')"
    sql(world, "acme", change.format("latest-wins"))
    for _ in range(2):
        must(world, "reconcile")
    assert events(hooks) == ["drift"]
    assert "conflicts" in hooks.documents[0]["details"][0]
    sql(world, "acme", change.format("primary-wins"))
    must(world, "reconcile")
    sql(world, "acme", change.format("latest-wins"))
    must(world, "reconcile")
    assert events(hooks) == ["drift"] * 2
    ((seq, batch, link),) = sql(world, "acme-dr", "SELECT seq, batch, link FROM orgsync_inbox")
    sql(world, "acme-dr", "DELETE FROM orgsync_inbox")
    for _ in range(2):
        assert run_in(world, "reconcile").exit_code == 5
    assert events(hooks) == ["drift", "drift", "reconcile_failed"]
    assert "queue: " in hooks.documents[2]["details"][0]
    assert batch is not None and link is not None and seq is not None


def test_a_difference_is_told(world: Path, hooks: Receiver) -> None:
    """LOG-3, VER-1: what the sample found."""
    rules(world, f"event: difference, webhook: '{hooks.url}'")
    triggers = sql(world, "acme-dr", "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'Account'")
    sql(world, "acme-dr", *(f'DROP TRIGGER "{row[0]}"' for row in triggers), 'UPDATE "Account" SET "Phone" = \'0\'')
    for _ in range(2):
        run_in(world, "reconcile")
    assert events(hooks) == ["difference"]
    assert "differs in Phone" in hooks.documents[0]["details"][0]


def test_a_suspension_is_told_to_a_webhook_and_again_after_its_time(world: Path, hooks: Receiver) -> None:
    """SUS-2: beside the emails; a drain tells it too; a resumed connection begins anew."""
    rules(world, f"event: suspended, every: 12h, webhook: '{hooks.url}', email: []")
    must(world, "suspend")
    must(world, "drain", ORGSYNC_NOW="2027-01-01T00:00:00Z")
    must(world, "drain", ORGSYNC_NOW="2027-01-01T11:00:00Z")
    assert len(hooks.got) == 1
    must(world, "reconcile", ORGSYNC_NOW="2027-01-01T12:30:00Z")
    assert len(hooks.got) == 2
    must(world, "resume")
    must(world, "drain", ORGSYNC_NOW="2027-01-01T13:00:00Z")
    must(world, "suspend")
    must(world, "drain", ORGSYNC_NOW="2027-01-01T14:00:00Z")
    assert events(hooks) == ["suspended"] * 3
    assert "by admin@acme.example" in hooks.documents[0]["details"][0]
