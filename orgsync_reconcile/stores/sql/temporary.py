"""Temporary tables that stay in an org's session: making one costs a server more than all that is done with it."""

from __future__ import annotations

from orgsync_reconcile.stores.sql.org import Org


def keep_table(org: Org, name: str, columns: str) -> None:
    """Makes the table temp.`name` with these columns, unless the session has it; rows of before are left as they are."""
    whole = f"temp.{name}"
    if org.kept.get(whole) != columns:
        org.kept[whole] = columns
        org.db.execute(f"DROP TABLE IF EXISTS {whole}")
        org.db.execute(f"CREATE TEMP TABLE {name} ({columns})")
