"""The CREATE TABLE text of an object on PostgreSQL: real typed columns, and constraints that carry the platform's codes.

Numbers, currency and percent are `numeric`, times `timestamptz`, checkboxes `boolean`. Constraints are CHECKs named
`CODE:Field`; where records are older than a rule and break it, `rules` has it count from their next change on.
"""

from __future__ import annotations

from orgsync_reconcile.model.schema import SCALED, TEXTUAL, FieldDef, FieldType, ObjectDef
from orgsync_reconcile.stores.postgres.dialect import DIALECT, ENGINE_HALF, TEXT
from orgsync_reconcile.stores.postgres.formulas import translate
from orgsync_reconcile.stores.postgres.names import constraint_name, fitted, quote_ours, require_short
from orgsync_reconcile.stores.sql.layout import ROW
from orgsync_reconcile.stores.sql.text import commas, literal, quote

_DIGITS = 18
#: Where days and moments begin, and before what they end.
_CALENDAR = {
    FieldType.DATE: ("date '0001-01-01'", "date '10000-01-01'"),
    FieldType.DATETIME: ("timestamptz '0001-01-01 00:00:00+00'", "timestamptz '10000-01-01 00:00:00+00'"),
    FieldType.TIME: ("time '00:00:00'", "time '24:00:00'"),
}
#: How full a page of records is made, in percent: a changed record that stays in its page leaves the indexes alone.
_FILLED = 80


#: How the definition of a column that the server computes begins, after its type.
COMPUTED = "GENERATED ALWAYS AS"
column_type = DIALECT.column_type


def constraints(field: FieldDef, row: str = "") -> dict[str, str]:
    """Constraint name -> its test, on the table's columns or on those of a trigger's row, `NEW.` for example."""
    column = f"{row}{quote(field.name)}"
    if field.type is FieldType.GEOLOCATION:
        return {
            constraint_name("NUMBER_OUTSIDE_VALID_RANGE", name): f"{row}{quote(name)} BETWEEN -180 AND 180"
            for name in field.columns
        }
    tests: dict[str, str] = {}
    if field.required and field.type is not FieldType.CHECKBOX:
        filled = f" AND {column} <> ''" if column_type(field) == TEXT else ""
        tests["REQUIRED_FIELD_MISSING"] = f"{column} IS NOT NULL{filled}"
    if field.type in TEXTUAL and field.length:
        tests["STRING_TOO_LONG"] = f"char_length({column}) <= {field.length}"
    elif field.type in SCALED:
        limit = 10 ** (min(field.precision or _DIGITS, _DIGITS) - (field.scale or 0))
        tests["NUMBER_OUTSIDE_VALID_RANGE"] = f"abs({column}) < {limit}"
    elif field.type in _CALENDAR:
        # Neither infinite nor beyond the years that every store writes with four digits.
        tests["INVALID_TYPE_ON_FIELD_IN_RECORD"] = (
            f"{column} >= {_CALENDAR[field.type][0]} AND {column} < {_CALENDAR[field.type][1]}"
        )
    elif field.type is FieldType.PICKLIST and field.restricted and field.picklist:
        values = commas(literal(value) for value in field.picklist)
        tests["INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"] = f"{column} IN ({values})"
    elif field.type is FieldType.MULTI_SELECT_PICKLIST and field.restricted and field.picklist:
        values = commas(literal(value) for value in field.picklist)
        tests["INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"] = f"string_to_array({column}, ';') <@ ARRAY[{values}]"
    elif field.is_reference:
        tests["MALFORMED_ID"] = f"char_length({column}) = 18"
    return {constraint_name(code, field.name): test for code, test in tests.items()}


def column_default(field: FieldDef, admin_id: str) -> str | None:
    """What a column holds where its writer leaves it out, as SQL; None: nothing."""
    return literal(admin_id) if field.name == "OwnerId" else DIALECT.default_of(field)


def column_definitions(field: FieldDef, obj: ObjectDef, admin_id: str) -> dict[str, str]:
    """Column name -> its definition, without constraints.

    A formula that the server can compute from the same record is a column that nobody writes; other formulas and
    roll-ups are plain columns that keep what is written to them.
    """
    for name in field.columns:
        require_short(name)
    if field.type is FieldType.FORMULA and (expression := translate(field, obj)) is not None:
        return {field.name: f"{quote(field.name)} {column_type(field)} {COMPUTED} ({expression}) STORED"}
    parts = [column_type(field)]
    if (default := column_default(field, admin_id)) is not None:
        parts.append(f"DEFAULT {default}")
    if field.type is FieldType.CHECKBOX:
        parts.append("NOT NULL")
    return {name: f"{quote(name)} {' '.join(parts)}" for name in field.columns}


def table_columns(obj: ObjectDef, admin_id: str) -> dict[str, str]:
    """Column name -> its definition, of all of an object's fields."""
    found: dict[str, str] = {}
    for field in obj.fields.values():
        found.update(column_definitions(field, obj, admin_id))
    return found


def system_columns(admin_id: str) -> dict[str, str]:
    """The columns that every record has (ORG-5). A writer that leaves them out is the org's admin, now."""
    admin, now = literal(admin_id), "DEFAULT date_trunc('milliseconds', clock_timestamp())"
    return {
        "Id": f'"Id" {TEXT} NOT NULL PRIMARY KEY',
        "IsDeleted": '"IsDeleted" boolean NOT NULL DEFAULT false',
        "CreatedById": f'"CreatedById" {TEXT} NOT NULL DEFAULT {admin}',
        "CreatedDate": f'"CreatedDate" timestamptz(3) NOT NULL {now}',
        "LastModifiedById": f'"LastModifiedById" {TEXT} NOT NULL DEFAULT {admin}',
        "LastModifiedDate": f'"LastModifiedDate" timestamptz(3) NOT NULL {now}',
        "SystemModstamp": f'"SystemModstamp" timestamptz(3) NOT NULL {now}',
    }


def counter(object_name: str) -> str:
    """The name of the sequence that the Ids of users' records are minted from."""
    return fitted(f"orgsync_{object_name}_id")


def engine_counter(object_name: str) -> str:
    """The name of the sequence that the engine mints Ids from, in ranges that nobody else can come between."""
    return fitted(f"orgsync_{object_name}_sync")


#: The rule on what an object's Ids look like.
ID_RULE = "MALFORMED_ID:Id"


def create_table(obj: ObjectDef, *, schema: str, code: str, admin_id: str) -> list[str]:
    """The statements that make the object's table, with its counters, which go with it; indexes and triggers follow.

    Raises MetadataError where a name is too long for the server.
    """
    require_short(obj.name)
    where = quote_ours(schema)
    table = f"{where}.{quote(obj.name)}"
    numbers, reserved = (f"{where}.{quote_ours(name(obj.name))}" for name in (counter, engine_counter))
    columns = system_columns(admin_id)
    minted = DIALECT.mint(obj.key_prefix, code, f"nextval({literal(numbers)}::regclass)")
    # Whoever has no right to the counter leaves the Id to the trigger, which costs a record more.
    may = f"has_sequence_privilege({literal(numbers)}::regclass::oid, 'USAGE')"
    columns["Id"] = f'"Id" {TEXT} NOT NULL DEFAULT CASE WHEN {may} THEN {minted} END PRIMARY KEY'
    tests = {ID_RULE: f'char_length("Id") = 18 AND left("Id", 3) = \'{obj.key_prefix}\''}
    columns.update(table_columns(obj, admin_id))
    for field in obj.fields.values():
        tests.update(constraints(field))
    columns[ROW] = f"{ROW} bigint GENERATED BY DEFAULT AS IDENTITY"
    lines = [*columns.values(), *(f"CONSTRAINT {quote_ours(name)} CHECK ({test})" for name, test in tests.items())]
    body = ",\n  ".join(lines)
    return [
        f"CREATE SEQUENCE {numbers}",
        f"CREATE SEQUENCE {reserved} MINVALUE {ENGINE_HALF}",
        f"CREATE TABLE {table} (\n  {body}\n) WITH (fillfactor = {_FILLED})",
        *(f'ALTER SEQUENCE {name} OWNED BY {table}."Id"' for name in (numbers, reserved)),
    ]


def indexes(obj: ObjectDef, schema: str) -> dict[str, str]:
    """Index name -> statement: unique fields and external ids of records that are not deleted, parents, the deleted."""
    table = f"{quote_ours(schema)}.{quote(obj.name)}"
    result: dict[str, str] = {}

    def add(what: str, body: str, *, unique: bool = False) -> None:
        name = fitted(f"orgsync_{obj.name}_{what}")
        result[name] = f"CREATE {'UNIQUE ' if unique else ''}INDEX {quote_ours(name)} ON {table} {body}"

    add("IsDeleted", f'({ROW}) WHERE "IsDeleted"')
    add("row", f"({ROW})")
    for field in obj.fields.values():
        exact = field.case_sensitive or column_type(field) != TEXT
        column = quote(field.name) if exact else f"lower({quote(field.name)})"
        if field.unique:
            add(field.name, f'({column}) WHERE NOT "IsDeleted"', unique=True)
        elif field.external_id:
            add(field.name, f'({column}) WHERE NOT "IsDeleted"')
        elif field.cascade_delete:
            add(field.name, f"({quote(field.name)})")
    return result
