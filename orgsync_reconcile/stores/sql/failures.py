"""Users and components that failed, with the content that did: nobody tries them again until they are saved (USR-4, MET-8)."""

from __future__ import annotations

from orgsync_reconcile.stores.sql.org import Org


def failed_before(org: Org, connection: int, kind: str, name: str) -> tuple[str, str] | None:
    """(hash that failed, error) of a user or component; None where it has not failed."""
    row = org.db.execute(
        "SELECT hash, error FROM main.orgsync_failed WHERE connection = ? AND kind = ? AND name = ?",
        [connection, kind, name],
    ).fetchone()
    return (str(row[0]), str(row[1])) if row else None


def set_failed(org: Org, connection: int, kind: str, name: str, fingerprint: str, error: str) -> None:
    """Remembers the content that failed, so that it is not tried again until it is saved (USR-4, MET-8)."""
    org.db.execute(
        "INSERT INTO main.orgsync_failed (connection, kind, name, hash, error) VALUES (?1, ?2, ?3, ?4, ?5)"
        " ON CONFLICT (connection, kind, name) DO UPDATE SET hash = ?4, error = ?5",
        [connection, kind, name, fingerprint, error],
    )


def clear_failed(org: Org, connection: int, kind: str, name: str) -> None:
    """Forgets a failure."""
    org.db.execute(
        "DELETE FROM main.orgsync_failed WHERE connection = ? AND kind = ? AND name = ?", [connection, kind, name]
    )


def clear_failed_parts(org: Org, connection: int, object_name: str) -> None:
    """Forgets the failures of an object's fields, record types and layouts: they may have failed for want of it."""
    layout = f"Layout:{object_name}-"
    org.db.execute(
        "DELETE FROM main.orgsync_failed WHERE connection = ? AND kind = 'component'"
        f" AND ({org.db.dialect.find('name', '?')} > 0 OR substr(name, 1, {len(layout)}) = ?)",
        [connection, f":{object_name}.", layout],
    )
