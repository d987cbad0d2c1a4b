"""The kinds of store that tests run on. Who adds one writes a class here and gives it a place in STORES."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from itertools import product
from pathlib import Path
from typing import Any, Protocol

import pytest
from postgres_server import Server, name_of

from orgsync_reconcile.stores.address import parse_address
from orgsync_reconcile.stores.postgres.database import PostgresDatabase
from orgsync_reconcile.stores.postgres.session import connect
from orgsync_reconcile.stores.sql.database import Database

#: A session of any other program, which knows nothing of us. Numbers are whole ones, as in files, in every store.
Client = sqlite3.Connection | Database
#: Makes orgs at the addresses of their names.
Maker = Callable[[Callable[[str], str]], None]


class Store(Protocol):
    """Where a test's orgs lie: one folder, or one database."""

    @staticmethod
    def empty(request: pytest.FixtureRequest, folder: Path, /) -> Store:
        """A place without orgs, which may use that folder."""

    def address(self, name: str) -> str:
        """The address of the org of that name, as manifests have it."""

    def copy(self, folder: Path) -> Store:
        """All orgs once more, in a place of their own, which may use that folder. Nobody has these orgs open."""

    def drop(self) -> None:
        """Takes the orgs away, whoever has them open."""

    @staticmethod
    def client(address: str) -> Client:
        """Opens a session of any other program on an org."""

    @staticmethod
    def trigger(name: str, when: str, table: str, body: str, condition: str) -> Sequence[str]:
        """The statements that make a trigger of the org's own for each row; `body` and `condition` are common SQL."""

    @staticmethod
    def refusal(code: str, field: str, message: str) -> str:
        """What a trigger's body says to refuse a record; without a code the message alone."""

    @staticmethod
    def lock(table: str, /) -> str:
        """The statement that begins a transaction which keeps others from writing a table."""

    @staticmethod
    def put_away(address: str) -> Callable[[], None]:
        """Moves an org to where nobody finds it, as from a folder that is no longer mounted. Returns what brings it back."""

    #: A condition: the sync engine is writing.
    syncing: str
    #: A query for the number of changes that the org has ever logged.
    logged: str
    #: A query for the names of a table's triggers.
    triggers: str
    #: What tells how a query finds its rows, in front of it; of two ways the one by an index.
    explain: Sequence[str]


class Files:
    """Orgs in SQLite files."""

    syncing = "(SELECT connection FROM orgsync_guard) IS NOT NULL"
    logged = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'orgsync_change'"
    triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?"
    explain = ("EXPLAIN QUERY PLAN",)

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @staticmethod
    def empty(_request: pytest.FixtureRequest, folder: Path) -> Files:
        return Files(folder)

    def address(self, name: str) -> str:
        return f"sqlite:{self.folder / name}.db"

    def copy(self, folder: Path) -> Files:
        folder.mkdir(exist_ok=True)
        for path in self.folder.glob("*.db"):
            # An org that another one has attached keeps its last commits beside the file.
            if path.with_name(f"{path.name}-wal").exists():
                with closing(sqlite3.connect(path)) as db:
                    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            shutil.copyfile(path, folder / path.name)
        return Files(folder)

    def drop(self) -> None:
        """Nothing: the folder goes with the run."""

    @staticmethod
    def client(address: str) -> sqlite3.Connection:
        db = sqlite3.connect(address.removeprefix("sqlite:"), isolation_level=None, timeout=10)
        db.execute("PRAGMA synchronous = OFF")
        return db

    @staticmethod
    def trigger(name: str, when: str, table: str, body: str, condition: str) -> Sequence[str]:
        return [f'CREATE TRIGGER "{name}" {when} ON "{table}" WHEN {condition} BEGIN {body}; END']

    @staticmethod
    def refusal(code: str, field: str, message: str) -> str:
        said = f"{code}:{field}: {message}" if code else message
        return f"SELECT RAISE(ABORT, '{said}')"

    @staticmethod
    def lock(_table: str) -> str:
        return "BEGIN IMMEDIATE"

    @staticmethod
    def put_away(address: str) -> Callable[[], None]:
        path = Path(address.removeprefix("sqlite:"))
        away = path.parent / "away"
        away.mkdir(exist_ok=True)

        def move(here: Path, there: Path) -> None:
            for file in here.glob(f"{path.name}*"):
                file.rename(there / file.name)

        move(path.parent, away)
        return lambda: move(away, path.parent)


class Schemas:
    """Orgs in schemas of a database on a PostgreSQL server."""

    syncing = "coalesce(current_setting('orgsync.connection', true), '') <> ''"
    triggers = "SELECT tgname FROM pg_trigger WHERE tgrelid = CAST(quote_ident(?) AS regclass) AND NOT tgisinternal"
    explain = ("SET enable_seqscan = off", "EXPLAIN")
    logged = "SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('orgsync_change', 'n')), 0)"

    def __init__(self, server: Server, url: str) -> None:
        self.server = server
        self.url = url

    @staticmethod
    def empty(request: pytest.FixtureRequest, _folder: Path) -> Schemas:
        server: Server = request.getfixturevalue("postgres")
        return Schemas(server, server.database())

    def address(self, name: str) -> str:
        return f"{self.url}?schema={name.replace('-', '_')}"

    def copy(self, folder: Path) -> Schemas:
        return Schemas(self.server, self.server.database(name_of(self.url)))

    def drop(self) -> None:
        self.server.drop(self.url)

    @staticmethod
    def client(address: str) -> PostgresDatabase:
        return connect(parse_address(address), "client", busy_seconds=10)

    @staticmethod
    def trigger(name: str, when: str, table: str, body: str, condition: str) -> Sequence[str]:
        return [
            f'CREATE FUNCTION "{name}"() RETURNS trigger LANGUAGE plpgsql AS'
            # What the trigger writes runs it again, unlike in files.
            f" $$ BEGIN IF pg_trigger_depth() = 1 AND ({condition}) THEN {body}; END IF; RETURN NEW; END $$",
            f'CREATE TRIGGER "{name}" {when} ON "{table}" FOR EACH ROW EXECUTE FUNCTION "{name}"()',
        ]

    @staticmethod
    def refusal(code: str, field: str, message: str) -> str:
        return (
            f"RAISE EXCEPTION '{field}: {message}' USING CONSTRAINT = '{code}:{field}'"
            if code
            else f"RAISE EXCEPTION '{message}'"
        )

    @staticmethod
    def lock(table: str) -> str:
        return f'BEGIN; LOCK TABLE "{table}" IN SHARE ROW EXCLUSIVE MODE'

    @staticmethod
    def put_away(address: str) -> Callable[[], None]:
        place = parse_address(address)

        def rename(here: str, there: str) -> None:
            with closing(connect(place, "client", busy_seconds=10)) as db:
                db.run(f'ALTER SCHEMA "{here}" RENAME TO "{there}"')

        away = f"{place.schema}_away"
        rename(place.schema, away)
        return lambda: rename(away, place.schema)


#: Every kind of store, by the name that tests show.
STORES: Mapping[str, type[Store]] = {"sqlite": Files, "postgres": Schemas}
_BY_SCHEME: Mapping[str, type[Store]] = {"sqlite": Files, "postgresql": Schemas}
#: Every pairing: the stores of the primary and of the secondary.
PAIRINGS = [f"{primary}-{secondary}" for primary, secondary in product(STORES, STORES)]
FILES_ONLY = "sqlite-sqlite"


class Templates:
    """Orgs that are made once a run and copied for each test that asks for them."""

    def __init__(self, request: pytest.FixtureRequest, folders: pytest.TempPathFactory) -> None:
        self._request = request
        self._folders = folders
        self._made: dict[tuple[str, Maker], Sequence[Store]] = {}

    @contextmanager
    def copied(
        self, pairing: str, make: Maker, names: Sequence[str], folder: Path, *, joined: bool = False
    ) -> Iterator[dict[str, str]]:
        """Copies the orgs that `make` makes, for as long as the block; name -> address.

        Every second name lies in the second store of the pairing. `joined`: the orgs know of each other.
        """
        kinds = pairing.split("-")
        if joined:
            templates = self._all_of(pairing, make, names)
        else:
            one = {kind: self._all_of(kind, make, names)[0] for kind in kinds}
            templates = [one[kind] for kind in kinds]
        copies = {id(store): store.copy(folder) for store in templates}
        placed = [copies[id(store)] for store in templates]
        try:
            yield {name: placed[place % len(placed)].address(name) for place, name in enumerate(names)}
        finally:
            for store in copies.values():
                store.drop()

    def _all_of(self, pairing: str, make: Maker, names: Sequence[str]) -> Sequence[Store]:
        """The stores of a pairing, with the orgs made in them."""
        if (pairing, make) not in self._made:
            kinds = pairing.split("-")
            one = {kind: STORES[kind].empty(self._request, self._folders.mktemp("orgs")) for kind in kinds}
            stores = [one[kind] for kind in kinds]
            self._made[pairing, make] = stores
            make(lambda name: stores[list(names).index(name) % len(stores)].address(name))
        return self._made[pairing, make]


def _store_of(db: Client) -> type[Store]:
    return Schemas if isinstance(db, PostgresDatabase) else Files


def client_of(address: str) -> Client:
    """A session of any other program on the org at an address."""
    return _BY_SCHEME[address.partition(":")[0]].client(address)


def own_trigger(db: Client, name: str, when: str, table: str, body: str, condition: str = "1 = 1") -> None:
    """Gives the org a trigger of its own, which runs for each row."""
    _run(db, _store_of(db).trigger(name, when, table, body, condition))


def refuse(
    db: Client,
    table: str,
    message: str = "no",
    *,
    code: str = "FIELD_CUSTOM_VALIDATION_EXCEPTION",
    field: str = "Name",
    when: str = "BEFORE INSERT",
    only: str = "1 = 1",
) -> Callable[[], None]:
    """Gives the org a rule: records of the object for which `only` holds are refused. Returns what takes it away."""
    store = _store_of(db)
    _run(db, store.trigger("rule", when, table, store.refusal(code, field, message), only))
    return lambda: drop_trigger(db, "rule")


def drop_trigger(db: Client, name: str) -> None:
    """Takes a trigger of the org's own away."""
    _run(db, [f'DROP TRIGGER "{name}"' if _store_of(db) is Files else f'DROP FUNCTION "{name}" CASCADE'])


def keep_others_out(db: Client, table: str) -> Callable[[], None]:
    """Keeps everybody else from writing a table. Returns what ends that."""
    _run(db, [_store_of(db).lock(table)])
    return lambda: _run(db, ["ROLLBACK"])


def put_away(address: str) -> Callable[[], None]:
    """Moves the org at an address to where nobody finds it. Returns what brings it back."""
    return _BY_SCHEME[address.partition(":")[0]].put_away(address)


def assert_intact(db: Client) -> None:
    """An org's file is whole; a server sees to that by itself."""
    if isinstance(db, sqlite3.Connection):
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def contents(db: Client) -> Sequence[str]:
    """All that the org holds."""
    if isinstance(db, sqlite3.Connection):
        return list(db.iterdump())
    tables = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1"
    return [
        f"{name}: {text}"
        for (name,) in db.execute(tables).fetchall()
        for (text,) in db.execute(f'SELECT CAST(t AS text) FROM "{name}" AS t ORDER BY 1').fetchall()
    ]


def logged(db: Client) -> int:
    """How many changes the org has ever logged."""
    return int(db.execute(_store_of(db).logged).fetchone()[0])


def triggers_of(db: Client, table: str) -> set[str]:
    """The names of a table's triggers."""
    return {str(row[0]) for row in db.execute(_store_of(db).triggers, [table]).fetchall()}


def way_of(db: Client, query: str) -> str:
    """How the store finds the rows of a query, where few of many are wanted."""
    *settings, explain = _store_of(db).explain
    _run(db, settings)
    return str(db.execute(f"{explain} {query}").fetchall())


def syncing(db: Client) -> str:
    """A trigger's condition: the sync engine is writing."""
    return _store_of(db).syncing


def _run(db: Client, statements: Sequence[str]) -> None:
    for statement in statements:
        if isinstance(db, PostgresDatabase):
            db.run(statement)
        else:
            db.execute(statement)


def insert(db: Client, table: str, **values: object) -> str:
    """Inserts a record as any client would and returns its minted Id."""
    names = ", ".join(f'"{name}"' for name in values)
    given = f"({names}) VALUES ({', '.join(marks(db, table, values))})" if values else "DEFAULT VALUES"
    ((row,),) = db.execute(f'INSERT INTO "{table}" {given} RETURNING orgsync_row', list(values.values())).fetchall()
    return str(db.execute(f'SELECT "Id" FROM "{table}" WHERE orgsync_row = ?', [row]).fetchone()[0])


def update(db: Client, table: str, record: str, values: Mapping[str, object], *, key: str = "Id") -> None:
    """Updates the records whose `key` is `record` as any client would."""
    pairs = zip(values, marks(db, table, values), strict=True)
    sets = ", ".join(f'"{name}" = {mark}' for name, mark in pairs)
    db.execute(f'UPDATE "{table}" SET {sets} WHERE "{key}" = ?', [*values.values(), record])


def write_anew(db: Client, table: str, record: str, **values: object) -> None:
    """Puts another row in the place of a record, as a client does that keeps Ids: every other column is blank."""
    values = {"Id": record, **values}
    names, given = ", ".join(f'"{name}"' for name in values), ", ".join(marks(db, table, values))
    row = f'INTO "{table}" ({names}) VALUES ({given})'
    if isinstance(db, sqlite3.Connection):
        db.execute(f"INSERT OR REPLACE {row}", list(values.values()))
        return
    db.execute("BEGIN")
    for _ in range(2):
        db.execute(f'DELETE FROM "{table}" WHERE "Id" = ?', [record])
    db.execute(f"INSERT {row}", list(values.values()))
    db.execute("COMMIT")


def marks(db: Client, table: str, values: Mapping[str, object]) -> list[str]:
    """What stands for each value in a statement that writes these columns."""
    numbers = any(isinstance(value, int) and not isinstance(value, bool) for value in values.values())
    scales = _scales(db, table) if numbers and isinstance(db, PostgresDatabase) else {}
    return [f"(CAST(? AS numeric) * 1e-{scales[name]})" if scales.get(name) else "?" for name in values]


def _scales(db: PostgresDatabase, table: str) -> dict[str, int]:
    """Column -> digits after the point."""
    rows: list[Any] = db.execute(
        "SELECT attname, (atttypmod - 4) & 65535 FROM pg_attribute"
        " WHERE attrelid = CAST(? AS regclass) AND atttypid = CAST('numeric' AS regtype) AND attnum > 0",
        [f'"{table}"'],
    ).fetchall()
    return dict(rows)
