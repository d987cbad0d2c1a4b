"""A plan with nothing to do for 1,000 published objects with 10,000 components, and the cost of starting the program.

Seconds are CPU time of the whole process, over those of `python -c pass` in the same run.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import report

from orgsync_reconcile.model.component import Component, ComponentKey
from orgsync_reconcile.stores.sql.components import deploy
from orgsync_reconcile.stores.sql.create import NewOrg
from orgsync_reconcile.stores.sqlite.create import create_org

PROGRAM = str(Path(sys.executable).with_name("orgsync"))
FIELDS = 9

MANIFESTS = """\
version: 1
kind: Org
name: primary
store: sqlite:primary.db
admin: admin@primary.example
---
version: 1
kind: Org
name: secondary
store: sqlite:secondary.db
admin: admin@primary.example.dr
---
version: 1
kind: Connection
name: bench
primary: primary
secondary: secondary
owner: admin@primary.example
contact: {first_name: Robin, last_name: Doe, email: robin@primary.example, account: Bench}
direction: two-way
"""


def components(objects: int, fields: int = FIELDS) -> list[Component]:
    """Custom objects with so many text fields each."""
    result = []
    for number in range(objects):
        name = f"Thing_{number:04d}__c"
        content = {
            "label": f"Thing {number}",
            "pluralLabel": f"Things {number}",
            "deploymentStatus": "Deployed",
            "sharingModel": "ReadWrite",
            "nameField": {"label": "Name", "type": "Text"},
        }
        result.append(Component(key=ComponentKey("CustomObject", name), content=content))
        for place in range(fields):
            field = f"Field_{place}__c"
            details = {"fullName": field, "label": f"Field {place}", "type": "Text", "length": "80"}
            result.append(Component(key=ComponentKey("CustomField", f"{name}.{field}"), content=details))
    return result


def prepare(folder: Path, objects: int) -> None:
    """Two orgs with the same metadata, connected, every object published."""
    for name, admin in (("primary", "admin@primary.example"), ("secondary", "admin@primary.example.dr")):
        with create_org(folder / f"{name}.db", NewOrg(name=name, admin=admin)) as org:
            failures = deploy(org, components(objects))
            if failures:
                raise SystemExit(f"could not deploy: {failures[0]}")
    manifests = folder / "manifests"
    manifests.mkdir()
    (manifests / "connection.yaml").write_text(MANIFESTS)
    for number in range(objects):
        text = f"version: 1\nkind: Publication\nconnection: bench\nobject: Thing_{number:04d}__c\n"
        (manifests / f"thing_{number:04d}.yaml").write_text(text)
    for command in (["apply", "--yes"], ["bulk-sync", "bench"]):
        subprocess.run([PROGRAM, "-q", "-C", str(folder), *command], check=True, stdout=subprocess.DEVNULL)


def cpu_seconds(command: list[str], runs: int) -> float:
    """The median CPU time of a command."""
    return statistics.median(report.cpu(command) for _ in range(runs))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, options.objects)
        check = [PROGRAM, "-q", "-C", str(folder), "plan", "--detailed-exitcode"]
        nothing = cpu_seconds([sys.executable, "-c", "pass"], options.runs)
        planning = cpu_seconds(check, options.runs) - nothing
        helping = cpu_seconds([PROGRAM, "--help"], options.runs) - nothing
    report.table(
        "CPU seconds over `python -c pass`",
        ("command", "seconds", "wanted", ""),
        [
            (f"`orgsync plan`, {options.objects:,} objects, {options.objects * (FIELDS + 1):,} components, no change",
             f"{planning:.2f}", "≤ 1.5", report.verdict(planning, 1.5, at_least=False)),
            ("`orgsync --help`", f"{helping:.2f}", "≤ 0.2", report.verdict(helping, 0.2, at_least=False)),
        ],
    )  # fmt: skip


if __name__ == "__main__":
    main()
