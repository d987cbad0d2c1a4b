"""Values that another org refuses until somebody mends them, and unique values that change hands."""

from __future__ import annotations

from hypothesis.stateful import precondition, rule
from model_base import Base, kinds, places
from model_orgs import OBJECTS, SHAPES, accept_stage, only

from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.sql.held import held_records, make_due

#: How often a person looks after what was refused before it has to be right.
_LOOKS = 3


class RefusalSteps(Base):
    """Every org takes one stage that the others do not know. Keys are unique, and each org gives only its own."""

    def __init__(self) -> None:
        super().__init__()
        #: Orgs whose stage all orgs have learned.
        self.taught: set[str] = set()

    # -- values that are refused -------------------------------------------------------------------------------

    def _refused(self) -> set[str]:
        """The records that some org has with a value that another one refuses."""
        strange = [only(org) for org in self.net.orgs if org not in self.taught]
        if not strange:
            return set()
        marks = ", ".join("?" * len(strange))
        return {
            name
            for kind in OBJECTS
            for name in self._all(f'SELECT "Name" FROM "{kind}" WHERE "Stage__c" IN ({marks})', *strange)
        }

    @rule(place=places, kind=kinds, record=places)
    def break_record(self, place: int, kind: str, record: int) -> None:
        """LOG-1, BLK-3: the record stays behind with what hangs on it, and nothing else does."""
        org = self._org(place)
        name = self._pick(org, kind, record)
        if name is not None:
            self._set(org, kind, name, Stage__c=only(org))

    @rule(place=places, kind=kinds, record=places)
    def mend_record(self, place: int, kind: str, record: int) -> None:
        """LOG-2: its next update sends it again, with all that was refused before."""
        org = self._org(place)
        broken = sorted(self._refused() & set(self._names(org, kind)))
        if broken:
            self._set(org, kind, broken[record % len(broken)], Stage__c="Open" if place % 2 else None)

    @precondition(lambda self: self._refused())
    @rule(place=places)
    def mend_schema(self, place: int) -> None:
        """All orgs learn a stage; what was refused for it is queued again by hand."""
        org = sorted(set(SHAPES[self.shape][0]) - self.taught)[place % (len(SHAPES[self.shape][0]) - len(self.taught))]
        self.taught.add(org)
        for other in self.net.orgs.values():
            accept_stage(other, self.seed, {other.name, *self.taught})
        self._retry()

    def mend_everything(self) -> None:
        """Before the end: no record holds a value that any org refuses."""
        for org in self.net.orgs:
            for kind in OBJECTS:
                for name in sorted(self._refused()):
                    found = self.net.all(org, f'SELECT "Stage__c" FROM "{kind}" WHERE "Name" = ?', name)
                    if found and str(found[0]).startswith("Only"):
                        self._set(org, kind, name, Stage__c="Open")

    def _retry(self) -> None:
        """What was refused is due now, by hand (LOG-2)."""
        for pair in self.net.pairs.values():
            for side in Side:
                org, number = pair.orgs[side], pair.numbers[side]
                make_due(org, number, list(held_records(org, number)), int(self.net.now.timestamp() * 1000))

    # -- unique values -----------------------------------------------------------------------------------------

    @rule(place=places, kind=kinds, record=places, key=places, swap=places)
    def give_key(self, place: int, kind: str, record: int, key: int, swap: int) -> None:
        """A record gets one of the org's keys; whoever has it gives it away, or swaps it."""
        org = self._org(place)
        name = self._pick(org, kind, record)
        if name is None:
            return
        value = f"{org}-{key % 3}"
        (old,) = self.net.all(org, f'SELECT "Key__c" FROM "{kind}" WHERE "Name" = ?', name)
        holder = self.net.all(org, f'SELECT "Name" FROM "{kind}" WHERE "Key__c" = ? AND "IsDeleted" = FALSE', value)
        if old == value:
            return
        self._do(org, "BEGIN")
        for other in holder:
            self._set(org, kind, other, Key__c=None)
        self._set(org, kind, name, Key__c=value)
        for other in holder if swap % 2 and old is not None else ():
            self._set(org, kind, other, Key__c=old)
        self._do(org, "COMMIT")

    def _clear_doubles(self, behind: set[str]) -> None:
        """A person decides who keeps a key that orgs gave to several records: the first one by name.

        What one org alone has done with its keys is done in the others as well, unless a record is still `behind`.
        """
        for kind in OBJECTS:
            held: dict[str, set[str]] = {}
            alive = f'SELECT "Key__c", "Name" FROM "{kind}" WHERE "Key__c" IS NOT NULL AND "IsDeleted" = FALSE'
            for key, name in self._all(alive):
                held.setdefault(key, set()).add(name)
            for key, names in sorted(held.items()):
                if len(names) > 1:
                    assert names & behind or self.model.contested("Key__c", names), f"{key} of {names} does not arrive"
                for name in sorted(names)[1:]:
                    for org in self.net.orgs:
                        if self.net.all(org, f'{alive} AND "Name" = ? AND "Key__c" = ?', name, key):
                            self._set(org, kind, name, Key__c=None)

    def settle(self) -> set[str]:
        """Drains until all is sent but for records that are refused for a known reason; their names."""
        for _ in range(_LOOKS):
            self.net.settle()
            known = self._below(self._refused())
            if not self._held() - known:
                return known
            self._clear_doubles(known)
            self._retry()
        held = {org: self.net.all(org, "SELECT record, error FROM orgsync_held") for org in self.net.orgs}
        raise AssertionError(f"records are refused for no known reason: {held}")
