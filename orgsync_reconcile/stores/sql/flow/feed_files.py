"""The files of posts and comments: copied before them, kept out where they are too large (CHT-1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orgsync_reconcile.stores.sql.database import Database
from orgsync_reconcile.stores.sql.flow import writes
from orgsync_reconcile.stores.sql.flow.feeds import (
    FILE_FIELD,
    LARGE,
    LARGE_FILE,
    TOO_LARGE,
    file_size,
    latest_version,
)
from orgsync_reconcile.stores.sql.flow.paths import FilePath, Path
from orgsync_reconcile.stores.sql.text import quote

if TYPE_CHECKING:
    from orgsync_reconcile.stores.sql.flow.writer import Writer


def bring_files(writer: Writer, path: Path, files: FilePath) -> None:
    """Copies the files that the records of temp.todo name and that are not here yet.

    A record whose file is too large, or is refused by the target, is refused itself and taken out of temp.todo.
    """
    for record, size in _sizes(writer.db, path, f"> {files.limit}"):
        _refuse(writer, path, record, TOO_LARGE, f"its file has {size} bytes, above the limit of {files.limit}")
    db = writer.db
    db.execute("CREATE TEMP TABLE IF NOT EXISTS files (n INTEGER PRIMARY KEY, record TEXT UNIQUE, latest TEXT)")
    db.execute("DELETE FROM temp.files")
    db.execute(
        f"INSERT OR IGNORE INTO temp.files (record, latest) SELECT s.{quote(FILE_FIELD)}, {latest_version('s')}"
        f' FROM temp.todo AS st CROSS JOIN partner.{quote(path.object)} AS s ON s."Id" = st.record'
        f' CROSS JOIN partner.{quote(files.path.object)} AS v ON v."Id" = s.{quote(FILE_FIELD)}'
        ' WHERE NOT EXISTS (SELECT 1 FROM main.orgsync_link AS k WHERE k.partner = v."Id" AND k.connection = ?)'
        " ORDER BY st.n",
        [writer.target.connection],
    )
    (last,) = db.execute("SELECT coalesce(max(n), 0) FROM temp.files").fetchone()
    if not last:
        return
    large = _sizes(db, path, f"> {LARGE}")
    before = len(writer.refusals.items)
    writer.insert_set(files.path, _rows(files.path, "record"), _rows(files.path, "latest"), 0, last)
    failed = writer.refusals.items[before:]
    del writer.refusals.items[before:]
    for item in failed:
        for (record,) in db.execute(
            f'SELECT st.record FROM temp.todo AS st CROSS JOIN partner.{quote(path.object)} AS s ON s."Id" = st.record'
            f" WHERE s.{quote(FILE_FIELD)} = ?",
            [item.record],
        ).fetchall():
            _refuse(writer, path, record, item.code, f"its file {item.record}: {item.error}")
    _warn(writer, path, large)


def _rows(path: Path, column: str) -> writes.RowSource:
    return writes.RowSource(
        sql=f'FROM temp.files AS st CROSS JOIN partner.{quote(path.object)} AS s ON s."Id" = st.{column}'
        " WHERE st.n > :low AND st.n <= :high",
        number="st.n",
    )


def _sizes(db: Database, path: Path, test: str) -> list[tuple[str, int]]:
    """(record, bytes of its file) of the records of temp.todo whose file's size passes the test."""
    return db.execute(
        f"SELECT st.record, {file_size('s')} AS size FROM temp.todo AS st"
        f' CROSS JOIN partner.{quote(path.object)} AS s ON s."Id" = st.record'
        f" WHERE s.{quote(FILE_FIELD)} IS NOT NULL AND size {test} ORDER BY st.n"
    ).fetchall()


def _refuse(writer: Writer, path: Path, record: str, code: str, error: str) -> None:
    writer.refusals.refuse_one(path, record, code, error, FILE_FIELD)
    writer.db.execute("DELETE FROM temp.todo WHERE record = ?", [record])


def _warn(writer: Writer, path: Path, large: list[tuple[str, int]]) -> None:
    """A log entry for each large file that goes; it stands under the file's own Id, for the post may have others."""
    for record, size in large:
        writer.db.execute(
            "INSERT OR REPLACE INTO main.orgsync_outcome (connection, batch, record, object, op, error_code, error, field)"
            f" SELECT i.connection, i.batch + 1, s.{quote(FILE_FIELD)},"
            " (SELECT number FROM partner.orgsync_object WHERE name = 'ContentVersion'), 'U', ?, ?, ''"
            f' FROM main.orgsync_inbox AS i CROSS JOIN partner.{quote(path.object)} AS s ON s."Id" = ?'
            ' JOIN temp.files AS f ON f.record = s."RelatedRecordId" WHERE i.connection = ?',
            [
                LARGE_FILE,
                f"the file has {size} bytes; files above {LARGE} bytes take long to copy, and other orgs may refuse them",
                record,
                writer.target.connection,
            ],
        )
