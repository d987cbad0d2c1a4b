"""What must come out of all that clients do in several orgs between two full drains, told in a few lines.

A record is known everywhere by its name. Of every field the model keeps what each org wrote last. Once everything is
drained, a field that nobody wrote is as it was; one that one org wrote has that org's last value; one that several orgs
wrote has the last value of one of them: the policy says whose, never a mixture and never something older.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

#: Field -> value; lookups as the name of the record that they point to.
Values = Mapping[str, object]
ALIVE = "alive"


@dataclass
class Record:
    """One record of the model. `made` is false while no full drain has seen it."""

    object: str
    settled: dict[str, object] = field(default_factory=dict)
    #: Field -> org -> what that org wrote last since the last full drain.
    written: dict[str, dict[str, object]] = field(default_factory=dict)
    #: Orgs that deleted it, or something that takes it along, since then.
    deleted_in: set[str] = field(default_factory=set)
    restored_in: set[str] = field(default_factory=set)


class Reference:
    """The model: what clients did, and what may be found afterwards."""

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}

    def insert(self, org: str, name: str, kind: str, values: Values) -> None:
        self.records[name] = Record(kind, {ALIVE: True, **values})

    def write(self, org: str, name: str, values: Values) -> None:
        for column, value in values.items():
            self.records[name].written.setdefault(column, {})[org] = value

    def delete(self, org: str, names: Iterable[str]) -> None:
        for name in names:
            self.records[name].deleted_in.add(org)

    def restore(self, org: str, names: Iterable[str]) -> None:
        for name in names:
            self.records[name].restored_in.add(org)

    def check(self, found: Mapping[str, Values]) -> None:
        """`found`: the records that one org has alive after a full drain, by name. The model goes on from there."""
        for name, record in self.records.items():
            touched = record.deleted_in | record.restored_in
            if name not in found:
                assert not record.settled[ALIVE] or record.deleted_in, f"{name} is lost"
                if not record.deleted_in:
                    assert not record.restored_in, f"{name} was restored by {record.restored_in} and is still deleted"
            else:
                assert record.settled[ALIVE] or touched or record.written, f"{name} has come back"
                for column, value in found[name].items():
                    by_org = record.written.get(column)
                    allowed = set(by_org.values()) if by_org else {record.settled.get(column)}
                    assert value in allowed, f"{name}.{column} is {value!r}, and it can only be one of {allowed}"
                record.settled.update(found[name])
            record.settled[ALIVE] = name in found
            record.written, record.deleted_in, record.restored_in = {}, set(), set()
        assert not found.keys() - self.records.keys(), "records that nobody made"
