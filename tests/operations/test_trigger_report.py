"""The plan's list of triggers, from real orgs: SQL triggers and Apex triggers, in whatever case they are written (TRG-1)."""

from __future__ import annotations

import json
from pathlib import Path

from two_orgs import must, sql

_META = (
    '<ApexTrigger xmlns="http://soap.sforce.com/2006/04/metadata"><apiVersion>58.0</apiVersion>'
    "<status>{}</status></ApexTrigger>"
)


def import_trigger(folder: Path, org: str, name: str, source: str, status: str = "Active") -> None:
    place = folder / f"project-{org}-{name}" / "triggers"
    place.mkdir(parents=True)
    (place / f"{name}.trigger").write_text(source)
    (place / f"{name}.trigger-meta.xml").write_text(_META.format(status))
    must(folder, "org", "import", org, place.parent.name)


def warnings(folder: Path, code: str) -> list[str]:
    plan = json.loads(must(folder, "plan", "--format", "json").stdout)
    return [item["message"] for item in plan["diagnostics"] if item["code"] == code]


def test_triggers_of_both_kinds_are_listed(joined: Path) -> None:
    """TRG-1: active ones on published objects of the primary; comments and letter case do not hide or invent any."""
    assert warnings(joined, "W306") == []
    sql(joined, "acme", 'CREATE TRIGGER stamp AFTER UPDATE ON "account" BEGIN SELECT 1; END')
    import_trigger(
        joined, "acme", "Guard", "// trigger Old on Lead (before delete)\nTRIGGER Guard ON ACCOUNT(before insert) {}"
    )
    import_trigger(joined, "acme", "Asleep", "trigger Asleep on Account (before insert) {}", "Inactive")
    import_trigger(joined, "acme", "Apart", "trigger Apart on Lead (before insert) {}")
    (message,) = warnings(joined, "W306")
    assert message == "published objects of acme have triggers, which are not copied: Account (Guard, stamp)"
    assert warnings(joined, "W307") == []


def test_triggers_in_both_orgs_could_loop(joined: Path) -> None:
    """TRG-1: only where the object syncs both ways; each trigger is named with its org."""
    import_trigger(joined, "acme", "Guard", "trigger Guard on Account (before update) {}")
    sql(joined, "acme-dr", 'CREATE TRIGGER answer AFTER UPDATE ON "Account" BEGIN SELECT 1; END')
    (message,) = warnings(joined, "W307")
    assert message == (
        "triggers are active in both orgs on objects that sync both ways, and could loop:"
        " Account (Guard in acme, answer in acme-dr)"
    )
    path = joined / "manifests" / "acme.yaml"
    path.write_text(path.read_text().replace("direction: two-way", "direction: one-way"))
    assert warnings(joined, "W307") == []
    assert len(warnings(joined, "W306")) == 1


def test_triggers_are_not_copied(joined: Path) -> None:
    """TRG-1: metadata sync leaves the primary's triggers where they are."""
    import_trigger(joined, "acme", "Guard", "trigger Guard on Account (before update) {}")
    sql(joined, "acme", 'CREATE TRIGGER stamp AFTER UPDATE ON "Account" BEGIN SELECT 1; END')
    must(joined, "apply", "--yes")
    assert sql(joined, "acme-dr", "SELECT 1 FROM orgsync_component WHERE type = 'ApexTrigger'") == []
    assert sql(joined, "acme-dr", "SELECT 1 FROM sqlite_master WHERE name = 'stamp'") == []
