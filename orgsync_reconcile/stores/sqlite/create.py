"""Making an org's file (ORG-1)."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from orgsync_reconcile.errors import StoreError
from orgsync_reconcile.stores.sql.create import NewOrg, enter, furnish, system_tables
from orgsync_reconcile.stores.sqlite.handle import SqliteOrg, connect, write_ahead
from orgsync_reconcile.stores.sqlite.refusals import explain


def create_org(path: Path, new: NewOrg) -> SqliteOrg:
    """Makes an org in a new file and opens it. Raises StoreError where the file exists or its folder cannot be written."""
    if path.exists():
        raise StoreError(f"{path} exists already", where=new.name, hint="choose another path, or remove the file first")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"cannot make the folder {path.parent}: {error.strerror}", where=new.name, hint="choose another path"
        ) from None
    partial = path.with_name(f".{path.name}.new")
    partial.unlink(missing_ok=True)
    try:
        db = connect(partial)
        db.execute("PRAGMA synchronous = OFF")
        db.execute("PRAGMA journal_mode = MEMORY")
        db.executescript("BEGIN;" + system_tables() + "COMMIT;")
        enter(db, new)
        org = SqliteOrg(db, partial, new.name)
        with org.transaction():
            furnish(org, new)
        db.close()
        partial.rename(path)
        db = connect(path)
        write_ahead(db)
        return SqliteOrg(db, path, new.name)
    except sqlite3.Error as error:
        raise explain(error, new.name) from error
    finally:
        partial.unlink(missing_ok=True)
