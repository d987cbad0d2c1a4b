"""One way from the primary: what is done in the secondary stands until the primary says otherwise (PUB-7, LKP-5)."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from model_base import ROOM, places
from net_world import Net, P, make_orgs
from org_stores import Templates

from orgsync_reconcile.stores.sql.flow import Pair

COLUMNS = ("A__c", "B__c")
RUNS = int(os.environ.get("ORGSYNC_MODEL_RUNS", "400"))
columns = st.sampled_from(COLUMNS)


def make_connected(address: Callable[[str], str]) -> None:
    """Two orgs with a one-way connection."""
    make_orgs(address, "ab")
    with ExitStack() as stack:
        Net(Path(), "ab", stack, {name: address(name) for name in "ab"}).connect("ab", one_way=True)


@dataclass
class Row:
    """One record: what each org holds, what the primary has not sent yet ("" for its being deleted or not)."""

    ours: dict[str, object]
    alive: bool = True
    unsent: set[str] = field(default_factory=lambda: {"", *COLUMNS})
    #: None: it has not arrived.
    theirs: dict[str, object] | None = None
    alive_there: bool = False
    severed: bool = False

    def send(self) -> None:
        """What a drain does."""
        if self.unsent and self.theirs is None and self.alive:
            self.theirs, self.alive_there = dict(self.ours), True
        elif self.theirs is not None and not self.severed:
            self.theirs.update({column: self.ours[column] for column in self.unsent - {""}})
            self.alive_there = self.alive if "" in self.unsent else self.alive_there
        self.unsent = set()


class OneWay(RuleBasedStateMachine):
    """The primary a, the secondary b, and what a reader of the guide would expect of b."""

    pairing: str
    templates: Templates

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="orgsync-one-way-", dir=ROOM))
        self.stack = ExitStack()
        self.rows: dict[str, Row] = {}

    @initialize()
    def connect(self) -> None:
        copied = self.templates.copied(self.pairing, make_connected, "ab", self.folder, joined=True)
        self.net = Net(self.folder, "ab", self.stack, self.stack.enter_context(copied))
        self.net.pairs["ab"] = Pair(self.net.orgs["a"], self.net.orgs["b"], "ab")

    def teardown(self) -> None:
        try:
            if hasattr(self, "net"):
                self.drain()
        finally:
            self.stack.close()
            shutil.rmtree(self.folder)

    def _pick(self, place: int, *, there: bool, alive: bool) -> str | None:
        names = [
            name
            for name, row in self.rows.items()
            if (row.theirs is not None and row.alive_there == alive if there else row.alive == alive)
        ]
        return names[place % len(names)] if names else None

    def _delete(self, org: str, name: str, deleted: int) -> None:
        self.net.clients[org].execute('UPDATE "Thing__c" SET "IsDeleted" = ? WHERE "Name" = ?', [deleted, name])

    # -- in the primary ----------------------------------------------------------------------------------------

    @rule(value=places)
    def insert(self, value: int) -> None:
        name = f"r{len(self.rows)}"
        self.rows[name] = Row({"A__c": f"a{value}", "B__c": None})
        self.net.insert("a", name, **self.rows[name].ours)

    @rule(record=places, column=columns, value=places)
    def update(self, record: int, column: str, value: int) -> None:
        name = self._pick(record, there=False, alive=True)
        if name is not None and self.rows[name].ours[column] != f"a{value}":
            self.net.update("a", name, **{column: f"a{value}"})
            self.rows[name].ours[column] = f"a{value}"
            self.rows[name].unsent.add(column)

    @rule(record=places, deleted=st.booleans())
    def delete_or_restore(self, record: int, deleted: bool) -> None:
        name = self._pick(record, there=False, alive=deleted)
        if name is not None:
            self._delete("a", name, int(deleted))
            self.rows[name].alive = not deleted
            self.rows[name].unsent.add("")

    # -- in the secondary --------------------------------------------------------------------------------------

    @rule(record=places, column=columns, value=places)
    def update_there(self, record: int, column: str, value: int) -> None:
        """PUB-7: it is not sent, and stands until the primary changes that field."""
        name = self._pick(record, there=True, alive=True)
        if name is not None:
            self.net.update("b", name, **{column: f"b{value}"})
            (self.rows[name].theirs or {})[column] = f"b{value}"

    @rule(record=places)
    def delete_there(self, record: int) -> None:
        name = self._pick(record, there=True, alive=True)
        if name is not None:
            self._delete("b", name, 1)
            self.rows[name].alive_there = False

    @rule(record=places)
    def restore_there(self, record: int) -> None:
        """LKP-5: it severs the link."""
        name = self._pick(record, there=True, alive=False)
        if name is not None:
            self._delete("b", name, 0)
            self.rows[name].alive_there = self.rows[name].severed = True

    # -- the sync ----------------------------------------------------------------------------------------------

    @rule()
    def drain(self) -> None:
        self.net.drain("ab")
        for row in self.rows.values():
            row.send()
        assert self._held_in("a") == {
            name: (row.alive, *map(row.ours.get, COLUMNS)) for name, row in self.rows.items()
        }, "the primary was changed"
        assert self._held_in("b") == {
            name: (row.alive_there, *map(row.theirs.get, COLUMNS))
            for name, row in self.rows.items()
            if row.theirs is not None
        }
        assert sum(item.moved for item in self.net.drain("ab")) == 0

    def _held_in(self, org: str) -> dict[str, tuple[object, ...]]:
        rows = self.net.all(org, 'SELECT "Name", "IsDeleted" = FALSE, "A__c", "B__c" FROM "Thing__c"')
        found = {name: tuple(values) for name, *values in rows}
        assert len(found) == len(rows), f"{org} has a record twice"
        return found

    @rule()
    def bulk(self) -> None:
        """BLK-2: linked records are left alone, severed ones as well."""
        self.drain()
        self.net.bulk("ab")

    @rule(record=places)
    def forward(self, record: int) -> None:
        """FWD-1, LKP-5: the secondary gets the record as it is in the primary, and its link lives again."""
        self.drain()
        name = self._pick(record, there=False, alive=True)
        if name is not None:
            (found,) = self.net.all("a", 'SELECT "Id" FROM "Thing__c" WHERE "Name" = ?', name)
            self.net.forward("ab", P, found)
            row = self.rows[name]
            row.theirs, row.alive_there, row.severed = dict(row.ours), True, False


def play(pairing: str, templates: Templates, runs: int, steps: int, *, random: bool) -> None:
    run_state_machine_as_test(
        type("OneWay", (OneWay,), {"pairing": pairing, "templates": templates}),
        settings=settings(
            max_examples=runs,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=not random,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.pairings
def test_the_secondary_is_as_the_model_says(pairing: str, templates: Templates) -> None:
    """PUB-7, LKP-5, FWD-1, BLK-2: after every drain, in any order of steps."""
    play(pairing, templates, 6, 25, random=False)


@pytest.mark.soak
@pytest.mark.pairings
def test_the_secondary_is_as_the_model_says_for_long(pairing: str, templates: Templates) -> None:
    """The same with other steps every time; ORGSYNC_MODEL_RUNS sets how many runs."""
    play(pairing, templates, RUNS, 60, random=True)
