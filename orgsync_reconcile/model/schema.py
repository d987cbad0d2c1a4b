"""Objects and fields as an org holds them (ORG-2, ORG-4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any


class FieldType(StrEnum):
    """The platform's field types, by the names that manifests and messages use."""

    ID = "id"
    TEXT = "text"
    TEXT_AREA = "text_area"
    LONG_TEXT_AREA = "long_text_area"
    RICH_TEXT_AREA = "rich_text_area"
    EMAIL = "email"
    PHONE = "phone"
    URL = "url"
    CHECKBOX = "checkbox"
    NUMBER = "number"
    CURRENCY = "currency"
    PERCENT = "percent"
    DATE = "date"
    DATETIME = "datetime"
    TIME = "time"
    PICKLIST = "picklist"
    MULTI_SELECT_PICKLIST = "multi_select_picklist"
    LOOKUP = "lookup"
    MASTER_DETAIL = "master_detail"
    EXTERNAL_LOOKUP = "external_lookup"
    AUTO_NUMBER = "auto_number"
    FORMULA = "formula"
    ROLL_UP_SUMMARY = "roll_up_summary"
    GEOLOCATION = "geolocation"
    BASE64 = "base64"


_TYPES: Mapping[str, FieldType] = {item.value: item for item in FieldType}
_TUPLES = {"picklist", "reference_to", "summary"}

#: Stored as integers scaled by 10 ** scale, so that 18 digits survive.
SCALED = frozenset({FieldType.NUMBER, FieldType.CURRENCY, FieldType.PERCENT})
#: Stored as text of limited length.
TEXTUAL = frozenset(
    {
        FieldType.TEXT,
        FieldType.TEXT_AREA,
        FieldType.LONG_TEXT_AREA,
        FieldType.RICH_TEXT_AREA,
        FieldType.EMAIL,
        FieldType.PHONE,
        FieldType.URL,
    }
)
#: In `FieldDef.reference_to`, as last member: a record of any other object may be pointed to as well.
ANY_OBJECT = "*"
#: Hold the Id of another record.
REFERENCES = frozenset({FieldType.LOOKUP, FieldType.MASTER_DETAIL})
#: Computed by the org; nobody writes them.
COMPUTED = frozenset({FieldType.FORMULA, FieldType.ROLL_UP_SUMMARY, FieldType.AUTO_NUMBER})

#: The columns that every record has (ORG-5). They travel by AUD-1, never as published fields.
AUDIT_FIELDS = ("CreatedById", "CreatedDate", "LastModifiedById", "LastModifiedDate")
SYSTEM_FIELDS = ("Id", "IsDeleted", *AUDIT_FIELDS, "SystemModstamp")


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldDef:
    """One field. Lengths in characters, `precision` the total number of digits, `scale` those after the point."""

    name: str
    type: FieldType
    label: str = ""
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    required: bool = False
    unique: bool = False
    case_sensitive: bool = False
    external_id: bool = False
    #: A literal default, as text; formulas as defaults are kept in the component only.
    default: str | None = None
    picklist: tuple[str, ...] = ()
    #: Only the values of the picklist are accepted.
    restricted: bool = False
    #: Names of the objects that a reference may point to; several: polymorphic.
    reference_to: tuple[str, ...] = ()
    relationship_name: str | None = None
    #: Deleting the parent deletes this record (master-detail, and standard children, ORG-6).
    cascade_delete: bool = False
    formula: str | None = None
    #: The type of a formula's or roll-up's result.
    result_type: FieldType | None = None
    #: Of a roll-up: (operation, child object, child's reference field, summarised field or "").
    summary: tuple[str, str, str, str] | None = None
    #: Of an auto-number, for example `A-{0000}`.
    display_format: str | None = None
    #: The platform maintains it; it is stored, but neither loaded nor published.
    read_only: bool = False
    custom: bool = False
    name_field: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The table columns that hold this field: one, but two for a geolocation."""
        if self.type is not FieldType.GEOLOCATION:
            return (self.name,)
        stem = self.name.removesuffix("__c")
        return (f"{stem}__Latitude__s", f"{stem}__Longitude__s")

    @property
    def is_reference(self) -> bool:
        """Whether the column holds a record Id."""
        return self.type in REFERENCES

    @property
    def shape(self) -> str:
        """What must agree in both orgs for the field to sync (PUB-8): type, length, precision, scale."""
        return f"{self.type}:{self.length or ''}:{self.precision or ''}:{self.scale if self.scale is not None else ''}"

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, without what is at its default."""
        result: dict[str, Any] = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name in ("name", "type") or value != item.default:
                result[item.name] = list(value) if isinstance(value, tuple) else value
        return result

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> FieldDef:
        """The inverse of `to_dict`."""
        values = dict(data)
        values["type"] = _TYPES[values["type"]]
        if "result_type" in values:
            values["result_type"] = _TYPES[values["result_type"]]
        for name in _TUPLES & values.keys():
            values[name] = tuple(values[name])
        return cls(**values)


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectDef:
    """One object with its fields, in column order; system fields are implied and not among `fields`."""

    name: str
    key_prefix: str
    label: str = ""
    custom: bool = False
    #: Status Deployed; objects in development cannot be published (PUB-1).
    deployed: bool = True
    #: object, setting (custom setting), metadata_type (__mdt), event (__e), external (__x), setup (User, Profile, …)
    kind: str = "object"
    fields: Mapping[str, FieldDef] = field(default_factory=dict)

    def references(self) -> tuple[FieldDef, ...]:
        """The fields that hold record Ids, in column order."""
        return tuple(item for item in self.fields.values() if item.is_reference)
