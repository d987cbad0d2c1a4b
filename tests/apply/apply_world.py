"""Two orgs in files, manifests in a folder, and the way from one to the other as the program goes it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, date, datetime
from pathlib import Path

from orgsync_reconcile import manifest
from orgsync_reconcile.apply import ApplyContext, ApplyReport, Progress, apply_plan
from orgsync_reconcile.metadata import to_component
from orgsync_reconcile.model.actual import Actual, ActualOrg
from orgsync_reconcile.model.component import Component
from orgsync_reconcile.model.desired import Desired
from orgsync_reconcile.model.plan import Plan
from orgsync_reconcile.plan import build_plan
from orgsync_reconcile.stores.sql import components
from orgsync_reconcile.stores.sql.create import NewOrg
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.reader import read_org
from orgsync_reconcile.stores.sqlite.create import create_org
from orgsync_reconcile.stores.sqlite.handle import open_org

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

ADMINS = {"acme": "admin@acme.example", "acme-secondary": "admin@acme.example.dr"}

ORGS = """
version: 1
kind: Org
name: acme
store: sqlite:orgs/acme.db
admin: admin@acme.example
---
version: 1
kind: Org
name: acme-secondary
store: sqlite:orgs/acme-secondary.db
admin: admin@acme.example.dr
"""
CONNECTION = """
version: 1
kind: Connection
name: acme-dr
primary: acme
secondary: acme-secondary
owner: admin@acme.example
contact: {first_name: Elise, last_name: Medina, email: elise@acme.example, account: Acme}
direction: two-way
"""
ACCOUNT = "version: 1\nkind: Publication\nconnection: acme-dr\nobject: Account\nfields: {include: [Name, Phone]}\n"


def clock() -> datetime:
    return NOW


def read(orgs: Mapping[str, Org], desired: Desired) -> dict[str, ActualOrg]:
    """Both orgs as a plan sees them."""
    contacts = [(item.contact.name, item.contact.email) for item in desired.connections.values()]
    objects = sorted({name for _, name in desired.publications})
    first, second = orgs["acme"], orgs["acme-secondary"]
    return {
        "acme": read_org(first, publications=objects, contacts=contacts, partners={"acme-dr": second}),
        "acme-secondary": read_org(second, publications=objects, partners={"acme-dr": first}),
    }


def create_orgs(folder: Path) -> None:
    """Two new orgs, each with its admin."""
    for name, admin in ADMINS.items():
        create_org(folder / f"{name}.db", NewOrg(name=name, admin=admin)).close()


class World:
    """A folder with manifests and two org files. Orgs stay open; their handles are shared."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.stack = stack
        self.orgs: dict[str, Org] = {}
        self.write("orgs.yaml", ORGS)
        self.write("connection.yaml", CONNECTION)
        self.write("account.yaml", ACCOUNT)

    @property
    def primary(self) -> Org:
        return self.orgs["acme"]

    @property
    def secondary(self) -> Org:
        return self.orgs["acme-secondary"]

    def copy(self, orgs: Path) -> World:
        """Takes two new orgs from a folder that `create_orgs` filled."""
        shutil.copytree(orgs, self.folder / "orgs")
        for name in ADMINS:
            self.orgs[name] = self.open(name)
        return self

    def open(self, name: str) -> Org:
        return self.stack.enter_context(open_org(self.folder / "orgs" / f"{name}.db", label=name, busy_seconds=5))

    def write(self, name: str, text: str) -> None:
        path = self.folder / "manifests" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def remove(self, name: str) -> None:
        (self.folder / "manifests" / name).unlink()

    def desired(self) -> Desired:
        return manifest.load(self.folder / "manifests", base=self.folder)

    def plan(
        self,
        allow: Mapping[str, float | None] | None = None,
        targets: tuple[str, ...] = (),
        today: date | None = None,
    ) -> Plan:
        desired = self.desired()
        with self.primary.snapshot(), self.secondary.snapshot():
            facts = Actual(orgs=read(self.orgs, desired))
            return build_plan(desired, facts, allow=dict(allow or {}), targets=targets, today=today)

    def apply(
        self,
        plan: Plan | None = None,
        *,
        allow: Mapping[str, float | None] | None = None,
        fail_fast: bool = False,
        progress: Progress | None = None,
        lock_timeout: float = 0.0,
        targets: tuple[str, ...] = (),
        today: date | None = None,
    ) -> ApplyReport:
        context = ApplyContext(
            orgs=self.orgs,
            desired=self.desired(),
            clock=clock,
            replan=lambda: self.plan(allow, targets, today),
            holder="tester@here",
            lock_timeout=lock_timeout,
        )
        return apply_plan(
            plan if plan is not None else self.plan(allow, targets, today),
            context,
            fail_fast=fail_fast,
            progress=progress,
        )

    def converge(self, **more: object) -> ApplyReport:
        """Apply, and show that there is nothing left to do."""
        report = self.apply(**more)  # type: ignore[arg-type]
        assert report.failure is None, report.failure
        assert [action.address for action in self.plan().actions] == []
        return report

    def deploy(self, *items: Component) -> None:
        """Metadata into the primary."""
        assert components.deploy(self.primary, items) == ()

    def one(self, org: Org, sql: str, *values: object) -> object:
        row = org.db.execute(sql, values).fetchone()
        return None if row is None else row[0]


def custom_field(name: str, **content: object) -> Component:
    """A custom field of Account, text of 80 characters unless told otherwise."""
    values = {"fullName": name, "label": name, "type": "Text", "length": "80", **content}
    return to_component("CustomField", f"Account.{name}", values)
