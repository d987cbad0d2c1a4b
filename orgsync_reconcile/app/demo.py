"""The demo: a folder with manifests, a small project and sample records, and the steps of the story."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from orgsync_reconcile.errors import UsageError
from orgsync_reconcile.stores.urls import require_driver, store_place

_PRIMARY, _SECONDARY = "harbour", "standby"
#: The manifest that names the stores.
_ORGS = "connection.yaml"
#: Org name -> the address of its store, where nothing else is asked for.
FILES: Mapping[str, str] = {name: f"sqlite:orgs/{name}.db" for name in (_PRIMARY, _SECONDARY)}


def on_server(url: str) -> Mapping[str, str]:
    """Org name -> the address of its store, as a schema of a PostgreSQL database."""
    return {name: f"{url}{'&' if '?' in url else '?'}schema={name}" for name in FILES}


@contextmanager
def passing_server() -> Iterator[str]:
    """The URL of a PostgreSQL server that runs as long as the block. Raises UsageError where none can be started."""
    require_driver()
    from orgsync_reconcile.stores.postgres.local_server import local_server

    with local_server() as server:
        yield server.url


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One step: what it is about, and either a command's arguments or SQL statements for the store of an org."""

    title: str
    about: str = ""
    command: tuple[str, ...] = ()
    store: str = ""
    sql: tuple[str, ...] = ()


def steps(stores: Mapping[str, str]) -> Sequence[Step]:
    """The steps of the story on the stores at these addresses."""
    primary, secondary = stores[_PRIMARY], stores[_SECONDARY]
    return (_make(primary), _make_secondary(secondary), *_story(primary, secondary))


def _make(primary: str) -> Step:
    kind = "one SQLite file" if primary.startswith("sqlite:") else "a schema of a PostgreSQL database"
    return Step(
        title="Make two orgs",
        about=f"An embedded org is {kind} with the standard objects as real tables.",
        command=("org", "create", primary, "--name", _PRIMARY),
    )


def _make_secondary(secondary: str) -> Step:
    return Step(
        title="The secondary",
        about="It stands by for the primary. Usernames of the primary carry .dr there.",
        command=("org", "create", secondary, "--name", _SECONDARY, "--admin", "admin@harbour.example.dr"),
    )


def _story(primary: str, secondary: str) -> Sequence[Step]:
    """What is done with two orgs that have just been made."""
    return (
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
            store=primary,
            sql=(
                'INSERT INTO "Mooring__c" ("Vessel__c", "Status__c") VALUES (\'Night Heron\', \'Booked\')',
                'UPDATE "Account" SET "Phone" = \'+353 21 555 0199\' WHERE "Name" = \'Cobalt Divers\'',
            ),
        ),
        Step(
            title="And in the secondary, at the same time",
            store=secondary,
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
            store=secondary,
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


def write_demo(folder: Path, stores: Mapping[str, str]) -> list[Path]:
    """Writes the demo's files into a new or empty folder, for orgs at these addresses; returns them.

    Raises UsageError for a folder in use.
    """
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(f"{folder} is not empty", hint="name a new folder: orgsync demo DIR")
        written: list[Path] = []
        _copy(resources.files("orgsync_reconcile.app") / "demo_files", folder, written)
        orgs = folder / "manifests" / _ORGS
        text = orgs.read_text(encoding="utf-8")
        for name, address in stores.items():
            text = text.replace(FILES[name], address)
        orgs.write_text(text, encoding="utf-8")
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
    with closing(_client(folder, step.store)) as db:
        results: list[list[str]] = []
        for statement in step.sql:
            cursor = db.execute(statement)
            rows = cursor.fetchall() if cursor.description else []
            results.append([" | ".join(str(value) for value in row) for row in rows])
        db.commit()
        return results


def client_words(store: str) -> tuple[str, str]:
    """(command, prompt) of the client that people would use for the store at an address."""
    place = store_place(store, Path())
    if isinstance(place, Path):
        return f"sqlite3 {place}", "sqlite>"
    return f"PGOPTIONS='-c search_path={place.schema}' psql '{place.dsn}'", "=>"


def _client(folder: Path, store: str) -> Any:
    """A session of a client that knows nothing of us."""
    place = store_place(store, folder)
    if isinstance(place, Path):
        return sqlite3.connect(place)
    import psycopg

    return psycopg.connect(place.dsn, options=f"-c search_path={place.schema}")
