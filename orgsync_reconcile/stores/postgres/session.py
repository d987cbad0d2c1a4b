"""A session with a PostgreSQL server: what it is given, how long one waits for it, and how soon a lost one is noticed."""

from __future__ import annotations

import os
import time
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from orgsync_reconcile.errors import StoreError, UsageError
from orgsync_reconcile.stores.address import Address
from orgsync_reconcile.stores.postgres.database import PostgresDatabase
from orgsync_reconcile.stores.postgres.refusals import explain, is_starting, refused_session
from orgsync_reconcile.stores.postgres.silence import WatchedConnection

#: How long to wait for a server that does not answer, in seconds.
_CONNECT_SECONDS = 10
#: How long to wait for a server that is starting, in seconds, and how often it is asked meanwhile.
_START_SECONDS, _START_PAUSE = 10.0, 0.2
#: Batches of many rows stay in memory; a look at a temporary table need not be thorough.
_MEASURES = "-c work_mem=64MB -c default_statistics_target=10"
#: What ends a session some ten seconds after the other machine went silent: on this side, and on the server's, where it
#: holds locks.
_ALIVE = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 11_000}
_ALIVE_THERE = "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3"
#: Ours rest within a transaction while the other org is written, and between two rounds: neither is forgotten.
_NOT_FORGOTTEN = "-c idle_in_transaction_session_timeout=0 -c idle_session_timeout=0"
#: The oldest server that has all that we use (CREATE OR REPLACE TRIGGER).
OLDEST_SERVER = 140000


def connect(address: Address, label: str, *, busy_seconds: float) -> PostgresDatabase:
    """A session with the server; one that is starting is waited for.

    Raises UnreachableError where there is none, StoreBusyError where it has no room for one more at the moment,
    StoreError where it is too old, UsageError where the address is none.
    """
    settings = _settings(address.dsn, busy_seconds)
    connection = _connection(address, label, settings)
    if connection.info.server_version < OLDEST_SERVER:
        connection.close()
        raise StoreError(
            f"the server is PostgreSQL {connection.info.server_version // 10000}; orgsync needs 14 or newer",
            where=label,
            hint="upgrade the server",
        )
    try:
        found = PostgresDatabase(connection, address.schema)
    except psycopg.Error as error:
        connection.close()
        raise explain(error, label) from error
    connection.watch(address.dsn, settings, found.identity)
    return found


def _connection(address: Address, label: str, settings: dict[str, Any]) -> WatchedConnection:
    end = time.monotonic() + _START_SECONDS
    while True:
        try:
            return WatchedConnection.connect(address.dsn, autocommit=True, **settings)
        except psycopg.ProgrammingError as error:
            raise UsageError(
                f"{label}: not a server's address: {address.without_secret(_first_line(error))}",
                hint="write postgresql://host/database?schema=NAME",
            ) from None
        except psycopg.OperationalError as error:
            if not is_starting(error) or time.monotonic() >= end:
                raise refused_session(address.without_secret(_first_line(error)), label) from None
            time.sleep(_START_PAUSE)


def _settings(dsn: str, busy_seconds: float) -> dict[str, Any]:
    """What a session is to have that the address, a service file or the environment do not say otherwise."""
    try:
        given = conninfo_to_dict(dsn)
    except psycopg.ProgrammingError:
        # Whoever connects is told.
        return {}
    said = str(given.get("options") or os.environ.get("PGOPTIONS", ""))
    ours = f"-c lock_timeout={int(busy_seconds * 1000)} {_MEASURES} {_ALIVE_THERE} {_NOT_FORGOTTEN}"
    settings: dict[str, Any] = {"options": f"{ours} {said}".rstrip()}
    settings |= {name: value for name, value in _ALIVE.items() if name not in given}
    if "connect_timeout" not in given and "PGCONNECT_TIMEOUT" not in os.environ:
        settings["connect_timeout"] = _CONNECT_SECONDS
    if "application_name" not in given and "PGAPPNAME" not in os.environ:
        settings["application_name"] = "orgsync"
    return settings


def _first_line(error: psycopg.Error) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
