"""Rows into a PostgreSQL session by COPY: from another one as it sends them, from any other store row by row."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

import psycopg
from psycopg import errors, generators, pq
from psycopg.waiting import Ready, Wait

from orgsync_reconcile.stores.postgres.database import PostgresDatabase
from orgsync_reconcile.stores.postgres.statement import translate
from orgsync_reconcile.stores.sql.text import commas

#: Where rows wait until those that are there already are left out.
_LANDING = "pg_temp.orgsync_landing"
#: Bytes that are passed on at once.
_BLOCK = 128 * 1024


def copy_between(
    source: PostgresDatabase,
    sql: str,
    parameters: Sequence[object],
    target: PostgresDatabase,
    table: str,
    columns: Mapping[str, str],
    *,
    empty: bool,
) -> int:
    """Copies what a query finds in one session into a table of another, in the server's own form; returns how many rows.

    `columns` are quoted names with their types. Rows that are there already stay as they are, unless the table is
    `empty`. Nothing passes through Python but blocks of bytes.
    """
    query = translate(sql)
    parts = [f"c{place}" for place in range(len(columns))]
    # Both sides must agree on the types: values are not read on their way.
    casts = commas(f"q.{part}::{kind}" for part, kind in zip(parts, columns.values(), strict=True))
    out = f"COPY (SELECT {casts} FROM ({query.text}) AS q ({commas(parts)})) TO STDOUT (FORMAT BINARY)"
    bound = psycopg.ClientCursor(source.connection).mogrify(out, query.values(parameters))
    straight = translate(table).text
    if empty:
        return _pipe(source, bound, target, straight, columns)
    count = _pipe_new(source, bound, target, straight, columns)
    if count is None:
        count = _pipe(source, bound, target, _landing(target, table, columns), columns)
        _take(target, table, dict.fromkeys(columns, "?"))
    return count


def _pipe_new(
    source: PostgresDatabase, bound: str, target: PostgresDatabase, table: str, columns: Iterable[str]
) -> int | None:
    """Copies rows straight into the table and returns how many; None, and nothing has happened, where any is there already."""
    part = "orgsync_straight" if target.in_transaction else ""
    if part:
        target.run(f"SAVEPOINT {part}")
    try:
        count = _pipe(source, bound, target, table, columns)
    except errors.UniqueViolation:
        if part:
            target.run(f"ROLLBACK TO {part}")
        return None
    if part:
        target.run(f"RELEASE {part}")
    return count


def _pipe(source: PostgresDatabase, bound: str, target: PostgresDatabase, table: str, columns: Iterable[str]) -> int:
    into = f"COPY {table} ({commas(columns)}) FROM STDIN (FORMAT BINARY)"
    with target.connection.cursor() as writer, writer.copy(into) as sink:
        # The server sends a row at a time; many of them together cost one call.
        gathered, size, blocks = [], 0, 0
        for block in _rows_out(source, bound):
            blocks += 1
            gathered.append(block)
            size += len(block)
            if size >= _BLOCK:
                sink.write(b"".join(gathered))
                gathered, size = [], 0
        sink.write(b"".join(gathered))
    # The last block says that the data ends.
    return blocks - 1


def _rows_out(source: PostgresDatabase, statement: str) -> Iterator[bytes]:
    """The rows that COPY … TO STDOUT sends, straight from libpq: its rows are many and small."""
    session = source.connection.pgconn
    encoding = source.connection.info.encoding
    session.send_query(statement.encode(encoding))
    result = source.connection.wait(generators.execute(session))[-1]
    if result.status != pq.ExecStatus.COPY_OUT:
        raise errors.error_from_result(result, encoding=encoding)
    ended = False
    try:
        while True:
            length, row = session.get_copy_data(1)
            if length < 0:
                ended = True
                break
            if length:
                yield bytes(row)
            else:
                source.connection.wait(_more(session))
    finally:
        if not ended:
            # Whoever takes the rows has failed: the rest is not wanted. Where the session is lost too, that one tells.
            with suppress(psycopg.Error):
                _drop_rows(source)
    last = source.connection.wait(generators.fetch_many(session))[-1]
    if last.status == pq.ExecStatus.FATAL_ERROR:
        raise errors.error_from_result(last, encoding=encoding)


def _drop_rows(source: PostgresDatabase) -> None:
    """Ends a COPY … TO STDOUT before its end."""
    session = source.connection.pgconn
    source.connection.cancel_safe()
    while (length := session.get_copy_data(1)[0]) >= 0:
        if not length:
            source.connection.wait(_more(session))
    source.connection.wait(generators.fetch_many(session))


def _more(session: pq.abc.PGconn) -> Generator[Wait, Ready | int, None]:
    """Waits for what comes next."""
    while not (yield Wait.R):
        pass
    session.consume_input()


def copy_rows_in(
    rows: Iterable[Sequence[object]], target: PostgresDatabase, table: str, columns: Mapping[str, str], *, empty: bool
) -> int:
    """Copies rows of values into a table; returns how many.

    Those that are there already stay as they are, unless it is `empty`. `columns` are quoted names, each with the mark that stands for a value of it: `?`, or what makes one of it.
    """
    straight = empty and all(mark == "?" for mark in columns.values())
    landing = None if straight else _landing(target, table, columns)
    into = f"COPY {landing or translate(table).text} ({commas(columns)}) FROM STDIN"
    with target.connection.cursor() as writer, writer.copy(into) as sink:
        count = 0
        for row in rows:
            sink.write_row(row)
            count += 1
    if landing is not None:
        _take(target, table, columns)
    return count


def _landing(target: PostgresDatabase, table: str, columns: Iterable[str]) -> str:
    """Makes a table like `table` without its rules."""
    target.run(f"DROP TABLE IF EXISTS {_LANDING}")
    target.execute(f"CREATE TEMP TABLE orgsync_landing AS SELECT {commas(columns)} FROM {table} LIMIT 0")
    return _LANDING


def _take(target: PostgresDatabase, table: str, columns: Mapping[str, str]) -> None:
    values = commas(mark.replace("?", f"landed.{name}") for name, mark in columns.items())
    target.execute(
        f"INSERT INTO {table} ({commas(columns)}) SELECT {values} FROM {_LANDING} AS landed ON CONFLICT DO NOTHING"
    )
    target.run(f"DROP TABLE {_LANDING}")
