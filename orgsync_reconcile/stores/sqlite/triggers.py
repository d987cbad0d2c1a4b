"""The triggers of an object's table: minting, audit fields, soft delete with cascade, and change capture.

They are plain SQL, so they work for any client (ORG-2, ORG-5 to ORG-7). All names begin with `orgsync_`; any other
trigger on the table is the org's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orgsync_reconcile.model.schema import FieldDef, FieldType, ObjectDef
from orgsync_reconcile.stores.sql.layout import ROW, WORD, Capture, Child, Mirror, Wanted, fits_mirror
from orgsync_reconcile.stores.sql.text import commas, literal, quote
from orgsync_reconcile.stores.sqlite.dialect import DIALECT

#: Stands in the capture triggers of an object whose engine writes are left out.
SUPPRESSED = "IS NOT 1"


def _trigger(obj: ObjectDef, what: str, event: str, when: str, body: Sequence[str]) -> tuple[str, str]:
    name = f"orgsync_{obj.name}_{what}"
    condition = f" WHEN {when}" if when else ""
    statements = ";\n  ".join(body)
    return name, f'CREATE TRIGGER "{name}" {event} ON {quote(obj.name)}{condition} BEGIN\n  {statements};\nEND'


def _auto_numbers(obj: ObjectDef) -> list[FieldDef]:
    return [item for item in obj.fields.values() if item.type is FieldType.AUTO_NUMBER]


def _minting(obj: ObjectDef, code: str) -> list[tuple[str, str]]:
    table = quote(obj.name)
    row = f"NEW.{ROW}"
    triggers = [
        _trigger(
            obj,
            "mint",
            "AFTER INSERT",
            'NEW."Id" IS NULL',
            [f'UPDATE {table} SET "Id" = {DIALECT.mint(obj.key_prefix, code, row)} WHERE {ROW} = {row}'],
        )
    ]
    given = " OR ".join(
        [
            'length(NEW."Id") <> 18',
            f"substr(NEW.\"Id\", 1, 3) <> '{obj.key_prefix}'",
            f"(substr(NEW.\"Id\", 4, 3) = '{code}' AND substr(NEW.\"Id\", 7, 9) > printf('%09x', {row}))",
        ]
    )
    message = f"MALFORMED_ID:Id: not an Id that {obj.name} can hold, or one that this org has not minted yet"
    triggers.append(
        _trigger(
            obj,
            "given_id",
            "AFTER INSERT",
            f'NEW."Id" IS NOT NULL AND ({given})',
            [f"SELECT RAISE(ABORT, {literal(message)})"],
        )
    )
    name = obj.fields.get("Name")
    if obj.custom and name is not None and name.name_field and name.type is FieldType.TEXT:
        # The platform names a record by its Id where its writer gave it no name.
        minted = f'coalesce(NEW."Id", {DIALECT.mint(obj.key_prefix, code, row)})'
        change = f'UPDATE {table} SET "Name" = {minted} WHERE {ROW} = {row}'
        triggers.append(_trigger(obj, "name", "AFTER INSERT", 'NEW."Name" IS NULL OR NEW."Name" = \'\'', [change]))
    fixed = "INVALID_FIELD_FOR_INSERT_UPDATE:Id: a record keeps its Id"
    renamed = 'OLD."Id" IS NOT NULL AND NEW."Id" IS NOT OLD."Id"'
    triggers.append(
        _trigger(obj, "fixed_id", 'AFTER UPDATE OF "Id"', renamed, [f"SELECT RAISE(ABORT, {literal(fixed)})"])
    )
    for field in _auto_numbers(obj):
        key = f"object = {literal(obj.name)} AND field = {literal(field.name)}"
        number = f"(SELECT next - 1 FROM orgsync_autonumber WHERE {key})"
        triggers.append(
            _trigger(
                obj,
                f"number_{field.name}",
                "AFTER INSERT",
                f"NEW.{quote(field.name)} IS NULL",
                [
                    f"UPDATE orgsync_autonumber SET next = next + 1 WHERE {key}",
                    f"UPDATE {table} SET {quote(field.name)} = {DIALECT.auto_number_text(field.display_format or '', number)}"
                    f" WHERE {ROW} = {row}",
                ],
            )
        )
    return triggers


def _mirrors(obj: ObjectDef, mirrors: Sequence[Mirror]) -> list[tuple[str, str]]:
    """A number that the org gives comes by an update of the new row, like the Id; a writer's come with the insert."""
    triggers = []
    for field in dict.fromkeys(item.field for item in mirrors):
        number, mine = quote(field), [item for item in mirrors if item.field == field]
        changes = [
            f"UPDATE {quote(obj.name)} SET {quote(item.mirror)} = {number}"
            f" WHERE {ROW} = NEW.{ROW} AND {fits_mirror(obj, item)}"
            for item in mine
        ]
        # What the engine writes keeps the number of the org that it came from.
        engine = f"(SELECT object = {mine[0].number} FROM orgsync_guard) IS 1"
        own = f'NEW."Id" IS NOT NULL AND NEW.{number} IS NOT NULL AND NOT {engine}'
        numbered = f'(OLD."Id" IS NULL OR OLD.{number} IS NULL) AND {own}'
        triggers.append(_trigger(obj, f"mirror_{field}", f'AFTER UPDATE OF "Id", {number}', numbered, changes))
        triggers.append(_trigger(obj, f"mirror_given_{field}", "AFTER INSERT", own, changes))
    return triggers


def _writable(obj: ObjectDef) -> list[str]:
    """Columns whose change touches the audit fields: all that users write."""
    return [
        column
        for field in obj.fields.values()
        if field.type not in (FieldType.FORMULA, FieldType.AUTO_NUMBER)
        for column in field.columns
    ]


def _audit(obj: ObjectDef, admin_id: str) -> list[tuple[str, str]]:
    columns = commas(quote(name) for name in ["IsDeleted", *_writable(obj)])
    unset = 'NEW."SystemModstamp" IS OLD."SystemModstamp" AND NEW."LastModifiedDate" IS OLD."LastModifiedDate"'
    change = (
        f'UPDATE {quote(obj.name)} SET "LastModifiedDate" = {DIALECT.now}, "SystemModstamp" = {DIALECT.now}, '
        f'"LastModifiedById" = CASE WHEN NEW."LastModifiedById" IS OLD."LastModifiedById" '
        f'THEN {literal(admin_id)} ELSE NEW."LastModifiedById" END WHERE {ROW} = NEW.{ROW}'
    )
    return [_trigger(obj, "touch", f"AFTER UPDATE OF {columns}", unset, [change])]


def _deletion(obj: ObjectDef, children: Sequence[Child]) -> list[tuple[str, str]]:
    table = quote(obj.name)
    soft = [f'UPDATE {table} SET "IsDeleted" = 1 WHERE {ROW} = OLD.{ROW}', "SELECT RAISE(IGNORE)"]
    triggers = [_trigger(obj, "soft_delete", "BEFORE DELETE", 'OLD."IsDeleted" = 0', soft)]
    down: list[str] = []
    up: list[str] = []
    for child in children:
        name, field = quote(child.object), quote(child.field)
        alive = f'{name} WHERE {field} = NEW."Id" AND "IsDeleted" = 0'
        down.append(f'INSERT OR IGNORE INTO orgsync_cascade (parent, child) SELECT NEW."Id", "Id" FROM {alive}')
        down.append(f'UPDATE {name} SET "IsDeleted" = 1 WHERE {field} = NEW."Id" AND "IsDeleted" = 0')
        marked = 'SELECT child FROM orgsync_cascade WHERE parent = NEW."Id"'
        up.append(f'UPDATE {name} SET "IsDeleted" = 0 WHERE "Id" IN ({marked}) AND "IsDeleted" = 1')
    enter = "UPDATE orgsync_guard SET cascading = cascading + 1 WHERE connection IS NOT NULL"
    leave = "UPDATE orgsync_guard SET cascading = cascading - 1 WHERE connection IS NOT NULL"
    if children:
        deleted = 'NEW."IsDeleted" = 1 AND OLD."IsDeleted" = 0'
        triggers.append(_trigger(obj, "cascade", 'AFTER UPDATE OF "IsDeleted"', deleted, [enter, *down, leave]))
        up = [enter, *up, leave]
    forget = 'DELETE FROM orgsync_cascade WHERE parent = NEW."Id" OR child = NEW."Id"'
    # Where changes of the object only arrive, an undelete that did not arrive ends the record's connection (LKP-5).
    sever = (
        'UPDATE orgsync_link SET status = 4 WHERE local = NEW."Id" AND status = 1'
        " AND connection IS NOT (SELECT connection FROM orgsync_guard) AND connection IN"
        f" (SELECT connection FROM orgsync_subscribed WHERE object = {literal(obj.name)} EXCEPT"
        f" SELECT connection FROM orgsync_published WHERE object = {literal(obj.name)})"
    )
    restored = 'NEW."IsDeleted" = 0 AND OLD."IsDeleted" = 1'
    triggers.append(_trigger(obj, "restore", 'AFTER UPDATE OF "IsDeleted"', restored, [*up, forget, sever]))
    return triggers


def mask_words(columns: Mapping[str, int], changed: str) -> dict[int, str]:
    """Word number -> SQL expression of the bits; `changed` is a template with `{c}` for the quoted column."""
    words: dict[int, list[str]] = {}
    for column, number in columns.items():
        bit = 1 << (number % WORD)
        test = changed.format(c=quote(column))
        words.setdefault(number // WORD, []).append(f"({test}) * {bit}" if bit > 1 else f"({test})")
    return {word: " | ".join(bits) for word, bits in sorted(words.items())}


def _capture(obj: ObjectDef, code: str, capture: Capture) -> list[tuple[str, str]]:
    engine = f"(g.object = {capture.number} OR g.cascading > 0)"
    origin = "NULL" if capture.suppress else f"CASE WHEN {engine} THEN g.connection END"
    # What is only passed on is no nearer to a loop than it was.
    hops = "nullif(g.hops, 0)" if capture.suppress else f"nullif(g.hops - coalesce({engine}, 0), 0)"
    guard = f" WHERE {engine} {SUPPRESSED}" if capture.suppress else ""

    def logged(operation: str, words: Mapping[int, str], record: str) -> str:
        names = commas(["object", "record", "op", "at", "origin", "hops", *(f"m{word}" for word in words)])
        values = commas([str(capture.number), record, operation, DIALECT.now_ms, origin, hops, *words.values()])
        # One look at the guard tells whether the engine writes, over which connection, and how far it has come.
        return f"INSERT INTO orgsync_change ({names}) SELECT {values} FROM orgsync_guard AS g{guard}"

    minted = f'coalesce(NEW."Id", {DIALECT.mint(obj.key_prefix, code, f"NEW.{ROW}")})'
    triggers = [_trigger(obj, "capture_insert", "AFTER INSERT", "", [logged("'I'", {}, minted)])]
    if capture.columns:
        words = mask_words(capture.columns, "NEW.{c} IS NOT OLD.{c}")
        any_change = " OR ".join(f"NEW.{quote(name)} IS NOT OLD.{quote(name)}" for name in capture.columns)
        event = f"AFTER UPDATE OF {commas(quote(name) for name in capture.columns)}"
        # Other triggers may complete a new row before it has its Id.
        triggers.append(_trigger(obj, "capture_update", event, any_change, [logged("'U'", words, minted)]))
    operation = "CASE NEW.\"IsDeleted\" WHEN 1 THEN 'D' ELSE 'R' END"
    moved = 'NEW."IsDeleted" <> OLD."IsDeleted"'
    triggers.append(
        _trigger(obj, "capture_delete", 'AFTER UPDATE OF "IsDeleted"', moved, [logged(operation, {}, 'NEW."Id"')])
    )
    return triggers


def object_triggers(obj: ObjectDef, wanted: Wanted, *, code: str, admin_id: str) -> dict[str, str]:
    """Trigger name -> CREATE TRIGGER statement: everything that the object's table needs."""
    triggers = [
        *_minting(obj, code),
        *_audit(obj, admin_id),
        *_deletion(obj, wanted.children),
        *_mirrors(obj, wanted.mirrors),
    ]
    if wanted.capture is not None:
        triggers.extend(_capture(obj, code, wanted.capture))
    return dict(triggers)
