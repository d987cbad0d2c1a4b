"""The triggers that tables have: ours, with what they were made from, and the org's own."""

from __future__ import annotations

from collections.abc import Iterable

from orgsync_reconcile.stores.postgres.database import PostgresDatabase
from orgsync_reconcile.stores.postgres.trigger import Setting

#: Triggers of an org's schema: `c` is the table, `t` the trigger, `p` its function.
TRIGGERS = (
    "FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid JOIN pg_namespace AS s ON s.oid = c.relnamespace"
    " JOIN pg_proc AS p ON p.oid = t.tgfoid WHERE s.nspname = ? AND NOT t.tgisinternal"
)
OURS = "t.tgname LIKE 'orgsync!_%' ESCAPE '!'"


def made_from(db: PostgresDatabase, setting: Setting, object_name: str) -> dict[str, str]:
    """Trigger -> what it was made from, of our triggers on a table; rules are apart."""
    rows = db.execute(
        f"SELECT t.tgname, coalesce(obj_description(t.oid, 'pg_trigger'), '') {TRIGGERS} AND c.relname = ? AND {OURS}"
        " AND t.tgname NOT LIKE 'orgsync!_rule:%' ESCAPE '!'",
        [setting.schema, object_name],
    )
    return {str(name): str(text) for name, text in rows}


def drop_triggers(db: PostgresDatabase, setting: Setting, object_name: str, names: Iterable[str] | None = None) -> None:
    """Drops our triggers of a table, or those of these names, with their functions."""
    if names is None:
        names = made_from(db, setting, object_name)
    for name in names:
        # With its function goes the trigger that calls it.
        db.run(f"DROP FUNCTION {setting.ours(name)}() CASCADE")
