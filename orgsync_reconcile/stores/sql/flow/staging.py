"""A batch of the source's log in the target's temporary tables: merged per record, links looked up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from orgsync_reconcile.stores.sql.database import MANY, Database
from orgsync_reconcile.stores.sql.flow.paths import Path
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.temporary import keep_table
from orgsync_reconcile.stores.sql.text import commas, literal, quote


@dataclass(frozen=True, kw_only=True)
class Words:
    """The mask words m0, m1, … of the source's log, as SQL fragments need them."""

    width: int

    @property
    def names(self) -> list[str]:
        """m0, m1, …"""
        return [f"m{word}" for word in range(self.width)]

    def of(self, alias: str) -> str:
        """`alias.m0, alias.m1, …`."""
        return commas(f"{alias}.{name}" for name in self.names)

    @property
    def columns(self) -> str:
        """`m0, m1, …`."""
        return commas(self.names)

    def any_bit(self, bits: Mapping[int, int], alias: str) -> str:
        """A condition: any of these bits (word -> bits) is set."""
        tests = [f"({alias}.m{word} & {value}) <> 0" for word, value in sorted(bits.items()) if value]
        return "(" + " OR ".join(tests) + ")" if tests else "1 = 0"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Staged records that are alike. `object` is the source's number, `masks` the changed columns."""

    object: int
    linked: bool
    ins: bool
    gone: bool
    held: bool
    masks: tuple[int, ...]

    @property
    def just_changed(self) -> bool:
        """Values of linked records and nothing else: neither new, deleted, brought back, nor tried again."""
        return self.linked and not (self.ins or self.gone or self.held)


@dataclass(frozen=True, kw_only=True)
class Staged:
    """What temp.stage held when its records were brought."""

    kinds: Sequence[Kind]
    #: What the kinds are records of, parents first.
    paths: Sequence[Path]
    #: Whether lookups wait for their parent in the source itself.
    source_waits: bool
    #: Nothing but values of linked records changed, and in the source alone: there is nothing to settle.
    alone: bool = False


def kinds(db: Database, words: Words) -> list[Kind]:
    """What temp.stage holds."""
    rows = db.execute(
        f"SELECT DISTINCT object, CASE WHEN local IS NULL THEN 0 ELSE 1 END, ins, gone, held, {words.columns} FROM temp.stage"
    )
    return [
        Kind(object=number, linked=linked == 1, ins=ins == 1, gone=gone == 1, held=held == 1, masks=tuple(m))
        for number, linked, ins, gone, held, *m in rows
    ]


def prepare(org: Org, words: Words) -> None:
    """Makes the temporary tables of a flow to an org; the stage may hold what an earlier flow has left."""
    numbered = f"n {org.db.dialect.numbered}"
    masks = commas(f"{name} BIGINT" for name in words.names)
    staged = (
        f"{numbered}, object BIGINT, record TEXT, ins BIGINT, gone BIGINT, held BIGINT, at BIGINT, local TEXT, {masks}"
    )
    keep_table(org, "path", "object BIGINT PRIMARY KEY, since_seq BIGINT")
    keep_table(org, "entry", staged)
    keep_table(org, "stage", staged)
    keep_table(org, "todo", f"{numbered}, record TEXT, local TEXT, {masks}")


def clear(db: Database) -> None:
    """Empties the stage: the next record is number 1."""
    db.empty("temp.stage", numbered=True)


def stage_log(
    db: Database,
    words: Words,
    paths: Mapping[str, Path],
    connections: tuple[int, int],
    window: tuple[int, int],
    only: str = "1 = 1",
) -> int:
    """Stages the source's log entries `c` with low < seq <= high, as far as `only` holds; returns how many records that makes.

    `connections` are the connection's numbers in (source, target). Changes that arrived over this very connection are
    left out: they never go back. So are those that were in the record already when it was copied.
    """
    here, there = connections[1], connections[0]
    db.empty("temp.path")
    db.executemany("INSERT INTO temp.path VALUES (?, ?)", [(p.source, p.since_seq) for p in paths.values()])
    clear(db)
    masks = words.columns
    links = db.dialect.only(
        "main.orgsync_link", "partner", "SELECT record FROM partner.orgsync_change WHERE seq > ?2 AND seq <= ?3"
    )
    db.execute(
        f"INSERT INTO temp.stage (object, record, ins, gone, held, at, local, {masks})"
        " SELECT c.object, c.record, CASE WHEN c.op = 'I' AND c.seq > p.since_seq THEN 1 ELSE 0 END,"
        " CASE WHEN c.op IN ('D', 'R') THEN 1 ELSE 0 END, 0, c.at, l.local, "
        # What a client put there that is no number counts as none.
        + commas(f"coalesce(c.{name}, 0) | 0" for name in words.names)
        + " FROM partner.orgsync_change AS c JOIN temp.path AS p ON p.object = c.object"
        f" LEFT JOIN {links} AS l ON l.partner = c.record AND l.connection = ?1 AND l.status <> 2"
        " WHERE c.seq > ?2 AND c.seq <= ?3 AND (c.origin IS NULL OR c.origin <> ?4) AND c.seq > coalesce(l.seen, 0)"
        f" AND {only} ORDER BY c.seq",
        [here, *window, there],
    )
    (total, distinct) = db.execute("SELECT count(*), count(DISTINCT record) FROM temp.stage").fetchone()
    if total != distinct:
        _merge(db, words)
    if distinct >= MANY:
        db.measure("temp.stage")
    return int(distinct)


def _merge(db: Database, words: Words) -> None:
    """Several changes of one record become one, at the place of its first."""
    merged = commas(f"bit_or({name})" for name in words.names)
    columns = f"object, record, ins, gone, held, at, local, {words.columns}"
    db.empty("temp.entry", numbered=True)
    db.execute(
        f"INSERT INTO temp.entry (n, {columns}) SELECT min(n), object, record, max(ins), max(gone), max(held), max(at), local,"
        f" {merged} FROM temp.stage GROUP BY record, object, local"
    )
    clear(db)
    db.execute(f"INSERT INTO temp.stage ({columns}) SELECT {columns} FROM temp.entry ORDER BY n")


def leave_severed(db: Database, connection: int) -> None:
    """Takes records whose link is severed out of the stage: only a forward restores it (LKP-5)."""
    db.execute(
        "DELETE FROM temp.stage WHERE record IN"
        " (SELECT partner FROM main.orgsync_link WHERE connection = ? AND status = 4)",
        [connection],
    )


def stage_held(db: Database, words: Words, connections: tuple[int, int], not_due: tuple[int, int]) -> int:
    """Adds held records that are due, or whose parent has come; merges held ones that changed again (LOG-2).

    A next try between the two moments of `not_due`, in milliseconds, is still to come.
    """
    here, there = connections[1], connections[0]
    masks = commas(f"coalesce(h.{name}, 0) | 0" for name in words.names)
    db.execute(
        f"INSERT INTO temp.stage (object, record, ins, gone, held, at, local, {words.columns})"
        f" SELECT h.object, h.record, CASE WHEN h.op = 'I' THEN 1 ELSE 0 END,"
        f" CASE WHEN h.op IN ('D', 'R') THEN 1 ELSE 0 END, 1, h.queued_at, l.local, {masks}"
        " FROM partner.orgsync_held AS h JOIN temp.path AS p ON p.object = h.object"
        " LEFT JOIN main.orgsync_link AS l ON l.partner = h.record AND l.connection = ?1 AND l.status <> 2"
        " WHERE h.connection = ?2 AND (h.next_retry <= ?3 OR h.next_retry > ?4 OR (h.waits_for <> '' AND EXISTS"
        " (SELECT 1 FROM main.orgsync_link AS w WHERE w.partner = h.waits_for AND w.connection = ?1)))"
        " AND h.record NOT IN (SELECT record FROM temp.stage)",
        [here, there, *not_due],
    )
    merged = commas(f"{name} = stage.{name} | coalesce(h.{name}, 0)" for name in words.names)
    db.execute(
        f"UPDATE temp.stage SET held = 1, ins = CASE WHEN h.op = 'I' THEN 1 ELSE stage.ins END,"
        f" gone = CASE WHEN h.op IN ('D', 'R') THEN 1 ELSE stage.gone END, {merged}"
        " FROM partner.orgsync_held AS h WHERE h.connection = ? AND h.record = stage.record",
        [there],
    )
    return int(db.execute("SELECT count(*) FROM temp.stage").fetchone()[0])


def leave_placeholders(db: Database, paths: Iterable[Path]) -> None:
    """Takes out of temp.stage the lookups that the source itself is still waiting for: they follow when it has them.

    A stand-in never comes back over the true value, whatever became of the change that it stands on (USR-5).
    """
    for path in paths:
        for column in path.references:
            db.execute(
                f"UPDATE temp.stage SET m{column.word} = m{column.word} & ~{column.bit} WHERE object = ? AND EXISTS"
                f' (SELECT 1 FROM partner.orgsync_waiting AS w JOIN partner.{quote(path.object)} AS s ON s."Id" = w.record'
                f" WHERE w.record = stage.record AND w.field = {literal(column.name)}"
                f" AND w.placeholder IS s.{quote(column.name)})",
                [path.source],
            )
