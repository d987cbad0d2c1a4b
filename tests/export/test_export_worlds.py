"""REC-7: what is exported loads, is canonical, and planning with it has nothing to do, whatever the settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from export_world import ADMINS, CONNECTION, ORG, STORES, connect, make_orgs, plan, publication, run
from two_orgs import sql

from orgsync_reconcile import manifest

EVERYTHING = """\
direction: one-way
sync: {metadata: {delete: true}, users: {primary: true, secondary: false}}
conflicts: latest-wins
retry: [90s, 1h]
bulk_sync: {auto: true, stages: [1d, 36h], max_age: none}
limits: {feed_file_bytes: 2147483648}
guards: {disconnect: 0.125, overwrite: 1, delete: 0}
drift: {metadata: report, settings: correct}
auto_numbers:
  - {object: Case, field: CaseNumber, mirror: Acme_Number__c, secondary_format: "2-{00000000}"}
notify:
  - {event: log_entry, when: {more_than: 10, within: 24h}, email: [a@acme.example], webhook: {env: HOOK}}
  - {event: log_entry, flag: {object: Case, field: Failed__c, value: true}}
  - {event: suspended, every: 12h, email: [owner, suspender]}
  - {event: suspended, email: []}
"""
WORLDS = {
    "defaults": ("", (publication("Account"), publication("Contact"))),
    "everything": (
        EVERYTHING,
        (
            publication("Account", "fields: {include: [Name, ParentId]}\ndirection: two-way\n"),
            publication("Case", "fields: {exclude: [Subject, AccountId, ContactId, ParentId]}\n"),
            publication("Contact", "fields: {include: [LastName, AccountId, ReportsToId]}\n"),
        ),
    ),
    "nothing but records": (
        "sync: {metadata: false, users: false}\n",
        (publication("Account", "direction: one-way\n"),),
    ),
    "suspended": ("state: suspended\n", ()),
    "suspended one-way": ("state: suspended\ndirection: one-way\n", ()),
}


def export(folder: Path, *args: str) -> str:
    result = run(folder, "export", *args)
    assert "warning" not in result.stderr
    assert "nothing to do" in result.stderr
    return result.stdout


@pytest.mark.parametrize("name", WORLDS)
def test_planning_with_the_export_has_nothing_to_do(fresh: Path, name: str) -> None:
    """REC-7, CON-6, QUE-5, AUT-1, LOG-3, PUB-3, PUB-7, SUS-4: every setting survives the way there and back."""
    settings, publications = WORLDS[name]
    connect(fresh, settings, *publications)
    export(fresh, *STORES, "--out", "out")
    assert plan(fresh, "out") == ([], [])
    run(fresh, "fmt", "--check", "out")
    desired = [manifest.load(fresh / item, base=fresh).connections["dr"] for item in ("manifests", "out")]
    for key in ("options", "metadata_delete", "conflicts", "retry", "bulk_sync", "limits", "guards", "drift", "notify"):
        assert getattr(desired[0], key) == getattr(desired[1], key), key
    assert (desired[0].contact, desired[0].state, desired[0].direction) == (
        desired[1].contact,
        desired[1].state,
        desired[1].direction,
    )


def test_only_what_differs_is_written(connected: Path) -> None:
    """REC-7: a file for each publication, defaults left out, lists a line each; the same bytes each time."""
    assert export(connected, *STORES, "--out", "out").split() == [
        f"out/{name}.yaml" for name in ("orgs", "connection", "metadata", "account", "case", "case_comment")
    ]
    account = (connected / "out" / "account.yaml").read_text(encoding="utf-8")
    assert account == publication("Account", "fields:\n  exclude:\n    - Fax\n    - Jigsaw\n")
    assert (connected / "out" / "case_comment.yaml").read_text(encoding="utf-8") == publication("CaseComment")
    text = (connected / "out" / "connection.yaml").read_text(encoding="utf-8")
    assert text.split("\n", 1)[1] == CONNECTION.format(name="dr", primary="acme", secondary="spare")
    export(connected, *STORES, "--out", "again")
    for path in (connected / "out").iterdir():
        assert path.read_bytes() == (connected / "again" / path.name).read_bytes()


@pytest.mark.parametrize("pattern", ["PermissionSet:*", "PermissionSet"])
def test_metadata_that_never_followed_is_left_out(fresh: Path, pattern: str) -> None:
    """REC-7, MET-1: components that the manifests excluded do not come along after an export, and are named."""
    project = fresh / "project"
    folder = project / "force-app" / "main" / "default" / "permissionsets"
    folder.mkdir(parents=True)
    (project / "sfdx-project.json").write_text('{"packageDirectories": [{"path": "force-app"}]}')
    for name in ("Secret", "Odd[1]"):
        (folder / f"{name}.permissionset-meta.xml").write_text(
            '<?xml version="1.0"?><PermissionSet xmlns="http://soap.sforce.com/2006/04/metadata">'
            f"<label>{name}</label></PermissionSet>"
        )
    run(fresh, "org", "import", "sqlite:orgs/acme.db", "project")
    connect(
        fresh,
        "",
        publication("Account"),
        metadata=f'include: [CustomObject, CustomField, PermissionSet]\nexclude: ["{pattern}"]\n',
    )
    export(fresh, *STORES, "--out", "out")
    assert plan(fresh, "out") == ([], [])
    text = (fresh / "out" / "metadata.yaml").read_text(encoding="utf-8")
    assert "PermissionSet:Secret" in text or "  - PermissionSet\n" not in text


def test_several_connections_of_a_hub(fresh: Path) -> None:
    """REC-7, CON-10: a folder for each connection; without the third org it is said what a plan would end."""
    make_orgs(fresh, "third")
    connect(fresh, "", publication("Account"))
    extra = "---\n".join(
        [
            ORG.format(name="third", admin=ADMINS["third"]),
            CONNECTION.format(name="far", primary="acme", secondary="third") + "direction: one-way\n",
            publication("Account", connection="far"),
        ]
    )
    (fresh / "manifests" / "far.yaml").write_text(extra, encoding="utf-8")
    run(fresh, "apply", "--yes")
    written = export(fresh, *STORES, "--org", "sqlite:orgs/third.db", "--out", "out").split()
    assert "out/far/account.yaml" in written
    assert "out/dr/connection.yaml" in written
    assert plan(fresh, "out") == ([], [])
    result = run(fresh, "export", *STORES, "--out", "half")
    assert "acme is connected with an org that was not given, over far: planning would deactivate" in result.stderr
    assert "planning with them shows 1 action" in result.stderr


def test_what_was_open_before_is_told(connected: Path) -> None:
    """REC-7, SUS-1: a suspension of one side, and what somebody set by hand, cannot be hidden."""
    run(connected, "suspend", "--org", "primary")
    sql(
        connected,
        "acme",
        "UPDATE orgsync_connection SET settings = json_set(settings, '$.retry', 'soon', '$.new', 'x')",
    )
    document = json.loads(run(connected, "export", *STORES, "--out", "out", "--format", "json").stdout)
    assert document["remarks"] == [
        "dr: the setting new is of another version of orgsync, and left out",
        "dr: the setting retry cannot be read, so its default stands",
        "dr is suspended in acme only, which no manifest can say",
    ]
    assert document["actions"] == ["dr/connection"]
    assert [item for item in document["drift"] if "suspended by" in item]


def test_names_and_texts_that_need_care(fresh: Path) -> None:
    """REC-7, REC-11: an org's name becomes a manifest's name, and a text that looks like an expression stays text."""
    connect(fresh, "", publication("Account"))
    sql(
        fresh,
        "acme",
        "UPDATE orgsync_org SET name = 'Acme & Sons: \"EU\"'",
        """UPDATE "Contact" SET "FirstName" = '{{ 1 }}', "LastName" = 'O''Hara # {% x %}'""",
    )
    export(fresh, *STORES, "--out", "out")
    desired = manifest.load(fresh / "out", base=fresh)
    assert sorted(desired.orgs) == ["Acme-Sons-EU", "spare"]
    assert desired.connections["dr"].contact.name == "{{ 1 }} O'Hara # {% x %}"
    assert plan(fresh, "out") == ([], [])
