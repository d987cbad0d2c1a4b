"""An org's own triggers: SQL triggers in its store and active Apex triggers, by object (ORG-7, TRG-1)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from orgsync_reconcile.stores.sql.org import Org

_APEX_TRIGGER = re.compile(r"\btrigger\s+(\w+)\s+on\s+(\w+)\s*\(", re.IGNORECASE)
_APEX_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)


def own_triggers(org: Org) -> dict[str, tuple[str, ...]]:
    """Object -> names of its own triggers, those of our making left out, those that are switched off too (TRG-1).

    Neither SQL nor Apex minds the case of an object's name, so the object is given as the org writes it.
    """
    names = {name.casefold(): name for (name,) in org.db.execute("SELECT name FROM orgsync_object")}
    found: dict[str, set[str]] = {}

    def add(owner: str, name: str) -> None:
        found.setdefault(names.get(owner.casefold(), owner), set()).add(name)

    for owner, name in org.engine.own_triggers():
        add(owner, name)
    for name, text in org.db.execute("SELECT full_name, content FROM orgsync_component WHERE type = 'ApexTrigger'"):
        content = json.loads(text)
        match = _APEX_TRIGGER.search(_APEX_COMMENT.sub(" ", str(content.get("source", ""))))
        if match and content.get("status", "Active") == "Active":
            add(match[2], name)
    return {owner: tuple(sorted(triggers)) for owner, triggers in sorted(found.items())}


def with_sql_triggers(org: Org, names: Iterable[str]) -> frozenset[str]:
    """Those of these objects that have SQL triggers of the org's own, which run within engine writes (ORG-7).

    One look at the schema for all of them, as each reads all of it.
    """
    owners = {owner.casefold() for owner, _ in org.engine.own_triggers()}
    return frozenset(name for name in names if name.casefold() in owners)
