"""Two orgs whose manifests declare the mirror of an auto-number, and other programs beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from org_stores import Client, client_of, insert

from orgsync_reconcile.app.apply import carry_out
from orgsync_reconcile.app.planning import Choice, plan
from orgsync_reconcile.app.workspace import Workspace
from orgsync_reconcile.apply import ApplyReport
from orgsync_reconcile.clock import system_clock
from orgsync_reconcile.metadata import to_component
from orgsync_reconcile.model.component import Component
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.plan import Plan
from orgsync_reconcile.stores.sql import components
from orgsync_reconcile.stores.sql.create import NewOrg
from orgsync_reconcile.stores.sql.flow import Pair
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.urls import create_store, open_store
from orgsync_reconcile.sync.bulk import bulk_sync
from orgsync_reconcile.sync.drain import drain
from orgsync_reconcile.sync.verify import verify

P, S = Side.PRIMARY, Side.SECONDARY
NAMES = {P: "acme", S: "acme-dr"}

ORGS = """
version: 1
kind: Org
name: acme
store: {acme}
admin: admin@acme.example
---
version: 1
kind: Org
name: acme-dr
store: {acme-dr}
admin: admin@acme.example.dr
"""
CONNECTION = """
version: 1
kind: Connection
name: dr
primary: acme
secondary: acme-dr
owner: admin@acme.example
contact: {{first_name: Elise, last_name: Medina, email: elise@acme.example, account: Acme}}
direction: two-way
{more}
"""
CASE_MIRROR = (
    'auto_numbers: [{object: Case, field: CaseNumber, mirror: Acme_Number__c, secondary_format: "2-{00000000}"}]'
)
CASES = "version: 1\nkind: Publication\nconnection: dr\nobject: Case\nfields: {include: [Subject]}\n"


def make_orgs(address: Callable[[str], str]) -> None:
    """Two new orgs, each with its admin."""
    for name, admin in (("acme", "admin@acme.example"), ("acme-dr", "admin@acme.example.dr")):
        create_store(address(name), NewOrg(name=name, admin=admin), base=Path()).close()


class World:
    """A folder with manifests and two orgs, which are opened anew for every step."""

    def __init__(self, folder: Path, addresses: Mapping[str, str], stack: ExitStack) -> None:
        self.workspace = Workspace(directory=folder)
        self.addresses = addresses
        (folder / "manifests").mkdir()
        self.write("orgs.yaml", ORGS.format_map(addresses))
        self.declare(CASE_MIRROR)
        self.write("cases.yaml", CASES)
        self.clients: dict[Side, Client] = {}
        for side, name in NAMES.items():
            self.clients[side] = client_of(addresses[name])
            stack.callback(self.clients[side].close)

    def write(self, name: str, text: str) -> None:
        (self.workspace.directory / "manifests" / name).write_text(text, encoding="utf-8")

    def declare(self, *lines: str) -> None:
        """The connection with these further lines."""
        self.write("connection.yaml", CONNECTION.format(more="\n".join(lines)))

    def deploy(self, side: Side, *items: Component) -> None:
        with self.open(side) as org:
            assert components.deploy(org, items) == ()

    def open(self, side: Side) -> Org:
        return open_store(self.addresses[NAMES[side]], base=Path(), label=NAMES[side])

    def plan(self) -> Plan:
        return plan(self.workspace)

    def steps(self) -> dict[str, str]:
        """Address below the mirror -> what is planned there, of everything about mirrors."""
        found = [action for action in self.plan().actions if "/auto-number/" in action.address]
        return {action.address.split("/", 3)[3]: action.op.value for action in found}

    def apply(self) -> ApplyReport:
        """Apply, and show that there is nothing left to do."""
        made = self.plan()
        assert made.applyable, [item.one_line() for item in made.diagnostics]
        report = carry_out(self.workspace, made, Choice())
        assert report.failure is None, [item for item in report.outcomes if item.message]
        assert [action.address for action in self.plan().actions] == []
        return report

    def insert(self, side: Side, **values: object) -> str:
        """A case made by any client; returns its Id."""
        return insert(self.clients[side], "Case", **values)

    def one(self, side: Side, sql: str, *values: object) -> Any:
        row = self.clients[side].execute(sql, values).fetchone()
        return row if row is None or len(row) > 1 else row[0]

    def numbers(self, side: Side) -> dict[str, tuple[str, str]]:
        """Subject -> (case number, mirror) of every case of an org."""
        rows = self.clients[side].execute('SELECT "Subject", "CaseNumber", "Acme_Number__c" FROM "Case"')
        return {subject: (number, mirror) for subject, number, mirror in rows}

    def sync(self, *, bulk: bool = False) -> None:
        """Sends what is queued both ways until nothing is left; first copies what is there, if asked to."""
        with self.open(P) as primary, self.open(S) as secondary:
            pair = Pair(primary, secondary, "dr")
            if bulk:
                bulk_sync(pair, source=P, cutoff=None, clock=system_clock)
            for _ in range(3):
                drain(pair, clock=system_clock)
            report = verify(pair, clock=system_clock)
        assert report.equal, report.differences


def layout(name: str, *fields: str) -> Component:
    """A layout with one section that shows these fields."""
    items = [{"behavior": "Readonly" if field == "CaseNumber" else "Edit", "field": field} for field in fields]
    sections = [{"label": "Information", "style": "OneColumn", "layoutColumns": [{"layoutItems": items}]}]
    return to_component("Layout", name, {"layoutSections": sections})


def shown_on(world: World, side: Side, name: str) -> list[str]:
    """The fields that a layout of an org shows."""
    with world.open(side) as org:
        found = components.read_component(org, layout(name).key)
    assert found is not None
    return [item["field"] for item in found.content["layoutSections"][0]["layoutColumns"][0]["layoutItems"]]
