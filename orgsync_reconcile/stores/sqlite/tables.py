"""The CREATE TABLE text of an object: real typed columns, and constraints that carry the platform's error codes.

Numbers, currency and percent are integers scaled by ten to the field's scale, so that 18 digits survive (CONTRACT).
Constraints are CHECKs named `CODE:Field`, so that any client reads the platform's word in the error, and so that a
required field may be blank in records that are older than the requirement, as on the platform (ORG-4, ORG-10).
"""

from __future__ import annotations

from collections.abc import Sequence

from orgsync_reconcile.model.schema import SCALED, TEXTUAL, FieldDef, FieldType, ObjectDef
from orgsync_reconcile.stores.sql.layout import ROW
from orgsync_reconcile.stores.sql.text import commas, literal, quote
from orgsync_reconcile.stores.sqlite.dialect import DIALECT
from orgsync_reconcile.stores.sqlite.formulas import translate

_DATE = "'[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]'"
_DATETIME = "'[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9]Z'"
_TIME = "'[0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9]Z'"


def _checks(field: FieldDef) -> list[str]:
    """The constraints of one field as `CONSTRAINT "CODE:Field" CHECK (…)`."""
    column = quote(field.name)
    checks: list[tuple[str, str]] = []
    if field.required and field.type is not FieldType.CHECKBOX:
        checks.append(("REQUIRED_FIELD_MISSING", f"{column} IS NOT NULL AND {column} <> ''"))
    if field.type in TEXTUAL and field.length:
        checks.append(("STRING_TOO_LONG", f"length({column}) <= {field.length}"))
    elif field.type in SCALED:
        limit = 10 ** min(field.precision or 18, 18) - 1
        within = f"{column} BETWEEN -{limit} AND {limit} AND typeof({column}) IN ('integer', 'null')"
        checks.append(("NUMBER_OUTSIDE_VALID_RANGE", within))
    elif field.type is FieldType.CHECKBOX:
        checks.append(("INVALID_TYPE_ON_FIELD_IN_RECORD", f"{column} IN (0, 1)"))
    elif field.type is FieldType.DATE:
        checks.append(("INVALID_TYPE_ON_FIELD_IN_RECORD", f"{column} GLOB {_DATE}"))
    elif field.type is FieldType.DATETIME:
        checks.append(("INVALID_TYPE_ON_FIELD_IN_RECORD", f"{column} GLOB {_DATETIME}"))
    elif field.type is FieldType.TIME:
        checks.append(("INVALID_TYPE_ON_FIELD_IN_RECORD", f"{column} GLOB {_TIME}"))
    elif field.type is FieldType.PICKLIST and field.restricted and field.picklist:
        values = commas(literal(value) for value in field.picklist)
        checks.append(("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", f"{column} IN ({values})"))
    elif field.type is FieldType.MULTI_SELECT_PICKLIST and field.restricted and field.picklist:
        checks.append(("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", _only_values(column, field.picklist)))
    elif field.is_reference:
        checks.append(("MALFORMED_ID", f"length({column}) = 18"))
    return [f'CONSTRAINT "{code}:{field.name}" CHECK ({test})' for code, test in checks]


def _only_values(column: str, values: Sequence[str]) -> str:
    """The test that `a;b` holds none but these values: the parts that are one of them make up the whole length.

    A CHECK may hold no subquery, so the list cannot be taken apart.
    """
    parts = f"(';' || replace({column}, ';', ';;') || ';')"
    found = " + ".join(f"length({parts}) - length(replace({parts}, {literal(f';{value};')}, ''))" for value in values)
    return f"length({parts}) = {found}"


def column_definitions(field: FieldDef, obj: ObjectDef, admin_id: str) -> list[tuple[str, str]]:
    """(column name, its definition) of every column that holds the field; constraints stand inline.

    A formula that SQL can compute from the same record becomes a generated column; other formulas and roll-ups are
    plain columns that keep what is written to them.
    """
    if field.type is FieldType.GEOLOCATION:
        return [
            (
                name,
                f'{quote(name)} REAL CONSTRAINT "NUMBER_OUTSIDE_VALID_RANGE:{name}" CHECK ({quote(name)} BETWEEN -180 AND 180)',
            )
            for name in field.columns
        ]
    parts = [quote(field.name), DIALECT.column_type(field)]
    if field.type is FieldType.FORMULA and (expression := translate(field, obj)) is not None:
        return [
            (field.name, f"{quote(field.name)} {DIALECT.column_type(field)} GENERATED ALWAYS AS ({expression}) VIRTUAL")
        ]
    if field.name == "OwnerId":
        parts.append(f"DEFAULT {literal(admin_id)}")
    elif (default := DIALECT.default_of(field)) is not None:
        parts.append(f"DEFAULT {default}")
    if field.type is FieldType.CHECKBOX:
        parts.append("NOT NULL")
    parts.extend(_checks(field))
    return [(field.name, " ".join(parts))]


def system_columns(admin_id: str) -> list[tuple[str, str]]:
    """The columns that every record has (ORG-5). A writer that leaves them out is the org's admin, now."""
    admin = literal(admin_id)
    return [
        ("Id", '"Id" TEXT UNIQUE'),
        (
            "IsDeleted",
            '"IsDeleted" INTEGER NOT NULL DEFAULT 0 CONSTRAINT "INVALID_TYPE_ON_FIELD_IN_RECORD:IsDeleted" CHECK ("IsDeleted" IN (0, 1))',
        ),
        ("CreatedById", f'"CreatedById" TEXT NOT NULL DEFAULT {admin}'),
        ("CreatedDate", f'"CreatedDate" TEXT NOT NULL DEFAULT ({DIALECT.now})'),
        ("LastModifiedById", f'"LastModifiedById" TEXT NOT NULL DEFAULT {admin}'),
        ("LastModifiedDate", f'"LastModifiedDate" TEXT NOT NULL DEFAULT ({DIALECT.now})'),
        ("SystemModstamp", f'"SystemModstamp" TEXT NOT NULL DEFAULT ({DIALECT.now})'),
    ]


def all_columns(obj: ObjectDef, admin_id: str) -> list[tuple[str, str]]:
    """Every column of the object's table with its definition, in the order of a new table."""
    columns = system_columns(admin_id)
    for field in obj.fields.values():
        columns.extend(column_definitions(field, obj, admin_id))
    columns.append((ROW, f'"{ROW}" INTEGER PRIMARY KEY AUTOINCREMENT'))
    return columns


def create_table(obj: ObjectDef, admin_id: str, order: Sequence[str] = ()) -> str:
    """The CREATE TABLE statement; `order` gives the physical column order of a table that exists."""
    columns = dict(all_columns(obj, admin_id))
    names = [name for name in order if name in columns] + [name for name in columns if name not in order]
    body = ",\n  ".join(columns[name] for name in names)
    return f"CREATE TABLE {quote(obj.name)} (\n  {body}\n)"


def indexes(obj: ObjectDef) -> dict[str, str]:
    """Index name -> statement: unique fields and external ids of records that are not deleted, parents, the deleted."""
    bin_ = f"orgsync_{obj.name}_IsDeleted"
    result = {bin_: f'CREATE INDEX "{bin_}" ON {quote(obj.name)} ("IsDeleted") WHERE "IsDeleted" = TRUE'}
    for field in obj.fields.values():
        name = f"orgsync_{obj.name}_{field.name}"
        column = quote(field.name)
        if field.unique:
            collation = "" if field.case_sensitive or field.type in SCALED else " COLLATE NOCASE"
            result[name] = (
                f'CREATE UNIQUE INDEX "{name}" ON {quote(obj.name)} ({column}{collation}) WHERE "IsDeleted" = FALSE'
            )
        elif field.external_id:
            # Records are found by it, in filters and by publications that match on it (BLK-6).
            collation = "" if field.case_sensitive or field.type in SCALED else " COLLATE NOCASE"
            result[name] = f'CREATE INDEX "{name}" ON {quote(obj.name)} ({column}{collation}) WHERE "IsDeleted" = FALSE'
        elif field.cascade_delete:
            result[name] = f'CREATE INDEX "{name}" ON {quote(obj.name)} ({column})'
    return result
