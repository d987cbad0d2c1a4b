"""The triggers of an object's table: minting, audit fields, soft delete with cascade; capture joins them.

They work for any client (ORG-2, ORG-5 to ORG-7). All names begin with `orgsync_`; any other trigger on the table is the
org's own. What costs nothing when it has nothing to do stands in a row trigger with a condition; capture sees each
statement once, through transition tables. What the engine writes is known by settings of its transaction.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from orgsync_reconcile.model.schema import FieldType, ObjectDef
from orgsync_reconcile.stores.postgres.capture import capture_triggers, given_ids
from orgsync_reconcile.stores.postgres.dialect import DIALECT
from orgsync_reconcile.stores.postgres.tables import counter
from orgsync_reconcile.stores.postgres.trigger import DEPTH, Setting, Trigger, named, refuse
from orgsync_reconcile.stores.sql.layout import Mirror, Wanted, fits_mirror
from orgsync_reconcile.stores.sql.text import commas, literal, quote


def _before_insert(obj: ObjectDef, mirrors: Sequence[Mirror], setting: Setting) -> list[Trigger]:
    """What a new record lacks: its Id, its name, its auto-numbers and their mirrors. They run in the order of their names."""
    numbers = f"{literal(setting.ours(counter(obj.name)))}::regclass"
    minted = DIALECT.mint(obj.key_prefix, setting.code, f"nextval({numbers})")
    triggers = [
        Trigger(
            name=named(obj, "1_mint"),
            event="BEFORE INSERT",
            when='NEW."Id" IS NULL',
            body=f'NEW."Id" := {minted}; RETURN NEW;',
            as_owner=True,
        )
    ]
    name = obj.fields.get("Name")
    if obj.custom and name is not None and name.name_field and name.type is FieldType.TEXT:
        # The platform names a record by its Id where its writer gave it no name.
        triggers.append(
            Trigger(
                name=named(obj, "2_name"),
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
                name=named(obj, f"3_number_{item.name}"),
                event="BEFORE INSERT",
                when=f"{column} IS NULL",
                declare="given bigint;",
                as_owner=True,
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
                name=named(obj, f"4_mirror_{place}"),
                event=f"BEFORE INSERT OR UPDATE OF {quote(mirror.field)}",
                # What the engine writes keeps the number of the org that it came from.
                when=f"NEW.{quote(mirror.field)} IS NOT NULL AND {fits} AND ({setting.engine} IS NULL OR pg_trigger_depth() > 0)",
                body=f"NEW.{quote(mirror.mirror)} := NEW.{quote(mirror.field)}; RETURN NEW;",
            )
        )
    return triggers


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
            name=named(obj, "fixed_id"),
            event='BEFORE UPDATE OF "Id"',
            when='NEW."Id" IS DISTINCT FROM OLD."Id"',
            body=refuse("INVALID_FIELD_FOR_INSERT_UPDATE", "Id", "a record keeps its Id"),
        ),
        Trigger(
            name=named(obj, "touch"),
            event=f"BEFORE UPDATE OF {columns}",
            when='NEW."SystemModstamp" = OLD."SystemModstamp" AND NEW."LastModifiedDate" = OLD."LastModifiedDate"',
            body=(
                f'NEW."LastModifiedDate" := {DIALECT.now}; NEW."SystemModstamp" := NEW."LastModifiedDate";'
                ' IF NEW."LastModifiedById" = OLD."LastModifiedById" THEN'
                f' NEW."LastModifiedById" := {literal(setting.admin_id)}; END IF; RETURN NEW;'
            ),
        ),
    ]


def _within(work: str) -> str:
    """Statements as part of what runs now: what goes and comes back with an engine's record is the engine's too.

    What an own trigger does meanwhile is not. `_before` declares what this needs.
    """
    return (
        "IF _orgsync_guard IS NOT NULL AND pg_trigger_depth() = _orgsync_depth"
        " THEN PERFORM set_config('orgsync.depth', (_orgsync_depth + 1)::text, true); END IF;"
        f" {work}"
        " IF _orgsync_guard IS NOT NULL THEN PERFORM set_config('orgsync.depth', _orgsync_before, true); END IF;"
    )


def _before(setting: Setting) -> str:
    return (
        f"_orgsync_guard bigint := {setting.engine}; _orgsync_depth int := {DEPTH};"
        " _orgsync_before text := current_setting('orgsync.depth', true);"
    )


def _deletion(obj: ObjectDef, wanted: Wanted, setting: Setting) -> list[Trigger]:
    """Soft delete, and what goes and comes back with a record (ORG-6, LKP-5)."""
    table, cascade = setting.ours(obj.name), setting.ours("orgsync_cascade")
    down: list[str] = []
    up: list[str] = []
    for child in wanted.children:
        name, column = setting.ours(child.object), quote(child.field)
        alive = f'{name} WHERE {column} = NEW."Id" AND NOT "IsDeleted"'
        # A statement that finds nothing still runs the triggers of its table.
        down.append(
            f"IF EXISTS (SELECT 1 FROM {alive}) THEN"
            f' INSERT INTO {cascade} (parent, child) SELECT NEW."Id", "Id" FROM {alive} ON CONFLICT DO NOTHING;'
            f' UPDATE {name} SET "IsDeleted" = true WHERE {column} = NEW."Id" AND NOT "IsDeleted"; END IF;'
        )
        marked = f'SELECT child FROM {cascade} WHERE parent = NEW."Id"'
        gone = f'{name} WHERE "Id" IN ({marked}) AND "IsDeleted"'
        restore = f'UPDATE {name} SET "IsDeleted" = false WHERE "Id" IN ({marked}) AND "IsDeleted"'
        up.append(f"IF EXISTS (SELECT 1 FROM {gone}) THEN {restore}; END IF;")
    # Where changes of the object only arrive, an undelete that did not arrive ends the record's connection.
    sever = (
        f'UPDATE {setting.ours("orgsync_link")} SET status = 4 WHERE local = NEW."Id" AND status = 1'
        f" AND connection IS DISTINCT FROM _orgsync_guard"
        f" AND connection IN (SELECT connection FROM {setting.ours('orgsync_subscribed')} WHERE object = {literal(obj.name)}"
        f" EXCEPT SELECT connection FROM {setting.ours('orgsync_published')} WHERE object = {literal(obj.name)});"
    )
    forget = f'DELETE FROM {cascade} WHERE parent = NEW."Id" OR child = NEW."Id";'
    bin_it = f'UPDATE {table} SET "IsDeleted" = true WHERE "Id" = OLD."Id";'
    triggers = [
        Trigger(
            name=named(obj, "soft_delete"),
            event="BEFORE DELETE",
            when='NOT OLD."IsDeleted"',
            declare=_before(setting),
            as_owner=True,
            body=f"{_within(bin_it)} RETURN NULL;",
        ),
        Trigger(
            name=named(obj, "restore"),
            event='AFTER UPDATE OF "IsDeleted"',
            when='OLD."IsDeleted" AND NOT NEW."IsDeleted"',
            declare=_before(setting),
            as_owner=True,
            body=" ".join([_within(" ".join(up)), forget, sever, "RETURN NULL;"]),
        ),
    ]
    if down:
        triggers.append(
            Trigger(
                name=named(obj, "cascade"),
                event='AFTER UPDATE OF "IsDeleted"',
                when='NEW."IsDeleted" AND NOT OLD."IsDeleted"',
                declare=_before(setting),
                as_owner=True,
                body=f"{_within(' '.join(down))} RETURN NULL;",
            )
        )
    return triggers


def object_triggers(obj: ObjectDef, wanted: Wanted, setting: Setting) -> dict[str, Trigger]:
    """Trigger name -> trigger: everything that the object's table needs."""
    triggers = [
        *_before_insert(obj, wanted.mirrors, setting),
        *_audit(obj, setting),
        *_deletion(obj, wanted, setting),
        Trigger(
            name=named(obj, "truncate"),
            event="BEFORE TRUNCATE",
            by_statement=True,
            body=(
                "RAISE EXCEPTION USING ERRCODE = 'feature_not_supported',"
                f" MESSAGE = {literal(f'records of {obj.name} are deleted, not truncated')},"
                f" HINT = {literal(f'write DELETE FROM {quote(obj.name)}, which other orgs are told of')};"
            ),
        ),
    ]
    if wanted.capture is not None:
        triggers.extend(capture_triggers(obj, wanted.capture, setting))
    else:
        triggers.append(
            Trigger(
                name=named(obj, "given_id"),
                event="AFTER INSERT",
                tables="NEW TABLE AS new_rows",
                body=f"{given_ids(obj, setting)} RETURN NULL;",
                as_owner=True,
            )
        )
    return {trigger.name: trigger for trigger in triggers}
