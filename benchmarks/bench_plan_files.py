"""`orgsync plan` on 2,000 manifest files that name 20,000 fields, and the first apply that made the orgs so.

A file publishes one custom object with ten fields by name. CPU seconds of whole processes, beside a bare ruamel.yaml
parse of the same files in the same run. The first apply is made at half the size, too: it must grow with the number of
objects, not with its square.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import bench_planning
import report
from bench_manifests import RUAMEL
from bench_planning import PROGRAM

from orgsync_reconcile.stores.sql.components import deploy
from orgsync_reconcile.stores.sql.create import NewOrg
from orgsync_reconcile.stores.sqlite.create import create_org

FIELDS = 10
#: CPU seconds that a plan may take.
LIMIT = 3.0
#: What twice the objects may cost a first apply.
GROWTH = 2.5


def publication(number: int, fields: Sequence[int]) -> str:
    """One file: an object with these of its fields."""
    names = "".join(f"    - Field_{field}__c\n" for field in fields)
    return (
        f"version: 1\nkind: Publication\nconnection: bench\nobject: Thing_{number:04d}__c\nfields:\n  include:\n{names}"
    )


def prepare(folder: Path, objects: int) -> float:
    """Two orgs with the objects, connected over all of them and bulk-synced; CPU seconds of the apply."""
    folder.mkdir()
    for name, admin in (("primary", "admin@primary.example"), ("secondary", "admin@primary.example.dr")):
        with create_org(folder / f"{name}.db", NewOrg(name=name, admin=admin)) as org:
            failures = deploy(org, bench_planning.components(objects, FIELDS))
            if failures:
                raise SystemExit(f"could not deploy: {failures[0]}")
    manifests = folder / "manifests"
    manifests.mkdir()
    (manifests / "connection.yaml").write_text(bench_planning.MANIFESTS)
    for number in range(objects):
        (manifests / f"thing_{number:04d}.yaml").write_text(publication(number, range(FIELDS)))
    seconds = report.cpu([PROGRAM, "-q", "-C", str(folder), "apply", "--yes"])
    report.cpu([PROGRAM, "-q", "-C", str(folder), "bulk-sync", "bench"])
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--changed", type=int, default=300, help="files that lose a field")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        half = prepare(Path(name, "half"), options.files // 2)
        folder = Path(name, "whole")
        whole = prepare(folder, options.files)
        plan = [PROGRAM, "-q", "-C", str(folder), "plan", "--detailed-exitcode"]
        rows, parses = [], []

        def measure(what: str, code: int) -> None:
            seconds, against = [], []
            for _ in range(options.runs):
                parses.append(report.cpu([sys.executable, "-c", RUAMEL, str(folder / "manifests")]))
                seconds.append(report.cpu(plan, code))
                against.append(seconds[-1] / parses[-1])
            middle = statistics.median(seconds)
            ratio = f"{statistics.median(against):.2f}"
            rows.append((what, f"{middle:.2f}", ratio, f"≤ {LIMIT:g}", report.verdict(middle, LIMIT, at_least=False)))

        measure("`orgsync plan`, no change", 0)
        for number in range(options.changed):
            (folder / "manifests" / f"thing_{number:04d}.yaml").write_text(publication(number, range(1, FIELDS)))
        measure(f"`orgsync plan`, {options.changed} files lose a field", 2)
    report.table(
        f"{options.files:,} manifest files that name {options.files * FIELDS:,} fields;"
        f" a bare ruamel.yaml parse takes {statistics.median(parses):.2f} s",
        ("command", "CPU seconds", "against the parse", "wanted", ""),
        rows,
    )
    growth = whole / half
    report.table(
        "First apply",
        ("objects", "CPU seconds", "to half of them", "wanted", ""),
        [
            (f"{options.files // 2:,}", f"{half:.1f}", "", "", ""),
            (f"{options.files:,}", f"{whole:.1f}", f"{growth:.2f}", f"≤ {GROWTH:g}",
             report.verdict(growth, GROWTH, at_least=False)),
        ],
    )  # fmt: skip


if __name__ == "__main__":
    main()
