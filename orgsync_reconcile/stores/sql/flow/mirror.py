"""What the source learns of a batch after the target has committed: links, outcomes, its own cursor (QUE-3).

A crash between the two commits is made good by the next call: everything here goes by position.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from orgsync_reconcile.stores.sql.database import Database
from orgsync_reconcile.stores.sql.flow.feeds import LARGE_FILE, TOO_LARGE
from orgsync_reconcile.stores.sql.flow.new_links import copy_new_links
from orgsync_reconcile.stores.sql.flow.staging import Words
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.partner import Partner
from orgsync_reconcile.stores.sql.text import commas

_EVENTS = {"I": "Generic Insert", "U": "Generic Update", "D": "Replication Delete", "R": "Replication Undelete"}


def is_told(db: Database, partner: Partner, here: int, there: int) -> bool:
    """Whether the source knows all that the target (the partner) has to tell: one question to each.

    `here` and `there` are the connection's numbers in source and target. A severed link in either is looked at closely.
    """
    severed = "EXISTS (SELECT 1 FROM {0}.orgsync_link WHERE connection = ? AND status = 4)"
    ours = db.execute(
        f"SELECT seq, batch, link, {severed.format('main')} FROM main.orgsync_outbox WHERE connection = ?", [here, here]
    ).fetchone()
    newest = "(SELECT coalesce(max(number), 0) FROM partner.orgsync_link)"
    theirs = partner.row(
        f"SELECT seq, batch, {newest}, {severed.format('partner')} FROM partner.orgsync_inbox WHERE connection = ?",
        [there, there],
    )
    return not ours[3] and tuple(ours) == tuple(theirs)


def mirror(
    source: Org, partner: Partner, here: int, there: int, words: Words, retry: Sequence[int], now_ms: int
) -> None:
    """Copies new links and outcomes from the target (the partner) to the source and moves its cursor.

    `here` and `there` are the connection's numbers in source and target; `retry` the seconds between tries.
    """
    db = source.db
    ours = db.execute("SELECT seq, batch, link FROM main.orgsync_outbox WHERE connection = ?", [here]).fetchone()
    theirs = partner.row("SELECT seq, batch FROM partner.orgsync_inbox WHERE connection = ?", [there])
    (newest,) = partner.row("SELECT coalesce(max(number), 0) FROM partner.orgsync_link")
    if (ours[0], ours[1]) == tuple(theirs) and newest == ours[2]:
        return
    with source.transaction():
        # Whoever has lost the lease with its session in the primary may be telling the secondary the same.
        taken = db.execute(
            f"SELECT seq, batch, link FROM main.orgsync_outbox WHERE connection = ? {db.dialect.for_update}", [here]
        ).fetchone()
        if taken != ours:
            return
        copy_new_links(db, partner, (here, there), ours[2], newest)
        _copy_outcomes(source, partner, here, there, words, ours[1], theirs[1], retry, now_ms)
        db.execute(
            "UPDATE main.orgsync_outbox SET seq = ?, batch = ?, link = ? WHERE connection = ?",
            [theirs[0], theirs[1], newest, here],
        )
        _trim(db)


def _trim(db: Database) -> None:
    """Forgets the log behind the slowest cursor of a connection that is not inactive; all of it is durable over there."""
    db.execute(
        "DELETE FROM main.orgsync_change WHERE seq <= (SELECT min(o.seq) FROM main.orgsync_outbox AS o"
        " JOIN main.orgsync_connection AS c ON c.number = o.connection"
        ' JOIN main."PartnerNetworkConnection" AS p ON p."Id" = c.id WHERE p."ConnectionStatus" <> \'Inactive\')'
    )


def _copy_outcomes(
    source: Org,
    partner: Partner,
    here: int,
    there: int,
    words: Words,
    after: int,
    upto: int,
    retry: Sequence[int],
    now_ms: int,
) -> None:
    """Held records and log entries from the target's outcomes of the batches (after, upto] (QUE-5, LOG-1)."""
    db = source.db
    kept = ("object", "op", "queued_at", "attempts", "next_retry", "waits_for", "error_code", "error", *words.names)
    rows = partner.query(
        f"SELECT record, object, op, error_code, error, field, waits_for, {words.columns} FROM partner.orgsync_outcome"
        " WHERE connection = ? AND batch > ? AND batch <= ? ORDER BY batch, record",
        [there, after, upto],
    ).fetchall()
    for record, number, op, code, error, field, waits_for, *masks in rows:
        held = db.execute(
            "SELECT attempts, queued_at, next_retry FROM main.orgsync_held WHERE connection = ? AND record = ?",
            [here, record],
        ).fetchone()
        if not code:
            if held is not None:
                db.execute("DELETE FROM main.orgsync_held WHERE connection = ? AND record = ?", [here, record])
                _log(source, here, number, record, op, "Resolved", "", "", "")
            continue
        if code == LARGE_FILE:
            _log(source, here, number, record, op, "Warning", code, error, field)
            continue
        attempts = 1 if held is None or held[2] is None else held[0] + 1
        again = attempts <= len(retry) and code != TOO_LARGE
        next_retry = now_ms + retry[attempts - 1] * 1000 if again else None
        db.execute(
            "INSERT INTO main.orgsync_held (connection, record, object, op, queued_at, attempts, next_retry,"
            f" waits_for, error_code, error, {words.columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, {commas('?' for _ in masks)})"
            f" ON CONFLICT (connection, record) DO UPDATE SET {commas(f'{name} = excluded.{name}' for name in kept)}",
            [
                here,
                record,
                number,
                op,
                held[1] if held else now_ms,
                attempts,
                next_retry,
                waits_for,
                code,
                error,
                *masks,
            ],
        )
        if attempts == 1 and next_retry is not None:
            _log(source, here, number, record, op, "Retrying", code, error, field)
        elif next_retry is None:
            _log(source, here, number, record, op, "Failed", code, error, field)


def _log(
    source: Org, here: int, number: int, record: str, op: str, status: str, code: str, error: str, field: str
) -> None:
    """One entry of the source's sync log."""
    db: Database = source.db
    (name,) = db.execute("SELECT name FROM main.orgsync_object WHERE number = ?", [number]).fetchone()
    row = db.execute(
        "SELECT definition FROM main.orgsync_field WHERE object = ? AND name = ?", [number, field]
    ).fetchone()
    kind = json.loads(row[0])["type"] if row and row[0] else None
    db.execute(
        'INSERT INTO main."PartnerNetworkSyncLog" ("ConnectionId", "EntityType", "LocalRecord", "ConnectionEvent", "Status",'
        ' "Error", "Description", "FieldName", "FieldType") VALUES ((SELECT id FROM main.orgsync_connection WHERE number = ?),'
        " ?, ?, ?, ?, ?, ?, ?, ?)",
        [here, name, record, _EVENTS[op], status, code or None, error or None, field or None, kind],
    )
