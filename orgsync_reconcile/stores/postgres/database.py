"""A session that takes our SQL and gives values as every store gives them: ISO text, whole numbers, 0 and 1."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import ClassVar

import psycopg
from psycopg import sql as composed
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow
from typing_extensions import override

from orgsync_reconcile.stores.postgres import positions
from orgsync_reconcile.stores.postgres.culprit import keep_field
from orgsync_reconcile.stores.postgres.dialect import DIALECT, ENGINE_HALF, PostgresDialect
from orgsync_reconcile.stores.postgres.names import quote_ours
from orgsync_reconcile.stores.postgres.silence import IDENTITY
from orgsync_reconcile.stores.postgres.statement import Parameters, translate
from orgsync_reconcile.stores.postgres.tables import counter, engine_counter
from orgsync_reconcile.stores.postgres.values import register
from orgsync_reconcile.stores.sql.database import STREAMED, Database
from orgsync_reconcile.stores.sql.sieve import Sieve

Cursor = psycopg.Cursor[TupleRow]

#: Up to so many bytes a table is emptied row by row: giving it new files costs more.
_SMALL = 1 << 17
#: What every session is set to. What its commits say stands is on a disk: the partner's log is trimmed behind them.
#: And what is streamed is read to its end.
_SESSION = f"""SELECT {IDENTITY}, set_config('search_path', {{path}}, false), set_config('timezone', 'UTC', false),
 set_config('datestyle', 'ISO, YMD', false),
 set_config('cursor_tuple_fraction', '1', false),
 CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'local', false) END"""


class PostgresDatabase(Database):
    """One session, in autocommit mode: transactions begin and end by statements, as with every store.

    `schema` is the org's, in which names without one are looked up; temporary tables go before it.
    """

    dialect: ClassVar[PostgresDialect] = DIALECT

    def __init__(self, connection: psycopg.Connection[TupleRow], schema: str) -> None:
        self.connection = connection
        self.schema = schema
        #: How many notifications came in.
        self.heard = 0
        self._streams = itertools.count(1)
        connection.add_notify_handler(self._hear)
        register(connection.adapters)
        found = connection.execute(composed.SQL(_SESSION).format(path=composed.Literal(quote_ours(schema)))).fetchone()
        assert found is not None
        #: Which of the server's sessions this is (silence.IDENTITY).
        self.identity = found[:2]
        # A program that was killed in mid-statement holds nothing for long; not every system can tell.
        with suppress(psycopg.errors.InvalidParameterValue):
            connection.execute("SET client_connection_check_interval = '2s'")

    def _hear(self, _notify: psycopg.Notify) -> None:
        self.heard += 1

    @property
    @override
    def in_transaction(self) -> bool:
        # With a session that was cut its transaction has ended.
        return self.connection.info.transaction_status not in (TransactionStatus.IDLE, TransactionStatus.UNKNOWN)

    @override
    def execute(self, sql: str, parameters: Parameters = (), /) -> Cursor:
        statement = translate(sql)
        values = statement.values(parameters)
        try:
            # Without values the text is sent as it stands; a `%` in it was doubled.
            return self.connection.execute(statement.text, values or ())
        except psycopg.DataError as error:
            keep_field(error, statement.text, values)
            raise

    @override
    def stream(self, sql: str, parameters: Parameters = (), /, *, chunk: int = STREAMED) -> Iterator[TupleRow]:
        statement = translate(sql)
        name = f"orgsync_stream_{next(self._streams)}"
        # Outside of a transaction the server keeps what it found until it was fetched.
        hold = "" if self.in_transaction else " WITH HOLD"
        declared = f"DECLARE {name} NO SCROLL CURSOR{hold} FOR {statement.text}"
        self.connection.execute(declared, statement.values(parameters) or ())
        try:
            while rows := self.connection.execute(f"FETCH {chunk} FROM {name}").fetchall():
                yield from rows
        finally:
            # Otherwise it has ended with its transaction, or with the session.
            alive = TransactionStatus.IDLE if hold else TransactionStatus.INTRANS
            if self.connection.info.transaction_status == alive:
                self.run(f"CLOSE {name}")

    def run(self, statement: str) -> None:
        """Runs a statement that is PostgreSQL's own, without parameters: definitions of tables and the like."""
        self.connection.execute(statement)

    @override
    def executemany(self, sql: str, parameters: Iterable[Parameters], /) -> Cursor:
        statement = translate(sql)
        cursor = self.connection.cursor()
        cursor.executemany(statement.text, [statement.values(row) for row in parameters])
        return cursor

    @override
    def last_number(self, table: str) -> int:
        if table == "orgsync_change":
            return max(self.log_end(), self._given()[0])
        sequence = self._counter(table)
        (last, called) = self._row(f"SELECT last_value, is_called FROM {sequence}")
        return int(last) if called else int(last) - 1

    @override
    def set_last_number(self, table: str, number: int) -> None:
        if table == "orgsync_change":
            self._raise_positions(number)
        else:
            self._row("SELECT setval(?, ?)", [self._counter(table), number])

    @override
    def skip_ids(self, object_name: str, number: int) -> None:
        name = (counter if number < ENGINE_HALF else engine_counter)(object_name)
        sequence = f"{quote_ours(self.schema)}.{quote_ours(name)}"
        (last,) = self._row(f"SELECT last_value FROM {sequence}")
        if number >= int(last):
            self._row("SELECT setval(?, ?)", [sequence, number])

    @override
    def log_end(self) -> int:
        return int(self._row(positions.LOG_END)[0])

    def count_on(self) -> None:
        """Lets positions go on from those that the org has given where its server has not counted as far (QUE-3).

        Outside of a transaction. What was logged here since the org came here is moved behind them.
        """
        if self._lags():
            with self.connection.transaction():
                self.exclude_writers()
                # Somebody else may have done it meanwhile.
                if self._lags():
                    given, counted = self._given()
                    self._raise_positions(given)
                    self.execute(positions.STRAYS, [counted])

    def _lags(self) -> bool:
        given, counted = self._given()
        return given > counted

    def _given(self) -> tuple[int, int]:
        """(the highest position that the org shows to have been given, the last that its server can have given)."""
        given, counted = self._row(positions.COUNTS)
        return int(given), int(counted)

    @override
    def exclude_writers(self) -> None:
        self.run("LOCK TABLE orgsync_change IN SHARE ROW EXCLUSIVE MODE")

    def _raise_positions(self, given: int) -> None:
        """Lets all further positions be beyond one. Inside a transaction, to the end of which nobody else logs."""
        self.exclude_writers()
        (offset,) = self._row(positions.offset_for(given))
        self.run(positions.offset_function(int(offset)))
        self.execute(
            "INSERT INTO main.orgsync_setting (name, value) VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            [positions.SETTING, str(offset)],
        )

    @override
    def moment(self) -> str | None:
        return str(self._row("SELECT pg_current_snapshot()::text")[0])

    @override
    def disturbed(self, moment: str, records: str) -> bool:
        (found,) = self._row(
            f"SELECT EXISTS (SELECT 1 FROM main.orgsync_change AS c WHERE {positions.by_others_since(self.schema)}"
            f" AND c.record IN ({records}))",
            [moment],
        )
        return bool(found)

    @override
    def head(self) -> int:
        row = self.execute(
            f"SELECT seq FROM main.orgsync_change WHERE seq <= ({positions.LOG_END}) ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        return int(row[0]) if row else 0

    @override
    def reserve(self, object_name: str, count: int) -> int:
        # Only the engine draws from this counter; a range must be whole, so two of its sessions do not draw at once.
        sequence = f"{quote_ours(self.schema)}.{quote_ours(engine_counter(object_name))}"
        self._row("SELECT pg_advisory_lock(hashtextextended(?, 0))", [sequence])
        try:
            (last,) = self._row("SELECT setval(?, nextval(?) + ? - 1)", [sequence, sequence, max(count, 1)])
        finally:
            self._row("SELECT pg_advisory_unlock(hashtextextended(?, 0))", [sequence])
        return int(last) - max(count, 1)

    @override
    def mark(self, connection: int, hops: int, *, triggers_too: bool = False) -> None:
        self._set(connection=str(connection), hops=str(hops), depth="0" if triggers_too else "1")
        # What is looked up for each row is one link: for as long as the server has not counted how many there are, it
        # would make a bitmap of that one each time.
        self.run("SET LOCAL enable_bitmapscan = off")

    @override
    def mark_object(self, number: int | None) -> None:
        """Nothing: triggers see by their depth what the engine itself writes."""

    @override
    def unmark(self) -> None:
        self._set(connection="", hops="", depth="")

    def _set(self, **settings: str) -> None:
        """Settings of ours for the rest of the transaction."""
        words = ", ".join("set_config(?, ?, true)" for _ in settings)
        self._row(f"SELECT {words}", [item for name, value in settings.items() for item in (f"orgsync.{name}", value)])

    @override
    def take_rows(
        self,
        source: Database,
        sql: str,
        parameters: Sequence[object],
        table: str,
        columns: Mapping[str, str],
        *,
        kinds: Sequence[str],
        empty: bool,
        chunk: int,
        sieve: Sieve | None = None,
    ) -> int:
        # The ways of rows are built on sessions.
        from orgsync_reconcile.stores.postgres.transport import copy_between, copy_rows_in

        if isinstance(source, PostgresDatabase):
            return copy_between(
                source, sql, parameters, self, table, dict(zip(columns, kinds, strict=True)), empty=empty
            )
        rows = source.execute(sql, parameters)
        return copy_rows_in(rows if sieve is None else sieve(rows), self, table, columns, empty=empty)

    @override
    def any_text(self) -> AbstractContextManager[None]:
        # The server takes no other text.
        return nullcontext()

    @override
    def empty(self, table: str, *, numbered: bool = False) -> None:
        name = translate(table).text
        begin = f", setval('{name}_n_seq', 1, false)" if numbered else ""
        size = int(self._row(f"SELECT pg_total_relation_size('{name}'){begin}")[0])
        self.run(f"TRUNCATE {name}" if size > _SMALL else f"DELETE FROM {name}")

    @override
    def measure(self, table: str) -> None:
        self.run(translate(f"ANALYZE {table}").text)

    @override
    def close(self) -> None:
        self.connection.close()

    def _row(self, sql: str, parameters: Parameters = ()) -> TupleRow:
        found = self.execute(sql, parameters).fetchone()
        assert found is not None
        return found

    def _counter(self, table: str) -> str:
        """The sequence of one of our tables' numbers, or of an object's Ids."""
        if not table.startswith("orgsync_"):
            return f"{quote_ours(self.schema)}.{quote_ours(counter(table))}"
        (name,) = self._row("SELECT pg_get_serial_sequence(?, 'number')", [f"{quote_ours(self.schema)}.{table}"])
        return str(name)
