"""The one place where SQLite's errors become ours."""

from __future__ import annotations

import sqlite3

from orgsync_reconcile.errors import (
    OrgsyncError,
    RecordError,
    StoreBusyError,
    StoreError,
    StoreFullError,
    UnreachableError,
)
from orgsync_reconcile.stores.sql.org import BUSY_SECONDS


def explain(error: Exception, where: str) -> OrgsyncError:
    """The error tree's word for an SQLite error in the store named `where`."""
    text = str(error)
    if isinstance(error, sqlite3.IntegrityError):
        code, field, message = refusal(error)
        return RecordError(f"{code}: {message}" + (f" ({field})" if field else ""), code=code, where=where)
    if "locked" in text or "busy" in text:
        return StoreBusyError(
            f"another program has held the store for more than {BUSY_SECONDS:.0f} seconds",
            where=where,
            hint="let it finish, or close the program that keeps a transaction open, and run this again",
        )
    if "readonly" in text or "read-only" in text:
        return UnreachableError(
            "the store is read-only", where=where, hint="give this user write access to the file and its folder"
        )
    if "not a database" in text or "disk image is malformed" in text or "malformed database" in text:
        return UnreachableError(
            "the file is not an SQLite database, or it is damaged", where=where, hint="restore it from a backup"
        )
    if "disk is full" in text:
        return StoreFullError(
            "the disk is full; nothing of the last step was kept", where=where, hint="make room and run this again"
        )
    if "unable to open" in text:
        return UnreachableError("the store cannot be opened", where=where, hint="check the path and its permissions")
    if "disk I/O error" in text:
        return UnreachableError(
            "reading or writing the store failed (disk I/O error)", where=where, hint="check the disk and its mount"
        )
    if text.startswith("Could not decode to UTF-8 column"):
        column = text.split("'")[1]
        return StoreError(
            f"{column} holds text that is no UTF-8", where=where, hint="write it anew with the program that made it"
        )
    return StoreError(text, where=where, hint="run with -vv and report this")


def refusal(error: Exception) -> tuple[str, str, str]:
    """(platform error code, field, description) of a record that the database refused (LOG-1)."""
    text = str(error)
    if text.startswith("UNIQUE constraint failed"):
        column = text.rpartition(".")[2].strip("'")
        if "index" in text:
            column = text.rpartition("index '")[2].rstrip("'").rpartition("_")[2]
        return "DUPLICATE_VALUE", column, f"another record already has this value of {column}"
    if text.startswith("NOT NULL constraint failed"):
        column = text.rpartition(".")[2]
        return "REQUIRED_FIELD_MISSING", column, f"required field {column} is blank"
    body = text.removeprefix("CHECK constraint failed: ")
    code, _, rest = body.partition(":")
    if code.isupper() and rest:
        field = rest.partition(":")[0]
        words = {
            "REQUIRED_FIELD_MISSING": f"required field {field} is blank",
            "STRING_TOO_LONG": f"the value of {field} is longer than the field",
            "NUMBER_OUTSIDE_VALID_RANGE": f"the number in {field} has more digits than the field",
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": f"the value of {field} is not in its picklist",
            "INVALID_TYPE_ON_FIELD_IN_RECORD": f"the value of {field} is not of the field's type",
            "MALFORMED_ID": f"the value of {field} is not a record Id",
            "INVALID_FIELD_FOR_INSERT_UPDATE": f"{field} cannot be changed",
        }
        return code, field, words.get(code, rest)
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_CONSTRAINT_TRIGGER:
        return "FIELD_CUSTOM_VALIDATION_EXCEPTION", "", text
    return "FIELD_INTEGRITY_EXCEPTION", "", text
