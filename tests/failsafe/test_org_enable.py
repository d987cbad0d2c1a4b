"""ORG-1, CON-6: features of an org that is there already are switched on."""

from __future__ import annotations

import json

from failsafe_world import FailsafeWorld
from sync_world import CONNECTION, P


def test_a_plan_names_the_command_that_mends_it(world: FailsafeWorld) -> None:
    """CON-6, E304: the command of the hint switches the feature on; the next plan asks no more for that org."""
    world.program("status", CONNECTION)
    path = world.folder / "manifests" / "connection.yaml"
    path.write_text(path.read_text() + "sync: {feeds_and_audit_fields: true}\n")
    for name in ("acme", "acme-dr"):
        hint = f"orgsync org enable {name} audit-field-creation"
        planned = world.program("plan")
        assert hint in " ".join((planned.stdout + planned.stderr).split())
        enabled = world.program(*hint.split()[1:])
        assert enabled.stdout == "Switched on: audit-field-creation.\n"
        assert world.program(*hint.split()[1:]).stdout == "All of them were on already.\n"
        planned = world.program("plan")
        assert hint not in " ".join((planned.stdout + planned.stderr).split())


def test_an_unknown_feature_switches_nothing_on(world: FailsafeWorld) -> None:
    """ORG-1: all or none; one line with the features that there are."""
    refused = world.program("org", "enable", world.addresses[P], "feed-tracking", "chatter")
    assert refused.exit_code == 64
    assert "there is no feature 'chatter'; choose from: audit-field-creation, duplicate-management" in refused.stderr
    done = world.program("org", "enable", world.addresses[P], "feed-tracking", "--format", "json")
    assert json.loads(done.stdout)["enabled"] == ["feed-tracking"]
