"""What all steps of the state machine share: the orgs of a run, the model beside them, how records are found."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize
from model_orgs import ADMIN, OBJECTS, OWNED, SHAPES, lookups, open_net, population
from net_world import Net
from org_stores import Templates, update
from reference_model import Reference

#: A number that is taken modulo what there is to choose from.
places = st.integers(0, 7)
kinds = st.sampled_from(OBJECTS)
#: Orgs that live for seconds stay in memory where the system has room for files there: nothing here is about disks.
ROOM = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


class Base(RuleBasedStateMachine):
    """Real orgs beside the reference model."""

    shape = "pair"
    #: The stores that the orgs lie in, in turn, and where orgs are at hand that are made already.
    pairing: str
    templates: Templates

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="orgsync-model-", dir=ROOM))
        self.stack = ExitStack()
        self.net: Net
        self.model = Reference({"Detail__c": "Node__c"})
        self.seed = 0
        self.suspended: set[str] = set()
        #: What is not published at the moment: (connection, object, field, or "" for all of the object).
        self.withdrawn: set[tuple[str, str, str]] = set()
        self.made = 0
        #: Records that may have been made anew, by hand, beside a deleted one.
        self.remade: set[str] = set()

    @initialize(seed=st.integers(0, 5))
    def connect(self, seed: int) -> None:
        self.seed = seed
        self.net = open_net(self.templates, self.pairing, self.shape, seed, self.folder, self.stack)
        for name, (_, kind, values) in population(self.shape, seed).items():
            self.model.insert(name, kind, {**values, **({"OwnerId": ADMIN} if kind == OWNED else {})})

    # -- choosing ----------------------------------------------------------------------------------------------

    def _org(self, place: int) -> str:
        names = SHAPES[self.shape][0]
        return names[place % len(names)]

    def _way(self, place: int) -> str:
        ways = SHAPES[self.shape][1]
        return ways[place % len(ways)]

    def _names(self, org: str, kind: str, deleted: int = 0) -> list[str]:
        return sorted(self.net.all(org, f'SELECT "Name" FROM "{kind}" WHERE "IsDeleted" = ?', deleted))

    def _pick(self, org: str, kind: str, place: int, deleted: int = 0) -> str | None:
        names = self._names(org, kind, deleted)
        return names[place % len(names)] if names else None

    def _all(self, sql: str, *values: object) -> set[Any]:
        """What a query finds in any of the orgs."""
        return {row for org in self.net.orgs for row in self.net.all(org, sql, *values)}

    def _do(self, org: str, sql: str, *values: object) -> int:
        """How many records a client's statement wrote."""
        return self.net.clients[org].execute(sql, values).rowcount

    def _set(self, org: str, kind: str, name: str, **values: object) -> None:
        """A client's update, in the orgs and in the model."""
        update(self.net.clients[org], kind, name, values, key="Name")
        self.model.write(org, name, values)

    def _below(self, names: set[str]) -> set[str]:
        """These records and, in any org, all that point to them, or to what points to them."""
        found, ahead = set(names), set(names)
        while ahead:
            marks = ", ".join("?" * len(ahead))
            ahead = {
                name
                for kind, references in lookups(self.seed).items()
                for column, other in references.items()
                for name in self._all(
                    f'SELECT t."Name" FROM "{kind}" AS t JOIN "{other}" AS p ON p."Id" = t."{column}"'
                    f' WHERE p."Name" IN ({marks})',
                    *ahead,
                )
            } - found
            found |= ahead
        return found

    def _held(self) -> set[str]:
        """The names of the records that wait for another try, or have failed."""
        return {
            name
            for kind in OBJECTS
            for name in self._all(f'SELECT t."Name" FROM orgsync_held AS h JOIN "{kind}" AS t ON t."Id" = h.record')
        }

    def hidden_kinds(self) -> set[str]:
        """Objects that some connection does not publish."""
        return {kind for _, kind, field in self.withdrawn if not field}

    def close(self) -> None:
        self.stack.close()
        shutil.rmtree(self.folder)
