"""The rules on a table's fields: constraints, or triggers where records are older than the rule and break it.

A constraint is asked about a whole record at every change, so a record that breaks one could neither be edited nor
deleted any more. Such a rule is kept by triggers instead, which ask about new records and about the field's own changes
(ORG-4, ORG-10). Either way any client reads `CODE:Field` as the name of the constraint that refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import psycopg

from orgsync_reconcile.model.schema import ObjectDef
from orgsync_reconcile.stores.postgres.database import PostgresDatabase
from orgsync_reconcile.stores.postgres.names import fitted, quote_ours
from orgsync_reconcile.stores.postgres.tables import ID_RULE, constraints
from orgsync_reconcile.stores.postgres.trigger import Setting
from orgsync_reconcile.stores.sql.text import literal, quote

#: How the names of these triggers begin; no object's name holds a colon.
PREFIX = "orgsync_rule:"


class Rules:
    """The rules of an org's tables."""

    def __init__(self, db: PostgresDatabase, setting: Setting) -> None:
        self.db = db
        self.setting = setting

    def drop(self, object_name: str, names: Iterable[str]) -> None:
        """Drops rules by name; those that are not there are no matter."""
        table = self.setting.ours(object_name)
        checks, kept = self._checks(object_name), self._triggers(object_name)
        for name in names:
            if name in checks:
                self.db.run(f"ALTER TABLE {table} DROP CONSTRAINT {quote_ours(name)}")
            if name in kept:
                # With its function go the triggers that call it.
                self.db.run(f"DROP FUNCTION {self.setting.ours(kept[name])}() CASCADE")

    def drop_all(self, object_name: str) -> None:
        """Drops all rules of a table's fields."""
        self.drop(object_name, self._checks(object_name) | self._triggers(object_name).keys())

    def add_missing(self, obj: ObjectDef) -> None:
        """Makes the rules of an object's fields that are not there. Inside a transaction."""
        present = self._checks(obj.name) | self._triggers(obj.name).keys()
        missing = {name: test for name, test in _tests(obj).items() if name not in present}
        if not missing or self._constrain(obj.name, missing):
            return
        for name, test in missing.items():
            if not self._constrain(obj.name, {name: test}):
                self._trigger(obj, name)

    def _constrain(self, object_name: str, tests: Mapping[str, str]) -> bool:
        """Adds constraints; says whether all records keep them, and does nothing where one does not."""
        parts = ", ".join(f"ADD CONSTRAINT {quote_ours(name)} CHECK ({test})" for name, test in tests.items())
        self.db.run("SAVEPOINT orgsync_rule")
        try:
            self.db.run(f"ALTER TABLE {self.setting.ours(object_name)} {parts}")
        except psycopg.errors.CheckViolation:
            self.db.run("ROLLBACK TO orgsync_rule")
            return False
        finally:
            self.db.run("RELEASE orgsync_rule")
        return True

    def _trigger(self, obj: ObjectDef, name: str) -> None:
        table, made = self.setting.ours(obj.name), fitted(f"{PREFIX}{obj.name}:{name}")
        test = _tests(obj, "NEW.")[name]
        columns = [c for field in obj.fields.values() if name in constraints(field) for c in field.columns]
        moved = " OR ".join(f"NEW.{quote(c)} IS DISTINCT FROM OLD.{quote(c)}" for c in columns)
        refuse = (
            f"RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = {literal(name)},"
            f" MESSAGE = {literal(f'the value breaks {name}')};"
        )
        self.db.run(
            f"CREATE FUNCTION {self.setting.ours(made)}() RETURNS trigger LANGUAGE plpgsql AS"
            f" $orgsync$BEGIN {refuse} END$orgsync$;"
            f" COMMENT ON FUNCTION {self.setting.ours(made)}() IS {literal(name)};"
        )
        for event, when in (("INSERT", f"NOT ({test})"), ("UPDATE", f"NOT ({test}) AND ({moved})")):
            trigger = quote_ours(fitted(f"{PREFIX}{event}:{obj.name}:{name}"))
            self.db.run(
                f"CREATE TRIGGER {trigger} AFTER {event} ON {table} FOR EACH ROW WHEN ({when})"
                f" EXECUTE FUNCTION {self.setting.ours(made)}();"
                f" ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}"
            )

    def _checks(self, object_name: str) -> set[str]:
        rows = self.db.execute(
            "SELECT k.conname FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid"
            " JOIN pg_namespace AS s ON s.oid = c.relnamespace WHERE s.nspname = ? AND c.relname = ?"
            " AND k.contype = 'c' AND k.conname ~ '^[A-Z_]+:' AND k.conname <> ?",
            [self.setting.schema, object_name, ID_RULE],
        )
        return {str(row[0]) for row in rows}

    def _triggers(self, object_name: str) -> dict[str, str]:
        """Rule -> the function of the triggers that keep it."""
        rows = self.db.execute(
            "SELECT DISTINCT obj_description(p.oid, 'pg_proc'), p.proname FROM pg_trigger AS t"
            " JOIN pg_class AS c ON c.oid = t.tgrelid JOIN pg_namespace AS s ON s.oid = c.relnamespace"
            " JOIN pg_proc AS p ON p.oid = t.tgfoid WHERE s.nspname = ? AND c.relname = ?"
            " AND starts_with(t.tgname, ?)",
            [self.setting.schema, object_name, PREFIX],
        )
        return {str(rule): str(name) for rule, name in rows}


def changed(old: ObjectDef, new: ObjectDef) -> set[str]:
    """Rules that ask for something else from now on."""
    wanted = _tests(new)
    return {name for name, test in _tests(old).items() if wanted.get(name) != test}


def of_fields(obj: ObjectDef, names: Iterable[str]) -> set[str]:
    """The rules on these fields."""
    return {rule for name in names if name in obj.fields for rule in constraints(obj.fields[name])}


def _tests(obj: ObjectDef, row: str = "") -> dict[str, str]:
    return {name: test for field in obj.fields.values() for name, test in constraints(field, row).items()}
