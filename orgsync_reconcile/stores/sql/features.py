"""The features that are switched on in an org (ORG-1, CON-1)."""

from __future__ import annotations

from orgsync_reconcile.stores.sql.org import Org


def features(org: Org) -> frozenset[str]:
    """The features that are switched on in this org (ORG-1)."""
    with org.translated():
        return frozenset(row[0] for row in org.db.execute("SELECT name FROM orgsync_feature"))


def enable_feature(org: Org, name: str) -> None:
    """Switches a feature on; on an org that has it, nothing changes (CON-1)."""
    with org.transaction() as db:
        if db.execute("INSERT OR IGNORE INTO orgsync_feature VALUES (?)", [name]).rowcount:
            org.touch_revision()
