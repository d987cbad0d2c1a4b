"""`orgsync diagnose` as a user meets it: text, JSON, exit codes, an org that is down."""

from __future__ import annotations

import json
from pathlib import Path

from ailing_orgs import MANIFEST, Ailing, P
from click.testing import Result
from two_orgs import run_in


def run(folder: Path, *args: str) -> Result:
    (folder / "manifests").mkdir(exist_ok=True)
    (folder / "manifests" / "dr.yaml").write_text(MANIFEST)
    return run_in(folder, "diagnose", "dr", *args)


def test_a_healthy_record(ailing: Ailing, tmp_path: Path) -> None:
    """DIA-1: exit 0 and one line that says so."""
    ailing.connect("Account")
    ours = ailing.insert(P, "Account", Name="One")
    ailing.drain()
    result = run(tmp_path, ours, "--detailed-exitcode")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"Account {ours} in acme: {ailing.other(P, ours)} in acme-dr since 20")
    assert "ok: nothing is wrong" in result.stdout


def test_a_finding(ailing: Ailing, tmp_path: Path) -> None:
    """DIA-1: what, why and the command; exit 0, and 2 when asked to."""
    ailing.connect("Account")
    ours = ailing.insert(P, "Account", Name="One")
    result = run(tmp_path, ours)
    assert result.exit_code == 0
    assert "warning: " in result.stdout
    assert "  run: orgsync drain dr --from primary\n" in result.stdout
    result = run(tmp_path, ours, "--detailed-exitcode", "--format", "json")
    assert result.exit_code == 2
    document = json.loads(result.stdout)
    assert (document["record"], document["healthy"], document["partner_record"]) == (ours, False, "")
    assert document["findings"][0] == {
        "severity": "warning",
        "code": "in-queue",
        "what": f"{ours} is number 1 in the queue of acme (Generic Insert)",
        "why": document["findings"][0]["why"],
        "advice": "",
        "command": "orgsync drain dr --from primary",
    }


def test_the_other_org_is_not_there(ailing: Ailing, tmp_path: Path) -> None:
    """DIA-1: an org that cannot be opened is part of the answer, with its own error; one is needed."""
    ailing.connect("Account")
    ours = ailing.insert(P, "Account", Name="One")
    (tmp_path / "orgs" / "acme-dr.db").rename(tmp_path / "away.db")
    result = run(tmp_path, ours)
    assert result.exit_code == 0, result.output
    assert "error: acme-dr cannot be reached" in result.stdout
    assert "there is no org at orgs/acme-dr.db" in result.stdout
    (tmp_path / "orgs" / "acme.db").rename(tmp_path / "gone.db")
    result = run(tmp_path, ours)
    assert result.exit_code == 1
    assert "there is no org at orgs/acme.db" in result.stderr


def test_what_is_no_id(ailing: Ailing, tmp_path: Path) -> None:
    """DIA-1: a usage error, in one line."""
    ailing.connect("Account")
    result = run(tmp_path, "Acme")
    assert result.exit_code == 64
    assert result.stderr.splitlines() == [
        "error: 'Acme' is not a record Id; give the 18 characters of the record's Id, from its table or the log"
    ]
