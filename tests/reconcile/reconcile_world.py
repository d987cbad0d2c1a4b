"""Two connected orgs for unattended runs, and what such a run says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from two_orgs import run_in


@dataclass(frozen=True, kw_only=True)
class Ran:
    """A run's exit code, its document, and what it said on standard error."""

    code: int
    document: dict[str, Any]
    said: str

    @property
    def steps(self) -> dict[str, dict[str, Any]]:
        """The steps of the only connection, by name."""
        (connection,) = self.document["connections"]
        return {step["step"]: step for step in connection["steps"]}

    def status(self, step: str) -> str:
        return str(self.steps[step]["status"])


def reconcile(folder: Path, *args: str, **environment: str) -> Ran:
    """One run in this process."""
    result = run_in(folder, "reconcile", "--format", "json", *args, **environment)
    return Ran(code=result.exit_code, document=json.loads(result.stdout or "{}"), said=result.stderr)


def start(folder: Path, *args: str, **environment: str) -> subprocess.Popen[str]:
    """The program as a process of its own; the caller ends it."""
    return subprocess.Popen(
        [sys.executable, "-m", "orgsync_reconcile", "-C", str(folder), *args],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


def settings(folder: Path, old: str, new: str) -> None:
    """Changes the text of the manifests."""
    path = folder / "manifests" / "acme.yaml"
    text = path.read_text()
    assert old in text, old
    path.write_text(text.replace(old, new, 1))
