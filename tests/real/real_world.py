"""A pair of orgs made from a published project, driven by the program's own commands."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from org_stores import Client, client_of

from orgsync_reconcile.cli.main import cli
from orgsync_reconcile.stores.sql.create import NewOrg
from orgsync_reconcile.stores.urls import create_store

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "real"
ABSENT = "the published projects are not beside the checkout"

ADMINS = {"acme": "admin@acme.example", "acme-secondary": "admin@acme.example.dr"}

_ORG = "version: 1\nkind: Org\nname: {name}\nstore: {store}\nadmin: {admin}\n"
_CONNECTION = """version: 1
kind: Connection
name: acme-dr
primary: acme
secondary: acme-secondary
owner: admin@acme.example
contact: {{first_name: Elise, last_name: Medina, email: elise@acme.example, account: Acme}}
direction: {direction}
bulk_sync: {{max_age: none}}
"""
_PUBLICATION = "version: 1\nkind: Publication\nconnection: acme-dr\nobject: {object}\nfields: all\n"


@dataclass(frozen=True, kw_only=True)
class World:
    """A working folder with manifests and two orgs, `acme` and `acme-secondary`, at the addresses in `stores`."""

    folder: Path
    stores: Mapping[str, str]

    # -- the program -------------------------------------------------------------------------------------------

    def run(self, *args: str, code: int = 0) -> Result:
        """One command line. Its exit code must be `code`."""
        result = self.invoke(*args)
        assert result.exit_code == code, f"orgsync {' '.join(args)} ended with {result.exit_code}\n{result.output}"
        return result

    def invoke(self, *args: str) -> Result:
        """One command line, however it ends."""
        return CliRunner().invoke(cli, ["-C", str(self.folder), *args], catch_exceptions=False)

    def json(self, *args: str, code: int = 0) -> Any:
        """One command's JSON document."""
        return json.loads(self.run("--format", "json", *args, code=code).stdout)

    def plan(self) -> Any:
        """The plan's document."""
        return self.json("plan")

    def apply(self, *args: str) -> Result:
        """Plans and applies; nothing may be left to do afterwards."""
        result = self.run("apply", "--yes", *args)
        left = [item["address"] for item in self.plan()["actions"]]
        assert left == [], left
        return result

    def drain(self) -> dict[str, tuple[int, int, int]]:
        """Sends both queues; object -> (copied, updated, deleted). Nothing may fail."""
        return moved(self.json("drain"))

    def bulk_sync(self, *args: str) -> dict[str, tuple[int, int, int]]:
        """Copies what is there; object -> (copied, updated, deleted). Nothing may fail."""
        return moved(self.json("bulk-sync", "acme-dr", *args))

    # -- the folder --------------------------------------------------------------------------------------------

    def write(self, name: str, text: str) -> None:
        path = self.folder / "manifests" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def connect(self, objects: Iterable[str], *, direction: str = "two-way") -> None:
        """Writes the manifests of both orgs, their connection, and one publication per object."""
        for name, admin in ADMINS.items():
            self.write(f"{name}.yaml", _ORG.format(name=name, admin=admin, store=self.store(name)))
        self.write("connection.yaml", _CONNECTION.format(direction=direction))
        for item in objects:
            self.write(f"{item}.yaml", _PUBLICATION.format(object=item))

    # -- the orgs, as any SQL client sees them -----------------------------------------------------------------

    def store(self, org: str) -> str:
        """The org's address."""
        return self.stores[org]

    def client(self, org: str) -> Client:
        """A session of any other program."""
        return client_of(self.store(org))

    def read(self, org: str, sql: str, *values: object) -> list[Any]:
        with closing(self.client(org)) as db:
            return db.execute(sql, values).fetchall()

    def one(self, org: str, sql: str, *values: object) -> Any:
        rows = self.read(org, sql, *values)
        assert len(rows) == 1, (sql, rows)
        return rows[0][0]

    def write_sql(self, org: str, sql: str, *values: object) -> int:
        with closing(self.client(org)) as db:
            return db.execute(sql, values).rowcount

    def publishable(self, org: str = "acme") -> list[str]:
        """The objects that can be published and have records."""
        found = self.json("org", "describe", self.store(org))["objects"]
        return [item["name"] for item in found if item["publishable"] and item["records"]]


def moved(document: Any) -> dict[str, tuple[int, int, int]]:
    """What a drain or a bulk sync moved, without objects of which nothing moved."""
    rows = document["objects"]
    assert not any(row["failed"] for row in rows), rows
    counts = {row["object"]: (row["copied"], row["updated"], row["deleted"]) for row in rows}
    return {name: count for name, count in counts.items() if any(count)}


def make_orgs(address: Callable[[str], str]) -> None:
    """Two new orgs."""
    for name, admin in ADMINS.items():
        create_store(address(name), NewOrg(name=name, admin=admin), base=Path()).close()


#: Project -> the files of its records.
RECORDS: dict[str, Sequence[str]] = {
    "easy-spaces": ("data/Plan1.json", "data/Plan2.json"),
    "coral-cloud": ("data/data-plan.json",),
    "dreamhouse": ("data/sample-data-plan.json",),
    "ebikes": ("data/sample-data-plan.json",),
}


def fill(world: World, project: str) -> World:
    """Gives the first org a project's metadata and records."""
    store = world.store("acme")
    world.run("org", "import", store, str(REAL / project))
    world.run("org", "load", store, *(str(REAL / project / name) for name in RECORDS[project]))
    return world


def make_connected(project: str) -> Callable[[Callable[[str], str]], None]:
    """What makes two orgs of a project, connected two-way and copied. One for each project, so that templates are known."""
    return _CONNECTED[project]


def _connected(project: str) -> Callable[[Callable[[str], str]], None]:
    def make(address: Callable[[str], str]) -> None:
        make_orgs(address)
        with tempfile.TemporaryDirectory() as folder:
            world = fill(World(folder=Path(folder), stores={name: address(name) for name in ADMINS}), project)
            world.connect(world.publishable())
            world.apply()
            world.bulk_sync()

    return make


_CONNECTED = {project: _connected(project) for project in RECORDS}
