"""Joining an org that was restored from a backup to its partner again: positions, counters and links.

Two transactions, the partner's first. Until the second has committed the restored org's log ends before the partner's
watermark, so a run that was killed in between is known and made again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.sql.flow.continuity import SEEN, seen_change
from orgsync_reconcile.stores.sql.flow.flow import Flow
from orgsync_reconcile.stores.sql.flow.pair import Pair
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.text import commas, quote


@dataclass(frozen=True, kw_only=True)
class Rejoined:
    """What joining again did: links that the restored org got back, links that ended, changes that are sent again.

    `kept` are records of the other org that the restored one has lost and that do not flow to it.
    """

    linked: int
    ended: int
    sent_again: int
    kept: int


@dataclass(frozen=True, kw_only=True)
class _Link:
    """A link of the partner, as the restored org should have it."""

    object: str
    local: str
    partner: str
    status: int
    made_here: int
    since: int


def rejoin(pair: Pair, side: Side, now_ms: int) -> Rejoined:
    """Joins the restored org of `side` to its partner. The caller holds the lease, and finishes both flows after it.

    Where the restored org has given a linked Id to another record since, the link ends. Where a row is gone and its object flows to the restored org, the link stays for verify to find.
    """
    restored, partner = pair.orgs[side], pair.orgs[side.other]
    flow = Flow(pair, side.other)
    links = _links(pair, side)
    watermark, seen = _watermark(pair, side)
    missing, reused = _faults(pair, side, links, seen)
    lost = [link for link in links if link.local in missing and link.object not in flow.paths]
    again = [link for link in links if link.local in reused]
    ended = {link.partner for link in (*lost, *again)}
    with partner.transaction() as db:
        number = pair.numbers[side.other]
        db.executemany(
            "DELETE FROM main.orgsync_link WHERE local = ? AND connection = ?", [(item, number) for item in ended]
        )
        _insert_anew(partner, [link for link in again if link.object in flow.paths], now_ms)
        position = max(watermark, restored.db.last_number("orgsync_change")) + 1
        db.execute("UPDATE main.orgsync_inbox SET seq = ? WHERE connection = ?", [position, number])
        db.execute("DELETE FROM main.orgsync_setting WHERE name = ?", [SEEN.format(number)])
    with restored.transaction():
        repeated = _unsent(pair, side, watermark, seen)
        _drop_links(pair, side)
        _raise_counters(pair, side, links, position)
        linked = _give_links(pair, side, [link for link in links if link.partner not in ended])
        _log_again(restored, repeated)
        _move_inbox(pair, side)
    return Rejoined(linked=linked, ended=len(ended), sent_again=len(repeated), kept=len(lost))


def _links(pair: Pair, side: Side) -> list[_Link]:
    """The partner's links that count, seen from the restored org."""
    rows = pair.orgs[side.other].db.execute(
        "SELECT o.name, l.partner, l.local, l.status, 1 - l.made_here, l.since FROM main.orgsync_link AS l"
        " JOIN main.orgsync_object AS o ON o.number = l.object WHERE l.connection = ? AND l.status IN (1, 4)",
        [pair.numbers[side.other]],
    )
    return [
        _Link(object=row[0], local=row[1], partner=row[2], status=row[3], made_here=row[4], since=row[5])
        for row in rows
    ]


def _faults(pair: Pair, side: Side, links: Sequence[_Link], seen: int) -> tuple[set[str], set[str]]:
    """The linked Ids of the restored org without a row, and those that it has given to another record since.

    A link that the backup knows is no other record's. Of the others those are, which were inserted later than anything
    that the partner has seen, and later than the link.
    """
    org, number = pair.orgs[side], pair.numbers[side]
    known = set(org.db.execute("SELECT local, partner FROM main.orgsync_link WHERE connection = ?", [number]))
    new = {
        row[0]
        for row in org.db.execute(
            "SELECT record FROM main.orgsync_change WHERE op = 'I' AND at > ?1"
            " AND seq > (SELECT seq FROM main.orgsync_outbox WHERE connection = ?2)",
            [seen, number],
        )
    }
    missing: set[str] = set()
    reused: set[str] = set()
    for name in sorted({link.object for link in links}):
        mine = [link for link in links if link.object == name]
        rows = dict(
            org.db.execute(
                'SELECT "Id", (julianday("CreatedDate") - 2440587.5) * 86400000'
                f' FROM main.{quote(name)} WHERE "Id" IN (SELECT value FROM json_each(?))',
                [json.dumps([link.local for link in mine])],
            )
        )
        for link in mine:
            if link.local not in rows:
                missing.add(link.local)
            elif link.local in new and (link.local, link.partner) not in known and rows[link.local] > link.since + 1:
                reused.add(link.local)
    return missing, reused


def _watermark(pair: Pair, side: Side) -> tuple[int, int]:
    """How far the partner has the restored org's log, and the time of the change there (-1: unknown)."""
    db, number = pair.orgs[side.other].db, pair.numbers[side.other]
    (position,) = db.execute("SELECT seq FROM main.orgsync_inbox WHERE connection = ?", [number]).fetchone()
    seen = seen_change(db, number)
    return int(position), int(seen[1].rpartition(" ")[2]) if seen else -1


def _insert_anew(org: Org, links: Sequence[_Link], now_ms: int) -> None:
    """Queues the partner's records whose Id in the restored org was given to another one: they are sent as new."""
    org.db.executemany(
        "INSERT INTO main.orgsync_change (object, record, op, at) SELECT number, ?, 'I', ? FROM main.orgsync_object"
        " WHERE name = ?",
        [(link.partner, now_ms, link.object) for link in links],
    )


def _unsent(pair: Pair, side: Side, watermark: int, seen: int) -> list[tuple[object, ...]]:
    """The restored org's log less what the partner is known to have had before: (object, record, op, at, masks…)."""
    db, number = pair.orgs[side].db, pair.numbers[side]
    return db.execute(
        f"SELECT object, record, op, at, {_masks(pair.orgs[side])} FROM main.orgsync_change"
        " WHERE seq > (SELECT seq FROM main.orgsync_outbox WHERE connection = ?1) AND (origin IS NULL OR origin <> ?1)"
        " AND NOT (seq <= ?2 AND at <= ?3 AND record IN"
        " (SELECT partner FROM partner.orgsync_link WHERE connection = ?4)) ORDER BY seq",
        [number, watermark, seen, pair.numbers[side.other]],
    ).fetchall()


def _masks(org: Org) -> str:
    return commas(f"m{word}" for word in range(org.engine.mask_width()))


def _drop_links(pair: Pair, side: Side) -> None:
    """Links that the partner ended after the backup end here too; those that it never saw stay for the mirror."""
    pair.orgs[side].db.execute(
        "DELETE FROM main.orgsync_link WHERE connection = ?1 AND status IN (1, 4) AND (made_here = 0 OR number <="
        " (SELECT link FROM partner.orgsync_outbox WHERE connection = ?2)) AND local NOT IN"
        " (SELECT partner FROM partner.orgsync_link WHERE connection = ?2)",
        [pair.numbers[side], pair.numbers[side.other]],
    )


def _raise_counters(pair: Pair, side: Side, links: Sequence[_Link], position: int) -> None:
    """No log position, link number or record Id that the partner knows is given a second time."""
    org, partner = pair.orgs[side], pair.orgs[side.other]
    (link,) = partner.db.execute(
        "SELECT link FROM main.orgsync_outbox WHERE connection = ?", [pair.numbers[side.other]]
    ).fetchone()
    (event,) = partner.db.execute(
        "SELECT max(event_state, event_map) FROM main.orgsync_inbox WHERE connection = ?",
        [pair.numbers[side.other]],
    ).fetchone()
    highest = {"orgsync_change": position, "orgsync_link": int(link), "orgsync_event": int(event)}
    for item in links:
        if item.local[3:6] == org.code:
            highest[item.object] = max(highest.get(item.object, 0), int(item.local[6:15], 16))
    for table, number in highest.items():
        present = org.db.last_number(table)
        if number > present:
            org.db.set_last_number(table, number)


def _give_links(pair: Pair, side: Side, links: Sequence[_Link]) -> int:
    """Gives the restored org the links that it lacks; returns how many."""
    return (
        pair.orgs[side]
        .db.executemany(
            "INSERT OR IGNORE INTO main.orgsync_link (connection, object, local, partner, status, made_here, since)"
            " SELECT ?, number, ?, ?, ?, ?, ? FROM main.orgsync_object WHERE name = ?",
            [
                (pair.numbers[side], item.local, item.partner, item.status, item.made_here, item.since, item.object)
                for item in links
            ],
        )
        .rowcount
    )


def _log_again(org: Org, changes: Sequence[tuple[object, ...]]) -> None:
    """Changes under positions that the partner counts as had get new positions, in their order."""
    if changes:
        org.db.executemany(
            f"INSERT INTO main.orgsync_change (object, record, op, at, {_masks(org)})"
            f" VALUES ({commas('?' for _ in changes[0])})",
            changes,
        )


def _move_inbox(pair: Pair, side: Side) -> None:
    """What the partner sent before is not sent again: verify compares instead."""
    pair.orgs[side].db.execute(
        "UPDATE main.orgsync_inbox SET seq = max(orgsync_inbox.seq, o.seq), batch = max(orgsync_inbox.batch, o.batch),"
        " event_state = max(orgsync_inbox.event_state, o.event_state), event_map = max(orgsync_inbox.event_map, o.event_map)"
        " FROM partner.orgsync_outbox AS o WHERE o.connection = ? AND orgsync_inbox.connection = ?",
        [pair.numbers[side.other], pair.numbers[side]],
    )
