"""The files of posts and comments: copied before them, kept out where they are too large (CHT-1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orgsync_reconcile.stores.sql.flow import writes
from orgsync_reconcile.stores.sql.flow.feeds import (
    FILE,
    FILE_FIELD,
    LARGE,
    LARGE_FILE,
    TOO_LARGE,
    file_size,
    latest_version,
)
from orgsync_reconcile.stores.sql.flow.paths import FilePath, Path
from orgsync_reconcile.stores.sql.text import commas, quote

if TYPE_CHECKING:
    from orgsync_reconcile.stores.sql.flow.writer import Writer


#: Records whose files are asked for at once.
_ASKED = 500


@dataclass(frozen=True, kw_only=True)
class _File:
    """The file that a post or comment names: `known` says whether it is there at all, `size` is in bytes."""

    file: str
    latest: str
    size: int
    known: bool


def bring_files(writer: Writer, path: Path, files: FilePath) -> None:
    """Copies the files that the records of temp.todo name and that are not here yet.

    A record whose file is too large, or is refused by the target, is refused itself and taken out of temp.todo.
    """
    db = writer.db
    named = _named(writer, path)
    for record, item in list(named.items()):
        if item.size > files.limit:
            _refuse(
                writer, path, record, TOO_LARGE, f"its file has {item.size} bytes, above the limit of {files.limit}"
            )
            del named[record]
    db.execute(f"CREATE TEMP TABLE IF NOT EXISTS files (n {db.dialect.numbered}, record TEXT UNIQUE, latest TEXT)")
    db.execute("DELETE FROM temp.files")
    db.executemany(
        "INSERT OR IGNORE INTO temp.files (record, latest) VALUES (?, ?)",
        [(item.file, item.latest) for item in named.values() if item.known],
    )
    db.execute(
        "DELETE FROM temp.files WHERE record IN (SELECT partner FROM main.orgsync_link WHERE connection = ?)",
        [writer.target.connection],
    )
    (last,) = db.execute("SELECT coalesce(max(n), 0) FROM temp.files").fetchone()
    if not last:
        return
    for column in ("record", "latest"):
        writer.partner.bring_by(files.path.object, 's."Id"', f"SELECT {column} FROM temp.files")
    before = len(writer.refusals.items)
    writer.insert_set(files.path, _rows(files.path, "record"), _rows(files.path, "latest"), 0, last)
    failed = {item.record: item for item in writer.refusals.items[before:]}
    del writer.refusals.items[before:]
    for record, item in named.items():
        if item.file in failed:
            why = failed[item.file]
            _refuse(writer, path, record, why.code, f"its file {item.file}: {why.error}")
    _warn(writer, named.values())


def _rows(path: Path, column: str) -> writes.RowSource:
    return writes.RowSource(
        sql=f'FROM temp.files AS st CROSS JOIN partner.{quote(path.object)} AS s ON s."Id" = st.{column}'
        " WHERE st.n > :low AND st.n <= :high",
        number="st.n",
    )


def _named(writer: Writer, path: Path) -> dict[str, _File]:
    """The files of the records of temp.todo that name one, in the order of the records."""
    records = [row[0] for row in writer.db.execute("SELECT record FROM temp.todo ORDER BY n")]
    field, size = quote(FILE_FIELD), file_size("s", writer.partner.dialect)
    known = f'CASE WHEN EXISTS (SELECT 1 FROM partner.{quote(FILE)} AS v WHERE v."Id" = s.{field}) THEN 1 ELSE 0 END'
    found: dict[str, _File] = {}
    for start in range(0, len(records), _ASKED):
        part = records[start : start + _ASKED]
        for record, file, latest, length, there in writer.partner.query(
            f'SELECT s."Id", s.{field}, {latest_version("s")}, {size}, {known} FROM partner.{quote(path.object)} AS s'
            f' WHERE s.{field} IS NOT NULL AND s."Id" IN ({commas("?" * len(part))})',
            part,
        ):
            found[record] = _File(file=file, latest=latest, size=length, known=bool(there))
    return {record: found[record] for record in records if record in found}


def _refuse(writer: Writer, path: Path, record: str, code: str, error: str) -> None:
    writer.refusals.refuse_one(path, record, code, error, FILE_FIELD)
    writer.db.execute("DELETE FROM temp.todo WHERE record = ?", [record])


def _warn(writer: Writer, named: Iterable[_File]) -> None:
    """A log entry for each large file that goes; it stands under the file's own Id, for the post may have others."""
    for item in named:
        if item.size <= LARGE:
            continue
        (number,) = writer.partner.row("SELECT number FROM partner.orgsync_object WHERE name = ?", [FILE])
        text = f"the file has {item.size} bytes; files above {LARGE} bytes take long to copy, and other orgs may refuse them"
        writer.db.execute(
            "INSERT INTO main.orgsync_outcome (connection, batch, record, object, op, error_code, error, field)"
            " SELECT i.connection, i.batch + 1, f.record, CAST(? AS BIGINT), 'U', CAST(? AS TEXT), CAST(? AS TEXT), ''"
            " FROM main.orgsync_inbox AS i JOIN temp.files AS f ON f.record = ? WHERE i.connection = ?"
            " ON CONFLICT (connection, batch, record) DO UPDATE SET object = excluded.object, op = excluded.op,"
            " error_code = excluded.error_code, error = excluded.error, field = excluded.field",
            [number, LARGE_FILE, text, item.file, writer.target.connection],
        )
