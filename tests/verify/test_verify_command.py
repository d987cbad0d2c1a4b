"""`orgsync verify` as a user meets it: the repair, the sums, the edits that stand."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from click.testing import Result
from joined_orgs import Joined, P, S
from two_orgs import ORGS, at_addresses, connection, documents, run_in

MANIFEST = documents(ORGS, connection("dr"))
Run = Callable[..., Result]


@pytest.fixture
def run(joined: Joined, tmp_path: Path) -> Run:
    """Runs the program over the two orgs."""
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "dr.yaml").write_text(at_addresses(MANIFEST, joined.addresses))
    return partial(run_in, tmp_path)


def test_repair_by_command(joined: Joined, run: Run) -> None:
    """VER-1: --repair says what it queued, in text and JSON, and the drain mends it."""
    joined.connect("Account")
    ours = joined.insert(P, "Account", Name="One")
    joined.drain()
    joined.update(P, "Account", ours, Phone="lost")
    joined.forget(P)
    result = run("verify", "dr", "--repair", "--detailed-exitcode")
    assert result.exit_code == 2, result.output
    assert "Repair: 1 record queued (1 in the primary, 0 in the secondary); send them: orgsync drain" in result.stdout
    document = json.loads(run("verify", "dr", "--repair", "--format", "json").stdout)
    assert document["repair"] == {"from_primary": 0, "from_secondary": 0, "sent_as_new": 0}
    assert run("drain", "dr").exit_code == 0
    result = run("verify", "dr", "--repair", "--detailed-exitcode")
    assert result.exit_code == 0
    assert "Repair: nothing was queued." in result.stdout
    assert "repair" not in json.loads(run("verify", "dr", "--format", "json").stdout)


@pytest.mark.parametrize("how", [(), ("--hashes",)])
def test_edits_that_stand_are_told(joined: Joined, run: Run, how: tuple[str, ...]) -> None:
    """PUB-7, VER-1: one-way edits count as equal and are told apart, by a join and by sums."""
    joined.connect("Account", one_way=True)
    ours = joined.insert(P, "Account", Name="One")
    joined.drain()
    joined.update(S, "Account", joined.other(P, ours), Phone="edited")
    result = run("verify", "dr", "--detailed-exitcode", *how)
    assert result.exit_code == 0, result.output
    assert "1 record edited in the secondary, which stands." in result.stdout


def test_sums_and_repair_do_not_mix(joined: Joined, run: Run) -> None:
    """VER-1: a usage error."""
    joined.connect("Account")
    result = run("verify", "dr", "--repair", "--hashes")
    assert result.exit_code == 64
    assert "--repair goes by the join" in result.stderr
