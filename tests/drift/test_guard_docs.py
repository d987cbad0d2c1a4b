"""docs/guards.md is true: its manifests load and do what it says, and so do its commands (REC-5, REC-6)."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from drifting_orgs import CONNECTION, Drifting
from two_orgs import ORGS

from orgsync_reconcile.manifest import load
from orgsync_reconcile.plan import GUARDS

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "guards.md").read_text(encoding="utf-8")
LIMITS, ALLOW, PROTECTED, POLICY = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


def test_the_guards_are_those_of_the_program() -> None:
    """REC-5: the table names every guard, and nothing else."""
    assert tuple(re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE)) == GUARDS


def test_an_allowance_to_its_last_day(pair: Drifting) -> None:
    """REC-5: refused with exit 3 and every line marked, allowed until the day, expired after it; told by lint before."""
    (pair.folder / "manifests" / "account.yaml").unlink()
    pair.write("connection.yaml", CONNECTION + LIMITS)
    refused = pair.run("apply", "--yes")
    assert refused.exit_code == 3
    for line in ("! link/publication/Account ", "! link/subscription-back/Account "):
        assert line in refused.stdout
    limit = ALLOW.replace("40%", "100%")
    pair.write("connection.yaml", CONNECTION + LIMITS + limit)
    late = pair.run("apply", "--yes", env={"ORGSYNC_NOW": "2026-12-02T00:00:00Z"})
    assert late.exit_code == 3 and "manifests/connection.yaml:11 expired on 2026-12-01" in late.stderr
    days = [("2026-11-23", 0), ("2026-11-24", 1), ("2026-12-01", 1), ("2026-12-02", 1)]
    for day, told in days:
        assert pair.run("lint", env={"ORGSYNC_NOW": day}).stdout.count("W220") == told, day
    on_time = {"ORGSYNC_NOW": "2026-12-01T23:59:59Z"}
    plan = pair.run("plan", env=on_time)
    assert (
        "allowed by manifests/connection.yaml:11 until 2026-12-01: Leads move to the new org, CHG-1234" in plan.stdout
    )
    document = json.loads(pair.run("plan", "--format", "json", env=on_time).stdout)
    assert [item["in_force"] for item in document["inputs"]["allowances"]] == [True]
    assert pair.run("apply", "--yes", env=on_time).exit_code == 0


def test_a_protected_org_is_not_deactivated_by_command(pair: Drifting) -> None:
    """REC-5, CON-9: the command is refused as the plan is, with what to do."""
    pair.write("orgs.yaml", ORGS.replace("example.dr\n", "example.dr\n" + PROTECTED))
    pair.apply()
    result = pair.run("deactivate", "--yes")
    assert result.exit_code == 3 and "protected: false" in result.stderr
    assert pair.plan()["actions"] == []


def test_the_policy_is_the_default(pair: Drifting) -> None:
    """REC-6: naming the documented policy changes nothing."""
    pair.write("connection.yaml", CONNECTION + POLICY)
    assert pair.plan()["actions"] == []


def test_limits_survive_the_way_through_an_org(pair: Drifting) -> None:
    """REC-7: counts come back as counts and shares as shares, so planning with exported manifests is a no-op."""
    pair.write("connection.yaml", CONNECTION + "guards: {move: 500000, unpublish: 20, overwrite: 0.00001}\n")
    pair.apply()
    stores = ("--primary", "sqlite:orgs/acme.db", "--secondary", "sqlite:orgs/acme-dr.db")
    pair.must("export", *stores, "--out", "exported")
    assert json.loads(pair.must("plan", "--manifests", "exported", "--format", "json").stdout)["actions"] == []
    guards = load(pair.folder / "exported", base=pair.folder).connections["link"].guards
    assert guards == {"disconnect": 0.3, "overwrite": 0.00001, "move": 500000, "unpublish": 20}
    assert isinstance(guards["move"], int) and isinstance(guards["overwrite"], float)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("guards: {disconnect: 1.5}", "is no limit"),
        ("guards: {disconnect: lots}", "is no limit"),
        ("guards: {disconnect: true}", "is no limit"),
        ("guards: {move: -1}", "is no limit"),
        ("guards: {deactivate: 1}", "deactivate"),
        ("allow: [{guard: disconnect, limit: 1, reason: x, until: tomorrow}]", "is no day"),
        ("allow: [{guard: disconnect, limit: 1, reason: x, until: 2026-02-30}]", "is no day"),
        ("allow: [{guard: disconnect, limit: 1, until: 2026-02-01}]", "reason"),
        ("allow: [{guard: everything, limit: 1, reason: x, until: 2026-02-01}]", "everything"),
    ],
)
def test_bad_limits_and_allowances(pair: Drifting, line: str, problem: str) -> None:
    """REC-8: one clear line at its place."""
    pair.write("connection.yaml", f"{CONNECTION}{line}\n")
    result = pair.run("validate")
    assert result.exit_code == 1 and "Traceback" not in result.output
    assert re.search(r"manifests/connection\.yaml:9:\d+", result.output) and problem in result.output


def test_show_and_full(pair: Drifting) -> None:
    """REC-2: a stale plan is shown, and what moved: new, gone and different actions; --full cuts nothing."""
    pair.write("connection.yaml", CONNECTION + "retry: [5m]\n")
    pair.must("plan", "--out", "plan.json")
    assert json.loads(pair.must("show", "plan.json", "--format", "json").stdout)["staleness"]["stale"] is False
    pair.write("connection.yaml", CONNECTION + "retry: [6m]\nnotify: [{event: log_entry, email: [a@acme.example]}]\n")
    shown = pair.run("show", "plan.json", "--format", "json")
    assert shown.exit_code == 4
    staleness = json.loads(shown.stdout)["staleness"]
    assert staleness["stale"] and "link/connection: update-connection differs in after, before" in staleness["moved"]
    assert "…" in pair.must("plan").stdout or "notify" in pair.must("plan").stdout
    assert "notify: " in pair.must("plan", "--full").stdout and "…" not in pair.must("plan", "--full").stdout
    refused = pair.run("apply", "plan.json", "--yes")
    assert refused.exit_code == 4 and "link/connection: update-connection differs" in refused.stderr


def test_a_half_failed_apply_in_every_format(pair: Drifting) -> None:
    """REC-3: exit 5 with what was done, what failed and what was not started; the next apply finishes it."""
    (pair.folder / "manifests" / "contact.yaml").write_text(
        (pair.folder / "manifests" / "contact.yaml").read_text().replace("AccountId]", "AccountId, Phone]")
    )
    pair.sql(
        "acme-dr",
        "CREATE TRIGGER refuse BEFORE INSERT ON orgsync_subscribed_field BEGIN SELECT RAISE(ABORT, 'no @team'); END",
    )
    comment = pair.run("apply", "--yes", "--format", "markdown")
    assert comment.exit_code == 5 and comment.stdout.startswith("<!-- orgsync:apply -->\n")
    assert "### Failed (1)\n\n- `link/subscription/Contact/field/Phone`" in comment.stdout
    assert "<details><summary>Done (" in comment.stdout and "@team" not in comment.stdout
    document = json.loads(pair.run("apply", "--yes", "--format", "json").stdout)
    assert document["summary"]["failed"] == 1
    pair.sql("acme-dr", "DROP TRIGGER refuse")
    assert json.loads(pair.must("apply", "--yes", "--format", "json").stdout)["summary"]["failed"] == 0
    assert pair.reasons() == {}
