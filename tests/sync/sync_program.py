"""The program run on the two orgs of a world: their manifests, and the program in this process or in one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from click.testing import CliRunner, Result
from sync_world import CONNECTION, NAMES, P, S

from orgsync_reconcile.cli.main import cli
from orgsync_reconcile.model.connection import Side

_ORG = """\
version: 1
kind: Org
name: {name}
store: "{address}"
admin: admin@{name}.example
---
"""
_CONNECTION = f"""\
version: 1
kind: Connection
name: {CONNECTION}
primary: {NAMES[P]}
secondary: {NAMES[S]}
owner: admin@{NAMES[P]}.example
contact: {{first_name: Elise, last_name: Medina, email: elise@acme.example, account: Acme}}
direction: two-way
"""


def write_manifests(folder: Path, addresses: Mapping[Side, str]) -> None:
    """Writes what names the two orgs by their addresses, files by their names in the folder, and connects them."""
    manifests = folder / "manifests"
    manifests.mkdir(exist_ok=True)
    here = f"sqlite:{folder}/"
    orgs = [_ORG.format(name=NAMES[side], address=addresses[side].replace(here, "sqlite:")) for side in Side]
    (manifests / "connection.yaml").write_text("".join([*orgs, _CONNECTION]))


def run_program(folder: Path, *args: str, **environment: str) -> Result:
    """Runs the program over the manifests of the folder."""
    return CliRunner().invoke(cli, ["-C", str(folder), *args], env=environment)


def start_program(folder: Path, *args: str, within: Sequence[str] = (), **environment: str) -> subprocess.Popen[str]:
    """The same as a process of its own, or `within` another program; the caller ends it."""
    return subprocess.Popen(
        [*within, sys.executable, "-m", "orgsync_reconcile", "-C", str(folder), *args],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
