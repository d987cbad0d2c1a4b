"""Writing the staged records of one object, with the bad rows set apart."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from orgsync_reconcile.stores.isolation import isolate
from orgsync_reconcile.stores.sqlite.flow import cascades, matching, writes
from orgsync_reconcile.stores.sqlite.flow.duplicates import find_duplicates
from orgsync_reconcile.stores.sqlite.flow.feed_files import bring_files
from orgsync_reconcile.stores.sqlite.flow.paths import Path, PathColumn
from orgsync_reconcile.stores.sqlite.flow.staging import Words
from orgsync_reconcile.stores.sqlite.handle import refusal
from orgsync_reconcile.stores.sqlite.text import commas, quote

#: Up to this many different masks in a batch, each gets a statement that touches just its columns.
FEW_MASKS = 12


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A record that the target refused. `object` is the source's number, `masks` the changed columns."""

    record: str
    object: int
    op: str
    code: str
    error: str
    field: str = ""
    waits_for: str = ""
    masks: tuple[int, ...] = ()


class Writer:
    """Writes from temp.stage, object by object, and collects what was refused."""

    def __init__(self, db: sqlite3.Connection, words: Words, target: writes.Target) -> None:
        self.db = db
        self.words = words
        self.target = target
        self.refused: list[Refusal] = []
        #: Records that were just linked instead of inserted and still get the source's values.
        self._to_equal = 0

    # -- the steps of one object -------------------------------------------------------------------------------

    def insert_new(self, path: Path) -> int:
        """Copies staged records that have no link yet and may be sent (QUE-4); returns how many arrived.

        A record that is linked with its like counts as copied (BLK-6); `update_linked` then gives it its values.
        """
        count = self._todo(
            path,
            f'st.local IS NULL AND s."IsDeleted" = 0 AND (st.ins = 1 OR s."CreatedDate" >= :since) AND {path.allowed}'
            " AND NOT EXISTS (SELECT 1 FROM main.orgsync_link AS k WHERE k.partner = st.record"
            f" AND k.connection = {self.target.connection})",
            joined=True,
            since=path.since,
        )
        if not count:
            return 0
        if path.files is not None:
            bring_files(self, path, path.files)
        matched = self._match(path)
        self._refuse_children_of_refused(path)
        self._refuse_duplicates(path)
        rows = writes.staged_rows(path)
        return matched + self.insert_set(path, rows, rows, 0, self._last("todo"))

    def insert_set(
        self, path: Path, new_links: writes.RowSource, new_rows: writes.RowSource, start: int, end: int
    ) -> int:
        """Inserts the rows numbered (start, end] of a row source with their links; returns how many arrived.

        Links come first, so that the org's own triggers can tell a replicated record from a new one (ORG-7).
        """
        base = self._last_row(path)
        before = self._link_count()
        parameters: dict[str, object] = {"base": base, "start": start}
        parameters |= {f"auto_{field.name}": self._next_number(path, field.name) - 1 for field in path.auto_numbers}

        def attempt(low: int, high: int) -> sqlite3.Error | None:
            bounds = parameters | {"low": low, "high": high}
            return self._try(
                lambda: [
                    self._run(writes.insert_links(path, new_links, self.target), bounds),
                    self._run(writes.insert_rows(path, new_rows, self.target), bounds),
                ]
            )

        def refused(number: int, why: sqlite3.Error) -> None:
            self._refuse(path, new_links, number, why, "I", parameters)

        isolate(start, end, attempt, refused)
        for field in path.auto_numbers:
            self.db.execute(
                "UPDATE main.orgsync_autonumber SET next = next + ? WHERE object = ? AND field = ?",
                [end - start, path.object, field.name],
            )
        self._wait_for_parents(path, new_rows, parameters | {"low": start, "high": end})
        return self._link_count() - before

    def update_linked(self, path: Path) -> int:
        """Updates linked records by their changed columns; returns how many."""
        bits = self._bits(path.columns)
        full = path.full_mask(self.words.width)
        wanted = f"st.local IS NOT NULL AND {self.words.any_bit(bits, 'st')}"
        table, count = "stage", self._all_staged(path, wanted)
        if not count:
            kept = [f"st.{name} & {value}" for name, value in zip(self.words.names, full, strict=True)]
            table, count = "todo", self._todo(path, wanted, masks=kept)
        if not count:
            return 0
        distinct = self.db.execute(f"SELECT DISTINCT {self.words.columns} FROM temp.{table}").fetchall()
        statements = self._update_statements(path, distinct, table)
        touched = self._touched(path.columns, distinct)
        unique = [column for column in touched if column.unique]
        before = len(self.refused)

        def apply(bounds: dict[str, object]) -> None:
            for statement in statements:
                self._run(statement, bounds)

        def apply_after(first: str, bounds: dict[str, object]) -> None:
            self._run(first, bounds)
            apply(bounds)

        def attempt(low: int, high: int) -> sqlite3.Error | None:
            bounds: dict[str, object] = {"low": low, "high": high}
            failure = self._try(lambda: apply(bounds))
            if failure is not None and unique and "UNIQUE" in str(failure):
                # Records that swap unique values fail as a set and one by one: blank first, then set.
                blank = writes.blank_unique(path, unique, table)
                failure = self._try(lambda: apply_after(blank, bounds))
            return failure

        rows = writes.staged_rows(path, table)
        isolate(0, self._last(table), attempt, lambda n, why: self._refuse(path, rows, n, why, "U", {}))
        for column in touched:
            if column.reference:
                for statement in writes.update_waiting(path, column, self.target, table):
                    self.db.execute(statement)
        just_copied, self._to_equal = self._to_equal, 0
        return max(count - (len(self.refused) - before) - just_copied, 0)

    def delete(self, path: Path) -> int:
        """Deletes linked records that are deleted or gone in the source; returns how many."""
        gone = f'NOT EXISTS (SELECT 1 FROM partner.{quote(path.object)} AS s WHERE s."Id" = st.record AND s."IsDeleted" = 0)'
        return self._set_deleted(path, gone, 1, "D")

    def undelete(self, path: Path) -> int:
        """Undeletes linked records that are alive in the source; returns how many."""
        alive = (
            f'EXISTS (SELECT 1 FROM partner.{quote(path.object)} AS s WHERE s."Id" = st.record AND s."IsDeleted" = 0)'
        )
        return self._set_deleted(path, alive, 0, "R")

    def refuse_one(self, path: Path, record: str, code: str, error: str, field: str) -> None:
        """Refuses one staged new record of the object."""
        masks = self.db.execute(
            f"SELECT {self.words.columns} FROM temp.stage WHERE object = ? AND record = ?", [path.source, record]
        ).fetchone()
        self.refused.append(
            Refusal(record=record, object=path.source, op="I", code=code, error=error, field=field, masks=tuple(masks))
        )

    def refuse_all(self, path: Path, code: str, error: str) -> None:
        """Refuses every staged record of the object."""
        for record, *masks in self.db.execute(
            f"SELECT record, {self.words.columns} FROM temp.stage WHERE object = ?", [path.source]
        ).fetchall():
            self.refused.append(
                Refusal(record=record, object=path.source, op="U", code=code, error=error, masks=tuple(masks))
            )

    def give_back_own_changes(self, object_number: int, after: int) -> None:
        """Captured engine writes of this object: what the org's own triggers added to them is the org's change."""
        own = (
            "SELECT record FROM main.orgsync_change WHERE seq > ?1 AND object = ?2 AND origin = ?3"
            " GROUP BY record HAVING count(*) > 1"
        )
        self.db.execute(
            "UPDATE main.orgsync_change SET origin = NULL WHERE seq > ?1 AND object = ?2 AND origin = ?3 AND op <> 'I'"
            f" AND record IN ({own})",
            [after, object_number, self.target.connection],
        )

    def _match(self, path: Path) -> int:
        """Links the records of temp.todo that the target has already, and refuses those of which it is not clear."""
        if path.match is None:
            return 0
        for item in matching.find_likes(self.db, path, path.match, self.target):
            self.refused.append(
                Refusal(
                    record=item.record,
                    object=path.source,
                    op="I",
                    code="DUPLICATE_EXTERNAL_ID",
                    error=item.error,
                    field=path.match.name,
                    masks=(0,) * self.words.width,
                )
            )
        linked, self._to_equal = matching.link_likes(self.db, path, self.words, self.target)
        return linked

    # -- parts -------------------------------------------------------------------------------------------------

    def _run(self, statement: str, parameters: dict[str, object]) -> int:
        return self.db.execute(statement, parameters).rowcount

    def _try(self, work: Callable[[], object]) -> sqlite3.Error | None:
        """Does all of the work or none; returns why the database refused it. Only refusals are caught."""
        self.db.execute("SAVEPOINT step")
        try:
            work()
        except sqlite3.IntegrityError as error:
            self.db.execute("ROLLBACK TO step")
            self.db.execute("RELEASE step")
            return error
        self.db.execute("RELEASE step")
        return None

    def _todo(
        self, path: Path, condition: str, *, joined: bool = False, since: str = "", masks: Sequence[str] = ()
    ) -> int:
        """Fills temp.todo with the staged records of the object for which `condition` holds; returns how many."""
        source = f' CROSS JOIN partner.{quote(path.object)} AS s ON s."Id" = st.record' if joined else ""
        values = commas(masks) if masks else self.words.of("st")
        self.db.execute("DELETE FROM temp.todo")
        return self.db.execute(
            f"INSERT INTO temp.todo (record, local, {self.words.columns}) SELECT st.record, st.local, {values}"
            f" FROM temp.stage AS st{source} WHERE st.object = :object AND ({condition}) ORDER BY st.n",
            {"object": path.source, "since": since},
        ).rowcount

    def _all_staged(self, path: Path, condition: str) -> int:
        """How many records are staged, if they are all of this object and hold to `condition`; 0 otherwise."""
        (total, fit) = self.db.execute(
            f"SELECT count(*), coalesce(sum(st.object = ? AND {condition}), 0) FROM temp.stage AS st", [path.source]
        ).fetchone()
        return int(total) if total == fit else 0

    def _last(self, table: str) -> int:
        return int(self.db.execute(f"SELECT coalesce(max(n), 0) FROM temp.{table}").fetchone()[0])

    def _last_row(self, path: Path) -> int:
        row = self.db.execute("SELECT seq FROM main.sqlite_sequence WHERE name = ?", [path.object]).fetchone()
        return int(row[0]) if row else 0

    def _next_number(self, path: Path, field: str) -> int:
        row = self.db.execute(
            "SELECT next FROM main.orgsync_autonumber WHERE object = ? AND field = ?", [path.object, field]
        ).fetchone()
        return int(row[0])

    def _link_count(self) -> int:
        row = self.db.execute("SELECT seq FROM main.sqlite_sequence WHERE name = 'orgsync_link'").fetchone()
        return int(row[0]) if row else 0

    def _bits(self, columns: Sequence[PathColumn]) -> dict[int, int]:
        bits: dict[int, int] = {}
        for column in columns:
            bits[column.word] = bits.get(column.word, 0) | column.bit
        return bits

    def _touched(self, columns: Sequence[PathColumn], masks: Sequence[Sequence[int]]) -> list[PathColumn]:
        """The columns with a bit in any of the masks."""
        union = [0] * self.words.width
        for mask in masks:
            union = [ours | theirs for ours, theirs in zip(union, mask, strict=True)]
        return [column for column in columns if union[column.word] & column.bit]

    def _update_statements(self, path: Path, distinct: Sequence[Sequence[int]], table: str) -> list[str]:
        if len(distinct) > FEW_MASKS:
            columns = self._touched(path.columns, distinct)
            return [writes.update_rows(path, columns, self.target, only_mask=None, table=table)]
        return [
            writes.update_rows(path, self._touched(path.columns, [mask]), self.target, only_mask=mask, table=table)
            for mask in distinct
        ]

    def _set_deleted(self, path: Path, condition: str, deleted: int, op: str) -> int:
        if not self._todo(path, f"st.local IS NOT NULL AND st.gone = 1 AND {condition}"):
            return 0
        if deleted:
            cascades.before_delete(self.db, path, self.target)
        else:
            cascades.before_undelete(self.db, self.target)
        statement = writes.set_deleted(path, self.target, deleted)
        moved = 0

        def work(bounds: dict[str, object]) -> None:
            nonlocal moved
            moved += self._run(statement, bounds)

        isolate(
            0,
            self._last("todo"),
            lambda low, high: self._try(lambda: work({"low": low, "high": high})),
            lambda n, why: self._refuse(path, writes.staged_rows(path), n, why, op, {}),
        )
        if not deleted:
            cascades.after_undelete(self.db, self.target)
            cascades.log_gone(self.db, path, self.target)
        return moved

    def _wait_for_parents(self, path: Path, rows: writes.RowSource, bounds: dict[str, object]) -> None:
        people = [
            PathColumn(name=name, number=0, reference=True, person=True)
            for name in ("CreatedById", "LastModifiedById")
            if self.target.audit
        ]
        widened = replace(path, columns=(*path.columns, *people))
        if not widened.references:
            return
        missing = self.db.execute(writes.missing_references(widened, rows, self.target), bounds).fetchone()
        for column, is_missing in zip(widened.references, missing, strict=True):
            if is_missing:
                self._run(writes.insert_waiting(path, column, rows, self.target), bounds)

    def _refuse_children_of_refused(self, path: Path) -> None:
        """Records of temp.todo whose parent was itself refused stay behind with it (BLK-3)."""
        never_arrived = [item.record for item in self.refused if item.op == "I"]
        (held,) = self.db.execute(
            "SELECT EXISTS (SELECT 1 FROM partner.orgsync_held WHERE op = 'I' AND connection = ?)", [self.target.there]
        ).fetchone()
        if not path.references or not (never_arrived or held):
            return
        self.db.execute("CREATE TEMP TABLE IF NOT EXISTS refused (record TEXT PRIMARY KEY)")
        self.db.execute("DELETE FROM temp.refused")
        self.db.executemany("INSERT OR IGNORE INTO temp.refused VALUES (?)", [(record,) for record in never_arrived])
        self.db.execute(
            "INSERT OR IGNORE INTO temp.refused SELECT h.record FROM partner.orgsync_held AS h WHERE h.op = 'I'"
            " AND h.connection = ? AND NOT EXISTS"
            " (SELECT 1 FROM main.orgsync_link AS l WHERE l.partner = h.record AND l.connection = ?)",
            [self.target.there, self.target.connection],
        )
        for column in path.references:
            name = quote(column.name)
            rows = self.db.execute(
                f"SELECT st.n, st.record, s.{name}, {self.words.of('st')} FROM temp.todo AS st"
                f' CROSS JOIN partner.{quote(path.object)} AS s ON s."Id" = st.record'
                f" WHERE s.{name} IN (SELECT record FROM temp.refused) AND s.{name} <> st.record"
            ).fetchall()
            for number, record, parent, *masks in rows:
                self.refused.append(
                    Refusal(
                        record=record,
                        object=path.source,
                        op="I",
                        code="INVALID_CROSS_REFERENCE_KEY",
                        error=f"its {column.name} {parent} was refused and is not in the linked org",
                        field=column.name,
                        waits_for=parent,
                        masks=tuple(masks),
                    )
                )
                self.db.execute("DELETE FROM temp.todo WHERE n = ?", [number])

    def _refuse_duplicates(self, path: Path) -> None:
        """Takes out of temp.todo what the target's duplicate management refuses (CON-8)."""
        if not path.unlike:
            return
        for number, field in sorted(find_duplicates(self.db, path).items()):
            record, *masks = self.db.execute(
                f"SELECT record, {self.words.columns} FROM temp.todo WHERE n = ?", [number]
            ).fetchone()
            self.refused.append(
                Refusal(
                    record=record,
                    object=path.source,
                    op="I",
                    code="DUPLICATES_DETECTED",
                    error=f"the linked org has a record like it already, by {field}",
                    field=field,
                    masks=tuple(masks),
                )
            )
            self.db.execute("DELETE FROM temp.todo WHERE n = ?", [number])

    def _refuse(
        self,
        path: Path,
        rows: writes.RowSource,
        number: int,
        why: sqlite3.Error,
        op: str,
        parameters: dict[str, object],
    ) -> None:
        """Notes one refused record; a blank required lookup is put down to the parent that is not there."""
        bounds = parameters | {"low": number - 1, "high": number}
        found = self.db.execute(f'SELECT s."Id" {rows.sql}', bounds).fetchone()
        if found is None:
            return
        code, field, error = refusal(why)
        waits_for = ""
        column = next((item for item in path.references if item.name == field), None)
        if code == "REQUIRED_FIELD_MISSING" and column is not None:
            (parent,) = self.db.execute(f"SELECT s.{quote(field)} {rows.sql}", bounds).fetchone()
            if parent:
                code, waits_for = "INVALID_CROSS_REFERENCE_KEY", parent
                error = f"its {field} {parent} is not in the linked org"
        masks = self.db.execute(
            f"SELECT {self.words.columns} FROM temp.stage WHERE object = ? AND record = ?", [path.source, found[0]]
        ).fetchone()
        self.refused.append(
            Refusal(
                record=found[0],
                object=path.source,
                op=op,
                code=code,
                error=error,
                field=field,
                waits_for=waits_for,
                masks=tuple(masks or (0,) * self.words.width),
            )
        )
