"""Change capture: one look at each statement of any client, through its transition tables (ORG-7).

What the engine writes is known by settings of its transaction. Its own statements stand at a known depth of triggers; what
the org's own triggers make of them stands deeper, and is the org's own change.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from orgsync_reconcile.model.schema import ObjectDef
from orgsync_reconcile.stores.postgres.dialect import DIALECT, ENGINE_HALF
from orgsync_reconcile.stores.postgres.names import CHANNEL, sleepers_key
from orgsync_reconcile.stores.postgres.positions import position
from orgsync_reconcile.stores.postgres.tables import counter, engine_counter
from orgsync_reconcile.stores.postgres.trigger import DEPTH, Setting, Trigger, named, refuse
from orgsync_reconcile.stores.sql.layout import ROW, WORD, Capture
from orgsync_reconcile.stores.sql.text import commas, literal, quote

#: Stands in the capture of an object whose engine writes are left out.
SUPPRESSED = "-- what the engine writes is left out"
#: Statements that change more rows than this are planned anew.
_LARGE = 100
_PARTS = ("_orgsync_guard", "_orgsync_engine", "_orgsync_distance")


def given_ids(obj: ObjectDef, setting: Setting) -> str:
    """Refuses Ids of this org that nobody has minted yet: they would be minted once more."""

    def last(name: str) -> str:
        number = "CASE WHEN is_called THEN last_value ELSE last_value - 1 END"
        return f"(SELECT lpad(to_hex({number}), 9, '0') FROM {setting.ours(name)})"

    # The digits are as many in every Id, so that they are in the order of their numbers.
    digits = 'substr("Id", 7, 9)'
    ahead = (
        f"{digits} > CASE WHEN {digits} >= '{ENGINE_HALF:09x}' THEN {last(engine_counter(obj.name))}"
        f" ELSE {last(counter(obj.name))} END"
    )
    return (
        f'IF EXISTS (SELECT 1 FROM new_rows WHERE substr("Id", 4, 3) = {literal(setting.code)} AND {ahead})'
        f" THEN {refuse('MALFORMED_ID', 'Id', 'an Id that this org has not minted yet')} END IF;"
    )


_DECLARED = "_orgsync_guard bigint; _orgsync_engine boolean := false; _orgsync_distance bigint;"


def _look(setting: Setting) -> str:
    """Finds out who writes: most statements are those of clients, for which one question is enough."""
    return (
        "IF current_setting('orgsync.connection', true) <> '' THEN"
        f" _orgsync_guard := {setting.engine};"
        f" _orgsync_engine := _orgsync_guard IS NOT NULL AND {DEPTH} IN (0, pg_trigger_depth());"
        " _orgsync_distance :="
        " CASE WHEN _orgsync_guard IS NOT NULL THEN nullif(current_setting('orgsync.hops', true), '')::bigint END;"
        " END IF;"
    )


def capture_triggers(obj: ObjectDef, capture: Capture, setting: Setting) -> list[Trigger]:
    """The triggers that write an object's changes to the log."""
    skip = f"{SUPPRESSED}\nIF _orgsync_engine THEN RETURN NULL; END IF;" if capture.suppress else ""
    origin = "NULL::bigint" if capture.suppress else "CASE WHEN _orgsync_engine THEN _orgsync_guard END"
    # What is only passed on is no nearer to a loop than it was.
    hops = "nullif(_orgsync_distance, 0)"
    if not capture.suppress:
        hops = "nullif(_orgsync_distance - CASE WHEN _orgsync_engine THEN 1 ELSE 0 END, 0)"
    # Telling costs every commit a lock that all of them take: it is left out where nobody sleeps.
    wake = (
        f"IF NOT pg_try_advisory_xact_lock_shared({sleepers_key(setting.schema)})"
        f" THEN PERFORM pg_notify('{CHANNEL}', ''); END IF;"
    )
    log = setting.ours("orgsync_change")
    # Asked by the statement that logs, which has the log locked by then: where positions are raised, nobody writes.
    known = (
        f"(SELECT {position(setting.schema)}), {capture.number}, {{record}}, {{op}}, {DIALECT.now_ms}, {origin}, {hops}"
    )
    names = "seq, object, record, op, at, origin, hops"
    insert = (
        f"INSERT INTO {log} ({names})"
        f" SELECT {known.format(record=quote('Id'), op=literal('I'))} FROM new_rows ORDER BY {ROW};"
    )
    words = mask_words(capture.columns)
    marks = "".join(f", m{word}" for word in words)
    bits = "".join(f", {expression} AS m{word}" for word, expression in words.items())
    any_bit = " OR ".join(f"c.m{word} <> 0" for word in words) or "false"
    changed = (
        f'SELECT n."Id", n.{ROW}, n."IsDeleted" AS gone, n."IsDeleted" <> o."IsDeleted" AS moved{bits}'
        # With an end of its own, so that the bits are found out once, and not wherever they are read.
        ' FROM new_rows AS n JOIN old_rows AS o ON o."Id" = n."Id" OFFSET 0'
    )
    masks = "".join(f", CASE x.op WHEN 'U' THEN c.m{word} END" for word in words)
    write = (
        f"INSERT INTO {log} ({names}{marks})"
        f" SELECT {known.format(record='c.' + quote('Id'), op='x.op')}{masks}"
        f" FROM ({changed}) AS c CROSS JOIN LATERAL (VALUES ('U', {any_bit}),"
        " (CASE WHEN c.gone THEN 'D' ELSE 'R' END, c.moved)) AS x (op, holds)"
        f" WHERE x.holds ORDER BY c.{ROW}"
    )
    # A plan that was made for one row matches the two tables row by row: large statements get one of their own.
    update = (
        f"SELECT count(*) INTO _orgsync_rows FROM (SELECT 1 FROM new_rows LIMIT {_LARGE + 1}) AS few;"
        " IF _orgsync_rows = 0 THEN RETURN NULL; END IF;"
        f" IF _orgsync_rows > {_LARGE} THEN EXECUTE {literal(_numbered(write, _PARTS))} USING {commas(_PARTS)};"
        f" ELSE {write}; END IF;"
    )
    return [
        Trigger(
            name=named(obj, "capture_insert"),
            event="AFTER INSERT",
            tables="NEW TABLE AS new_rows",
            declare=_DECLARED,
            as_owner=True,
            body=f"{_look(setting)} {given_ids(obj, setting)} {skip} {insert} {wake} RETURN NULL;",
        ),
        Trigger(
            name=named(obj, "capture_update"),
            event="AFTER UPDATE",
            tables="OLD TABLE AS old_rows NEW TABLE AS new_rows",
            declare=f"{_DECLARED} _orgsync_rows int;",
            as_owner=True,
            body=f"{_look(setting)} {skip} {update} {wake} RETURN NULL;",
        ),
    ]


def mask_words(columns: Mapping[str, int]) -> dict[int, str]:
    """Word number -> SQL expression of the bits of the columns that differ between `o` and `n`."""
    words: dict[int, list[str]] = {}
    for column, number in columns.items():
        # Every call in an expression is set up anew for every statement of a client: a choice between constants has none.
        test = f"n.{quote(column)} IS DISTINCT FROM o.{quote(column)}"
        bit = f"CASE WHEN {test} THEN '{1 << (number % WORD)}'::bigint ELSE '0'::bigint END"
        words.setdefault(number // WORD, []).append(bit)
    return {word: "(" + " | ".join(bits) + ")" for word, bits in sorted(words.items())}


def _numbered(statement: str, variables: Sequence[str]) -> str:
    """The statement with its PL/pgSQL variables as $1, $2, …, as EXECUTE takes them."""
    for place, name in enumerate(variables, 1):
        statement = re.sub(rf"\b{name}\b", f"${place}", statement)
    return statement
