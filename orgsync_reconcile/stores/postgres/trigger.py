"""A trigger of our making, and the statements that make it."""

from __future__ import annotations

from dataclasses import dataclass

from orgsync_reconcile.model.schema import ObjectDef
from orgsync_reconcile.stores.postgres.names import fitted, quote_ours
from orgsync_reconcile.stores.sql.text import literal

#: How deep in triggers the engine's own statements stand: 0 means wherever they stand.
DEPTH = "coalesce(nullif(current_setting('orgsync.depth', true), '')::int, 1)"


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """A trigger with its function: `event` as in CREATE TRIGGER, `body` of the function in PL/pgSQL."""

    name: str
    event: str
    body: str
    when: str = ""
    #: Transition tables, as in `NEW TABLE AS new_rows`; the trigger then sees statements, not rows.
    tables: str = ""
    by_statement: bool = False
    declare: str = ""
    #: Runs with the rights of the function's owner: it reads or writes what is ours, or the records of others.
    as_owner: bool = False


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What every trigger of an org must know."""

    schema: str
    code: str
    admin_id: str

    def ours(self, name: str) -> str:
        """A table of the org's schema, as functions must name it whatever the client's search path is."""
        return f"{quote_ours(self.schema)}.{quote_ours(name)}"

    @property
    def engine(self) -> str:
        """The connection whose changes the engine writes in this transaction; NULL outside of one.

        Any session can give itself the setting; it counts in one that could write the log as well.
        """
        # By its name: an administrator may put another table in its place.
        log = literal(self.ours("orgsync_change"))
        return (
            "CASE WHEN current_setting('orgsync.connection', true) <> ''"
            f" AND has_table_privilege(session_user, {log}, 'INSERT')"
            " THEN current_setting('orgsync.connection', true)::bigint END"
        )


def refuse(code: str, field_name: str, message: str) -> str:
    """What ends a statement in the platform's words."""
    return (
        f"RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = {literal(f'{code}:{field_name}')},"
        f" MESSAGE = {literal(message)};"
    )


def named(obj: ObjectDef, what: str) -> str:
    """The name of a trigger of ours, and of its function."""
    return fitted(f"orgsync_{obj.name}_{what}")


def function(trigger: Trigger, setting: Setting) -> str:
    """The statements that make a trigger's function, or put it in the place of the one that stands there."""
    declare = f"DECLARE {trigger.declare} " if trigger.declare else ""
    name, rights, kept = f"{setting.ours(trigger.name)}()", "", ""
    if trigger.as_owner:
        # Names are looked up where no client can put any; own triggers that run within find the org's tables.
        rights = f" SECURITY DEFINER SET search_path = pg_catalog, {quote_ours(setting.schema)}, pg_temp"
        # Who could call it could have it work on a table of their own.
        kept = f"; REVOKE ALL ON FUNCTION {name} FROM PUBLIC"
    return (
        f"CREATE OR REPLACE FUNCTION {name} RETURNS trigger LANGUAGE plpgsql{rights} AS"
        f" $orgsync${declare}BEGIN {trigger.body} END$orgsync${kept}"
    )


def definition(obj: ObjectDef, trigger: Trigger, setting: Setting) -> str:
    """The statements that make the trigger itself, or put it in the place of the one that stands there."""
    scope = "FOR EACH STATEMENT" if trigger.tables or trigger.by_statement else "FOR EACH ROW"
    if trigger.tables:
        scope = f"REFERENCING {trigger.tables} {scope}"
    when = f" WHEN ({trigger.when})" if trigger.when else ""
    # Also where a session leaves out triggers as replicas do: whatever program writes, its changes count.
    return (
        f"CREATE OR REPLACE TRIGGER {quote_ours(trigger.name)} {trigger.event} ON {setting.ours(obj.name)}"
        f" {scope}{when} EXECUTE FUNCTION {setting.ours(trigger.name)}();"
        f" ALTER TABLE {setting.ours(obj.name)} ENABLE ALWAYS TRIGGER {quote_ours(trigger.name)}"
    )
