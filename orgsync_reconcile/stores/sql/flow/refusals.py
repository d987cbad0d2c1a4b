"""What the target refused of a batch, and why: by the database, with a refused parent, as a duplicate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from orgsync_reconcile.stores.faults import refusal
from orgsync_reconcile.stores.sql.database import Database
from orgsync_reconcile.stores.sql.flow import writes
from orgsync_reconcile.stores.sql.flow.duplicates import find_duplicates
from orgsync_reconcile.stores.sql.flow.paths import Path
from orgsync_reconcile.stores.sql.flow.staging import Words
from orgsync_reconcile.stores.sql.partner import Partner
from orgsync_reconcile.stores.sql.sieve import Unfit
from orgsync_reconcile.stores.sql.text import quote


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


def goes_as_new(partner: Partner, path: Path) -> str:
    """What must hold of a staged record `st` without a link, and of the source's `s`, for it to be sent; takes :since."""
    return f's."IsDeleted" = FALSE AND (st.ins = 1 OR s."CreatedDate" >= :since) AND {partner.allowed(path)}'


class Refusals:
    """Collects the refused records of a transaction in `items`; takes them out of temp.todo where they stand there."""

    def __init__(self, db: Database, partner: Partner, words: Words, target: writes.Target) -> None:
        self.db = db
        self.partner = partner
        self.words = words
        self.target = target
        self.items: list[Refusal] = []

    def refuse_one(self, path: Path, record: str, code: str, error: str, field: str) -> None:
        """Refuses one staged new record of the object."""
        masks = self.db.execute(
            f"SELECT {self.words.columns} FROM temp.stage WHERE object = ? AND record = ?", [path.source, record]
        ).fetchone()
        self.items.append(
            Refusal(record=record, object=path.source, op="I", code=code, error=error, field=field, masks=tuple(masks))
        )

    def refuse_all(self, path: Path, code: str, error: str) -> None:
        """Refuses every staged record of the object."""
        for record, *masks in self.db.execute(
            f"SELECT record, {self.words.columns} FROM temp.stage WHERE object = ?", [path.source]
        ).fetchall():
            self.items.append(
                Refusal(record=record, object=path.source, op="U", code=code, error=error, masks=tuple(masks))
            )

    def refuse_unfit(self, path: Path) -> None:
        """Takes staged records out of temp.stage whose values that would be written this org's store cannot hold."""
        done: set[str] = set()
        for item in self.partner.unfit(path):
            staged = self.db.execute(
                f"SELECT n, local, ins, gone, {self.words.columns} FROM temp.stage WHERE object = ? AND record = ?",
                [path.source, item.record],
            ).fetchone()
            if staged is None or item.record in done:
                continue
            number, local, ins, gone, *masks = staged
            new = local is None
            column = next((column for column in path.columns if column.name == item.field), None)
            if column is None:
                written = new and self._is_audit(item.field)
            else:
                written = new or ins == 1 or bool(masks[column.word] & column.bit)
            if not written or (new and not self._goes(path, number)):
                continue
            if gone and column is not None and not new:
                # That it was deleted or restored goes all the same.
                word = self.words.names[column.word]
                self.db.execute(f"UPDATE temp.stage SET {word} = {word} & ~{column.bit} WHERE n = ?", [number])
            else:
                self.db.execute("DELETE FROM temp.stage WHERE n = ?", [number])
                done.add(item.record)
            self._note_unfit(path, item, "I" if new else "U", masks)

    def refuse_unfit_in_range(self, path: Path) -> None:
        """The same for new records that are read by row number, without a stage."""
        columns = {column.name for column in path.columns}
        done: set[str] = set()
        for item in self.partner.unfit(path):
            linked = self.db.execute(
                "SELECT 1 FROM main.orgsync_link WHERE partner = ? AND connection = ?",
                [item.record, self.target.connection],
            ).fetchone()
            if linked is None and item.record not in done and (item.field in columns or self._is_audit(item.field)):
                done.add(item.record)
                self._note_unfit(path, item, "I", (0,) * self.words.width)
        if done:
            self.partner.leave_out(path, done)

    def _goes(self, path: Path, number: int) -> bool:
        """Whether a staged record without a link is sent at all."""
        found = self.db.execute(
            f'SELECT 1 FROM temp.stage AS st CROSS JOIN partner.{quote(path.object)} AS s ON s."Id" = st.record'
            f" WHERE st.n = :number AND {goes_as_new(self.partner, path)}",
            {"number": number, "since": path.since},
        ).fetchone()
        return found is not None

    def _is_audit(self, field: str) -> bool:
        return self.target.audit and field in ("CreatedDate", "LastModifiedDate")

    def _note_unfit(self, path: Path, item: Unfit, op: str, masks: Iterable[int]) -> None:
        self.items.append(
            Refusal(
                record=item.record,
                object=path.source,
                op=op,
                code="INVALID_TYPE_ON_FIELD_IN_RECORD",
                error=f"the linked org cannot hold the value of {item.field}: {item.why}",
                field=item.field,
                masks=tuple(masks),
            )
        )

    def refuse_children(self, path: Path) -> None:
        """Records of temp.todo whose parent was itself refused stay behind with it (BLK-3)."""
        never_arrived = [item.record for item in self.items if item.op == "I"]
        (held,) = self.partner.row(
            "SELECT EXISTS (SELECT 1 FROM partner.orgsync_held WHERE op = 'I' AND connection = ?)", [self.target.there]
        )
        if not path.references or not (never_arrived or held):
            return
        self.partner.bring("orgsync_held", "s.connection = ?", [self.target.there])
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
                self.items.append(
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

    def refuse_duplicates(self, path: Path) -> None:
        """Takes out of temp.todo what the target's duplicate management refuses (CON-8)."""
        if not path.unlike:
            return
        for number, field in sorted(find_duplicates(self.db, path).items()):
            record, *masks = self.db.execute(
                f"SELECT record, {self.words.columns} FROM temp.todo WHERE n = ?", [number]
            ).fetchone()
            self.items.append(
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

    def refuse(
        self,
        path: Path,
        rows: writes.RowSource,
        number: int,
        why: Exception,
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
        self.items.append(
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
