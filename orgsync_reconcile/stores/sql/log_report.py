"""Reports on an org's sync log: one statement over bound values, read row by row (LOG-4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orgsync_reconcile.clock import iso
from orgsync_reconcile.errors import UsageError
from orgsync_reconcile.model.report import ENTRY_FIELDS, TIME_GROUPS, ReportDefinition
from orgsync_reconcile.model.schema import ANY_OBJECT, SYSTEM_FIELDS, FieldDef, FieldType, ObjectDef
from orgsync_reconcile.stores.sql.filters import compile_filter
from orgsync_reconcile.stores.sql.layout import ROW
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.partner_tables import SYNC_LOG
from orgsync_reconcile.stores.sql.schema import Objects
from orgsync_reconcile.stores.sql.text import EVERY, commas, literal, quote

#: The log as people speak of it: the fields of its object and, beside them, the names that `log list` uses.
_ENTRY = ObjectDef(
    name="A log entry",
    key_prefix=SYNC_LOG.key_prefix,
    fields={
        **SYNC_LOG.fields,
        **{name: FieldDef(name=name, type=FieldType.TEXT) for name in ENTRY_FIELDS if name not in ("number", "at")},
        "number": FieldDef(name="number", type=FieldType.NUMBER, scale=0),
        "at": FieldDef(name="at", type=FieldType.DATETIME),
    },
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Period:
    """From a moment on, and up to another one, which is not part of it."""

    since: datetime | None
    until: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class _Query:
    """The entries of a report as a table `s`, its conditions, and the values of their question marks."""

    source: str
    where: str
    parameters: tuple[str | int, ...]


def read_entries(
    org: Org, connection: str, report: ReportDefinition, period: Period, *, limit: int | None = None
) -> Iterator[dict[str, Any]]:
    """The entries of a report, newest first, as column -> value; with `at` and `number` whatever its columns are.

    Raises UsageError for a filter that does not fit the log, and for an object that the org does not have.
    """
    query = _query(org, connection, report, period)
    names = list(dict.fromkeys([*(name for name in report.columns if name != "org"), "at", "number"]))
    with org.translated():
        rows = org.db.stream(
            f"SELECT {commas(f's.{quote(name)}' for name in names)} FROM ({query.source}) AS s WHERE {query.where}"
            f" ORDER BY s.{ROW} DESC LIMIT ?",
            [*query.parameters, EVERY if limit is None else limit],
        )
        for row in rows:
            yield {"org": org.label, **dict(zip(names, row, strict=True))}


def count_entries(org: Org, connection: str, report: ReportDefinition, period: Period) -> int:
    """How many entries a report has in this org. Raises as `read_entries` does."""
    query = _query(org, connection, report, period)
    with org.translated():
        row = org.db.execute(f"SELECT count(*) FROM ({query.source}) AS s WHERE {query.where}", query.parameters)
        return int(row.fetchone()[0])


def count_groups(org: Org, connection: str, report: ReportDefinition, period: Period) -> dict[str, int]:
    """Group -> how many of the report's entries it has in this org; entries without a value are in the group "".

    Raises as `read_entries` does.
    """
    query = _query(org, connection, report, period)
    length = None
    if report.group_by in TIME_GROUPS:
        key, length = "s.at", TIME_GROUPS[report.group_by]
    elif report.group_by == "org":
        key = literal(org.label)
    else:
        key = f"coalesce(s.{quote(report.group_by)}, '')"
    # Counted here: the database would sort all entries first, in memory.
    with org.translated():
        rows = org.db.stream(f"SELECT {key} FROM ({query.source}) AS s WHERE {query.where}", query.parameters)
        return dict(Counter(str(row[0])[:length] for row in rows))


def _query(org: Org, connection: str, report: ReportDefinition, period: Period) -> _Query:
    related = _related(org, report.related_to)
    named = {name: f"l.{quote(field)}" for name, field in ENTRY_FIELDS.items()}
    named["number"] = org.db.dialect.whole(named["number"])
    shown = {name.casefold() for name in named}
    own = [f"l.{quote(name)}" for name in (*SYSTEM_FIELDS, *SYNC_LOG.fields) if name.casefold() not in shown]
    columns = commas([f"l.{ROW}", *own, *(f"{value} AS {quote(name)}" for name, value in named.items()), related])
    source = f'SELECT {columns} FROM "PartnerNetworkSyncLog" AS l'
    conditions = ['s."IsDeleted" = FALSE', 's."ConnectionId" = (SELECT id FROM orgsync_connection WHERE name = ?)']
    parameters: list[str | int] = [connection]
    conditions.append("s.at < ?")
    parameters.append(iso(period.until))
    if period.since is not None:
        conditions.append("s.at >= ?")
        parameters.append(iso(period.since))
    if report.related_to:
        conditions.append("s.related IS NOT NULL")
    if report.where:
        found = compile_filter(_ENTRY, report.where, org.db.dialect)
        conditions.append(found.sql)
        parameters.extend(found.parameters)
    return _Query(source=source, where=" AND ".join(conditions), parameters=tuple(parameters))


def _related(org: Org, object_name: str) -> str:
    """The columns `related` and `related_name`: the record of `object_name` that an entry's own record is or leads to."""
    if not object_name:
        return "NULL AS related, NULL AS related_name"
    objects = Objects(org)
    known = {name.casefold(): name for name in objects}
    name = known.get(object_name.casefold())
    if name is None:
        raise UsageError(f"there is no object {object_name}", where=org.label, hint="see orgsync org describe")
    cases = [f'WHEN {literal(name)} THEN l."LocalRecord"']
    for other in sorted(objects):
        paths = _paths(objects, other, name)
        if paths and other != name:
            first = paths[0] if len(paths) == 1 else f"coalesce({commas(paths)})"
            cases.append(
                f'WHEN {literal(other)} THEN (SELECT {first} FROM {quote(other)} AS c WHERE c."Id" = l."LocalRecord")'
            )
    expression = f'CASE l."EntityType" {" ".join(cases)} END'
    if "Name" not in objects[name].fields:
        return f"{expression} AS related, NULL AS related_name"
    named = f'(SELECT r."Name" FROM {quote(name)} AS r WHERE r."Id" = ({expression}))'
    return f"{expression} AS related, {named} AS related_name"


def _paths(objects: Mapping[str, ObjectDef], child: str, wanted: str) -> list[str]:
    """What leads from a record `c` of `child` to one of `wanted`: its own lookups, then those of its parents."""
    own = [_id(objects, field, "c", wanted) for field in _lookups(objects[child], wanted)]
    over = [
        f'(SELECT {_id(objects, further, "p", wanted)} FROM {quote(parent)} AS p WHERE p."Id" = c.{quote(field.name)})'
        for field in objects[child].references()
        for parent in field.reference_to
        if parent not in (child, wanted) and parent in objects and objects[parent].kind == "object"
        for further in _lookups(objects[parent], wanted)
    ]
    return [*own, *over]


def _lookups(obj: ObjectDef, wanted: str) -> list[FieldDef]:
    return [field for field in obj.references() if wanted in field.reference_to or ANY_OBJECT in field.reference_to]


def _id(objects: Mapping[str, ObjectDef], field: FieldDef, alias: str, wanted: str) -> str:
    """The lookup's Id where it points to a record of `wanted`: a polymorphic one may point elsewhere."""
    column = f"{alias}.{quote(field.name)}"
    if len(field.reference_to) == 1:
        return column
    return f"CASE WHEN substr({column}, 1, 3) = {literal(objects[wanted].key_prefix)} THEN {column} END"
