"""The triggers of an object's table: minting, audit fields, soft delete with cascade, and change capture.

They work for any client (ORG-2, ORG-5 to ORG-7). All names begin with `orgsync_`; any other trigger on the table is the
org's own. What costs nothing when it has nothing to do stands in a row trigger with a condition; capture sees each
statement once, through transition tables. What the engine writes is known by settings of its transaction.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from orgsync_reconcile.model.schema import FieldType, ObjectDef
from orgsync_reconcile.stores.postgres.database import PostgresDatabase
from orgsync_reconcile.stores.postgres.dialect import DIALECT
from orgsync_reconcile.stores.postgres.names import CHANNEL, fitted, quote_ours, sleepers_key
from orgsync_reconcile.stores.postgres.tables import ENGINE_HALF, counter, engine_counter
from orgsync_reconcile.stores.sql.layout import ROW, WORD, Capture, Mirror, Wanted, fits_mirror
from orgsync_reconcile.stores.sql.text import commas, literal, quote

#: Triggers of an org's schema: `c` is the table, `t` the trigger, `p` its function.
TRIGGERS = (
    "FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid JOIN pg_namespace AS s ON s.oid = c.relnamespace"
    " JOIN pg_proc AS p ON p.oid = t.tgfoid WHERE s.nspname = ? AND NOT t.tgisinternal"
)
OURS = "t.tgname LIKE 'orgsync!_%' ESCAPE '!'"
#: The connection whose changes the engine writes in this transaction; NULL outside of one.
ENGINE = "nullif(current_setting('orgsync.connection', true), '')::bigint"
#: Stands in the capture of an object whose engine writes are left out.
SUPPRESSED = "-- what the engine writes is left out"


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """A trigger with its function: `event` as in CREATE TRIGGER, `body` of the function in PL/pgSQL."""

    name: str
    event: str
    body: str
    when: str = ""
    #: Transition tables, as in `NEW TABLE AS new_rows`; the trigger then sees statements, not rows.
    tables: str = ""
    declare: str = ""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What every trigger of an org must know."""

    schema: str
    code: str
    admin_id: str

    def ours(self, name: str) -> str:
        """A table of the org's schema, as functions must name it whatever the client's search path is."""
        return f"{quote_ours(self.schema)}.{quote_ours(name)}"


def _refuse(code: str, field_name: str, message: str) -> str:
    return (
        f"RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = {literal(f'{code}:{field_name}')},"
        f" MESSAGE = {literal(message)};"
    )


def _named(obj: ObjectDef, what: str) -> str:
    return fitted(f"orgsync_{obj.name}_{what}")


def _before_insert(obj: ObjectDef, mirrors: Sequence[Mirror], setting: Setting) -> list[Trigger]:
    """What a new record lacks: its Id, its name, its auto-numbers and their mirrors. They run in the order of their names."""
    numbers = f"{literal(setting.ours(counter(obj.name)))}::regclass"
    minted = DIALECT.mint(obj.key_prefix, setting.code, f"nextval({numbers})")
    triggers = [
        Trigger(
            name=_named(obj, "1_mint"),
            event="BEFORE INSERT",
            when='NEW."Id" IS NULL',
            body=f'NEW."Id" := {minted}; RETURN NEW;',
        )
    ]
    name = obj.fields.get("Name")
    if obj.custom and name is not None and name.name_field and name.type is FieldType.TEXT:
        # The platform names a record by its Id where its writer gave it no name.
        triggers.append(
            Trigger(
                name=_named(obj, "2_name"),
                event="BEFORE INSERT",
                when='NEW."Name" IS NULL OR NEW."Name" = \'\'',
                body='NEW."Name" := NEW."Id"; RETURN NEW;',
            )
        )
    for item in obj.fields.values():
        if item.type is not FieldType.AUTO_NUMBER:
            continue
        column = f"NEW.{quote(item.name)}"
        triggers.append(
            Trigger(
                name=_named(obj, f"3_number_{item.name}"),
                event="BEFORE INSERT",
                when=f"{column} IS NULL",
                declare="given bigint;",
                body=(
                    f"UPDATE {setting.ours('orgsync_autonumber')} SET next = next + 1"
                    f" WHERE object = {literal(obj.name)} AND field = {literal(item.name)} RETURNING next - 1 INTO given;"
                    f" {column} := {DIALECT.auto_number_text(item.display_format or '', 'given')}; RETURN NEW;"
                ),
            )
        )
    for place, mirror in enumerate(mirrors):
        fits = re.sub(r'"(\w+)"', r'NEW."\1"', fits_mirror(obj, mirror))
        triggers.append(
            Trigger(
                name=_named(obj, f"4_mirror_{place}"),
                event=f"BEFORE INSERT OR UPDATE OF {quote(mirror.field)}",
                # What the engine writes keeps the number of the org that it came from.
                when=f"NEW.{quote(mirror.field)} IS NOT NULL AND {fits} AND ({ENGINE} IS NULL OR pg_trigger_depth() > 0)",
                body=f"NEW.{quote(mirror.mirror)} := NEW.{quote(mirror.field)}; RETURN NEW;",
            )
        )
    return triggers


def _given_ids(obj: ObjectDef, setting: Setting, rows: str) -> str:
    """Refuses Ids of this org that nobody has minted yet: they would be minted once more."""
    number = "('x' || substr(\"Id\", 7, 9))::bit(36)::bigint"
    users, engine = (setting.ours(name(obj.name)) for name in (counter, engine_counter))
    last = (
        f"CASE WHEN {number} >= {ENGINE_HALF} THEN (SELECT last_value FROM {engine})"
        f" ELSE (SELECT last_value FROM {users}) END"
    )
    return (
        f'IF EXISTS (SELECT 1 FROM {rows} WHERE substr("Id", 4, 3) = {literal(setting.code)}'
        f" AND (substr(\"Id\", 7, 9) !~ '^[0-9a-f]{{9}}$' OR CASE WHEN substr(\"Id\", 7, 9) ~ '^[0-9a-f]{{9}}$' THEN {number} > {last} END))"
        f" THEN {_refuse('MALFORMED_ID', 'Id', 'an Id that this org has not minted yet')} END IF;"
    )


def _audit(obj: ObjectDef, setting: Setting) -> list[Trigger]:
    written = [
        column
        for item in obj.fields.values()
        if item.type not in (FieldType.FORMULA, FieldType.AUTO_NUMBER)
        for column in item.columns
    ]
    columns = commas(quote(name) for name in ["IsDeleted", *written])
    return [
        Trigger(
            name=_named(obj, "fixed_id"),
            event='BEFORE UPDATE OF "Id"',
            when='NEW."Id" IS DISTINCT FROM OLD."Id"',
            body=_refuse("INVALID_FIELD_FOR_INSERT_UPDATE", "Id", "a record keeps its Id"),
        ),
        Trigger(
            name=_named(obj, "touch"),
            event=f"BEFORE UPDATE OF {columns}",
            when='NEW."SystemModstamp" = OLD."SystemModstamp" AND NEW."LastModifiedDate" = OLD."LastModifiedDate"',
            body=(
                f'NEW."LastModifiedDate" := {DIALECT.now}; NEW."SystemModstamp" := NEW."LastModifiedDate";'
                ' IF NEW."LastModifiedById" = OLD."LastModifiedById" THEN'
                f' NEW."LastModifiedById" := {literal(setting.admin_id)}; END IF; RETURN NEW;'
            ),
        ),
    ]


#: What is deleted and restored with an engine's record is the engine's too.
_BEFORE = "_orgsync_before text := coalesce(current_setting('orgsync.cascading', true), '');"
_ENTER = "PERFORM set_config('orgsync.cascading', '1', true);"
_LEAVE = "PERFORM set_config('orgsync.cascading', _orgsync_before, true);"


def _deletion(obj: ObjectDef, wanted: Wanted, setting: Setting) -> list[Trigger]:
    """Soft delete, and what goes and comes back with a record (ORG-6, LKP-5)."""
    table, cascade = setting.ours(obj.name), setting.ours("orgsync_cascade")
    down: list[str] = []
    up: list[str] = []
    for child in wanted.children:
        name, column = setting.ours(child.object), quote(child.field)
        alive = f'{name} WHERE {column} = NEW."Id" AND NOT "IsDeleted"'
        down.append(
            f'INSERT INTO {cascade} (parent, child) SELECT NEW."Id", "Id" FROM {alive} ON CONFLICT DO NOTHING;'
            f' UPDATE {name} SET "IsDeleted" = true WHERE {column} = NEW."Id" AND NOT "IsDeleted";'
        )
        marked = f'SELECT child FROM {cascade} WHERE parent = NEW."Id"'
        up.append(f'UPDATE {name} SET "IsDeleted" = false WHERE "Id" IN ({marked}) AND "IsDeleted";')
    # Where changes of the object only arrive, an undelete that did not arrive ends the record's connection.
    sever = (
        f'UPDATE {setting.ours("orgsync_link")} SET status = 4 WHERE local = NEW."Id" AND status = 1'
        f" AND connection IS DISTINCT FROM {ENGINE}"
        f" AND connection IN (SELECT connection FROM {setting.ours('orgsync_subscribed')} WHERE object = {literal(obj.name)}"
        f" EXCEPT SELECT connection FROM {setting.ours('orgsync_published')} WHERE object = {literal(obj.name)});"
    )
    forget = f'DELETE FROM {cascade} WHERE parent = NEW."Id" OR child = NEW."Id";'
    triggers = [
        Trigger(
            name=_named(obj, "soft_delete"),
            event="BEFORE DELETE",
            when='NOT OLD."IsDeleted"',
            body=f'UPDATE {table} SET "IsDeleted" = true WHERE "Id" = OLD."Id"; RETURN NULL;',
        ),
        Trigger(
            name=_named(obj, "restore"),
            event='AFTER UPDATE OF "IsDeleted"',
            when='OLD."IsDeleted" AND NOT NEW."IsDeleted"',
            declare=_BEFORE,
            body=" ".join([_ENTER, *up, _LEAVE, forget, sever, "RETURN NULL;"]),
        ),
    ]
    if down:
        triggers.append(
            Trigger(
                name=_named(obj, "cascade"),
                event='AFTER UPDATE OF "IsDeleted"',
                when='NEW."IsDeleted" AND NOT OLD."IsDeleted"',
                declare=_BEFORE,
                body=" ".join([_ENTER, *down, _LEAVE, "RETURN NULL;"]),
            )
        )
    return triggers


#: Statements that change more rows than this are planned anew.
_LARGE = 100


def _numbered(statement: str, variables: Sequence[str]) -> str:
    """The statement with its PL/pgSQL variables as $1, $2, …, as EXECUTE takes them."""
    for place, name in enumerate(variables, 1):
        statement = re.sub(rf"\b{name}\b", f"${place}", statement)
    return statement


_GUARD = (
    f"_orgsync_guard bigint := {ENGINE};"
    " _orgsync_distance bigint := nullif(current_setting('orgsync.hops', true), '')::bigint;"
    " _orgsync_writer bigint := pg_current_xact_id()::text::bigint;"
)


def _capture(obj: ObjectDef, capture: Capture, setting: Setting) -> list[Trigger]:
    """One look at each statement (ORG-7). The engine's own statements are those that no trigger of the org led to."""
    # A cascade of ours is the engine's too: its triggers stand between.
    engine = (
        "_orgsync_guard IS NOT NULL AND (pg_trigger_depth() = 1 OR current_setting('orgsync.cascading', true) = '1')"
    )
    skip = f"{SUPPRESSED}\nIF {engine} THEN RETURN NULL; END IF;" if capture.suppress else ""
    origin = "NULL::bigint" if capture.suppress else f"CASE WHEN {engine} THEN _orgsync_guard END"
    # What is only passed on is no nearer to a loop than it was.
    hops = (
        "nullif(_orgsync_distance, 0)"
        if capture.suppress
        else f"nullif(_orgsync_distance - CASE WHEN {engine} THEN 1 ELSE 0 END, 0)"
    )
    log = setting.ours("orgsync_change")
    # Telling costs every commit a lock that all of them take: it is left out where nobody sleeps.
    wake = (
        f"IF NOT pg_try_advisory_xact_lock_shared({sleepers_key(setting.schema)})"
        f" THEN PERFORM pg_notify('{CHANNEL}', ''); END IF;"
    )
    known = f"_orgsync_writer, {capture.number}, {{record}}, {{op}}, {DIALECT.now_ms}, {origin}, {hops}"
    names = "seq, object, record, op, at, origin, hops"
    insert = (
        f"{_given_ids(obj, setting, 'new_rows')} {skip} INSERT INTO {log} ({names})"
        f" SELECT {known.format(record=quote('Id'), op=literal('I'))} FROM new_rows ORDER BY {ROW}; {wake} RETURN NULL;"
    )
    words = mask_words(capture.columns)
    marks = commas(f"m{word}" for word in words)
    bits = commas(f"{expression} AS m{word}" for word, expression in words.items())
    any_bit = " OR ".join(f"c.m{word} <> 0" for word in words) or "false"
    changed = (
        f'SELECT n."Id", n.{ROW}, n."IsDeleted" AS gone, n."IsDeleted" <> o."IsDeleted" AS moved'
        f'{", " + bits if bits else ""} FROM new_rows AS n JOIN old_rows AS o ON o."Id" = n."Id"'
    )
    write = (
        f"INSERT INTO {log} ({names}{', ' + marks if marks else ''})"
        f" SELECT {known.format(record='c.' + quote('Id'), op='x.op')}"
        f"{', ' + commas(f'CASE x.op WHEN {literal(chr(85))} THEN c.m{word} END' for word in words) if marks else ''}"
        f" FROM ({changed}) AS c CROSS JOIN LATERAL (VALUES ('U', {any_bit}),"
        " (CASE WHEN c.gone THEN 'D' ELSE 'R' END, c.moved)) AS x (op, holds)"
        f" WHERE x.holds ORDER BY c.{ROW}"
    )
    # A plan that was made for one row matches the two tables row by row: large statements get one of their own.
    parts = ("_orgsync_guard", "_orgsync_distance", "_orgsync_writer")
    large = literal(_numbered(write, parts))
    update = (
        f"{skip} IF (SELECT count(*) FROM (SELECT 1 FROM new_rows LIMIT {_LARGE + 1}) AS few) > {_LARGE}"
        f" THEN EXECUTE {large} USING {commas(parts)}; ELSE {write}; END IF; {wake} RETURN NULL;"
    )
    return [
        Trigger(
            name=_named(obj, "capture_insert"),
            event="AFTER INSERT",
            tables="NEW TABLE AS new_rows",
            declare=_GUARD,
            body=insert,
        ),
        Trigger(
            name=_named(obj, "capture_update"),
            event="AFTER UPDATE",
            tables="OLD TABLE AS old_rows NEW TABLE AS new_rows",
            declare=_GUARD,
            body=update,
        ),
    ]


def mask_words(columns: Mapping[str, int]) -> dict[int, str]:
    """Word number -> SQL expression of the bits of the columns that differ between `o` and `n`."""
    words: dict[int, list[str]] = {}
    for column, number in columns.items():
        test = f"n.{quote(column)} IS DISTINCT FROM o.{quote(column)}"
        words.setdefault(number // WORD, []).append(f"({test})::int::bigint * {1 << (number % WORD)}")
    return {word: "(" + " | ".join(bits) + ")" for word, bits in sorted(words.items())}


def object_triggers(obj: ObjectDef, wanted: Wanted, setting: Setting) -> dict[str, Trigger]:
    """Trigger name -> trigger: everything that the object's table needs."""
    triggers = [
        *_before_insert(obj, wanted.mirrors, setting),
        *_audit(obj, setting),
        *_deletion(obj, wanted, setting),
    ]
    if wanted.capture is not None:
        triggers.extend(_capture(obj, wanted.capture, setting))
    else:
        triggers.append(
            Trigger(
                name=_named(obj, "given_id"),
                event="AFTER INSERT",
                tables="NEW TABLE AS new_rows",
                body=f"{_given_ids(obj, setting, 'new_rows')} RETURN NULL;",
            )
        )
    return {trigger.name: trigger for trigger in triggers}


def function(trigger: Trigger, setting: Setting) -> str:
    """The statement that makes a trigger's function, or puts it in the place of the one that stands there."""
    declare = f"DECLARE {trigger.declare} " if trigger.declare else ""
    return (
        f"CREATE OR REPLACE FUNCTION {setting.ours(trigger.name)}() RETURNS trigger LANGUAGE plpgsql AS"
        f" $orgsync${declare}BEGIN {trigger.body} END$orgsync$"
    )


def definition(obj: ObjectDef, trigger: Trigger, setting: Setting) -> str:
    """The statement that makes the trigger itself, or puts it in the place of the one that stands there."""
    scope = f"REFERENCING {trigger.tables} FOR EACH STATEMENT" if trigger.tables else "FOR EACH ROW"
    when = f" WHEN ({trigger.when})" if trigger.when else ""
    return (
        f"CREATE OR REPLACE TRIGGER {quote_ours(trigger.name)} {trigger.event} ON {setting.ours(obj.name)}"
        f" {scope}{when} EXECUTE FUNCTION {setting.ours(trigger.name)}()"
    )


def made_from(db: PostgresDatabase, setting: Setting, object_name: str) -> dict[str, str]:
    """Trigger -> what it was made from, of our triggers on a table; rules are apart."""
    rows = db.execute(
        f"SELECT t.tgname, coalesce(obj_description(t.oid, 'pg_trigger'), '') {TRIGGERS} AND c.relname = ? AND {OURS}"
        " AND t.tgname NOT LIKE 'orgsync!_rule:%' ESCAPE '!'",
        [setting.schema, object_name],
    )
    return {str(name): str(text) for name, text in rows}


def drop_triggers(db: PostgresDatabase, setting: Setting, object_name: str, names: Iterable[str] | None = None) -> None:
    """Drops our triggers of a table, or those of these names, with their functions."""
    if names is None:
        names = made_from(db, setting, object_name)
    for name in names:
        # With its function goes the trigger that calls it.
        db.run(f"DROP FUNCTION {setting.ours(name)}() CASCADE")
