"""What a connection was set to by the last apply: kept in its primary, to tell what people changed since (REC-6)."""

from __future__ import annotations

import json

from orgsync_reconcile.model.applied import Applied, ConnectionState, state_from
from orgsync_reconcile.stores.sql.org import Org


def read_applied(org: Org, connection: str) -> Applied | None:
    """What is remembered of a connection; None where nothing was applied, or what stands there is no state."""
    with org.translated():
        row = org.db.execute("SELECT state, begun FROM orgsync_applied WHERE connection = ?", [connection]).fetchone()
    if row is None:
        return None
    try:
        state, begun = (None if text is None else _state(text) for text in row)
    except (KeyError, TypeError, ValueError, RecursionError):
        return None
    return Applied(state=state or ConnectionState(), begun=begun)


def _state(text: str) -> ConnectionState:
    document = json.loads(text)
    return state_from(document) if document else ConnectionState()


def begin(org: Org, connection: str, wanted: ConnectionState) -> None:
    """Notes what an apply sets out to do: should it be killed, what it has done is no person's (REC-3)."""
    with org.transaction() as db:
        db.execute(
            "INSERT INTO orgsync_applied (connection, begun) VALUES (?1, ?2)"
            " ON CONFLICT (connection) DO UPDATE SET begun = ?2",
            [connection, _text(wanted)],
        )


def finish(org: Org, connection: str, state: ConnectionState) -> None:
    """Notes what counts as applied now."""
    with org.transaction() as db:
        db.execute(
            "INSERT INTO orgsync_applied (connection, state) VALUES (?1, ?2)"
            " ON CONFLICT (connection) DO UPDATE SET state = ?2, begun = NULL",
            [connection, _text(state)],
        )


def forget(org: Org, connection: str) -> None:
    """Forgets a connection that an apply ended (CON-9)."""
    with org.transaction() as db:
        db.execute("DELETE FROM orgsync_applied WHERE connection = ?", [connection])


def _text(state: ConnectionState) -> str:
    return json.dumps(state.document(), separators=(",", ":"))
