"""Records that were in the target before: a new record is linked with its like instead of being inserted (BLK-6).

Like is the one record of the target that is not deleted, not linked, and has the same value of the match field. Where
there are several on either side nothing is guessed: these records are refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from orgsync_reconcile.model.schema import SCALED
from orgsync_reconcile.stores.sql.database import Database
from orgsync_reconcile.stores.sql.flow import stamps
from orgsync_reconcile.stores.sql.flow.conflicts import take_out_lost
from orgsync_reconcile.stores.sql.flow.paths import Match, Path
from orgsync_reconcile.stores.sql.flow.roots import came_from
from orgsync_reconcile.stores.sql.flow.staging import Words
from orgsync_reconcile.stores.sql.flow.writes import Target, value_of
from orgsync_reconcile.stores.sql.partner import Partner
from orgsync_reconcile.stores.sql.text import commas, literal, quote


@dataclass(frozen=True, kw_only=True)
class Ambiguous:
    """A staged record with more than one like, and why it is refused."""

    record: str
    error: str


def find_likes(db: Database, partner: Partner, path: Path, match: Match, target: Target) -> list[Ambiguous]:
    """Fills temp.likes with the records of temp.todo that have exactly one like; returns those that have more.

    Both are taken out of temp.todo.
    """
    db.execute("CREATE TEMP TABLE IF NOT EXISTS likes (record TEXT PRIMARY KEY, n BIGINT, local TEXT, number BIGINT)")
    db.execute("DELETE FROM temp.likes")
    table, key = quote(path.object), quote(match.name)
    filled = f"s.{key} IS NOT NULL" if match.field.type in SCALED else f"trim(s.{key}) <> ''"
    found = db.execute(
        'INSERT INTO temp.likes SELECT st.record, st.n, min(t."Id"), count(*) FROM temp.todo AS st'
        f' CROSS JOIN partner.{table} AS s ON s."Id" = st.record'
        f' CROSS JOIN main.{table} AS t ON {match.same("t", "s", db.dialect)} AND t."IsDeleted" = FALSE'
        f" WHERE {filled} AND NOT EXISTS (SELECT 1 FROM main.orgsync_link AS k"
        ' WHERE k.local = t."Id" AND k.connection = ?) GROUP BY st.record, st.n',
        [target.connection],
    ).rowcount
    if found == 0:
        return []
    partner.bring_by(
        path.object,
        match.compared(f"s.{key}", partner.dialect),
        f'SELECT s.{key} FROM temp.likes AS m JOIN partner.{table} AS s ON s."Id" = m.record',
        mark=match.compared(partner.dialect.given(match.field), partner.dialect),
    )
    rivals = db.execute(
        f'SELECT m.record, count(*) FROM temp.likes AS m CROSS JOIN partner.{table} AS s ON s."Id" = m.record'
        f' CROSS JOIN partner.{table} AS r ON {match.same("r", "s", db.dialect)} AND r."IsDeleted" = FALSE'
        ' WHERE NOT EXISTS (SELECT 1 FROM main.orgsync_link AS k WHERE k.partner = r."Id" AND k.connection = ?)'
        " GROUP BY m.record HAVING count(*) > 1",
        [target.connection],
    ).fetchall()
    reasons = {record: f"{number} records of this org have its {match.name}" for record, number in rivals}
    several = db.execute("SELECT record, number FROM temp.likes WHERE number > 1").fetchall()
    reasons |= {record: f"{number} records of the linked org have its {match.name}" for record, number in several}
    db.execute("DELETE FROM temp.todo WHERE n IN (SELECT n FROM temp.likes)")
    db.executemany("DELETE FROM temp.likes WHERE record = ?", [(record,) for record in reasons])
    return [
        Ambiguous(record=record, error=f"{reason}, and which of them is meant is not known")
        for record, reason in sorted(reasons.items())
    ]


def link_likes(db: Database, path: Path, words: Words, target: Target) -> tuple[int, int]:
    """Links the records of temp.likes and stages them as updates; returns (how many, how many of them differ)."""
    linked = db.execute(
        "INSERT INTO main.orgsync_link (connection, object, local, partner, made_here, since, seen, root)"
        f" SELECT ?, ?, local, record, 1, ?, {target.seen}, {came_from('record') if target.rooted else 'NULL'}"
        " FROM temp.likes ORDER BY n",
        [target.connection, path.target, target.now_ms],
    ).rowcount
    if linked == 0:
        return 0, 0
    db.execute(
        "UPDATE temp.stage SET ins = 0, local = m.local FROM temp.likes AS m"
        " WHERE stage.object = ? AND m.record = stage.record",
        [path.source],
    )
    # The source's values replace what the target's own changes made of its record: those have nothing left to say.
    db.execute(
        "UPDATE main.orgsync_change SET origin = ? WHERE origin IS NULL AND record IN (SELECT local FROM temp.likes)",
        [target.connection],
    )
    stage_differences(db, path, words, target, "stage.record IN (SELECT record FROM temp.likes)")
    if target.stamped:
        if target.ring and stamps.keep_later(db, words, path.target, target):
            take_out_lost(db, words)
        stamps.note_replaced(db, words, target)
    any_bit = " OR ".join(f"st.{name} <> 0" for name in words.names)
    (differing,) = db.execute(
        f"SELECT count(*) FROM temp.likes AS m JOIN temp.stage AS st ON st.record = m.record WHERE {any_bit}"
    ).fetchone()
    return linked, int(differing)


def stage_differences(db: Database, path: Path, words: Words, target: Target, condition: str) -> None:
    """Gives linked records of temp.stage that satisfy `condition` the masks of the columns that are to be sent.

    Those are the columns that differ, and lookups to a record that is not here yet, which are to wait for it; but none
    that wait in the source themselves: a stand-in never comes back over the true value (USR-5).
    """
    bits: list[list[str]] = [["0"] for _ in range(words.width)]
    for column in path.columns:
        name = quote(column.name)
        differs = f"{value_of(column, target)} IS NOT t.{name}"
        if column.reference:
            differs = (
                f"({differs} OR s.{name} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM main.orgsync_link AS l"
                f" WHERE l.partner = s.{name} AND l.connection = {target.connection}))"
                ' AND NOT EXISTS (SELECT 1 FROM partner.orgsync_waiting AS w WHERE w.record = s."Id"'
                f" AND w.field = {literal(column.name)} AND w.placeholder IS s.{name})"
            )
        bits[column.word].append(f"CASE WHEN {differs} THEN {column.bit} ELSE 0 END")
    sets = commas(f"{name} = {' | '.join(parts)}" for name, parts in zip(words.names, bits, strict=True))
    table = quote(path.object)
    db.execute(
        f"UPDATE temp.stage SET {sets} FROM partner.{table} AS s, main.{table} AS t"
        f' WHERE stage.object = ? AND s."Id" = stage.record AND t."Id" = stage.local AND {condition}',
        [path.source],
    )
