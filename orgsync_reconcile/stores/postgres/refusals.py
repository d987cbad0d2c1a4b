"""The one place where PostgreSQL's errors become ours."""

from __future__ import annotations

import psycopg
from psycopg import errors

from orgsync_reconcile.errors import (
    DisturbedError,
    MetadataError,
    OrgsyncError,
    RecordError,
    StoreBusyError,
    StoreError,
    StoreFullError,
    UnreachableError,
)
from orgsync_reconcile.stores.postgres.culprit import named_field

#: Everything that the driver raises.
FAULTS: tuple[type[Exception], ...] = (psycopg.Error,)
#: What refuses a single record; everything else concerns the store.
REFUSED: tuple[type[Exception], ...] = (psycopg.IntegrityError, psycopg.DataError, errors.RaiseException)
#: Worth another try at once: nobody is at fault.
AGAIN = (errors.SerializationFailure, errors.DeadlockDetected)
#: Something else uses what is to be altered.
_HELD = (errors.DependentObjectsStillExist, errors.FeatureNotSupported, errors.ObjectInUse)
_FULL = (errors.InsufficientResources, errors.DiskFull, errors.ConfigurationLimitExceeded, errors.OutOfMemory)
#: The server has ended the session.
_ENDED = (errors.IdleInTransactionSessionTimeout,)
#: A server that is not ready yet: after its start, or after one of its processes has ended badly.
_STARTING = ("the database system is starting up", "not yet accepting connections", "is in recovery mode")
_NO_ROOM = ("too many clients", "too many connections", "remaining connection slots")
_WORDS = {
    "REQUIRED_FIELD_MISSING": "required field {field} is blank",
    "STRING_TOO_LONG": "the value of {field} is longer than the field",
    "NUMBER_OUTSIDE_VALID_RANGE": "the number in {field} has more digits than the field",
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": "the value of {field} is not in its picklist",
    "INVALID_TYPE_ON_FIELD_IN_RECORD": "the value of {field} is not of the field's type",
    "MALFORMED_ID": "the value of {field} is not a record Id",
    "INVALID_FIELD_FOR_INSERT_UPDATE": "{field} cannot be changed",
}


def refusal(error: Exception) -> tuple[str, str, str]:
    """(platform error code, field, description) of a record that the database refused (LOG-1)."""
    assert isinstance(error, psycopg.Error)
    name = error.diag.constraint_name or ""
    message = error.diag.message_primary or str(error)
    if isinstance(error, errors.UniqueViolation):
        field = (error.diag.message_detail or "").partition("(")[2].partition(")")[0]
        field = field.removeprefix("lower(").strip('"')
        return "DUPLICATE_VALUE", field, f"another record already has this value of {field}"
    if isinstance(error, errors.NotNullViolation):
        field = error.diag.column_name or ""
        return "REQUIRED_FIELD_MISSING", field, f"required field {field} is blank"
    if isinstance(error, psycopg.DataError):
        field, out = named_field(error), isinstance(error, errors.NumericValueOutOfRange)
        code = "NUMBER_OUTSIDE_VALID_RANGE" if out else "INVALID_TYPE_ON_FIELD_IN_RECORD"
        return code, field, _WORDS[code].format(field=field) if field else message
    code, colon, field = name.partition(":")
    if colon and code.replace("_", "").isupper():
        # A long field leaves room for the beginning of its code only.
        code = next((whole for whole in _WORDS if whole.startswith(code)), code)
        return code, field, _WORDS.get(code, message).format(field=field)
    if isinstance(error, errors.RaiseException):
        return "FIELD_CUSTOM_VALIDATION_EXCEPTION", "", message
    return "FIELD_INTEGRITY_EXCEPTION", "", message


def explain(error: Exception, where: str) -> OrgsyncError:
    """The error tree's word for a PostgreSQL error in the store named `where`."""
    assert isinstance(error, psycopg.Error)
    message = (error.diag.message_primary or str(error).strip()).partition("\n")[0]
    if isinstance(error, REFUSED):
        code, field, text = refusal(error)
        return RecordError(f"{code}: {text}" + (f" ({field})" if field else ""), code=code, where=where)
    if isinstance(error, errors.FeatureNotSupported) and "cached plan" in message:
        return StoreBusyError("another session has altered a table meanwhile", where=where, hint="run this again")
    if isinstance(error, _HELD):
        detail = " ".join((error.diag.message_detail or "").split())
        return MetadataError(
            f"{message}: {detail}" if detail else message, where=where, hint="change what uses it first"
        )
    if isinstance(error, (errors.LockNotAvailable, *AGAIN)):
        kind = DisturbedError if isinstance(error, AGAIN) else StoreBusyError
        return kind(f"another session is in the way: {message}", where=where, hint="let it finish, and run this again")
    if isinstance(error, errors.QueryCanceled):
        return StoreBusyError(
            f"the server ended a statement: {message}",
            where=where,
            hint="raise statement_timeout for this role, and run this again",
        )
    if isinstance(error, errors.ReadOnlySqlTransaction):
        return takes_no_writes(where)
    if isinstance(error, _FULL):
        return StoreFullError(
            f"the server has no room left, and nothing of the last step was kept: {message}",
            where=where,
            hint="make room, or raise its limit, and run this again",
        )
    if isinstance(error, errors.InsufficientPrivilege):
        return UnreachableError(message, where=where, hint="connect as the role that owns the org's schema")
    if (isinstance(error, errors.UndefinedTable) and '"orgsync_' in message) or isinstance(
        error, errors.InvalidSchemaName
    ):
        return UnreachableError(
            f"the org is gone from its schema: {message}", where=where, hint="restore the schema, or name the right one"
        )
    # The client's library says by an error of no kind that nobody answers.
    silent = type(error) is psycopg.DatabaseError and not error.sqlstate
    if silent or isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError, *_ENDED)):
        return refused_session(message, where)
    return StoreError(message, where=where, hint="run with -vv and report this")


def takes_no_writes(where: str) -> UnreachableError:
    """What is to be said of a server that can only be read."""
    return UnreachableError(
        "the server takes no writes: it is a standby, or the database is read-only",
        where=where,
        hint="name the primary server, or add target_session_attrs=read-write to the address",
    )


def is_starting(error: psycopg.OperationalError) -> bool:
    """Whether the server gave no session because it is about to be ready."""
    return any(words in str(error) for words in _STARTING)


def refused_session(message: str, where: str) -> StoreError:
    """The error of a session that the server did not give, or that was cut."""
    if any(words in message for words in _NO_ROOM):
        return StoreBusyError(
            f"the server takes no more sessions: {message}",
            where=where,
            hint="close some, or raise max_connections, and run this again",
        )
    return UnreachableError(
        f"the server cannot be reached: {message}", where=where, hint="check the server, the address and the role"
    )
