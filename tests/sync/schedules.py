"""Random schedules for two connected orgs: what clients do in both, interleaved with partial drains and bulk syncs."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from org_stores import Templates
from sync_world import NAMES as ENDS
from sync_world import P, S, Side, World, custom_object, make_orgs, text
from sync_world import field as custom_field

from orgsync_reconcile.model.schema import FieldType

#: Object -> its lookups: column -> the object that it points to. Nodes point to themselves, leaves and nodes to each other.
LOOKUPS = {
    "Node__c": {"Parent__c": "Node__c", "Leaf__c": "Leaf__c"},
    "Leaf__c": {"Node__c": "Node__c"},
    "Detail__c": {"Node__c": "Node__c"},
}
NAMES = tuple(LOOKUPS)
#: The names of the two orgs.
ORGS = tuple(ENDS.values())
TEXTS = ("A__c", "B__c")
KINDS = ("insert", "update", "update", "move", "delete", "undelete", "drain", "drain", "bulk", "reopen")


@dataclass(frozen=True)
class Step:
    """One step; numbers are taken modulo what there is to choose from."""

    kind: str
    side: Side
    object: str
    record: int
    column: int
    value: int


steps = st.builds(
    Step,
    kind=st.sampled_from(KINDS),
    side=st.sampled_from((P, S)),
    object=st.sampled_from(NAMES),
    record=st.integers(0, 7),
    column=st.integers(0, 5),
    value=st.integers(0, 9),
)


def make_template(address: Callable[[str], str]) -> None:
    """Two orgs with the three objects. Their fields have other numbers in the secondary."""
    make_orgs(address)
    with ExitStack() as stack:
        world = World(Path(), stack, addresses={name: address(name) for name in ORGS})
        world.deploy(custom_object("Node__c", "a00", text("Own__c")), sides=(S,))
        node = custom_object(
            "Node__c",
            "a00",
            text("A__c"),
            text("B__c"),
            custom_field("Parent__c", FieldType.LOOKUP, reference_to=("Node__c",)),
            custom_field("Leaf__c", FieldType.LOOKUP, reference_to=("Leaf__c",)),
        )
        leaf = custom_object(
            "Leaf__c",
            "a01",
            text("A__c"),
            text("B__c"),
            custom_field("Node__c", FieldType.LOOKUP, reference_to=("Node__c",)),
        )
        detail = custom_object(
            "Detail__c",
            "a02",
            text("A__c"),
            text("B__c"),
            custom_field(
                "Node__c", FieldType.MASTER_DETAIL, reference_to=("Node__c",), required=True, cascade_delete=True
            ),
        )
        world.deploy(node, leaf, detail)


@dataclass
class Run:
    """One schedule on two orgs of its own."""

    world: World
    #: What went wrong with the engine's own writes: rows that look like a client's.
    echoes: list[Any] = field(default_factory=list)

    def play(self, step: Step) -> None:
        """Does one step; what does not apply is left out."""
        act = getattr(self, f"_{step.kind}")
        act(step)

    def _alive(self, side: Side, name: str, deleted: int = 0) -> list[str]:
        return self.world.all(side, f'SELECT "Id" FROM "{name}" WHERE "IsDeleted" = ? ORDER BY orgsync_row', deleted)

    def _pick(self, step: Step, name: str, number: int, deleted: int = 0) -> str | None:
        found = self._alive(step.side, name, deleted)
        return found[number % len(found)] if found else None

    def _insert(self, step: Step) -> None:
        values: dict[str, object] = {"Name": f"{step.object} {step.value}", "A__c": str(step.value)}
        for place, (column, parent) in enumerate(LOOKUPS[step.object].items()):
            if step.object == "Detail__c" or (step.column >> place) % 2:
                values[column] = self._pick(step, parent, step.record)
        if step.object != "Detail__c" or values["Node__c"]:
            self.world.insert(step.side, step.object, **values)

    def _update(self, step: Step) -> None:
        record = self._pick(step, step.object, step.record)
        if record:
            self.world.update(step.side, step.object, record, **{TEXTS[step.column % 2]: f"{step.side}{step.value}"})

    def _move(self, step: Step) -> None:
        record = self._pick(step, step.object, step.record)
        columns = list(LOOKUPS[step.object].items())
        column, parent = columns[step.column % len(columns)]
        value = self._pick(step, parent, step.value)
        if record and (value or step.object != "Detail__c"):
            self.world.update(step.side, step.object, record, **{column: value})

    def _delete(self, step: Step) -> None:
        record = self._pick(step, step.object, step.record)
        if record:
            self.world.delete(step.side, step.object, record)

    def _undelete(self, step: Step) -> None:
        record = self._pick(step, step.object, step.record, deleted=1)
        if record:
            self.world.undelete(step.side, step.object, record)

    def _reopen(self, _: Step) -> None:
        self.world.reopen()

    def _drain(self, step: Step) -> None:
        self._watch(step.side, lambda: self.world.drain(step.side, max_records=1 + step.value % 4))

    def _bulk(self, step: Step) -> None:
        self._watch(step.side, lambda: self.world.bulk(step.side))

    def _watch(self, source: Side, work: Any) -> None:
        """Nothing that the engine writes to a linked record is a change of the target, but for a delete taken back."""
        target = source.other
        before = self.world.log_size(target)
        work()
        self.echoes += self.world.all(
            target,
            f"SELECT object, record, op, m0 FROM orgsync_change WHERE {self.world.orgs[target].db.dialect.entry} > ?"
            " AND op <> 'R'"
            " AND record IN (SELECT local FROM orgsync_link)",
            before,
        )

    def populate(self) -> None:
        """Records that both orgs have before the schedule begins."""
        world = self.world
        nodes = [world.insert(P, "Node__c", Name=f"n{number}") for number in range(3)]
        leaves = [world.insert(S, "Leaf__c", Name=f"l{number}") for number in range(2)]
        world.settle()
        theirs = [world.other(S, leaf) for leaf in leaves]
        world.update(P, "Node__c", nodes[1], Parent__c=nodes[0], Leaf__c=theirs[0])
        world.update(P, "Leaf__c", str(theirs[0]), Node__c=nodes[1])
        for number in range(4):
            world.insert(P, "Detail__c", Name=f"d{number}", Node__c=nodes[number % 2])
        world.settle()

    def finish(self) -> None:
        """Everything is sent; both orgs must be equal."""
        self.world.settle()
        assert self.echoes == []
        self.world.assert_equal()
        for side in (P, S):
            for name in NAMES:
                assert_same(self.world, side, name)
            assert self.world.all(side, "SELECT record FROM orgsync_held") == []


def assert_same(world: World, side: Side, name: str) -> None:
    """Compares one object by plain reading: every living record has its like in the other org, and only one.

    A lookup there may name a record that was deleted before it was ever sent. It is blank here until that one comes.
    """
    waiting = set(world.all(side, "SELECT record, field, parent FROM orgsync_waiting"))
    links = dict(world.all(side, "SELECT local, partner FROM orgsync_link WHERE status = 1"))
    columns = [*TEXTS, "Name", *LOOKUPS[name]]
    wanted = ", ".join(f'"{column}"' for column in ("Id", "IsDeleted", *columns))
    there: dict[str, tuple[Any, ...]] = {
        row[0]: row[1:] for row in world.all(side.other, f'SELECT {wanted} FROM "{name}"')
    }
    for record, deleted, *values in world.all(side, f'SELECT {wanted} FROM "{name}"'):
        if deleted and record not in links:
            continue
        assert record in links, f"{name} {record} never left {side}"
        theirs = there[links[record]]
        assert bool(deleted) == bool(theirs[0]), (name, record, deleted, theirs)
        if not deleted:
            translated = [
                links.get(value) if column in LOOKUPS[name] and value else value
                for column, value in zip(columns, values, strict=True)
            ]
            expected = [
                None if (record, column, value) in waiting and _never_sent(world, side.other, value) else value
                for column, value in zip(columns, theirs[1:], strict=True)
            ]
            assert translated == expected, (name, record, columns, translated, theirs)
    assert len(set(links.values())) == len(links)


def _never_sent(world: World, side: Side, record: str) -> bool:
    """Whether this record is deleted and has no link: it was gone before its turn came."""
    linked = world.all(side, "SELECT local FROM orgsync_link WHERE local = ?", record)
    return not linked and any(
        world.all(side, f'SELECT "Id" FROM "{name}" WHERE "Id" = ? AND "IsDeleted" = TRUE', record) for name in NAMES
    )


@contextmanager
def fresh(templates: Templates, pairing: str) -> Iterator[World]:
    """Fresh copies of the orgs."""
    with tempfile.TemporaryDirectory(prefix="orgsync-schedule-") as name, ExitStack() as stack:
        folder = Path(name)
        addresses = stack.enter_context(templates.copied(pairing, make_template, ORGS, folder))
        yield World(folder, stack, addresses=addresses)


def play(templates: Templates, pairing: str, policy: str, schedule: list[Step]) -> None:
    """Plays a schedule on fresh copies of the orgs."""
    with fresh(templates, pairing) as world:
        world.connect(*NAMES, settings={"conflicts": policy})
        run = Run(world)
        run.populate()
        for step in schedule:
            run.play(step)
        run.finish()
