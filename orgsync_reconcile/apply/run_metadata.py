"""Actions on components of the secondary: deploy, in one call for many, and delete (MET-8, MET-9, MET-4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orgsync_reconcile.apply.context import ApplyContext
from orgsync_reconcile.apply.executor import Result, needs_failed
from orgsync_reconcile.model.component import ComponentKey
from orgsync_reconcile.model.plan import Action
from orgsync_reconcile.stores.sql import components
from orgsync_reconcile.stores.sql.connections import find_connection
from orgsync_reconcile.sync.metadata import drop_mismatched, follow_deployed, remember_equal, sync_components

#: How many components are deployed at once. Objects and their fields had better go together: to add columns to a table
#: that is there costs far more than to create it with them.
MOST = 20_000


def component_key(action: Action) -> ComponentKey:
    """The component that an action is about, from its address `CONN/metadata/Type:Full.Name`."""
    type_, _, name = action.address.split("/", 2)[2].partition(":")
    return ComponentKey(type_, name)


def deploy(context: ApplyContext, actions: Sequence[Action]) -> Result:
    """Deploy components of the primary to the secondary; those that fail do not stop the others (MET-8)."""
    ends = context.ends(actions[0])
    connection = actions[0].connection
    by_key = {component_key(action): action for action in actions}
    reports = {key: dict((action.after or {}).get("reports", {})) for key, action in by_key.items()}
    renames = {
        key: ComponentKey(key.type, str(action.before["full_name"]))
        for key, action in by_key.items()
        if action.before and "full_name" in action.before
    }
    failures = sync_components(
        ends.primary,
        ends.secondary,
        connection,
        by_key,
        actor=ends.primary_admin,
        clock=context.clock,
        reports={key: value for key, value in reports.items() if value},
        renames=renames,
        needs=_needs(by_key),
    )
    if find_connection(ends.secondary, connection) is not None:
        follow_deployed(
            ends.primary,
            ends.secondary,
            connection,
            [key for key in by_key if key not in failures],
            actor=ends.secondary_admin,
            clock=context.clock,
        )
        drop_mismatched(ends.primary, ends.secondary, connection, clock=context.clock)
    remember_equal(ends.primary, ends.secondary)
    result = Result(errors={by_key[key].id: why for key, why in failures.items()})
    for action in actions:
        why = needs_failed(action, actions, result) if action.id in result.errors else ""
        if why:
            result.held_back[action.id] = why
            del result.errors[action.id]
    return result


def _needs(by_key: Mapping[ComponentKey, Action]) -> dict[ComponentKey, list[ComponentKey]]:
    """Key -> the keys of the same group that it depends on."""
    keys = {action.id: key for key, action in by_key.items()}
    return {key: [keys[need] for need in action.depends_on if need in keys] for key, action in by_key.items()}


def delete(context: ApplyContext, action: Action) -> None:
    """Delete a component of the secondary that is gone from the primary (MET-4)."""
    ends = context.ends(action)
    components.delete(ends.secondary, component_key(action))
    drop_mismatched(ends.primary, ends.secondary, action.connection, clock=context.clock)
