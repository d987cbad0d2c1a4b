"""Writing the staged records of one object, with the bad rows set apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from orgsync_reconcile.stores.faults import refusal, refusals
from orgsync_reconcile.stores.isolation import isolate
from orgsync_reconcile.stores.sql.database import MANY, Database
from orgsync_reconcile.stores.sql.flow import cascades, conflicts, matching, writes
from orgsync_reconcile.stores.sql.flow.feed_files import bring_files
from orgsync_reconcile.stores.sql.flow.paths import Path, PathColumn
from orgsync_reconcile.stores.sql.flow.refusals import Refusal, Refusals, goes_as_new
from orgsync_reconcile.stores.sql.flow.staging import Kind, Words, kinds
from orgsync_reconcile.stores.sql.partner import Partner
from orgsync_reconcile.stores.sql.text import commas, quote

#: Up to this many different masks in a batch, each gets a statement that touches just its columns.
FEW_MASKS = 12


class Writer:
    """Writes from temp.stage, object by object, and collects what was refused."""

    def __init__(self, db: Database, partner: Partner, words: Words, target: writes.Target) -> None:
        self.db = db
        #: The source, whose records of temp.stage were brought.
        self.partner = partner
        self.words = words
        self.target = target
        self.refusals = Refusals(db, partner, words, target)
        #: Records that were just linked instead of inserted and still get the source's values.
        self._to_equal = 0

    # -- the steps of one object -------------------------------------------------------------------------------

    def insert_new(self, path: Path) -> int:
        """Copies staged records that have no link yet and may be sent (QUE-4); returns how many arrived.

        A record that is linked with its like counts as copied (BLK-6); `update_linked` then gives it its values.
        """
        count = self._todo(
            path,
            f"st.local IS NULL AND {goes_as_new(self.partner, path)}"
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
        self.refusals.refuse_children(path)
        self.refusals.refuse_duplicates(path)
        rows = writes.staged_rows(path)
        return matched + self.insert_set(path, rows, rows, 0, self._last("todo"))

    def insert_lost(self, path: Path) -> int:
        """Brings linked records back that this org lost when it was restored from a backup; returns how many.

        They get the Ids that they had, so that their links hold, and every lookup and every other org that knows them.
        """
        gone = f'NOT EXISTS (SELECT 1 FROM main.{quote(path.object)} AS t WHERE t."Id" = st.local)'
        kept = "st.local NOT IN (SELECT record FROM main.orgsync_change WHERE op = 'D')"
        # A repair that sends a row as a new one ends the source's link first.
        linked = (
            "EXISTS (SELECT 1 FROM partner.orgsync_link AS k WHERE k.local = st.record AND k.partner = st.local"
            f" AND k.connection = {self.target.there})"
        )
        self.partner.bring_by(
            "orgsync_link", "s.local", "SELECT record FROM temp.stage WHERE ins = 1 AND local IS NOT NULL"
        )
        wanted = f's."IsDeleted" = FALSE AND st.ins = 1 AND st.local IS NOT NULL AND {gone} AND {kept} AND {linked}'
        if not self._todo(path, wanted, joined=True):
            return 0
        rows = writes.staged_rows(path)
        statement = writes.insert_rows(path, rows, self.target, known="st.local")
        return self._insert(path, rows, rows, [statement], 0, self._last("todo"))

    def insert_set(
        self, path: Path, new_links: writes.RowSource, new_rows: writes.RowSource, start: int, end: int
    ) -> int:
        """Inserts the rows numbered (start, end] of a row source with their links; returns how many arrived.

        Links come first, so that the org's own triggers can tell a replicated record from a new one (ORG-7).
        """
        statements = [
            writes.insert_links(path, new_links, self.target),
            writes.insert_rows(path, new_rows, self.target),
        ]
        return self._insert(path, new_links, new_rows, statements, start, end)

    def _insert(
        self,
        path: Path,
        listed: writes.RowSource,
        rows: writes.RowSource,
        statements: Sequence[str],
        start: int,
        end: int,
    ) -> int:
        """Runs the statements over the rows (start, end], of which each writes them all; returns how many arrived.

        Sets the bad ones of `listed` apart, and notes what `rows` wait for.
        """
        arrived = 0
        base = self.db.reserve(path.object, end - start)
        parameters: dict[str, object] = {"base": base, "start": start}
        parameters |= {
            f"auto_{field.name}": self._take_numbers(path, field.name, end - start) - 1 for field in path.auto_numbers
        }
        everything = parameters | {"low": start, "high": end}
        # Asked ahead: others may bring a parent at any time, and then its children are looked at in vain, never forgotten.
        missing = self._missing_parents(path, listed, everything)

        def attempt(low: int, high: int) -> Exception | None:
            nonlocal arrived
            bounds = parameters | {"low": low, "high": high}
            written: list[int] = []
            failure = self._try(lambda: written.extend(self._run(statement, bounds) for statement in statements))
            if failure is None:
                arrived += written[0]
            return failure

        def refused(number: int, why: Exception) -> None:
            self.refusals.refuse(path, listed, number, why, "I", parameters)

        isolate(start, end, attempt, refused)
        for column in missing:
            self._run(writes.insert_waiting(path, column, rows, self.target), everything)
        return arrived

    def update_linked(self, path: Path, staged: Sequence[Kind] | None = None) -> int:
        """Updates linked records by their changed columns; returns how many. `staged` is what temp.stage holds, if known."""
        bits = self._bits(path.columns)
        full = path.full_mask(self.words.width)
        staged = kinds(self.db, self.words) if staged is None else staged
        wanted = [item for item in staged if self._is_update(path, item, full)]
        if not wanted:
            return 0
        table = "stage"
        distinct = sorted({item.masks for item in wanted})
        if len(wanted) < len(staged):
            kept = [f"st.{name} & {value}" for name, value in zip(self.words.names, full, strict=True)]
            table = "todo"
            count = self._todo(path, f"st.local IS NOT NULL AND {self.words.any_bit(bits, 'st')}", masks=kept)
            distinct = sorted({tuple(a & b for a, b in zip(masks, full, strict=True)) for masks in distinct})
        else:
            (count,) = self.db.execute("SELECT count(*) FROM temp.stage").fetchone()
        statements = self._update_statements(path, distinct, table)
        touched = self._touched(path.columns, distinct)
        unique = [column for column in touched if column.unique]
        before = len(self.refusals.items)

        def apply(bounds: dict[str, object]) -> None:
            for statement in statements:
                self._run(statement, bounds)

        def apply_after(first: str, bounds: dict[str, object]) -> None:
            self._run(first, bounds)
            apply(bounds)

        def attempt(low: int, high: int) -> Exception | None:
            bounds: dict[str, object] = {"low": low, "high": high}
            failure = self._try(lambda: apply(bounds))
            if failure is not None:
                self.partner.expect_single(path)
            if failure is not None and unique and refusal(failure)[0] == "DUPLICATE_VALUE":
                # Records that swap unique values fail as a set and one by one: blank first, then set.
                blank = writes.blank_unique(path, unique, table)
                failure = self._try(lambda: apply_after(blank, bounds))
            return failure

        rows = writes.staged_rows(path, table)
        isolate(0, self._last(table), attempt, lambda n, why: self.refusals.refuse(path, rows, n, why, "U", {}))
        for column in touched:
            if column.reference:
                for statement in writes.update_waiting(path, column, self.target, table):
                    self.db.execute(statement)
        just_copied, self._to_equal = self._to_equal, 0
        return max(count - (len(self.refusals.items) - before) - just_copied, 0)

    def delete(self, path: Path) -> int:
        """Deletes linked records that are deleted or gone in the source; returns how many."""
        gone = f'NOT EXISTS (SELECT 1 FROM partner.{quote(path.object)} AS s WHERE s."Id" = st.record AND s."IsDeleted" = FALSE)'
        return self._set_deleted(path, gone, "D", deleted=True)

    def undelete(self, path: Path) -> int:
        """Undeletes linked records that are alive in the source; returns how many."""
        alive = f'EXISTS (SELECT 1 FROM partner.{quote(path.object)} AS s WHERE s."Id" = st.record AND s."IsDeleted" = FALSE)'
        return self._set_deleted(path, alive, "R", deleted=False)

    def _match(self, path: Path) -> int:
        """Links the records of temp.todo that the target has already, and refuses those of which it is not clear."""
        if path.match is None:
            return 0
        for item in matching.find_likes(self.db, self.partner, path, path.match, self.target):
            self.refusals.items.append(
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

    def _try(self, work: Callable[[], object]) -> Exception | None:
        """Does all of the work or none; returns why the database refused it. Only refusals are caught."""
        self.db.execute("SAVEPOINT step")
        try:
            work()
        except refusals() as error:
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
        self.db.empty("temp.todo", numbered=True)
        count = self.db.execute(
            f"INSERT INTO temp.todo (record, local, {self.words.columns}) SELECT st.record, st.local, {values}"
            f" FROM temp.stage AS st{source} WHERE st.object = :object AND ({condition}) ORDER BY st.n",
            {"object": path.source, "since": since},
        ).rowcount
        if count >= MANY:
            self.db.measure("temp.todo")
        return count

    def _is_update(self, path: Path, item: Kind, full: Sequence[int]) -> bool:
        changed = any(mask & bits for mask, bits in zip(item.masks, full, strict=True))
        return item.object == path.source and item.linked and changed

    def _last(self, table: str) -> int:
        return int(self.db.execute(f"SELECT coalesce(max(n), 0) FROM temp.{table}").fetchone()[0])

    def _take_numbers(self, path: Path, field: str, count: int) -> int:
        """The first of so many numbers of an auto-number field, which nobody else gets: who counts at once waits."""
        which = [path.object, field]
        self.db.execute(
            "UPDATE main.orgsync_autonumber SET next = next + ? WHERE object = ? AND field = ?", [count, *which]
        )
        row = self.db.execute(
            "SELECT next FROM main.orgsync_autonumber WHERE object = ? AND field = ?", which
        ).fetchone()
        return int(row[0]) - count

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

    def _set_deleted(self, path: Path, condition: str, op: str, *, deleted: bool) -> int:
        if not self._todo(path, f"st.local IS NOT NULL AND st.gone = 1 AND {condition}"):
            return 0
        if deleted:
            cascades.before_delete(self.db, self.partner, path, self.target)
        else:
            cascades.before_undelete(self.db, self.partner, self.target)
        statement = writes.set_deleted(path, self.target, deleted=deleted)
        moved = 0

        def work(bounds: dict[str, object]) -> None:
            nonlocal moved
            moved += self._run(statement, bounds)

        isolate(
            0,
            self._last("todo"),
            lambda low, high: self._try(lambda: work({"low": low, "high": high})),
            lambda n, why: self.refusals.refuse(path, writes.staged_rows(path), n, why, op, {}),
        )
        if not deleted:
            cascades.after_undelete(self.db, self.partner, self.target)
            conflicts.log_lost_undeletes(self.db, path, self.target)
            cascades.log_gone(self.db, path, self.target)
        return moved

    def _missing_parents(self, path: Path, rows: writes.RowSource, bounds: dict[str, object]) -> list[PathColumn]:
        """The reference columns in which new records point to something that has no link here."""
        people = [
            PathColumn(name=name, number=0, reference=True, person=True)
            for name in ("CreatedById", "LastModifiedById")
            if self.target.audit
        ]
        widened = replace(path, columns=(*path.columns, *people))
        if not widened.references:
            return []
        missing = self.db.execute(writes.missing_references(widened, rows, self.target), bounds).fetchone()
        return [column for column, is_missing in zip(widened.references, missing, strict=True) if is_missing]
