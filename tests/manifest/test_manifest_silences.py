"""Advice that somebody weighed is silenced with a reason; silences are looked at too (REC-8)."""

from __future__ import annotations

from pathlib import Path

import pytest

from orgsync_reconcile.app.validate import advise
from orgsync_reconcile.app.workspace import Workspace

ORGS = "".join(
    f"version: 1\nkind: Org\nname: {name}\nstore: sqlite:{name}.db\nadmin: admin@acme.example\n---\n"
    for name in ("acme", "spare")
)
CONNECTION = """\
version: 1
kind: Connection
name: dr
primary: acme
secondary: spare
owner: admin@acme.example
contact: {first_name: Elise, last_name: Medina, email: elise@acme.example, account: Acme}
bulk_sync: {stages: [90d]}
"""
TOLD = "notify: [{event: log_entry, email: [owner]}]\n"
PUBLICATION = "---\nversion: 1\nkind: Publication\nconnection: dr\nobject: {}\n"
WHY = "# orgsync: ignore W202 because they search it all"


def codes(folder: Path, text: str) -> list[str]:
    (folder / "manifests").mkdir(exist_ok=True)
    (folder / "manifests" / "orgs.yaml").write_text(ORGS, encoding="utf-8")
    (folder / "manifests" / "all.yaml").write_text(text, encoding="utf-8")
    found = advise(Workspace(directory=folder))
    return [f"{item.code}@{item.origin.line if item.origin else 0}" for item in found]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("fields: all\n", ["W202@15"]),
        (f"fields: all  {WHY}\n", []),
        (f"{WHY}\nfields: all\n", []),
        (f"{WHY}\n# and one more line\n\nfields: all\n", []),
        ("fields: all  # orgsync: ignore W202\n", ["W202@15", "W211@15"]),
        ("fields: all  # orgsync: ignore W202 because\n", ["W202@15", "W211@15"]),
        ("fields: all  # orgsync: ignore W201, W202 because it is so\n", ["W213@15"]),
        ("fields: all  # orgsync: ignore W292 because it is so\n", ["W202@15", "W212@15"]),
        ("fields: all  # orgsync: ignore E113 because it is so\n", ["W202@15", "W212@15"]),
        ("fields: all  # orgsync: ignore W213 because it is so\n", ["W202@15", "W212@15"]),
        ("fields: all  # orgsync: be quiet\n", ["W202@15", "W212@15"]),
        (f"fields: {{exclude: [Fax]}}  {WHY}\n", ["W213@15"]),
        (f"match_on: Fax  {WHY}\nfields: all\n", ["W202@16", "W213@15"]),
        (f"fields: all\n{WHY}\n", ["W202@15", "W213@16"]),
        ("fields: all # not for orgsync: ignore W202\n", ["W202@15"]),
    ],
)
def test_silences(tmp_path: Path, fields: str, expected: list[str]) -> None:
    """REC-8: on its line or above it, with a reason; without one, unknown or unused it is a finding itself."""
    found = codes(tmp_path, CONNECTION + TOLD + PUBLICATION.format("Account") + fields)
    assert sorted(found) == sorted(expected)


def test_a_silence_speaks_for_its_own_file(tmp_path: Path) -> None:
    """REC-8: the same line of another file keeps its advice."""
    (tmp_path / "manifests").mkdir()
    other = "# one\n" * 14 + f"# two\n{WHY}\n"
    (tmp_path / "manifests" / "other.yaml").write_text(other, encoding="utf-8")
    assert codes(tmp_path, CONNECTION + TOLD + PUBLICATION.format("Account") + "fields: all\n") == [
        "W202@15",
        "W213@16",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (CONNECTION + PUBLICATION.format("Product2"), ["W215@1"]),
        (CONNECTION + TOLD + "retry: [1m, 58m]\n" + PUBLICATION.format("Product2"), ["W214@10"]),
        (CONNECTION + TOLD + "retry: [1m, 59m]\n" + PUBLICATION.format("Product2"), []),
        (
            CONNECTION + TOLD.replace("]\n", ", {event: suspended, email: []}]\n") + PUBLICATION.format("Product2"),
            ["W219@9"],
        ),
        (CONNECTION + TOLD + PUBLICATION.format("CaseComment"), ["W216@14"]),
        (CONNECTION + TOLD + PUBLICATION.format("CaseComment") + PUBLICATION.format("Case"), []),
        (
            CONNECTION + TOLD + PUBLICATION.format("Contact") + "fields: {include: [LastName, AccountId, OwnerId]}\n",
            ["W216@15"],
        ),
        (CONNECTION + TOLD + PUBLICATION.format("FeedItem"), ["W217@14"]),
        (CONNECTION + TOLD + "sync: {feeds_and_audit_fields: true}\n" + PUBLICATION.format("FeedItem"), []),
        (CONNECTION + TOLD + PUBLICATION.format("Product2") + "backfill: true\n", ["W218@15"]),
    ],
)
def test_more_advice(tmp_path: Path, text: str, expected: list[str]) -> None:
    """REC-8, QUE-5, LOG-3, SUS-2, PUB-4, PUB-6, CHT-1, PUB-9: each rule speaks where it should, and nowhere else."""
    assert codes(tmp_path, text) == expected
