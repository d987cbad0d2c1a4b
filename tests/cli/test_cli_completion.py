"""Completion in shells: the script, and what it offers (CON-12)."""

from __future__ import annotations

from pathlib import Path

import pytest
from program import process
from two_orgs import run_in


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_printed(tmp_path: Path, shell: str) -> None:
    """CON-12: a script that names the program and its variable; another shell is a usage error."""
    script = run_in(tmp_path, "completion", shell).stdout
    assert "_ORGSYNC_COMPLETE" in script
    assert run_in(tmp_path, "completion", "tcsh").exit_code == 64


def offered(folder: Path, *words: str) -> list[str]:
    result = process(
        folder,
        _ORGSYNC_COMPLETE="bash_complete",
        COMP_WORDS=" ".join(["orgsync", "-C", str(folder), *words]),
        COMP_CWORD=str(len(words) + 2),
    )
    return [line.partition(",")[2] for line in result.stdout.splitlines() if line]


def test_commands_options_and_connections(two_orgs: Path, tmp_path: Path) -> None:
    """CON-12: commands, values of options, and the manifests' connections; broken manifests offer nothing."""
    assert offered(two_orgs, "val") == ["validate"]
    assert "--format" in offered(two_orgs, "drain", "--fo")
    assert offered(two_orgs, "drain", "acm") == ["acme-link"]
    assert offered(two_orgs, "drain", "x") == []
    assert offered(tmp_path, "drain", "") == []
