"""Reports on the sync log: which one is meant, for which period, and what it found in each org (LOG-4)."""

from __future__ import annotations

import difflib
import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from orgsync_reconcile.errors import UsageError
from orgsync_reconcile.model.desired import Desired
from orgsync_reconcile.model.report import (
    DEFAULT_COLUMNS,
    READY_MADE,
    TIME_GROUPS,
    Chart,
    ReportDefinition,
    chart_for,
)
from orgsync_reconcile.stores.sql.log_report import Period, count_entries, count_groups, read_entries
from orgsync_reconcile.stores.sql.org import Org

#: Longer stretches of time are shown without the hours, days or months in which nothing happened.
_MOST_STRETCHES = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Entries with one value of what they are counted by: org -> how many. The key is empty where they have none."""

    key: str
    counts: Mapping[str, int]

    @property
    def total(self) -> int:
        """The entries of all orgs."""
        return sum(self.counts.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What a report found. `totals`: org -> entries; `entries` are read as they are asked for, once."""

    definition: ReportDefinition
    connection: str
    period: Period
    totals: Mapping[str, int]
    groups: tuple[Group, ...]
    entries: Iterator[dict[str, Any]]
    #: At most so many entries are read.
    limit: int | None = None

    @property
    def cut(self) -> bool:
        """Whether there are more entries than are read."""
        return not self.groups and self.limit is not None and self.total > self.limit

    @property
    def orgs(self) -> tuple[str, ...]:
        """Whose logs these are."""
        return tuple(self.totals)

    @property
    def total(self) -> int:
        """The entries of all orgs."""
        return sum(self.totals.values())


def definitions(desired: Desired) -> dict[str, ReportDefinition]:
    """Name -> report: the ready-made ones, and those of the manifests, which go first."""
    own = {name: _definition(data) for (kind, name), data in desired.others.items() if kind == "Report"}
    return {**{item.name: item for item in READY_MADE}, **dict(sorted(own.items()))}


def find_definition(desired: Desired, name: str) -> ReportDefinition:
    """The report of that name. Raises UsageError, with the nearest name."""
    known = definitions(desired)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        raise UsageError(
            f"there is no report {name!r}",
            hint=f"did you mean {near[0]}?" if near else "see them all with: orgsync log report --list",
        )
    return known[name]


def _definition(data: Mapping[str, Any]) -> ReportDefinition:
    group_by = str(data.get("group_by") or "")
    default = ("related_name", *DEFAULT_COLUMNS) if data.get("related_to") else DEFAULT_COLUMNS
    return ReportDefinition(
        name=str(data["name"]),
        title=str(data.get("title") or data["name"]),
        connection=str(data["connection"]),
        org=str(data["org"]),
        since=_moment(data.get("since")),
        until=_moment(data.get("until")),
        where=str(data.get("where") or ""),
        related_to=str(data.get("related_to") or ""),
        group_by=group_by,
        columns=tuple(data.get("columns") or default),
        chart=Chart(data.get("chart") or chart_for(group_by)),
    )


def _moment(value: object) -> datetime | timedelta | None:
    if value is None:
        return None
    return timedelta(seconds=value) if isinstance(value, int) else datetime.fromisoformat(str(value))


def run_report(
    definition: ReportDefinition, connection: str, orgs: Sequence[Org], now: datetime, *, limit: int | None
) -> Result:
    """Reads the logs of these orgs; at most `limit` entries, newest first. The orgs stay open as long as it is read.

    Raises UsageError for a period that ends before it begins, a filter that does not fit, and an object that is not
    there.
    """
    period = _period(definition, now)
    if definition.group_by:
        counted = {org.label: count_groups(org, connection, definition, period) for org in orgs}
        groups = _groups(definition, period, counted)
        totals = {name: sum(found.values()) for name, found in counted.items()}
        return Result(
            definition=definition,
            connection=connection,
            period=period,
            totals=totals,
            groups=groups,
            entries=iter(()),
        )
    totals = {org.label: count_entries(org, connection, definition, period) for org in orgs}
    streams = [read_entries(org, connection, definition, period, limit=limit) for org in orgs]
    entries = heapq.merge(*streams, key=lambda entry: (entry["at"], entry["number"]), reverse=True)
    return Result(
        definition=definition,
        connection=connection,
        period=period,
        totals=totals,
        groups=(),
        entries=islice(entries, limit),
        limit=limit,
    )


def adjusted(
    definition: ReportDefinition,
    *,
    org: str | None,
    since: datetime | timedelta | None,
    until: datetime | timedelta | None,
    where: str | None,
) -> ReportDefinition:
    """The report with what was asked for in its place; a further filter narrows its own."""
    both = f"({definition.where}) AND ({where})" if definition.where and where else where or definition.where
    return replace(
        definition,
        org=org or definition.org,
        since=since or definition.since,
        until=until or definition.until,
        where=both,
    )


def _period(definition: ReportDefinition, now: datetime) -> Period:
    def at(value: datetime | timedelta) -> datetime:
        try:
            return now - value if isinstance(value, timedelta) else value
        except OverflowError:
            return datetime.min.replace(tzinfo=UTC)

    since = None if definition.since is None else at(definition.since)
    # An entry of this very moment belongs to the report.
    until = now + timedelta(milliseconds=1) if definition.until is None else at(definition.until)
    if since is not None and since >= until:
        raise UsageError(
            f"the period of {definition.name} ends at {until:%Y-%m-%d %H:%M}, before it begins",
            hint="choose an earlier --since or a later --until",
        )
    return Period(since=since, until=until)


def _groups(
    definition: ReportDefinition, period: Period, counted: Mapping[str, Mapping[str, int]]
) -> tuple[Group, ...]:
    """Stretches of time in their order, without gaps; all else the largest first."""
    keys = {key for found in counted.values() for key in found}
    found = {key: Group(key=key, counts={org: counts.get(key, 0) for org, counts in counted.items()}) for key in keys}
    if definition.group_by not in TIME_GROUPS:
        return tuple(sorted(found.values(), key=lambda item: (-item.total, item.key)))
    empty = dict.fromkeys(counted, 0)
    return tuple(
        found.get(key) or Group(key=key, counts=empty) for key in _stretches(definition.group_by, period, sorted(keys))
    )


def _stretches(group_by: str, period: Period, keys: Sequence[str]) -> Sequence[str]:
    """All hours, days or months of the period, by their first characters; only `keys` where that would be too many."""
    length = TIME_GROUPS[group_by]
    if period.since is None and not keys:
        return keys
    first = period.since.isoformat()[:length] if period.since else keys[0]
    last = (period.until - timedelta(milliseconds=1)).astimezone(UTC).isoformat()[:length]
    step = {"hour": timedelta(hours=1), "day": timedelta(days=1), "month": timedelta(days=31)}[group_by]
    try:
        moment = datetime.fromisoformat(first.ljust(7, "0") + "-01" if group_by == "month" else first)
    except ValueError:
        # An entry whose time somebody has written by hand.
        return keys
    found: list[str] = []
    while (key := moment.isoformat()[:length]) <= last:
        found.append(key)
        if len(found) > _MOST_STRETCHES:
            return keys
        moment += step
        if group_by == "month":
            moment = moment.replace(day=1)
    return sorted({*found, *keys})
