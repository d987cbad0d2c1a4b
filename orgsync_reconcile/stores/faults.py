"""What the drivers of the stores raise, told apart without loading a driver that nobody uses."""

from __future__ import annotations

import sqlite3
import sys

from orgsync_reconcile.errors import OrgsyncError


def _with_postgres() -> bool:
    """Whether an org on PostgreSQL was opened, so that its errors can occur."""
    return "orgsync_reconcile.stores.postgres.refusals" in sys.modules


def faults(*others: type[Exception]) -> tuple[type[Exception], ...]:
    """Everything that a store's driver raises, and `others`, for an `except` clause."""
    if _with_postgres():
        from orgsync_reconcile.stores.postgres import refusals as postgres

        others += postgres.FAULTS
    return (*others, sqlite3.Error)


def refusals(*others: type[Exception]) -> tuple[type[Exception], ...]:
    """What a driver raises where the database refuses a record, and `others`, for an `except` clause."""
    if _with_postgres():
        from orgsync_reconcile.stores.postgres import refusals as postgres

        others += postgres.REFUSED
    return (*others, sqlite3.IntegrityError)


def refusal(error: Exception) -> tuple[str, str, str]:
    """(platform error code, field, description) of a record that the database refused (LOG-1)."""
    if isinstance(error, sqlite3.Error):
        from orgsync_reconcile.stores.sqlite import refusals as sqlite

        return sqlite.refusal(error)
    from orgsync_reconcile.stores.postgres import refusals as postgres

    assert isinstance(error, postgres.FAULTS)
    return postgres.refusal(error)


def explain(error: Exception, where: str) -> OrgsyncError:
    """The error tree's word for a driver's error in the store named `where`."""
    if isinstance(error, sqlite3.Error):
        from orgsync_reconcile.stores.sqlite import refusals as sqlite

        return sqlite.explain(error, where)
    from orgsync_reconcile.stores.postgres import refusals as postgres

    assert isinstance(error, postgres.FAULTS)
    return postgres.explain(error, where)
