"""The orgs of the sync tests with the words of forwarding: forward, match, shares, records that no live sync takes."""

from __future__ import annotations

from typing import Any

from sync_world import ACTOR, World

from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.sql import publications
from orgsync_reconcile.sync.forward import Forwarded, forward
from orgsync_reconcile.sync.sharing import shares

#: The external id of Part__c that is not unique.
CODE = "Code__c"


class ForwardWorld(World):
    """Two connected orgs."""

    def forward(self, name: str, *records: str, source: Side = Side.PRIMARY, **more: Any) -> Forwarded:
        """Forwards records by Id, or by `where`."""
        return forward(self.pair, source=source, object_name=name, records=records, clock=self.clock, **more)

    def match(self, name: str, match_on: str) -> None:
        """Publishes the object again, by each org that offers it, with a match field."""
        for side, org in self.orgs.items():
            fields = self.all(side, "SELECT field FROM orgsync_published_field WHERE object = ?", name)
            if fields:
                publications.publish_object(
                    org, self.connection, name, fields, match_on=match_on, actor=ACTOR, clock=self.clock
                )
        self._pair = None

    def old(self, side: Side, table: str, **values: object) -> str:
        """A record that no drain takes, as if it had been there long before the object was subscribed."""
        record = self.insert(side, table, CreatedDate="2020-01-01T00:00:00.000Z", **values)
        self.clients[side].execute("DELETE FROM orgsync_change WHERE record = ?", [record])
        return record

    def status(self, side: Side, record: str, name: str) -> str:
        """The sharing status of a record, as its org sees it."""
        (found,) = shares(self.orgs[side], name, record)
        return found.status
