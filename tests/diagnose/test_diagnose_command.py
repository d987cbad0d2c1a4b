"""`orgsync diagnose` as a user meets it: text, JSON, exit codes, an org that is down."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from ailing_orgs import FILES, MANIFEST, Ailing, P, S
from click.testing import Result
from org_stores import put_away
from two_orgs import at_addresses, run_in

Run = Callable[..., Result]


@pytest.fixture
def run(ailing: Ailing, tmp_path: Path) -> Run:
    """Diagnoses a record of the two orgs."""
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "dr.yaml").write_text(at_addresses(MANIFEST, ailing.addresses))
    return partial(run_in, tmp_path, "diagnose", "dr")


@pytest.mark.pairings
def test_a_healthy_record(ailing: Ailing, run: Run) -> None:
    """DIA-1: exit 0 and one line that says so."""
    ailing.connect("Account")
    ours = ailing.insert(P, "Account", Name="One")
    ailing.drain()
    result = run(ours, "--detailed-exitcode")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"Account {ours} in acme: {ailing.other(P, ours)} in acme-dr since 20")
    assert "ok: nothing is wrong" in result.stdout


def test_a_finding(ailing: Ailing, run: Run) -> None:
    """DIA-1: what, why and the command; exit 0, and 2 when asked to."""
    ailing.connect("Account")
    ours = ailing.insert(P, "Account", Name="One")
    result = run(ours)
    assert result.exit_code == 0
    assert "warning: " in result.stdout
    assert "  run: orgsync drain dr --from primary\n" in result.stdout
    result = run(ours, "--detailed-exitcode", "--format", "json")
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


@pytest.mark.pairings("sqlite-sqlite", "postgres-postgres")
def test_the_other_org_is_not_there(ailing: Ailing, run: Run) -> None:
    """DIA-1: an org that cannot be opened is part of the answer, with its own error; one is needed."""
    ailing.connect("Account")
    ours = ailing.insert(P, "Account", Name="One")
    put_away(ailing.addresses[FILES[S]])
    result = run(ours)
    assert result.exit_code == 0, result.output
    assert "error: acme-dr cannot be reached" in result.stdout
    assert "there is no org at " in result.stdout
    put_away(ailing.addresses[FILES[P]])
    result = run(ours)
    assert result.exit_code == 1
    assert "acme: there is no org at " in result.stderr


def test_what_is_no_id(ailing: Ailing, run: Run) -> None:
    """DIA-1: a usage error, in one line."""
    ailing.connect("Account")
    result = run("Acme")
    assert result.exit_code == 64
    assert result.stderr.splitlines() == [
        "error: 'Acme' is not a record Id; give the 18 characters of the record's Id, from its table or the log"
    ]
