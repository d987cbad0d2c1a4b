"""Objects and fields that are published no longer, and again later, by manifests and apply."""

from __future__ import annotations

from hypothesis.stateful import precondition, rule
from model_base import Base, kinds, places
from model_manifests import apply_all, write_way
from model_orgs import OBJECTS, lookups, plain_fields, policy_of

from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.sync.verify import verify

#: Objects that no required lookup points to.
WITHDRAWN = ("Detail__c", "Leaf__c")
#: What a field holds in a record that came while it was not published.
DEFAULTS = {"checkbox": 0, "exact": "new"}


class PublicationSteps(Base):
    """What is withdrawn somewhere is not looked at until it is published again; all else goes on."""

    def settle(self) -> set[str]:
        raise NotImplementedError

    def _apply(self, way: str) -> None:
        published = {
            name: {field for where, kind, field in self.withdrawn if (where, kind) == (way, name)}
            for name in OBJECTS
            if (way, name, "") not in self.withdrawn
        }
        write_way(self.folder, self.shape, way, policy_of(self.seed), published)
        apply_all(self.folder)

    def hidden_fields(self) -> set[tuple[str, str]]:
        """Lookups to an object that is not published are not published either (PUB-4)."""
        kinds_hidden = self.hidden_kinds()
        leading = {
            (kind, column)
            for kind, references in lookups(self.seed).items()
            for column, other in references.items()
            if other in kinds_hidden
        }
        return leading | {(kind, field) for _, kind, field in self.withdrawn if field}

    # In a ring, what is withdrawn from one connection still goes over the others.
    @precondition(lambda self: self.shape in ("pair", "chain", "hub") and not self.suspended and not self.withdrawn)
    @rule(way=places, kind=kinds, column=places, whole=places)
    def withdraw(self, way: int, kind: str, column: int, whole: int) -> None:
        """PUB-10: an object with its links, or one field."""
        fields = list(plain_fields(self.seed)[kind])
        field = "" if whole % 2 and kind in WITHDRAWN else fields[column % len(fields)]
        self.withdrawn.add((self._way(way), kind, field))
        self._apply(self._way(way))

    @precondition(lambda self: self.withdrawn and not self.suspended)
    @rule()
    def publish_again(self) -> None:
        """PUB-9, PUB-10, VER-1: old links live again, what is new is copied, what differs is repaired; nothing is doubled."""
        fields, objects = self.hidden_fields(), self.hidden_kinds()
        ways = sorted({way for way, _, _ in self.withdrawn})
        self.withdrawn.clear()
        for way in ways:
            self._apply(way)
            for side in Side:
                self.net.bulk(way, side)
        for name in objects:
            self.model.loosen(name)
        for kind, field in fields:
            self.model.loosen(kind, field, DEFAULTS.get(plain_fields(self.seed)[kind].get(field, "")))
        # A repair also decides about records that were refused: as the connection's policy says.
        for name in self.settle():
            self.model.records[name].loose.add("")
        for way in ways:
            verify(self.net.pairs[way], clock=self.net.clock, repair=True)
