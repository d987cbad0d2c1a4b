"""A partner that cannot be attached: temporary copies of those of its rows that a step needs.

All of them are read in one snapshot of the partner's own session, and stand under the names that they have there.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from typing_extensions import override

from orgsync_reconcile.model.schema import SYSTEM_FIELDS, FieldType
from orgsync_reconcile.stores.sql.database import MANY, Rows
from orgsync_reconcile.stores.sql.dialect import Dialect
from orgsync_reconcile.stores.sql.layout import ROW, system_field
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.partner import Partner
from orgsync_reconcile.stores.sql.schema import Objects
from orgsync_reconcile.stores.sql.sieve import Sieve, Unfit
from orgsync_reconcile.stores.sql.text import commas, quote

if TYPE_CHECKING:
    from orgsync_reconcile.stores.sql.flow.paths import Path

#: The column of a copied record that says whether it may go; the partner knows.
_ALLOWED = "orgsync_allowed"
#: Rows that are in memory at once, and rows with files, of which one alone may be large.
CHUNK = 1000
LARGE_CHUNK = 1
#: Records that are compared at once.
_PART = 20_000
#: By these, records are found that both orgs have by name (LKP-6).
_NAMES = ("Name", "DeveloperName", "SobjectType", "Type")
_NUMBER, _TEXT = "BIGINT", "TEXT"
#: The partner's tables, outside of text and quoted names.
_THEIRS = re.compile(r"""('(?:[^']|'')*'|"(?:[^"]|"")*")|\bpartner\.(?=["A-Za-z])""")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Column:
    """`kind` is its type here, `value` the partner's expression, `mark` what stands for a value in an INSERT."""

    kind: str
    value: str
    mark: str = "?"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Shape:
    """A copied table: its columns by quoted name, what tells its rows apart, and what else they are found by."""

    columns: Mapping[str, _Column]
    key: Sequence[str]
    found_by: Sequence[Sequence[str]] = ()
    chunk: int = CHUNK
    #: Its rows come at once and are read at once: what tells them apart is enforced when that is no longer so.
    loose: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ours:
    """The shape of one of our own tables."""

    numbers: Sequence[str] = ()
    texts: Sequence[str] = ()
    key: Sequence[str]
    found_by: Sequence[Sequence[str]] = ()
    #: Whether it has mask words.
    masks: bool = False


_OURS = {
    "orgsync_cascade": _Ours(texts=("parent", "child"), key=("parent", "child")),
    "orgsync_change": _Ours(
        numbers=("object", "seq", "at", "origin", "hops"), texts=("record", "op"), key=(), masks=True
    ),
    "orgsync_connection": _Ours(numbers=("number",), texts=("partner_org_id",), key=("number",)),
    "orgsync_field": _Ours(numbers=("object", "number"), texts=("name",), key=("object", "number")),
    "orgsync_held": _Ours(
        numbers=("connection", "object", "queued_at", "attempts", "next_retry"),
        texts=("record", "op", "waits_for"),
        key=("connection", "record"),
        found_by=(("record",),),
        masks=True,
    ),
    "orgsync_link": _Ours(
        numbers=("number", "connection", "object", "status", "made_here", "since", "seen"),
        texts=("local", "partner", "root"),
        key=("number",),
        found_by=(("local",), ("partner",)),
    ),
    "orgsync_object": _Ours(numbers=("number",), texts=("name", "key_prefix"), key=("number",)),
    "orgsync_root": _Ours(texts=("record", "root"), key=("record",), found_by=(("root",),)),
    "orgsync_stamp": _Ours(numbers=("field", "stamp"), texts=("record", "org"), key=("record", "field")),
    "orgsync_subscribed": _Ours(numbers=("connection",), texts=("object", "since"), key=("connection", "object")),
    "orgsync_waiting": _Ours(
        numbers=("connection", "object"),
        texts=("record", "field", "parent", "placeholder"),
        key=("connection", "parent", "record", "field"),
        found_by=(("record", "field"),),
    ),
}


@dataclass(slots=True)
class _Brought:
    """What the reading has so far: per table its shape, and what was asked for already."""

    shapes: dict[str, _Shape] = field(default_factory=dict)
    #: Tables that hold rows of this reading.
    filled: set[str] = field(default_factory=set)
    #: Of objects whose records are wanted in part: the columns.
    narrow: dict[str, frozenset[str]] = field(default_factory=dict)
    #: Objects whose records nobody finds by their Ids: the system fields that are read.
    unkeyed: dict[str, frozenset[str]] = field(default_factory=dict)
    #: Which entries of the log were brought: conditions with their parameters.
    entries: list[tuple[str, Sequence[object]]] = field(default_factory=list)
    asked: set[tuple[object, ...]] = field(default_factory=set)
    values: dict[tuple[str, str], set[object]] = field(default_factory=dict)
    #: What the store cannot hold of the records that came, per object.
    unfit: dict[str, list[Unfit]] = field(default_factory=dict)


class CopiedPartner(Partner):
    """The rows of `other` that were brought, in temporary tables of the session of `org`."""

    def __init__(self, org: Org, other: Org) -> None:
        super().__init__()
        self._org = org
        self._db = org.db
        self._other = other
        self._objects: Objects | None = None
        self._brought: _Brought | None = None

    @property
    @override
    def dialect(self) -> Dialect:
        return self._other.db.dialect

    @override
    @contextmanager
    def reading(self) -> Iterator[None]:
        if self._brought is not None:
            yield
            return
        snapshot = self._other.snapshot()
        snapshot.__enter__()
        self._brought = _Brought()
        try:
            yield
        finally:
            self._brought = self._objects = None
            # What failed in the block is not the partner's to explain.
            snapshot.__exit__(None, None, None)

    @override
    def query(self, sql: str, parameters: Sequence[object] = ()) -> Rows:
        with self._other.translated():
            return self._other.db.execute(_theirs(sql), parameters)

    @override
    def log_end(self) -> int:
        return self._other.db.log_end()

    @override
    def bring(self, table: str, where: str = "", parameters: Sequence[object] = ()) -> None:
        assert self._brought is not None, "nothing is brought but in a reading"
        asked = (table, where, *parameters)
        if asked not in self._brought.asked:
            self._brought.asked.add(asked)
            self._copy(table, where or "1 = 1", parameters)
            if table == "orgsync_change":
                self._brought.entries.append((where or "1 = 1", parameters))

    @override
    def bring_changed(self, path: Path) -> None:
        assert self._brought is not None, "nothing is brought but in a reading"
        for where, parameters in self._brought.entries:
            # Within the condition `s` is the entry of the log.
            changed = f"SELECT s.record FROM main.orgsync_change AS s WHERE s.object = {path.source} AND ({where})"
            self.bring(path.object, self._other.db.dialect.among('s."Id"', changed), parameters)

    @override
    def narrow(self, path: Path, columns: Iterable[str]) -> None:
        assert self._brought is not None, "nothing is brought but in a reading"
        assert path.object not in self._brought.shapes, "the table is made already"
        self._brought.narrow[path.object] = frozenset(columns)

    @override
    def expect_single(self, path: Path) -> None:
        assert self._brought is not None, "nothing is brought but in a reading"
        shape = self._brought.shapes.get(path.object)
        if shape is not None and shape.loose:
            self._tighten(path.object, shape)

    def _tighten(self, table: str, shape: _Shape) -> None:
        """Makes the key of a table whose rows came at once; the next reading makes the table anew."""
        assert self._brought is not None
        self._db.execute(
            self._db.dialect.index("partner", quote(table), [quote(name) for name in shape.key], unique=True)
        )
        self._brought.shapes[table] = replace(shape, loose=False)
        self._org.kept.pop(f"partner.{quote(table)}")

    @override
    def bring_by(
        self, table: str, column: str, wanted: str, parameters: Sequence[object] = (), *, mark: str = "?"
    ) -> int:
        assert self._brought is not None, "nothing is brought but in a reading"
        self._shape(table)
        known = self._brought.values.setdefault((table, column), set())
        found = dict.fromkeys(row[0] for row in self._db.execute(wanted, parameters) if row[0] is not None)
        missing = [value for value in found if value not in known]
        known.update(missing)
        most = self._other.db.dialect.most_values
        for start in range(0, len(missing), most):
            part = missing[start : start + most]
            self._copy(table, *self._other.db.dialect.one_of(column, mark, part))
        return len(missing)

    @override
    def bring_range(
        self, path: Path, where: str, parameters: Sequence[object], *, system: Collection[str] = ()
    ) -> None:
        assert self._brought is not None, "nothing is brought but in a reading"
        assert path.object not in self._brought.shapes, "records of it were brought already"
        # Keeping an index costs as much again as the rows.
        self._brought.unkeyed[path.object] = frozenset(system)
        self.bring(path.object, where, parameters)

    @override
    def pour(self, sql: str, parameters: Sequence[object], table: str, columns: Mapping[str, str]) -> None:
        marks = dict.fromkeys(columns, "?")
        self._db.take_rows(
            self._other.db,
            _theirs(sql),
            parameters,
            table,
            marks,
            kinds=list(columns.values()),
            empty=False,
            chunk=CHUNK,
        )

    @override
    def forget(self) -> None:
        if self._brought is not None:
            self._brought = _Brought()

    @override
    def allowed(self, path: Path) -> str:
        return f"s.{_ALLOWED} = 1"

    @override
    def part_size(self) -> int | None:
        return _PART

    def _copy(self, table: str, where: str, parameters: Sequence[object]) -> None:
        assert self._brought is not None
        shape = self._shape(table)
        if shape.loose and table in self._brought.filled:
            self._tighten(table, shape)
        values = commas(column.value for column in shape.columns.values())
        sieve = self._sieve(table, shape)
        with nullcontext() if sieve is None else self._other.db.any_text():
            found = self._db.take_rows(
                self._other.db,
                f"SELECT {values} FROM main.{quote(table)} AS s WHERE {_theirs(where)}",
                parameters,
                f"partner.{quote(table)}",
                {name: column.mark for name, column in shape.columns.items()},
                kinds=[column.kind for column in shape.columns.values()],
                empty=table not in self._brought.filled,
                chunk=shape.chunk,
                sieve=sieve,
            )
        if sieve is not None and sieve.unfit:
            self._brought.unfit.setdefault(table, []).extend(sieve.unfit)
        self._brought.filled.add(table)
        if found >= MANY and table in _OURS:
            self._db.measure(f"partner.{quote(table)}")

    def _sieve(self, table: str, shape: _Shape) -> Sieve | None:
        """What the rows of a table have to pass; None where both orgs are of one kind of store."""
        if self._db.dialect is self._other.db.dialect:
            return None
        names = [name.strip('"') for name in shape.columns]
        doubts = [self._db.dialect.doubt(column.kind) for column in shape.columns.values()]
        return Sieve(names, doubts, key=None if table in _OURS else names.index("Id"))

    @override
    def unfit(self, path: Path) -> Sequence[Unfit]:
        return self._brought.unfit.get(path.object, ()) if self._brought else ()

    @override
    def leave_out(self, path: Path, records: Iterable[str]) -> None:
        self._db.executemany(
            f'UPDATE partner.{quote(path.object)} SET {_ALLOWED} = 0 WHERE "Id" = ?', [(item,) for item in records]
        )

    def _shape(self, table: str) -> _Shape:
        """The table's shape; the first question after it in a reading makes the table, or empties it."""
        assert self._brought is not None
        shape = self._brought.shapes.get(table)
        if shape is None:
            ours = _OURS.get(table)
            shape = self._shape_of_records(table) if ours is None else self._shape_of_ours(ours)
            self._brought.shapes[table] = shape
            self._make(table, shape)
        return shape

    def _make(self, table: str, shape: _Shape) -> None:
        name = f"partner.{quote(table)}"
        if self._org.kept.get(name) == shape:
            self._db.empty(name)
            return
        self._org.kept[name] = shape
        self._db.execute(f"DROP TABLE IF EXISTS {name}")
        lines = [f"{name} {column.kind}" for name, column in shape.columns.items()]
        if shape.key and not shape.loose:
            lines.append(f"UNIQUE ({commas(map(quote, shape.key))})")
        self._db.execute(f"CREATE TABLE {name} ({commas(lines)})")
        for columns in shape.found_by:
            self._db.execute(self._db.dialect.index("partner", quote(table), [quote(name) for name in columns]))

    def _shape_of_ours(self, ours: _Ours) -> _Shape:
        words = [f"m{word}" for word in range(self._other.engine.mask_width())] if ours.masks else []
        kinds = dict.fromkeys((*ours.numbers, *words), _NUMBER) | dict.fromkeys(ours.texts, _TEXT)
        return _Shape(
            columns={quote(name): _Column(kind=kind, value=f"s.{quote(name)}") for name, kind in kinds.items()},
            key=ours.key,
            found_by=ours.found_by,
        )

    def _shape_of_records(self, name: str) -> _Shape:
        """What statements may read of an object's records: all that flows, and all that every record has."""
        if self._objects is None:
            self._objects = Objects(self._other)
        fields = self._objects[name].fields
        path = self.paths.get(name)
        wanted = [column.name for column in path.columns] if path else [item for item in _NAMES if item in fields]
        assert self._brought is not None
        read = self._brought.unkeyed.get(name, frozenset(SYSTEM_FIELDS)) | {"Id", "IsDeleted"}
        known = {item: system_field(item) for item in SYSTEM_FIELDS if item in read}
        known |= {item: fields[item] for item in wanted}
        only = self._brought.narrow.get(name)
        if only is not None:
            known = {item: definition for item, definition in known.items() if item in {*only, "Id", "IsDeleted"}}
        dialect = self._db.dialect
        columns = {
            quote(item): _Column(
                kind=dialect.column_type(definition), value=f"s.{quote(item)}", mark=dialect.given(definition)
            )
            for item, definition in known.items()
        }
        if only is None:
            columns[ROW] = _Column(kind=_NUMBER, value=f"s.{ROW}")
        if path is not None and only is None:
            columns[_ALLOWED] = _Column(kind=_NUMBER, value=f"CASE WHEN {_theirs(path.allowed)} THEN 1 ELSE 0 END")
        large = any(definition.type is FieldType.BASE64 for definition in known.values())
        key = () if name in self._brought.unkeyed else ("Id",)
        return _Shape(columns=columns, key=key, chunk=LARGE_CHUNK if large else CHUNK, loose=only is not None)


def _theirs(sql: str) -> str:
    """A statement about the partner's tables as the partner's own session takes it."""
    return _THEIRS.sub(lambda found: found[1] or "main.", sql)
