"""The document Report: a report on the sync log of one org or both (LOG-4)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from orgsync_reconcile.errors import UsageError
from orgsync_reconcile.manifest.findings import shown, suggestion
from orgsync_reconcile.manifest.terms import (
    DURATION_PATTERN,
    Identifier,
    Name,
    SideName,
    Strict,
    Text,
    parse_duration,
    problem,
    without_repetition,
)
from orgsync_reconcile.model.filter_text import compared_fields, parse_filter
from orgsync_reconcile.model.report import ENTRY_FIELDS, Chart, Column, GroupBy
from orgsync_reconcile.model.schema import SYSTEM_FIELDS

_MOMENT_PATTERN: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]+(Z|[+-][0-9:]+)?)?$"
#: Names that a filter may compare: those of `log list`, and the fields of the Organization Sync Log itself.
_COMPARED: Final = {name.casefold() for name in (*ENTRY_FIELDS, *ENTRY_FIELDS.values(), *SYSTEM_FIELDS, "ConnectionId")}


def _parse_moment(value: Any) -> Any:
    """Seconds of an age such as `7d`, or the text of a moment in UTC such as 2026-01-31."""
    if not isinstance(value, str) or not value[:4].isdecimal() or len(value) < 8:
        return parse_duration(value)
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise problem(
            f"{shown(value)} is no moment", "write 2026-01-31, 2026-01-31T12:00:00Z or an age like 7d"
        ) from None
    return (found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)).isoformat()


#: An age in seconds, or a moment as ISO 8601 text.
MomentOrAge = Annotated[
    int | str,
    BeforeValidator(_parse_moment),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "pattern": DURATION_PATTERN}, {"type": "string", "pattern": _MOMENT_PATTERN}]}
    ),
]


def _filter(text: str) -> str:
    try:
        fields = list(compared_fields(parse_filter(text)))
    except UsageError as error:
        raise problem(error.message, error.hint or "for example status = 'Failed' AND object = 'Account'") from None
    for name, column in fields:
        if name.casefold() not in _COMPARED:
            known = suggestion(name, list(ENTRY_FIELDS), "known fields")
            raise problem(f"filter, column {column}: a log entry has no field {shown(name)}", known)
    return text


class Report(Strict):
    """A report on the sync log of one org or both."""

    version: Literal[1] = Field(description="Version of the manifest format, 1")
    kind: Literal["Report"] = Field(description="What this document describes")
    name: Name = Field(description="Name of the report; a ready-made report of that name is replaced")
    title: Text | None = Field(default=None, max_length=200, description="Title of the report; by default its name")
    connection: Name = Field(description="Name of the connection")
    org: SideName | Literal["both"] = Field(default="both", description="Whose log: primary, secondary or both")
    since: MomentOrAge | None = Field(default=7 * 86400, description="From when: an age like 7d, a moment, or null")
    until: MomentOrAge | None = Field(default=None, description="Up to when, by default now: an age or a moment")
    where: Annotated[Text, AfterValidator(_filter)] | None = Field(
        default=None, max_length=2000, description="A filter, for example status = 'Failed'"
    )
    related_to: Identifier | None = Field(
        default=None, description="Only entries of this object's records and of records whose lookups lead to one"
    )
    group_by: GroupBy | None = Field(default=None, description="Counts entries by this instead of listing them")
    columns: list[Column] | None = Field(
        default=None, min_length=1, description="What is listed of each entry, in this order"
    )
    chart: Literal["bars", "columns", "none"] | None = Field(
        default=None, description="How groups are drawn; by default columns for stretches of time, else bars"
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Report:
        if self.group_by and self.columns is not None:
            raise problem("group_by and columns exclude each other", "a report counts entries or lists them")
        if self.chart not in (None, Chart.NONE.value) and not self.group_by:
            raise problem("a chart draws groups, and there are none", "add group_by")
        without_repetition(self.columns or (), "columns")
        related = {"related", "related_name"} & {self.group_by or "", *(self.columns or ())}
        if related and not self.related_to:
            raise problem(f"{min(related)} needs related_to", "name the object, for example related_to: Account")
        if isinstance(self.since, str) and isinstance(self.until, str) and self.since >= self.until:
            raise problem("the period ends before it begins", "swap since and until")
        if isinstance(self.since, int) and isinstance(self.until, int) and self.since <= self.until:
            raise problem("the period ends before it begins", "since is the greater age")
        return self
