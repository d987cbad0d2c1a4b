"""Running the program in a folder, and plain SQL in its orgs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from two_orgs import ORGS, connection, documents
from two_orgs import run_in as run_in

CONNECTION = documents(ORGS, connection("acme-link"))


def publication(object_name: str) -> str:
    """A manifest that publishes an object."""
    return f"version: 1\nkind: Publication\nconnection: acme-link\nobject: {object_name}\nfields: all\n"


def process(folder: Path, *args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the program as a process of its own, without a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "orgsync_reconcile", "-C", str(folder), *args],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        env={
            **{key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR")},
            **environment,
        },
        check=False,
    )
