"""Changes of the same record on both sides: field by field, by policy (CNF-1, CNF-2).

A conflict is a column that is staged here and pending there. Pending means: in the target's log beyond the watermark
that the *source* keeps of it, which is the moment that the staged values were read at; never the target's own cursor.
What the target could not deliver yet is pending too. What the source loses is taken out of the batch; what the target
loses is overwritten by it. Either way the lost value is kept in the target's sync log.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orgsync_reconcile.model.connection import ConflictPolicy, Side
from orgsync_reconcile.model.schema import FieldType
from orgsync_reconcile.stores.sql.database import Database
from orgsync_reconcile.stores.sql.flow import cascades, stamps
from orgsync_reconcile.stores.sql.flow.paths import Path, PathColumn
from orgsync_reconcile.stores.sql.flow.staging import Words
from orgsync_reconcile.stores.sql.flow.writes import Target, value_of
from orgsync_reconcile.stores.sql.layout import WORD
from orgsync_reconcile.stores.sql.partner import Partner
from orgsync_reconcile.stores.sql.text import commas, literal, quote

#: Of a value in the description of a log entry, so many characters are kept.
SHOWN = 1000


@dataclass(frozen=True, kw_only=True)
class Case:
    """Where to look: connection numbers, the source's watermark of the target's log, the batch's log positions."""

    here: int
    there: int
    watermark: int
    #: The source's entries of this batch: low < seq <= high.
    window: tuple[int, int]
    source: Side
    #: The target's org Id where fields carry stamps; empty otherwise.
    stamped: str = ""


def may_conflict(db: Database, case: Case) -> bool:
    """Whether the target has any change of a staged record that may be pending."""
    (logged, held) = db.execute(
        "SELECT EXISTS (SELECT 1 FROM main.orgsync_change WHERE seq > ?),"
        " EXISTS (SELECT 1 FROM main.orgsync_held WHERE connection = ?)",
        [case.watermark, case.here],
    ).fetchone()
    if held or not logged:
        return bool(held)
    (found,) = db.execute(
        "SELECT EXISTS (SELECT 1 FROM main.orgsync_change AS c JOIN temp.stage AS st ON st.local = c.record WHERE c.seq > ?)",
        [case.watermark],
    ).fetchone()
    return bool(found)


def stage_pending(db: Database, partner: Partner, words: Words, paths: Iterable[Path], case: Case) -> int:
    """Fills temp.pending with the target's pending changes of staged records; returns how many records have some.

    The masks are in the source's numbers: each org gave the columns numbers of its own. Entries that were in the record
    already when the source copied it are not pending.
    """
    if not may_conflict(db, case):
        return 0
    masks = commas(f"{name} BIGINT" for name in words.names)
    for table in ("pending", "times"):
        db.execute(f"DROP TABLE IF EXISTS temp.{table}")
        db.execute(f"CREATE TEMP TABLE {table} (n BIGINT, record TEXT, op TEXT, at BIGINT, {masks})")
    (head,) = db.execute("SELECT coalesce(max(seq), 0) FROM main.orgsync_change").fetchone()
    held = {
        row[0] for row in db.execute("SELECT DISTINCT object FROM main.orgsync_held WHERE connection = ?", [case.here])
    }
    changed = set()
    if head > case.watermark:
        found = db.execute("SELECT DISTINCT object FROM main.orgsync_change WHERE seq > ?", [case.watermark])
        changed = {row[0] for row in found}
    if changed:
        edited = "SELECT record FROM main.orgsync_change WHERE seq > ?"
        partner.bring_by(
            "orgsync_link", "s.local", f"SELECT record FROM temp.stage WHERE local IN ({edited})", [case.watermark]
        )
    for path in paths:
        sums = commas(_source_masks(path, words))
        if path.target in changed:
            db.execute(
                f"INSERT INTO temp.pending SELECT st.n, c.record, c.op, c.at, {sums}"
                " FROM main.orgsync_change AS c JOIN temp.stage AS st ON st.local = c.record"
                " LEFT JOIN partner.orgsync_link AS k ON k.partner = c.record AND k.connection = ?"
                " WHERE c.seq > ? AND c.object = ? AND (c.origin IS NULL OR c.origin <> ?)"
                " AND c.seq > coalesce(k.seen, 0)",
                [case.there, case.watermark, path.target, case.here],
            )
        if path.target in held:
            db.execute(
                f"INSERT INTO temp.pending SELECT st.n, c.record, c.op, c.queued_at, {sums}"
                " FROM main.orgsync_held AS c JOIN temp.stage AS st ON st.local = c.record"
                " WHERE c.connection = ? AND c.object = ? AND c.next_retry IS NOT NULL",
                [case.here, path.target],
            )
    return int(db.execute("SELECT count(DISTINCT n) FROM temp.pending").fetchone()[0])


def _source_masks(path: Path, words: Words) -> list[str]:
    """Per mask word of the source, the expression that moves the bits of the target's entry `c` to their places.

    An insert under a linked Id changes all columns (ORG-7).
    """
    moves: dict[tuple[int, int, int], int] = {}
    for column in path.columns:
        word, bit = divmod(column.target_number, WORD)
        key = (column.word, word, column.number % WORD - bit)
        moves[key] = moves.get(key, 0) | 1 << bit
    parts: dict[int, list[str]] = {}
    for (to, word, shift), bits in moves.items():
        move = f" << {shift}" if shift > 0 else f" >> {-shift}" if shift < 0 else ""
        parts.setdefault(to, []).append(f"((coalesce(c.m{word}, 0) & {bits}){move})")
    return [
        f"CASE c.op WHEN 'I' THEN {full} ELSE {' | '.join(parts.get(word, ['0']))} END"
        for word, full in enumerate(path.full_mask(words.width))
    ]


def resolve(
    db: Database,
    partner: Partner,
    words: Words,
    paths: Sequence[Path],
    case: Case,
    policy: ConflictPolicy,
    facts: Target,
) -> None:
    """Takes out of temp.stage what loses against temp.pending, and brings back records whose delete loses."""
    if policy is ConflictPolicy.LATEST_WINS:
        partner.bring("orgsync_held", "s.connection = ?", [case.there])
        _stage_times(db, words, case)
        later = ">" if case.source is Side.PRIMARY else ">="
        kept = commas(
            f"p.{name} & ~(SELECT coalesce(bit_or(t.{name}), 0) FROM temp.times AS t WHERE t.n = p.n AND NOT (p.at {later} t.at))"
            f" AS {name}"
            for name in words.names
        )
        target_wins = f"p.at {later} st.at"
    elif (policy is ConflictPolicy.PRIMARY_WINS) == (case.source is Side.PRIMARY):
        kept, target_wins = commas(f"0 AS {name}" for name in words.names), "FALSE"
    else:
        kept, target_wins = commas(f"p.{name} AS {name}" for name in words.names), "TRUE"
    db.execute("DROP TABLE IF EXISTS temp.lost")
    alive = (
        f"CASE WHEN p.op IN ('U', 'R') AND {target_wins} THEN 1 ELSE 0 END AS alive,"
        f" CASE WHEN p.op = 'D' AND NOT ({target_wins}) THEN 1 ELSE 0 END AS dead"
    )
    db.execute(
        f"CREATE TEMP TABLE lost AS SELECT n, max(alive) AS alive, max(dead) AS dead,"
        f" {commas(f'bit_or({name}) AS {name}' for name in words.names)} FROM (SELECT p.n AS n, {alive}, {kept}"
        " FROM temp.pending AS p JOIN temp.stage AS st ON st.n = p.n) AS one GROUP BY n"
    )
    log_lost(db, paths, facts)
    if case.stamped:
        stamps.keep(db, words, case.stamped)
    _bring_back(db, partner, case, target_wins)
    take_out_lost(db, words)


def log_lost(db: Database, paths: Iterable[Path], facts: Target) -> None:
    """Keeps in the target's sync log what of temp.pending and temp.stage is lost by temp.lost."""
    found = db.execute(
        "SELECT DISTINCT st.object FROM temp.pending AS p JOIN temp.stage AS st ON st.n = p.n"
    ).fetchall()
    for path in paths:
        if (path.source,) in found:
            _log_lost_values(db, path, facts)
            _log_lost_deletes(db, path, facts)


def _stage_times(db: Database, words: Words, case: Case) -> None:
    """Fills temp.times with the single changes behind the staged records that have something pending."""
    wanted = "n IN (SELECT n FROM temp.pending)"
    masks = commas(f"coalesce(c.{name}, 0)" for name in words.names)
    # A replaced record has its columns in the stage only, at the time of its last change.
    db.execute(
        f"INSERT INTO temp.times SELECT n, record, 'I', at, {words.columns} FROM temp.stage WHERE ins = 1 AND {wanted}"
    )
    db.execute(
        f"INSERT INTO temp.times SELECT st.n, c.record, c.op, c.at, {masks} FROM temp.stage AS st"
        " CROSS JOIN partner.orgsync_change AS c ON c.record = st.record AND c.seq > ? AND c.seq <= ?"
        f" WHERE (c.origin IS NULL OR c.origin <> ?) AND st.{wanted}",
        [*case.window, case.there],
    )
    db.execute(
        f"INSERT INTO temp.times SELECT st.n, c.record, c.op, c.queued_at, {masks} FROM temp.stage AS st"
        " CROSS JOIN partner.orgsync_held AS c ON c.record = st.record AND c.connection = ?"
        f" WHERE st.held = 1 AND st.{wanted}",
        [case.there],
    )


def _bring_back(db: Database, partner: Partner, case: Case, target_wins: str) -> None:
    """Records that the source deleted and that win here are to come back there."""
    # An R in the target's log travels back and restores the record in the source, which deleted it. So do those of the
    # children that the source deleted with it.
    cascades.bring_down(partner, "SELECT record FROM temp.stage WHERE gone = 1")
    db.execute("DROP TABLE IF EXISTS temp.kept")
    db.execute(
        "CREATE TEMP TABLE kept AS WITH RECURSIVE kept (record, at) AS ("
        "SELECT st.record, max(p.at) FROM temp.stage AS st JOIN temp.pending AS p ON p.n = st.n"
        f" WHERE st.gone = 1 AND p.op IN ('U', 'R') AND {target_wins} GROUP BY st.record"
        " UNION SELECT c.child, k.at FROM kept AS k CROSS JOIN partner.orgsync_cascade AS c ON c.parent = k.record)"
        " SELECT record, max(at) AS at FROM kept GROUP BY record"
    )
    db.execute(
        "INSERT INTO main.orgsync_change (object, record, op, at) SELECT l.object, l.local, 'R', k.at FROM temp.kept AS k"
        " CROSS JOIN main.orgsync_link AS l ON l.partner = k.record AND l.connection = ? AND l.status = 1",
        [case.here],
    )
    db.execute("UPDATE temp.stage SET gone = 0 WHERE gone = 1 AND record IN (SELECT record FROM temp.kept)")


def take_out_lost(db: Database, words: Words) -> None:
    """Takes out of temp.stage what temp.lost says."""
    keep = commas(f"{name} = stage.{name} & ~lost.{name}" for name in words.names)
    # A record that was deleted in the target while it was edited here is looked at again: alive here, alive there.
    db.execute(
        f"UPDATE temp.stage SET {keep}, gone = CASE WHEN lost.dead = 1 THEN 1 WHEN lost.alive = 1 THEN 0 ELSE stage.gone END"
        " FROM temp.lost AS lost WHERE lost.n = stage.n"
    )


_INTO_LOG = (
    'INSERT INTO main."PartnerNetworkSyncLog" ("ConnectionId", "EntityType", "LocalRecord", "ConnectionEvent", "Status",'
    ' "FieldName", "FieldType", "Description") SELECT (SELECT id FROM main.orgsync_connection WHERE number = ?),'
)


def _log_lost_values(db: Database, path: Path, facts: Target) -> None:
    """One entry per field that both orgs changed to different values: Conflict, resolved, with the value that lost."""
    bits = commas(
        f"coalesce(bit_or(p.m{word} & st.m{word}), 0)" for word in sorted({column.word for column in path.columns})
    )
    if not bits:
        return
    both = db.execute(
        f"SELECT {bits} FROM temp.pending AS p JOIN temp.stage AS st ON st.n = p.n WHERE st.object = ?", [path.source]
    ).fetchone()
    masks = dict(zip(sorted({column.word for column in path.columns}), both, strict=True))
    for column in path.columns:
        if not masks[column.word] & column.bit:
            continue
        theirs, ours = value_of(column, facts), f"t.{quote(column.name)}"
        word = f"m{column.word}"
        kept = f"(lost.{word} & {column.bit}) <> 0"
        text = (
            f"'both orgs changed ' || {literal(column.name)} || '; kept ' || {_either(column, kept, ours, theirs)}"
            f" || ', lost ' || {_either(column, kept, theirs, ours)}"
        )
        db.execute(
            f"{_INTO_LOG} ?, st.local, 'Conflict', 'Resolved', ?, ?, {text}"
            " FROM temp.stage AS st JOIN temp.lost AS lost ON lost.n = st.n"
            f' CROSS JOIN partner.{quote(path.object)} AS s ON s."Id" = st.record'
            f' CROSS JOIN main.{quote(path.object)} AS t ON t."Id" = st.local'
            f" WHERE st.object = ? AND (st.{word} & {column.bit}) <> 0 AND {theirs} IS NOT {ours} AND EXISTS"
            f" (SELECT 1 FROM temp.pending AS p WHERE p.n = st.n AND (p.{word} & {column.bit}) <> 0)",
            [facts.connection, path.object, column.name, column.kind, path.source],
        )


def _either(column: PathColumn, kept: str, if_kept: str, otherwise: str) -> str:
    return f"coalesce({_shown(column, f'CASE WHEN {kept} THEN {if_kept} ELSE {otherwise} END')}, 'nothing')"


def _shown(column: PathColumn, value: str) -> str:
    """SQL: a value in quotes, cut where it is long; NULL for a blank one."""
    if column.kind == FieldType.BASE64.value:
        return f"CASE WHEN {value} IS NOT NULL THEN 'a file' END"
    text = f"substr(CAST({value} AS TEXT), 1, {SHOWN})"
    return f"'''' || replace({text}, '''', '''''') || ''''"


def _log_lost_deletes(db: Database, path: Path, facts: Target) -> None:
    """One entry per record that one org deleted while the other edited it (CNF-2)."""
    deleted_here = (
        f"(st.gone = 1 AND NOT EXISTS (SELECT 1 FROM partner.{quote(path.object)} AS s"
        ' WHERE s."Id" = st.record AND s."IsDeleted" = FALSE))'
    )
    text = (
        f"CASE WHEN {deleted_here} THEN CASE WHEN lost.alive = 1 THEN 'edited here while the other org deleted it; kept'"
        " ELSE 'edited here while the other org deleted it; deleted' END"
        " WHEN lost.dead = 1 THEN 'deleted here while the other org edited it; brought back'"
        " ELSE 'deleted here while the other org edited it; stays deleted' END"
    )
    db.execute(
        f"{_INTO_LOG} ?, st.local, 'Conflict', 'Resolved', NULL, NULL, {text}"
        " FROM temp.stage AS st JOIN temp.lost AS lost ON lost.n = st.n"
        f' CROSS JOIN main.{quote(path.object)} AS t ON t."Id" = st.local'
        f' WHERE st.object = ? AND (t."IsDeleted" = FALSE) = {deleted_here} AND EXISTS (SELECT 1 FROM temp.pending AS p'
        f" WHERE p.n = st.n AND CASE WHEN {deleted_here} THEN p.op IN ('U', 'R') ELSE p.op = 'D' END)",
        [facts.connection, path.object, path.source],
    )


def log_lost_undeletes(db: Database, path: Path, facts: Target) -> None:
    """One entry per record of temp.todo that the source brought back and that is gone for good here, with what it held."""
    shown = " || ".join(
        f"coalesce({literal(f', {column.name} ')} || {_shown(column, value_of(column, facts))}, '')"
        for column in path.columns
    )
    text = "'deleted for good here while the other org brought it back; deleted there too'"
    db.execute(
        f"{_INTO_LOG} ?, st.local, 'Conflict', 'Resolved', NULL, NULL, {text}"
        f" || coalesce('; lost ' || nullif(substr({shown or literal('')}, 3), ''), '')"
        f' FROM temp.todo AS st CROSS JOIN partner.{quote(path.object)} AS s ON s."Id" = st.record'
        f' WHERE NOT EXISTS (SELECT 1 FROM main.{quote(path.object)} AS t WHERE t."Id" = st.local)',
        [facts.connection, path.object],
    )
