"""Reports on the sync log as values: what a report asks, by the names that people use for a log entry's parts (LOG-4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Literal

#: A part of a log entry, as `log list` names it -> the field of the org's Organization Sync Log that holds it.
ENTRY_FIELDS: Final[Mapping[str, str]] = {
    "number": "Name",
    "object": "EntityType",
    "record": "LocalRecord",
    "event": "ConnectionEvent",
    "status": "Status",
    "error_code": "Error",
    "field": "FieldName",
    "field_type": "FieldType",
    "description": "Description",
    "at": "CreatedDate",
}
#: What a report can show of an entry. `org` is whose log it is; `related` is the record that an entry's is related to.
Column = Literal[
    "org",
    "number",
    "object",
    "record",
    "event",
    "status",
    "error_code",
    "field",
    "field_type",
    "description",
    "at",
    "related",
    "related_name",
]
#: What entries can be counted by.
GroupBy = Literal[
    "hour", "day", "month", "org", "object", "event", "status", "error_code", "field", "field_type", "related"
]
#: What a report lists where it does not say.
DEFAULT_COLUMNS: Final = ("org", "number", "object", "record", "event", "status", "error_code", "at")
#: Stretches of time among the groups, and how much of a moment's text tells one from the next.
TIME_GROUPS: Final[Mapping[str, int]] = {"hour": 13, "day": 10, "month": 7}


class Chart(StrEnum):
    """How groups are drawn: lying bars, or standing ones for stretches of time."""

    BARS = "bars"
    COLUMNS = "columns"
    NONE = "none"


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportDefinition:
    """A report on the sync logs of a connection's orgs.

    `since` and `until` are moments or ages; `where` is a filter in the grammar of `--where`; `related_to` the API name
    of an object: only entries of its records and of records whose lookups lead to one.
    """

    name: str
    title: str
    connection: str = ""
    #: primary, secondary or both
    org: str = "both"
    since: datetime | timedelta | None = None
    until: datetime | timedelta | None = None
    where: str = ""
    related_to: str = ""
    group_by: str = ""
    columns: tuple[str, ...] = DEFAULT_COLUMNS
    chart: Chart = Chart.NONE


def chart_for(group_by: str) -> Chart:
    """How groups are drawn where the report does not say."""
    if not group_by:
        return Chart.NONE
    return Chart.COLUMNS if group_by in TIME_GROUPS else Chart.BARS


_DAY = timedelta(days=1)


def _counted(name: str, title: str, group_by: str, since: timedelta | None = None) -> ReportDefinition:
    return ReportDefinition(name=name, title=title, since=since, group_by=group_by, chart=chart_for(group_by))


def _related(name: str, title: str, object_name: str, since: timedelta) -> ReportDefinition:
    shown = ("related_name", *DEFAULT_COLUMNS)
    return ReportDefinition(name=name, title=title, since=since, related_to=object_name, columns=shown)


#: The reports that need no manifest: those that the guide describes, and what goes with them.
READY_MADE: Final = (
    ReportDefinition(name="last-24-hours", title="Log entries in the last 24 hours", since=_DAY),
    _counted("by-hour", "Log entries by hour, in the last 24 hours", "hour", _DAY),
    _counted("by-day", "Log entries by day, in the last 30 days", "day", 30 * _DAY),
    _counted("by-field-type", "Log entries by field type", "field_type"),
    _counted("by-object", "Log entries by object", "object"),
    _counted("by-error-code", "Log entries by error code", "error_code"),
    _related("account-last-week", "Log entries of the last week related to an account", "Account", 7 * _DAY),
    _related("case-last-month", "Log entries of the last month related to a case", "Case", 30 * _DAY),
)
