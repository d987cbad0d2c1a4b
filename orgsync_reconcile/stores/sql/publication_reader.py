"""What an org offers and accepts over a connection, as it stands (PUB-2, PUB-8)."""

from __future__ import annotations

import json

from orgsync_reconcile.model.actual import ActualPublication, ActualSubscription
from orgsync_reconcile.stores.sql.connections import Connection, get_connection
from orgsync_reconcile.stores.sql.org import Org


def _of(known: Connection, only: str | None) -> tuple[str, list[object]]:
    """The condition on rows of a connection, of one object alone where `only` names it, and its values."""
    if only is None:
        return "connection = ?", [known.number]
    return "connection = ? AND object = ?", [known.number, only]


def read_published(org: Org, connection: str, only: str | None = None) -> dict[str, ActualPublication]:
    """Object -> what this org offers of it over the connection; of one object where `only` names it."""
    with org.snapshot() as db:
        condition, values = _of(get_connection(org, connection), only)
        fields: dict[str, set[str]] = {}
        for name, field in db.execute(f"SELECT object, field FROM orgsync_published_field WHERE {condition}", values):
            fields.setdefault(name, set()).add(field)
        rows = db.execute(
            f"SELECT object, match_on, record_types FROM orgsync_published WHERE {condition} ORDER BY object", values
        ).fetchall()
    return {
        name: ActualPublication(
            object=name,
            fields=frozenset(fields.get(name, ())),
            match_on=match_on,
            record_types=frozenset(json.loads(record_types)),
        )
        for name, match_on, record_types in rows
    }


def read_subscribed(org: Org, connection: str, only: str | None = None) -> dict[str, ActualSubscription]:
    """Object -> what this org accepts of it over the connection, and the fields that unsubscribed themselves (PUB-8).

    Of one object where `only` names it.
    """
    with org.snapshot() as db:
        condition, values = _of(get_connection(org, connection), only)
        fields: dict[str, set[str]] = {}
        dropped: dict[str, dict[str, str]] = {}
        for name, field, reason in db.execute(
            f"SELECT object, field, dropped FROM orgsync_subscribed_field WHERE {condition}", values
        ):
            if reason is None:
                fields.setdefault(name, set()).add(field)
            else:
                dropped.setdefault(name, {})[field] = reason
        names = [
            row[0]
            for row in db.execute(f"SELECT object FROM orgsync_subscribed WHERE {condition} ORDER BY object", values)
        ]
    return {
        name: ActualSubscription(object=name, fields=frozenset(fields.get(name, ())), dropped=dropped.get(name, {}))
        for name in names
    }
