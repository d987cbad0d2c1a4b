"""The state machine: whatever clients and admins do in connected orgs, in any order, between drains that stop anywhere."""

from __future__ import annotations

from typing import Any

from admin_steps import AdminSteps
from client_steps import ClientSteps
from hypothesis.stateful import precondition, rule
from model_orgs import OBJECTS, OWNED, lookups, plain_fields
from org_stores import Templates
from people_steps import PeopleSteps
from publication_steps import PublicationSteps
from refusal_steps import RefusalSteps

from orgsync_reconcile.sync.verify import verify

#: After so many things that clients did, all is drained and looked at, at the earliest.
_TOLD = 3


class Orgs(ClientSteps, AdminSteps, RefusalSteps, PeopleSteps, PublicationSteps):
    """Drives real orgs beside the reference model and compares them after every full drain."""

    def teardown(self) -> None:
        try:
            if hasattr(self, "net"):
                self.mend_everything()
                if self.suspended:
                    self.resume()
                if self.withdrawn:
                    self.publish_again()
                self.drain_all()
                assert not self._held()
        finally:
            self.close()

    # Looking costs more than all other steps.
    @precondition(lambda self: self.model.told >= _TOLD)
    @rule()
    def drain_all(self) -> None:
        """DESIGN's invariants, once everything is sent that can be."""
        if self.suspended:
            self.resume()
        behind = self.settle()
        unseen = behind | self.strangers() | self._hidden()
        told = {org: _without(self._found(org), unseen) for org in self.net.orgs}
        self.look_past_stand_ins(told)
        one = told["a"]
        for org, records in told.items():
            assert records == one, f"{org} differs from a: {_differences(records, one)}"
        self.model.check(one, unseen)
        for org in self.net.orgs:
            for kind in OBJECTS:
                doubled = self.net.all(org, f'SELECT "Name" FROM "{kind}" GROUP BY 1 HAVING count(*) > 1')
                assert set(doubled) <= self.remade, f"{org} has {doubled} more than once"
        if not behind:
            for way, pair in self.net.pairs.items():
                report = verify(pair, clock=self.net.clock)
                assert report.equal, (way, report.differences)
        assert self.net.round() == 0, "a second drain moves something"

    def _hidden(self) -> set[str]:
        """The records of objects that are withdrawn somewhere."""
        kinds = self.hidden_kinds()
        return {name for name, record in self.model.records.items() if record.object in kinds}

    def _found(self, org: str) -> dict[str, dict[str, Any]]:
        """The org's records that are not deleted, by name, by plain SQL."""
        found: dict[str, dict[str, Any]] = {}
        for name, title, active in self.net.all(
            org, 'SELECT "LastName", "Title", "IsActive" FROM "User" WHERE substr("LastName", 1, 1) = \'u\''
        ):
            assert name not in found, f"{org} has the user {name} twice"
            found[name] = {"Title": title, "IsActive": active}
        hidden = self.hidden_fields()
        for kind in OBJECTS:
            columns = [*plain_fields(self.seed)[kind], "Key__c", "Stage__c"]
            references = lookups(self.seed)[kind]
            joins = "".join(
                f' LEFT JOIN "{other}" AS p{place} ON p{place}."Id" = t."{column}" AND p{place}."IsDeleted" = FALSE'
                for place, (column, other) in enumerate(references.items())
            )
            parents = [f'p{place}."Name"' for place in range(len(references))]
            wanted = ", ".join(['t."Name"', *(f't."{item}"' for item in columns), *parents])
            for name, *values in self.net.all(
                org, f'SELECT {wanted} FROM "{kind}" AS t{joins} WHERE t."IsDeleted" = FALSE'
            ):
                assert name not in found, f"{org} has {name} twice"
                shown = dict(zip([*columns, *references], values, strict=True))
                found[name] = {column: value for column, value in shown.items() if (kind, column) not in hidden}
        owners = f'SELECT t."Name", u."LastName" FROM "{OWNED}" AS t JOIN "User" AS u ON u."Id" = t."OwnerId"'
        for name, owner in self.net.all(org, f'{owners} WHERE t."IsDeleted" = FALSE'):
            found[name]["OwnerId"] = owner
        return found


def _without(records: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: values for name, values in records.items() if name not in names}


def _differences(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return {name: (one.get(name), other.get(name)) for name in {*one, *other} if one.get(name) != other.get(name)}


def machine(shape: str, pairing: str, templates: Templates) -> type[Orgs]:
    """The machine of one shape, with orgs in the stores of a pairing."""
    return type(f"Orgs_{shape}", (Orgs,), {"shape": shape, "pairing": pairing, "templates": templates})
