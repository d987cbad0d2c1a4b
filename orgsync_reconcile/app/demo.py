"""The demo: a folder with manifests, a small project and sample records, and the steps of the story."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from orgsync_reconcile.errors import UsageError

_PRIMARY, _SECONDARY = "orgs/harbour.db", "orgs/standby.db"


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One step: what it is about, and either a command's arguments or SQL statements for an org's file."""

    title: str
    about: str = ""
    command: tuple[str, ...] = ()
    store: str = ""
    sql: tuple[str, ...] = ()


STEPS: Sequence[Step] = (
    Step(
        title="Make two orgs",
        about="An embedded org is one SQLite file with the standard objects as real tables.",
        command=("org", "create", f"sqlite:{_PRIMARY}", "--name", "harbour"),
    ),
    Step(
        title="The secondary",
        about="It stands by for the primary. Usernames of the primary carry .dr there.",
        command=(
            "org",
            "create",
            f"sqlite:{_SECONDARY}",
            "--name",
            "standby",
            "--admin",
            "admin@harbour.example.dr",
        ),
    ),
    Step(
        title="Fill the primary",
        about="An SFDX project brings custom objects for marinas, berths and moorings.",
        command=("org", "import", "harbour", "harbour"),
    ),
    Step(title="Sample records", command=("org", "load", "harbour", "harbour/data/plan.json")),
    Step(
        title="Check the manifests",
        about="The folder manifests says what to connect and publish. No org is touched.",
        command=("validate",),
    ),
    Step(
        title="Plan",
        about="What would it take? Nothing is changed; the plan is saved for the next step.",
        command=("plan", "--out", "plan.json"),
    ),
    Step(
        title="Apply",
        about="Exactly the reviewed plan is carried out. Without --yes it would ask first.",
        command=("apply", "plan.json", "--yes"),
    ),
    Step(
        title="Copy the records that are there",
        about="Publishing copies nothing by itself; a bulk sync does, parents first.",
        command=("bulk-sync", "dr"),
    ),
    Step(title="Do both orgs agree?", command=("verify", "dr")),
    Step(
        title="People work in the primary",
        about="Any SQL client will do: capture is in the database.",
        store=_PRIMARY,
        sql=(
            'INSERT INTO "Mooring__c" ("Vessel__c", "Status__c") VALUES (\'Night Heron\', \'Booked\')',
            'UPDATE "Account" SET "Phone" = \'+353 21 555 0199\' WHERE "Name" = \'Cobalt Divers\'',
        ),
    ),
    Step(
        title="And in the secondary, at the same time",
        store=_SECONDARY,
        sql=(
            'UPDATE "Case" SET "Status" = \'Closed\' WHERE "Subject" = \'Lost gate card\'',
            'DELETE FROM "Mooring__c" WHERE "Vessel__c" = \'Puffin\'',
        ),
    ),
    Step(
        title="What waits to be sent",
        about="Each org keeps its own queue, in order.",
        command=("queue", "list", "dr"),
    ),
    Step(title="Send it, both ways", command=("drain", "dr")),
    Step(
        title="It has arrived",
        store=_SECONDARY,
        sql=(
            'SELECT "Name", "Vessel__c", "Status__c" FROM "Mooring__c" WHERE "Vessel__c" = \'Night Heron\'',
            'SELECT "Name", "Phone" FROM "Account" WHERE "Name" = \'Cobalt Divers\'',
        ),
    ),
    Step(title="Both orgs agree again", command=("verify", "dr")),
    Step(
        title="Plan once more",
        about="The orgs are what the manifests say, so there is nothing to do.",
        command=("plan", "--detailed-exitcode"),
    ),
)


def write_demo(folder: Path) -> list[Path]:
    """Writes the demo's files into a new or empty folder; returns them. Raises UsageError for a folder in use."""
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(f"{folder} is not empty", hint="name a new folder: orgsync demo DIR")
        written: list[Path] = []
        _copy(resources.files("orgsync_reconcile.app") / "demo_files", folder, written)
    except OSError as error:
        raise UsageError(
            f"the demo cannot be written to {folder}: {error.strerror}", hint="name another folder"
        ) from None
    return sorted(written)


def _copy(source: Traversable, target: Path, written: list[Path]) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for item in source.iterdir():
        if item.is_dir():
            _copy(item, target / item.name, written)
        else:
            (target / item.name).write_bytes(item.read_bytes())
            written.append(target / item.name)


def run_sql(folder: Path, step: Step) -> list[list[str]]:
    """Runs a step's statements as any client would; for each its result, a line per row, or how many rows changed."""
    db = sqlite3.connect(folder / step.store)
    try:
        results: list[list[str]] = []
        for statement in step.sql:
            cursor = db.execute(statement)
            if cursor.description:
                results.append([" | ".join(str(value) for value in row) for row in cursor.fetchall()])
            else:
                results.append([])
        db.commit()
        return results
    finally:
        db.close()
