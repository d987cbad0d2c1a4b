"""Records of sObject trees into tables, parents before children, references by the Ids that the org mints (ORG-8)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from orgsync_reconcile.errors import RecordError
from orgsync_reconcile.importers import LinkedRecord, TreeRecord, resolve_references
from orgsync_reconcile.stores.faults import refusals
from orgsync_reconcile.stores.sql.load_columns import Tables
from orgsync_reconcile.stores.sql.load_report import Tally
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.rows import insert_row, update_row
from orgsync_reconcile.stores.sql.savepoint import savepoint


def load_trees(org: Org, records: Sequence[TreeRecord], tables: Tables, tally: Tally) -> dict[str, str]:
    """Inserts the records; returns reference -> minted Id. Refused records and whatever needs them go to the tally.

    Records that refer to each other in a circle are inserted without the lookups that may be blank, which are filled in
    afterwards. Inside a transaction.
    """
    linked, problems = resolve_references(records, tables.objects)
    for problem in problems:
        tally.note(problem.path, problem.message, problem.line)
    order, circular = insertion_order(linked, lambda place, name: _required(tables, linked[place].record, name))
    for place in circular:
        tally.refuse(linked[place].record, "it needs a record that needs this one; break the circle")
    ids: dict[int, str] = {}
    coming = set(order)
    late: list[tuple[int, str]] = []
    for place in order:
        if _unresolved(tables, linked[place]):
            tally.failed += 1
            coming.discard(place)
            continue
        row_id = _insert(org, linked, place, tables, ids, coming, late, tally)
        if row_id is None:
            coming.discard(place)
        else:
            ids[place] = row_id
    for place, name in late:
        _fill_in(org, linked, place, name, ids, tally)
    return {linked[place].record.reference: row_id for place, row_id in ids.items()}


def insertion_order(
    linked: Sequence[LinkedRecord], required: Callable[[int, str], bool]
) -> tuple[list[int], list[int]]:
    """(places in an order in which what is required comes first, places that are in a circle of required links).

    Links that are not required come first too where no circle forbids it.
    """
    waits = [len(item.links) for item in linked]
    needs = [0] * len(linked)
    followers: list[list[tuple[int, bool]]] = [[] for _ in linked]
    for place, item in enumerate(linked):
        for name, target in item.links.items():
            must = required(place, name)
            needs[place] += must
            followers[target].append((place, must))
    ready = deque(place for place, count in enumerate(waits) if count == 0)
    possible = deque(place for place, count in enumerate(needs) if count == 0)
    done = [False] * len(linked)
    order: list[int] = []
    while ready or possible:
        place = ready.popleft() if ready else possible.popleft()
        if done[place]:
            continue
        done[place] = True
        order.append(place)
        for follower, must in followers[place]:
            waits[follower] -= 1
            needs[follower] -= must
            if must and needs[follower] == 0:
                possible.append(follower)
            if waits[follower] == 0:
                ready.append(follower)
    return order, [place for place, finished in enumerate(done) if not finished]


def _required(tables: Tables, record: TreeRecord, name: str) -> bool:
    return tables.of(record.object).is_required(name)


def _unresolved(tables: Tables, item: LinkedRecord) -> bool:
    """Whether a reference of the record led nowhere, which was told of when references were resolved."""
    definition = tables.objects.get(item.record.object)
    if definition is None:
        return False
    dangling = (
        isinstance(value, str)
        and value.startswith("@")
        and name not in item.links
        and definition.fields[name].is_reference
        for name, value in item.record.values.items()
        if name in definition.fields
    )
    return any(dangling) or bool(item.record.parent and not item.links)


def _insert(
    org: Org,
    linked: Sequence[LinkedRecord],
    place: int,
    tables: Tables,
    ids: Mapping[int, str],
    coming: set[int],
    late: list[tuple[int, str]],
    tally: Tally,
) -> str | None:
    """Inserts one record and returns its Id; None where it was refused. `late` takes lookups to fill in afterwards."""
    item = linked[place]
    record = item.record
    try:
        faults = tables.of(record.object).faults(_named(record))
        if faults:
            tally.refuse_fields(record, faults)
            return None
        values = _values(tables, item)
        blank = [(place, name) for name, target in item.links.items() if target in coming and target not in ids]
        for name, target in item.links.items():
            if target in ids:
                values[name] = ids[target]
            elif target not in coming:
                raise RecordError(f"{name}: {linked[target].record.reference} was refused")
        with savepoint(org):
            row_id = insert_row(org, record.object, values, tables.objects[record.object].fields)
    except refusals(RecordError) as error:
        tally.refuse(record, error)
        return None
    late.extend(blank)
    tally.add(record.object)
    return row_id


def _named(record: TreeRecord) -> Iterator[str]:
    """The columns that a record names."""
    for name, raw in record.values.items():
        # A record type by name comes as an object of its own in files that tools export.
        nested = name == "RecordType" and isinstance(raw, Mapping)
        yield "RecordType.DeveloperName" if nested else name


def _values(tables: Tables, item: LinkedRecord) -> dict[str, Any]:
    """Column -> stored value of all that the record says itself. Raises RecordError."""
    record = item.record
    columns = tables.of(record.object)
    values: dict[str, Any] = {}
    for named, (name, raw) in zip(_named(record), record.values.items(), strict=True):
        if name in item.links:
            continue
        column = columns.column(named)
        value = columns.converter(column)(raw)
        if value is not None:
            values[column] = value
    return values


def _fill_in(
    org: Org, linked: Sequence[LinkedRecord], place: int, name: str, ids: Mapping[int, str], tally: Tally
) -> None:
    record, target = linked[place].record, linked[place].links[name]
    if target not in ids:
        tally.note(
            record.file, f"{record.reference}: {name} stays blank: {linked[target].record.reference} was refused"
        )
        return
    try:
        with savepoint(org):
            update_row(org, record.object, ids[place], {name: ids[target]})
    except refusals() as error:
        tally.note(record.file, f"{record.reference}: {name} stays blank: {error}")
