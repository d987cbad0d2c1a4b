"""What must come out of all that clients do in several orgs between two full drains, told in a few lines.

A record is known everywhere by its name. Of every field the model keeps what each org wrote last. Once everything is
drained, a field that nobody wrote is as it was; one that one org wrote has that org's last value; one that several orgs
wrote has the last value of one of them: the policy says whose, never a mixture and never something older.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

#: Field -> value; lookups as the name of the record that they point to.
Values = Mapping[str, object]


@dataclass
class Record:
    """One record of the model. `alive`: whether it was, after the last full drain."""

    object: str
    alive: bool = True
    #: Field -> what it may hold: several only where a lookup leads to one of several records that are deleted.
    settled: dict[str, set[object]] = field(default_factory=dict)
    #: Field -> org -> what that org wrote last since the last full drain.
    written: dict[str, dict[str, object]] = field(default_factory=dict)
    #: Field -> everything that was written to it since then.
    before: dict[str, set[object]] = field(default_factory=dict)
    #: Orgs that deleted it, or something that takes it along, since then.
    deleted_in: set[str] = field(default_factory=set)
    restored_in: set[str] = field(default_factory=set)
    #: Some org has deleted it for good: no undelete elsewhere lasts.
    purged: bool = False
    #: Orgs may have gone ways of their own, while something was not published: in these fields ("": in all of it).
    loose: set[str] = field(default_factory=set)


class Reference:
    """The model: what clients did, and what may be found afterwards. `masters`: object -> the field of its master."""

    def __init__(self, masters: Mapping[str, str]) -> None:
        self.masters = masters
        self.records: dict[str, Record] = {}
        #: How many things clients have done since the last full drain.
        self.told = 0

    def insert(self, name: str, kind: str, values: Values) -> None:
        self.told += 1
        self.records[name] = Record(kind, settled={column: {value} for column, value in values.items()})

    def write(self, org: str, name: str, values: Values) -> None:
        self.told += 1
        for column, value in values.items():
            self.records[name].written.setdefault(column, {})[org] = value
            self.records[name].before.setdefault(column, set()).add(value)

    def delete(self, org: str, names: Iterable[str]) -> None:
        self.told += 1
        for name in names:
            self.records[name].deleted_in.add(org)

    def purge(self, org: str, name: str) -> None:
        self.delete(org, [name])
        self.records[name].purged = True

    def restore(self, org: str, names: Iterable[str]) -> None:
        self.told += 1
        for name in names:
            self.records[name].restored_in.add(org)

    def contested(self, column: str, names: Iterable[str]) -> bool:
        """Whether several orgs have had a hand in that field of these records since the last full drain."""
        records = [self.records[name] for name in names]
        hands = {org for record in records for org in record.written.get(column, {})}
        return len(hands) > 1 or any(record.deleted_in or record.restored_in or record.loose for record in records)

    def loosen(self, kind: str, column: str = "", default: object = None) -> None:
        """The object, or one field, was published again: what each org made of it meanwhile may be what stays.

        `default`: what the field holds in records that came without it.
        """
        for record in self.records.values():
            if record.object == kind:
                record.loose.add(column)
                if column:
                    record.settled.setdefault(column, {None}).add(default)

    def _allowed(self, record: Record, column: str) -> set[object]:
        by_org = set(record.written.get(column, {}).values())
        if record.loose & {column, ""}:
            return record.before.get(column, set()) | record.settled.get(column, {None})
        return by_org or set(record.settled.get(column, {None}))

    def _master_deleted(self, record: Record) -> bool:
        """Whether a client deleted a master of the record, while it, or its move there, was perhaps not known there yet."""
        field = self.masters.get(record.object, "")
        masters = {*record.settled.get(field, ()), *record.written.get(field, {}).values()}
        known = [self.records[str(name)] for name in masters if name is not None]
        return any(record.deleted_in or record.purged for record in known)

    def check(self, found: Mapping[str, Values], behind: Collection[str] = ()) -> None:
        """`found`: the records that one org has alive after a full drain, by name. The model goes on from there.

        Of records that are still `behind`, for a reason, nothing is known yet, nor of fields that are not found.
        """
        self.told = 0
        taken = {name for name, record in self.records.items() if self._master_deleted(record)}
        gone = self.records.keys() - found.keys() - set(behind)
        for name, record in self.records.items():
            if name in behind:
                continue
            free = "" in record.loose
            touched = record.deleted_in | record.restored_in
            if name not in found:
                assert not record.alive or record.deleted_in or name in taken or free, f"{name} is lost"
                if not record.deleted_in and not record.purged and name not in taken and not free:
                    assert not record.restored_in, f"{name} was restored by {record.restored_in} and is still deleted"
            else:
                assert not record.purged or free, f"{name} was deleted for good and has come back"
                assert record.alive or touched or record.written or free, f"{name} has come back"
                for column, value in found[name].items():
                    allowed = self._allowed(record, column)
                    # A lookup to a deleted record counts as blank: it may never have arrived.
                    fit = {item for item in allowed if (None if item in gone else item) == value}
                    assert fit, f"{name}.{column} is {value!r}, and it can only be one of {allowed}"
                    record.settled[column] = fit
            unseen = record.written.keys() - found.get(name, {}).keys() if name in found else set()
            if name not in found:
                # Should it be restored, it has what was written before, or what that was lost against.
                for column, values in record.before.items():
                    record.settled[column] = record.settled.get(column, {None}) | values
            record.alive = name in found
            record.purged = record.purged and not record.alive
            record.written = {column: record.written[column] for column in unseen}
            record.before = {column: record.before[column] for column in unseen}
            record.deleted_in, record.restored_in = set(), set()
            record.loose &= unseen
        assert not found.keys() - self.records.keys(), "records that nobody made"
