"""The set statements that write one object of a batch into the target: inserts, updates, deletes, undeletes.

Every statement works on the rows `low < n <= high` of its row source, so that a refused set can be split.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orgsync_reconcile.model.schema import SCALED
from orgsync_reconcile.stores.sql.dialect import Dialect
from orgsync_reconcile.stores.sql.flow.mentions import plain
from orgsync_reconcile.stores.sql.flow.paths import Path, PathColumn
from orgsync_reconcile.stores.sql.flow.roots import came_from
from orgsync_reconcile.stores.sql.layout import ROW
from orgsync_reconcile.stores.sql.text import commas, literal, quote

#: After an INSERT of lookups that wait: one that waits already has a new placeholder.
WAITING_AGAIN = (
    "ON CONFLICT (connection, parent, record, field) DO UPDATE"
    " SET object = excluded.object, placeholder = excluded.placeholder"
)


@dataclass(frozen=True, kw_only=True)
class RowSource:
    """Where the rows of a statement come from: `s` is the source's record, `number` its number within the set.

    `sql` holds the FROM and WHERE clauses with :low and :high.
    """

    sql: str
    number: str


@dataclass(frozen=True, kw_only=True)
class Target:
    """What every statement must know of the target: connection number, org code, who stands in for missing users."""

    connection: int
    #: The connection's number in the source.
    there: int
    code: str
    stand_in: str
    now: str
    now_ms: int
    #: Copy the audit fields with new records (AUD-1).
    audit: bool
    #: The source's log position up to which its records are read.
    seen: int
    #: How the target's store writes what SQL has no common word for.
    dialect: Dialect
    #: The source has other connections: its records may come from elsewhere.
    rooted: bool = False
    #: The target's org Id where fields carry stamps, empty otherwise; whether the connection is part of a ring.
    stamped: str = ""
    ring: bool = False
    #: How many mask words the target's log has.
    width: int = 0


def staged_rows(path: Path, table: str = "todo") -> RowSource:
    """The rows of temp.todo, or of another temporary table like it, in its order."""
    return RowSource(
        sql=f'FROM temp.{table} AS st CROSS JOIN partner.{quote(path.object)} AS s ON s."Id" = st.record'
        " WHERE st.n > :low AND st.n <= :high",
        number="st.n",
    )


def ranged_rows(path: Path, condition: str) -> RowSource:
    """The source's rows by row number, as far as `condition` (over `s`) holds."""
    return RowSource(
        sql=f"FROM partner.{quote(path.object)} AS s WHERE s.{ROW} > :low AND s.{ROW} <= :high AND {condition}",
        number=f"(s.{ROW} - :start)",
    )


def translated(column: str, target: Target, *, person: bool = False) -> str:
    """The target's Id of the record that the source's `column` points to, or NULL; a stand-in for people (USR-5)."""
    found = (
        f"(SELECT l.local FROM main.orgsync_link AS l WHERE l.partner = s.{quote(column)}"
        f" AND l.connection = {target.connection})"
    )
    if person:
        found = f"coalesce({found}, {literal(target.stand_in)})"
    # Most lookups are empty, and a query that finds nothing costs as much as one that does.
    return f"CASE WHEN s.{quote(column)} IS NOT NULL THEN {found} END"


def value_of(column: PathColumn, target: Target) -> str:
    """The SQL expression of what a column gets."""
    if column.reference:
        return translated(column.name, target, person=column.person)
    return plain("s", column.name) if column.mentions else f"s.{quote(column.name)}"


def insert_rows(path: Path, rows: RowSource, target: Target, *, known: str = "") -> str:
    """INSERT of new records under Ids minted from `:base`, or under those that they have already: the SQL of `known`."""
    number = f"(:base + {rows.number})"
    values = {"Id": known or target.dialect.mint(path.key_prefix, target.code, number)}
    if target.dialect.numbers_rows:
        values[ROW] = number
    # A query of its own is asked once, a column's default once for each row.
    now = f"(SELECT {target.dialect.now})"
    values["SystemModstamp"] = now
    if target.audit:
        values["CreatedById"] = f"coalesce({translated('CreatedById', target)}, {literal(target.stand_in)})"
        values["CreatedDate"] = 's."CreatedDate"'
        values["LastModifiedById"] = f"coalesce({translated('LastModifiedById', target)}, {literal(target.stand_in)})"
        values["LastModifiedDate"] = 's."LastModifiedDate"'
    else:
        values["CreatedById"] = values["LastModifiedById"] = literal(target.stand_in)
        values["CreatedDate"] = values["LastModifiedDate"] = now
    for column in path.columns:
        values[column.name] = value_of(column, target)
    for field in path.auto_numbers:
        values[field.name] = target.dialect.auto_number_text(
            field.display_format or "", f":auto_{field.name} + {rows.number}"
        )
    names = commas(quote(name) for name in values)
    return f"INSERT INTO main.{quote(path.object)} ({names}) SELECT {commas(values.values())} {rows.sql}"


def insert_links(path: Path, rows: RowSource, target: Target) -> str:
    """INSERT of the links of the same records."""
    local = target.dialect.mint(path.key_prefix, target.code, f"(:base + {rows.number})")
    root = came_from('s."Id"') if target.rooted else "NULL"
    return (
        "INSERT INTO main.orgsync_link (connection, object, local, partner, made_here, since, seen, root)"
        f' SELECT {target.connection}, {path.target}, {local}, s."Id", 1, {target.now_ms}, {target.seen}, {root} {rows.sql}'
    )


def missing_references(path: Path, rows: RowSource, target: Target) -> str:
    """One row: per reference column, whether any of the new records points to something that has no link here."""
    names = [quote(column.name) for column in path.references]
    tests = [
        f"EXISTS (SELECT 1 FROM (SELECT DISTINCT {name} AS parent FROM pointing WHERE {name} IS NOT NULL) AS p WHERE NOT EXISTS"
        f" (SELECT 1 FROM main.orgsync_link AS l WHERE l.partner = p.parent AND l.connection = {target.connection}))"
        for name in names
    ]
    return f"WITH pointing AS (SELECT {commas(f's.{name}' for name in names)} {rows.sql}) SELECT {commas(tests)}"


def insert_waiting(path: Path, column: PathColumn, rows: RowSource, target: Target) -> str:
    """INSERT of the lookups of new records that wait for their parent (LKP-2)."""
    name = quote(column.name)
    return (
        "INSERT INTO main.orgsync_waiting (connection, object, record, field, parent, placeholder)"
        f' SELECT {target.connection}, {path.target}, t."Id", {literal(column.name)}, s.{name}, t.{name}'
        f" {_joined_to_target(path, rows, target)} AND {_is_missing(column, target)} {WAITING_AGAIN}"
    )


def _is_missing(column: PathColumn, target: Target) -> str:
    """The condition that a record which was just inserted as `t` points to something that was not here then.

    What stands in the record tells, not the links: others may have brought the parent since. A person has a stand-in,
    who may be the true one; but people come while nobody else writes.
    """
    given = f"s.{quote(column.name)} IS NOT NULL AND t.{quote(column.name)} IS"
    if not column.person:
        return f"{given} NULL"
    return f"{given} {literal(target.stand_in)} AND NOT EXISTS ({_link_of(column.name, target)})"


def _link_of(column: str, target: Target) -> str:
    return f"SELECT 1 FROM main.orgsync_link AS l WHERE l.partner = s.{quote(column)} AND l.connection = {target.connection}"


def _joined_to_target(path: Path, rows: RowSource, target: Target) -> str:
    number = f":base + {rows.number}"
    same = (
        f"t.{ROW} = {number}"
        if target.dialect.numbers_rows
        else f't."Id" = {target.dialect.mint(path.key_prefix, target.code, number)}'
    )
    joined = f" CROSS JOIN main.{quote(path.object)} AS t ON {same} WHERE "
    before, _, after = rows.sql.partition(" WHERE ")
    return before + joined + after


def update_rows(
    path: Path, columns: Sequence[PathColumn], target: Target, *, only_mask: Sequence[int] | None, table: str
) -> str:
    """UPDATE of linked records by the temporary `table`.

    With `only_mask`, of the rows with exactly these mask words, `columns` being theirs; without, every column of
    `columns` takes the new value where its bit is set and keeps its own elsewhere.
    """
    sets = [
        f"{quote(c.name)} = {value_of(c, target)}"
        if only_mask is not None
        else f"{quote(c.name)} = CASE WHEN (st.m{c.word} & {c.bit}) <> 0 THEN {value_of(c, target)} ELSE t.{quote(c.name)} END"
        for c in columns
    ]
    sets += [
        f'"LastModifiedDate" = {literal(target.now)}',
        f'"LastModifiedById" = {literal(target.stand_in)}',
        f'"SystemModstamp" = {literal(target.now)}',
    ]
    masks = "".join(f" AND st.m{word} = {value}" for word, value in enumerate(only_mask or ()))
    return (
        f"UPDATE main.{quote(path.object)} AS t SET {commas(sets)}"
        f' FROM temp.{table} AS st CROSS JOIN partner.{quote(path.object)} AS s ON s."Id" = st.record'
        f' WHERE t."Id" = st.local AND st.n > :low AND st.n <= :high{masks}'
    )


def mask_of_linked_inserts(path: Path, width: int, target: Target) -> str:
    """UPDATE of temp.stage: an insert under an Id that is linked already is an update of all columns (ORG-7).

    Of all columns that differ, that is; but for those where the source itself has only a placeholder (LKP-2, USR-5).
    """
    words: list[list[str]] = [["0"] for _ in range(width)]
    for column in path.columns:
        differs = f"{value_of(column, target)} IS NOT t.{quote(column.name)}"
        if column.reference:
            differs += (
                f' AND NOT EXISTS (SELECT 1 FROM partner.orgsync_waiting AS w WHERE w.record = s."Id"'
                f" AND w.field = {literal(column.name)} AND w.placeholder IS s.{quote(column.name)})"
            )
        words[column.word].append(f"CASE WHEN {differs} THEN {column.bit} ELSE 0 END")
    sets = commas(f"m{word} = {' | '.join(bits)}" for word, bits in enumerate(words))
    return (
        f"UPDATE temp.stage SET gone = 1, {sets} FROM partner.{quote(path.object)} AS s, main.{quote(path.object)} AS t"
        f" WHERE stage.object = {path.source} AND stage.ins = 1 AND stage.local IS NOT NULL"
        ' AND s."Id" = stage.record AND t."Id" = stage.local'
    )


def blank_unique(path: Path, columns: Sequence[PathColumn], table: str) -> str:
    """UPDATE that blanks unique columns which are about to change, so that records can swap their values.

    A required one cannot be blank: it takes the row's own number for that moment.
    """
    sets = commas(
        f"{quote(c.name)} = CASE WHEN (st.m{c.word} & {c.bit}) <> 0 THEN {_passing(c)} ELSE t.{quote(c.name)} END"
        for c in columns
    )
    return (
        f"UPDATE main.{quote(path.object)} AS t SET {sets} FROM temp.{table} AS st"
        ' WHERE t."Id" = st.local AND st.n > :low AND st.n <= :high'
    )


def _passing(column: PathColumn) -> str:
    """What stands in a unique column for a moment: nothing, or what no other record has."""
    if not column.required:
        return "NULL"
    number = column.kind in {kind.value for kind in SCALED}
    return f"-t.{ROW}" if number else f"CAST(-t.{ROW} AS TEXT)"


def set_deleted(path: Path, target: Target, *, deleted: bool) -> str:
    """UPDATE that deletes or undeletes the records of temp.todo; the org's own triggers cascade (LKP-4)."""
    before, after = ("FALSE", "TRUE") if deleted else ("TRUE", "FALSE")
    return (
        f'UPDATE main.{quote(path.object)} AS t SET "IsDeleted" = {after}, "LastModifiedDate" = {literal(target.now)},'
        f' "LastModifiedById" = {literal(target.stand_in)}, "SystemModstamp" = {literal(target.now)}'
        ' FROM temp.todo AS st WHERE t."Id" = st.local AND st.n > :low AND st.n <= :high'
        f' AND t."IsDeleted" = {before}'
    )


def update_waiting(path: Path, column: PathColumn, target: Target, table: str) -> tuple[str, str]:
    """After an update of a lookup: forget what waited, and wait for the new parent where it is not here."""
    name = quote(column.name)
    changed = f"(st.m{column.word} & {column.bit}) <> 0"
    forget = (
        f"DELETE FROM main.orgsync_waiting WHERE field = {literal(column.name)} AND record IN"
        f" (SELECT st.local FROM temp.{table} AS st WHERE {changed})"
    )
    wait = (
        "INSERT INTO main.orgsync_waiting (connection, object, record, field, parent, placeholder)"
        f" SELECT {target.connection}, {path.target}, st.local, {literal(column.name)}, s.{name},"
        f" {literal(target.stand_in) if column.person else 'NULL'}"
        f' FROM temp.{table} AS st CROSS JOIN partner.{quote(path.object)} AS s ON s."Id" = st.record'
        f" WHERE {changed} AND s.{name} IS NOT NULL AND NOT EXISTS ({_link_of(column.name, target)})"
        f" {WAITING_AGAIN}"
    )
    return forget, wait
