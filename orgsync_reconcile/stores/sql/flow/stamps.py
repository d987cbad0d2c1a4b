"""Which change a field holds, where orgs have several connections: the later one stays, whichever way it came (CON-10).

Every field of a record that was changed since it was made has a stamp: a number that grows with time and with every
change that follows another, and the org that made the change. Stamps travel with the values. A change that arrives with
the stamp that is here already was seen before and is dropped; in a ring of connections an older one is dropped too, so
that all ways lead to the same end (CNF-3). What was never changed has no stamp: it is as the insert brought it.
"""

from __future__ import annotations

from collections.abc import Iterable

from orgsync_reconcile.stores.sql.database import Database
from orgsync_reconcile.stores.sql.flow.paths import Path
from orgsync_reconcile.stores.sql.flow.staging import Words
from orgsync_reconcile.stores.sql.flow.writes import Target
from orgsync_reconcile.stores.sql.layout import WORD
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.partner import Partner
from orgsync_reconcile.stores.sql.text import commas, literal, quote

#: The field number that stands for a record's being deleted.
DELETED = -1
#: A stamp is milliseconds since 1970, and these bits of the change's position for what happens within one.
_WITHIN = 20


def fold(db: Database, org_id: str, words: Words) -> int:
    """Turns what this org (main) has changed itself since the last time into stamps; returns the log position.

    Inside a transaction. A change is later than what it replaces, whatever the clocks say: it gets a higher stamp.
    """
    (done,) = db.execute("SELECT seq FROM main.orgsync_stamped").fetchone()
    head = db.head()
    if head <= done:
        return int(done)
    word = " ".join(f"WHEN {place} THEN c.{name}" for place, name in enumerate(words.names))
    bit = f"(CASE f.number / {WORD} {word} END >> CAST(f.number % {WORD} AS INTEGER)) & 1"
    own = f"FROM main.orgsync_change AS c {{}} WHERE c.seq > {done} AND c.seq <= {head} AND c.origin IS NULL"
    fields = "CROSS JOIN main.orgsync_field AS f ON f.object = c.object"
    number = f"max((c.at << {_WITHIN}) | (c.seq & {(1 << _WITHIN) - 1}))"
    for changed, field, condition in (
        ("", DELETED, "c.op IN ('D', 'R')"),
        (fields, "f.number", f"c.op = 'U' AND ({bit}) <> 0"),
        # An insert under a linked Id changes all columns (ORG-7).
        (
            fields,
            "f.number",
            "c.op = 'I' AND EXISTS (SELECT 1 FROM main.orgsync_link AS l WHERE l.local = c.record AND l.status <> 3)",
        ),
    ):
        db.execute(
            f"INSERT INTO main.orgsync_stamp (record, field, stamp, org) SELECT c.record, {field}, {number}, ?"
            f" {own.format(changed)} AND {condition} GROUP BY 1, 2 ON CONFLICT (record, field) DO UPDATE"
            f" SET stamp = {db.dialect.greater('excluded.stamp', 'orgsync_stamp.stamp + 1')}, org = excluded.org",
            [org_id],
        )
    db.execute("UPDATE main.orgsync_stamped SET seq = ?", [head])
    return int(head)


def fold_new(org: Org, words: Words) -> None:
    """`fold` in a transaction of its own, where the org has changed anything since the last time."""
    (done,) = org.db.execute("SELECT seq FROM main.orgsync_stamped").fetchone()
    if org.db.head() > done:
        with org.transaction() as db:
            fold(db, org.org_id, words)


def keep_moments(db: Database, connection: int, after: int) -> None:
    """Changes that were logged after entry `after` and go on over other connections keep the moment when they were made (CNF-1)."""
    db.execute(
        f"UPDATE main.orgsync_change SET at = st.at FROM temp.stage AS st WHERE orgsync_change.{db.dialect.entry} > ?"
        " AND orgsync_change.origin = ? AND orgsync_change.record = st.local",
        [after, connection],
    )


def prepare(db: Database, paths: Iterable[Path]) -> None:
    """Fills temp.cell: per object and column of the flow, the field's number in source and target, its word and bit."""
    db.execute(
        "CREATE TEMP TABLE IF NOT EXISTS cell (object BIGINT, source BIGINT, target BIGINT, name TEXT, word BIGINT,"
        " bit BIGINT, PRIMARY KEY (object, source))"
    )
    db.execute("DELETE FROM temp.cell")
    for path in paths:
        db.execute("INSERT INTO temp.cell VALUES (?, ?, ?, '', -1, 0)", [path.source, DELETED, DELETED])
        db.executemany(
            "INSERT INTO temp.cell VALUES (?, ?, ?, ?, ?, ?)",
            [(path.source, c.number, c.target_number, c.name, c.word, c.bit) for c in path.columns],
        )


def stage_lost(db: Database, words: Words, *, older_too: bool) -> int:
    """Fills temp.lost with what is staged and was seen here before, per record; returns how many records have some.

    With `older_too`, what is older than the target's own value as well. Its columns are those of a settled conflict.
    """
    seen = "t.stamp = s.stamp AND t.org = s.org"
    if older_too:
        seen = "s.stamp IS NULL OR t.stamp > s.stamp OR (t.stamp = s.stamp AND t.org >= s.org)"
    masks = commas(
        f"CAST(sum(CASE WHEN f.word = {place} THEN f.bit ELSE 0 END) AS BIGINT) AS {name}"
        for place, name in enumerate(words.names)
    )
    db.execute("DROP TABLE IF EXISTS temp.lost")
    db.execute(
        "CREATE TEMP TABLE lost AS SELECT st.n AS n, max(CASE WHEN f.word = -1 THEN 1 ELSE 0 END) AS alive, 0 AS dead,"
        f" {masks}"
        " FROM temp.stage AS st CROSS JOIN main.orgsync_stamp AS t ON t.record = st.local"
        " CROSS JOIN temp.cell AS f ON f.object = st.object AND f.target = t.field"
        " LEFT JOIN partner.orgsync_stamp AS s ON s.record = st.record AND s.field = f.source"
        f" WHERE {_staged(words)} AND ({seen}) GROUP BY st.n"
    )
    return int(db.execute("SELECT count(*) FROM temp.lost").fetchone()[0])


def keep(db: Database, words: Words, org_id: str) -> None:
    """What the target keeps by the connection's policy (temp.lost, still in temp.stage) is later than what it refused."""
    lost = " ".join(f"WHEN {place} THEN lost.{name}" for place, name in enumerate(words.names))
    db.execute(
        "INSERT INTO main.orgsync_stamp (record, field, stamp, org) SELECT st.local, f.target, s.stamp + 1, ?"
        " FROM temp.lost AS lost CROSS JOIN temp.stage AS st ON st.n = lost.n CROSS JOIN temp.cell AS f ON f.object = st.object"
        " CROSS JOIN partner.orgsync_stamp AS s ON s.record = st.record AND s.field = f.source"
        f" WHERE ({_staged(words)}) AND ((CASE f.word {lost} ELSE 0 END & f.bit) <> 0"
        " OR (f.word = -1 AND lost.alive = 1))"
        f" {_LATER}",
        [org_id],
    )


def bring(db: Database, words: Words, connection: int, org_id: str, links_after: int, batch: int) -> None:
    """Gives what was written from temp.stage the stamps that it has in the source.

    All fields of records that were linked since link number `links_after`, and the staged ones of the others; what the
    target refused in this `batch` has not come, nor has a lookup that waits. What replaced a later change, by the
    connection's policy or by hand, is a change of the target, later than that.
    """
    waits = (
        "NOT EXISTS (SELECT 1 FROM main.orgsync_waiting AS w WHERE w.record = l.local AND w.field = f.name)"
        " AND NOT EXISTS (SELECT 1 FROM partner.orgsync_waiting AS w WHERE w.record = st.record AND w.field = f.name)"
    )
    not_older = "(excluded.stamp, excluded.org) >= (orgsync_stamp.stamp, orgsync_stamp.org)"
    refused = (
        "EXISTS (SELECT 1 FROM main.orgsync_outcome AS o WHERE o.connection = l.connection AND o.batch = ?"
        " AND o.record = st.record AND o.error_code <> '')"
    )
    db.execute(
        "INSERT INTO main.orgsync_stamp (record, field, stamp, org) SELECT l.local, f.target, s.stamp, s.org"
        " FROM temp.stage AS st CROSS JOIN main.orgsync_link AS l ON l.partner = st.record AND l.connection = ?"
        " CROSS JOIN partner.orgsync_stamp AS s ON s.record = st.record"
        " CROSS JOIN temp.cell AS f ON f.object = st.object AND f.source = s.field"
        f" WHERE (l.number > ? OR {_staged(words)}) AND {waits} AND NOT {refused} ON CONFLICT (record, field) DO UPDATE"
        f" SET stamp = CASE WHEN {not_older} THEN excluded.stamp ELSE orgsync_stamp.stamp + 1 END,"
        f" org = CASE WHEN {not_older} THEN excluded.org ELSE ? END",
        [connection, links_after, batch, org_id],
    )
    # So is what replaced a change here and was never changed over there: sent by hand, or with a record's like.
    db.execute(
        "UPDATE main.orgsync_stamp SET stamp = orgsync_stamp.stamp + 1, org = ?"
        " FROM temp.stage AS st CROSS JOIN main.orgsync_link AS l ON l.partner = st.record AND l.connection = ?"
        " CROSS JOIN temp.cell AS f ON f.object = st.object"
        f" WHERE orgsync_stamp.record = l.local AND orgsync_stamp.field = f.target AND {_staged(words)} AND {waits}"
        " AND NOT EXISTS (SELECT 1 FROM partner.orgsync_stamp AS s WHERE s.record = st.record AND s.field = f.source)"
        f" AND NOT {refused}",
        [org_id, connection, batch],
    )


def keep_later(db: Database, words: Words, object_number: int, target: Target) -> int:
    """In a ring, what the target changed later than the source stays when a record is linked with its like (BLK-6).

    It is taken out of temp.stage (as temp.lost) and logged again as the target's change, for the source to get it.
    `object_number` is the target's. Returns how many records have some.
    """
    found = stage_lost(db, words, older_too=True)
    if found:
        places = range(target.width)
        masks = commas(
            f"CASE WHEN f.target / {WORD} = {word} THEN CAST(1 AS BIGINT) << CAST(f.target % {WORD} AS INTEGER) END"
            for word in places
        )
        lost = " ".join(f"WHEN {place} THEN lost.{name}" for place, name in enumerate(words.names))
        db.execute(
            f"INSERT INTO main.orgsync_change (object, record, op, at, {commas(f'm{word}' for word in places)})"
            f" SELECT {object_number}, st.local, 'U', {target.dialect.now_ms}, {masks} FROM temp.lost AS lost"
            " CROSS JOIN temp.stage AS st ON st.n = lost.n CROSS JOIN temp.likes AS m ON m.record = st.record"
            f" CROSS JOIN temp.cell AS f ON f.object = st.object WHERE (CASE f.word {lost} ELSE 0 END & f.bit) <> 0"
        )
    return found


def note_replaced(db: Database, words: Words, target: Target) -> None:
    """What a like gets that neither org has changed since it made its record is a change of the target.

    Of two of these the later one stays, and any real change is later: the moment counts in milliseconds alone.
    """
    db.execute(
        f"INSERT INTO main.orgsync_stamp (record, field, stamp, org) SELECT m.local, f.target, {target.dialect.now_ms}, ?"
        " FROM temp.likes AS m CROSS JOIN temp.stage AS st ON st.record = m.record"
        " CROSS JOIN temp.cell AS f ON f.object = st.object"
        f" WHERE {_staged(words)} AND NOT EXISTS (SELECT 1 FROM partner.orgsync_stamp AS s"
        " WHERE s.record = st.record AND s.field = f.source) ON CONFLICT DO NOTHING",
        [target.stamped],
    )


def bring_copied(db: Database, partner: Partner, path: Path, connection: int, links_after: int) -> None:
    """Gives records that were copied since link number `links_after`, without staging, the stamps that they have there."""
    (some,) = partner.row("SELECT EXISTS (SELECT 1 FROM partner.orgsync_stamp)")
    if some:
        copied = "SELECT partner FROM main.orgsync_link WHERE number > ? AND connection = ? AND object = ?"
        partner.bring_by("orgsync_stamp", "s.record", copied, [links_after, connection, path.target])
        db.execute(
            "INSERT INTO main.orgsync_stamp (record, field, stamp, org) SELECT l.local, f.target, s.stamp, s.org"
            " FROM main.orgsync_link AS l CROSS JOIN partner.orgsync_stamp AS s ON s.record = l.partner"
            " CROSS JOIN temp.cell AS f ON f.object = ? AND f.source = s.field"
            f" WHERE l.number > ? AND l.connection = ? AND l.object = ? {_LATER}",
            [path.source, links_after, connection, path.target],
        )


def bring_filled(db: Database, partner: Partner, connection: int) -> None:
    """Lookups that were just filled in (temp.arrived) have the stamps of the source, as far as it still says the same."""
    linked = "SELECT l.partner FROM temp.arrived AS a CROSS JOIN main.orgsync_link AS l ON l.local = a.record AND l.connection = ?"
    partner.bring_by("orgsync_stamp", "s.record", linked, [connection])
    partner.bring("orgsync_object")
    partner.bring("orgsync_field", "s.definition IS NOT NULL")
    for name, field, number, other in db.execute(
        "SELECT DISTINCT o.name, a.field, f.number, g.number FROM temp.arrived AS a"
        " JOIN main.orgsync_object AS o ON o.number = a.object"
        " JOIN main.orgsync_field AS f ON f.object = o.number AND f.name = a.field"
        " JOIN partner.orgsync_object AS p ON p.name = o.name"
        " JOIN partner.orgsync_field AS g ON g.object = p.number AND g.name = a.field"
    ).fetchall():
        here = "JOIN main.orgsync_object AS o ON o.number = a.object WHERE o.name = ?"
        partner.bring_by(name, 's."Id"', f"{linked} {here}", [connection, name])
        db.execute(
            f"INSERT INTO main.orgsync_stamp (record, field, stamp, org) SELECT a.record, {number}, s.stamp, s.org"
            " FROM temp.arrived AS a CROSS JOIN main.orgsync_link AS l ON l.local = a.record AND l.connection = ?"
            f' CROSS JOIN partner.{quote(name)} AS r ON r."Id" = l.partner AND r.{quote(field)} = a.parent'
            f" CROSS JOIN partner.orgsync_stamp AS s ON s.record = l.partner AND s.field = {other}"
            f" WHERE a.field = {literal(field)} {_LATER}",
            [connection],
        )


#: After an INSERT into the stamps: of two stamps the later one stays.
_LATER = (
    "ON CONFLICT (record, field) DO UPDATE SET stamp = excluded.stamp, org = excluded.org"
    " WHERE (excluded.stamp, excluded.org) > (orgsync_stamp.stamp, orgsync_stamp.org)"
)


def _staged(words: Words) -> str:
    """SQL: whether the cell `f` of the staged record `st` is to be written."""
    word = " ".join(f"WHEN {place} THEN st.{name}" for place, name in enumerate(words.names))
    return f"((CASE f.word {word} ELSE 0 END & f.bit) <> 0 OR (f.word = -1 AND st.gone = 1))"
