"""Comparing two orgs value by value with nothing but SQL and their link tables; shares no code with `verify`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from org_stores import Client
from real_world import World

ORGS = ("acme", "acme-secondary")
REFERENCES = ("lookup", "master_detail")
#: Link states: a synced pair, and a pair that is matched by name and never copied.
ACTIVE, REFERENCE = 1, 3


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What one org says of the connection: published fields by object with their definitions, and links by local Id."""

    fields: Mapping[str, Mapping[str, dict[str, Any]]]
    links: Mapping[str, tuple[str, int]]
    objects: Mapping[str, int]
    #: (record, field) of lookups whose parent has not come yet.
    waiting: frozenset[tuple[str, str]]
    #: Records that the other org refused, with the reason in the queue.
    held: frozenset[str]


@contextmanager
def opened(world: World, org: str) -> Iterator[Client]:
    with closing(world.client(org)) as db:
        yield db


def facts(db: Client) -> Facts:
    """Reads them by plain SQL."""
    (connection,) = db.execute("SELECT number FROM orgsync_connection WHERE name = 'acme-dr'").fetchone()
    fields: dict[str, dict[str, dict[str, Any]]] = {}
    for name, field, definition in db.execute(
        "SELECT p.object, p.field, f.definition FROM orgsync_published_field AS p JOIN orgsync_object AS o"
        " ON o.name = p.object JOIN orgsync_field AS f ON f.object = o.number AND f.name = p.field"
        " WHERE p.connection = ? ORDER BY 1, 2",
        [connection],
    ):
        fields.setdefault(name, {})[field] = json.loads(definition)
    links = {
        local: (partner, status)
        for local, partner, status in db.execute(
            "SELECT local, partner, status FROM orgsync_link WHERE connection = ? AND status IN (?, ?)",
            [connection, ACTIVE, REFERENCE],
        )
    }
    waiting = db.execute("SELECT record, field FROM orgsync_waiting WHERE connection = ?", [connection])
    return Facts(
        fields=fields,
        links=links,
        objects=dict(db.execute("SELECT name, number FROM orgsync_object").fetchall()),
        waiting=frozenset((record, field) for record, field in waiting),
        held=frozenset(
            row[0] for row in db.execute("SELECT record FROM orgsync_held WHERE connection = ?", [connection])
        ),
    )


def rows_of(db: Client, name: str) -> dict[str, dict[str, Any]]:
    """Id -> column -> value."""
    found = db.execute(f'SELECT * FROM "{name}"')
    columns = [item[0] for item in found.description or ()]
    rows = [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
    return {row["Id"]: row for row in rows}


def compare(world: World) -> dict[str, int]:
    """Asserts that both orgs hold the same records with the same values; object -> number of linked live records.

    Left out is what the orgs say of themselves: lookups that wait for their parent, and records that were refused.
    """
    with opened(world, "acme") as first, opened(world, "acme-secondary") as second:
        here, there = facts(first), facts(second)
        assert here.fields, "nothing is published"
        pairs = {local: partner for local, (partner, state) in here.links.items() if state == ACTIVE}
        mirrored = {partner: local for local, (partner, state) in there.links.items() if state == ACTIVE}
        assert pairs == mirrored, "the two orgs do not name the same pairs"
        counts = {}
        for name in here.fields:
            ours, theirs = rows_of(first, name), rows_of(second, name)
            counts[name] = _compare_object(name, ours, theirs, here, there)
            alive = [item for item, row in theirs.items() if not row["IsDeleted"]]
            unsent = [item for item in alive if item not in there.links and item not in there.held]
            assert unsent == [], f"{name}: made there, never sent here"
            stranded = [item for item in alive if item in there.links and there.links[item][0] not in ours]
            assert stranded == [], f"{name}: deleted for good here, alive there"
        return counts


def _compare_object(
    name: str, ours: Mapping[str, Mapping[str, Any]], theirs: Mapping[str, Mapping[str, Any]], here: Facts, there: Facts
) -> int:
    count = 0
    for local, row in ours.items():
        if local in here.held or (row["IsDeleted"] and local not in here.links):
            continue
        assert local in here.links, f"{name} {local} was never sent"
        partner = here.links[local][0]
        if partner in there.held:
            continue
        if partner not in theirs:
            # Deleted for good there: a soft delete here.
            assert row["IsDeleted"], f"{name} {local}: {partner} is gone for good"
            continue
        other = theirs[partner]
        assert row["IsDeleted"] == other["IsDeleted"], (name, local, partner, row["IsDeleted"], other["IsDeleted"])
        if row["IsDeleted"]:
            continue
        count += 1
        for field, definition in here.fields[name].items():
            expected = row[field]
            if (local, field) in here.waiting:
                continue
            if definition["type"] in REFERENCES and expected is not None:
                if (other["Id"], field) in there.waiting:
                    continue
                assert expected in here.links or expected in {p for p, _ in there.links.values()}, (
                    name,
                    field,
                    expected,
                )
                expected = _translated(expected, here, there)
            assert other[field] == expected, (name, local, field, row[field], expected, other[field])
    return count


def _translated(record: str, here: Facts, there: Facts) -> str:
    """The other org's Id. Pairs that are matched by name stand in one org only."""
    if record in here.links:
        return here.links[record][0]
    return next(local for local, (partner, _) in there.links.items() if partner == record)
