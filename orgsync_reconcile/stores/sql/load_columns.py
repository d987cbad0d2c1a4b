"""What the values of a file become in an object's table: columns by name, defaults, record types by name (ORG-8)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from orgsync_reconcile.errors import RecordError
from orgsync_reconcile.importers import coerce
from orgsync_reconcile.model.schema import COMPUTED, TEXTUAL, FieldDef, FieldType, ObjectDef
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.schema import Objects
from orgsync_reconcile.stores.sql.text import commas, literal, quote

#: A raw value to what is stored. Raises RecordError.
Convert = Callable[[Any], Any]

#: What a file may say of the columns that every record has: records of another org keep their Ids and dates.
_SYSTEM = {
    field.name: field
    for field in (
        FieldDef(name="Id", type=FieldType.ID),
        FieldDef(name="IsDeleted", type=FieldType.CHECKBOX),
        FieldDef(name="CreatedById", type=FieldType.LOOKUP, reference_to=("User",)),
        FieldDef(name="CreatedDate", type=FieldType.DATETIME),
        FieldDef(name="LastModifiedById", type=FieldType.LOOKUP, reference_to=("User",)),
        FieldDef(name="LastModifiedDate", type=FieldType.DATETIME),
        FieldDef(name="SystemModstamp", type=FieldType.DATETIME),
    )
}
_RECORD_TYPE = "RecordTypeId"
_RECORD_TYPE_NAME = "RecordType.DeveloperName"
_PLAIN = TEXTUAL - {FieldType.EMAIL}


class Columns:
    """The columns of one object's table that files can fill."""

    def __init__(self, org: Org, obj: ObjectDef) -> None:
        self.object = obj
        self._fields = dict(_SYSTEM)
        for field in obj.fields.values():
            self._fields.update(dict.fromkeys(field.columns, field))
        self._spellings = {name.lower(): name for name in self._fields}
        self._faults: dict[str, RecordError | None] = {}
        self._admin = literal(org.admin_id)
        self._dialect = org.db.dialect
        self._record_types = {
            name.lower(): row_id
            for name, row_id in org.db.execute(
                'SELECT "DeveloperName", "Id" FROM "RecordType" WHERE "SobjectType" = ? AND "IsDeleted" = FALSE',
                [obj.name],
            )
        }

    def column(self, name: str) -> str:
        """The column that a file's name means, in any case. Raises RecordError where there is none to fill."""
        if name.lower() == _RECORD_TYPE_NAME.lower() and _RECORD_TYPE in self._fields:
            return _RECORD_TYPE
        known = self._spellings.get(name.lower())
        if known is None:
            close = get_close_matches(name, list(self._fields), n=1, cutoff=0.6)
            hint = f"did you mean {close[0]}?" if close else "leave the field out, or deploy it first"
            raise RecordError(f"INVALID_FIELD: {self.object.name} has no field {name}", code="INVALID_FIELD", hint=hint)
        field = self._fields[known]
        if field.type in COMPUTED or field.read_only:
            raise RecordError(
                f"INVALID_FIELD_FOR_INSERT_UPDATE: {known} is filled by the org itself",
                code="INVALID_FIELD_FOR_INSERT_UPDATE",
                hint="leave the field out",
            )
        return known

    def faults(self, names: Iterable[str]) -> list[RecordError]:
        """What is wrong with these names of a file, whatever their values."""
        found = []
        for name in names:
            if name not in self._faults:
                try:
                    self._faults[name] = None
                    self.column(name)
                except RecordError as error:
                    self._faults[name] = error
            if (fault := self._faults[name]) is not None:
                found.append(fault)
        return found

    def is_reference(self, column: str) -> bool:
        """Whether the column holds the Id of another record."""
        return self._fields[column].is_reference

    def is_required(self, column: str) -> bool:
        """Whether no record can be made without the column."""
        return self._fields[column].required

    def converter(self, column: str) -> Convert:
        """How raw values get into the column; plain text that fits takes a short way."""
        field = self._fields[column]
        if column == _RECORD_TYPE:
            return self._record_type
        if field.type in _PLAIN and field.length:
            longest = field.length

            def plain(value: Any) -> Any:
                if isinstance(value, str) and len(value) <= longest and "\0" not in value:
                    return value if value.strip() else None
                return coerce(value, field)

            return plain
        return lambda value: coerce(value, field)

    def _record_type(self, value: Any) -> Any:
        """A record type's Id, by Id or by developer name."""
        if isinstance(value, Mapping):
            value = value.get("DeveloperName")
        text = str(value or "").strip()
        if text.lower() in self._record_types:
            return self._record_types[text.lower()]
        try:
            return coerce(text, self._fields[_RECORD_TYPE])
        except RecordError:
            close = get_close_matches(text.lower(), list(self._record_types), n=1, cutoff=0.6)
            raise RecordError(
                f"INVALID_CROSS_REFERENCE_KEY: {_RECORD_TYPE}: {self.object.name} has no record type {text}",
                code="INVALID_CROSS_REFERENCE_KEY",
                hint=f"did you mean {close[0]}?" if close else "deploy the record type first",
            ) from None

    def insert_statement(self, columns: Iterable[str]) -> str:
        """An INSERT with a mark per column; a blank gets the column's default, as on the platform."""
        names = list(columns)
        if not names:
            return f"INSERT INTO {quote(self.object.name)} DEFAULT VALUES"
        marks = commas(self._mark(name) for name in names)
        return f"INSERT INTO {quote(self.object.name)} ({commas(map(quote, names))}) VALUES ({marks})"

    def _mark(self, column: str) -> str:
        if column in ("OwnerId", "CreatedById", "LastModifiedById"):
            return f"coalesce(?, {self._admin})"
        if column in ("CreatedDate", "LastModifiedDate", "SystemModstamp"):
            return f"coalesce(?, {self._dialect.now})"
        field = self._fields[column]
        mark, default = self._dialect.given(field), self._dialect.default_of(field)
        return mark if default is None else f"coalesce({mark}, {default})"


class Tables:
    """The tables that files can fill, each looked up when it is first named."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self.objects = Objects(org)
        self._known: dict[str, Columns] = {}

    def of(self, name: str) -> Columns:
        """Raises RecordError, with the nearest name, for an object that the org does not have."""
        if name not in self._known:
            if name not in self.objects:
                close = get_close_matches(name, list(self.objects), n=1, cutoff=0.6)
                raise RecordError(
                    f"INVALID_TYPE: the org has no object {name}",
                    code="INVALID_TYPE",
                    hint=f"did you mean {close[0]}?" if close else "import its metadata first",
                )
            self._known[name] = Columns(self._org, self.objects[name])
        return self._known[name]
