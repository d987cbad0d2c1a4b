"""Parts of a transaction that stand or fall by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from orgsync_reconcile.stores.sql.org import Org


@contextmanager
def savepoint(org: Org) -> Iterator[None]:
    """Keeps all or nothing of a part of a transaction.

    Whoever catches a store's error and goes on needs one around what failed: some stores take no further statement
    before the transaction has gone back to it.
    """
    org.db.execute("SAVEPOINT orgsync_part")
    before = dict(org.kept)
    try:
        yield
    except BaseException:
        org.db.execute("ROLLBACK TO orgsync_part")
        org.kept = before
        raise
    finally:
        org.db.execute("RELEASE orgsync_part")
