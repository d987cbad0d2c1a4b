"""Actions on what is published and subscribed, many in one transaction with one rebuild of the triggers (PUB-*)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from orgsync_reconcile.apply.context import ApplyContext
from orgsync_reconcile.apply.deliveries import deliver_events
from orgsync_reconcile.apply.executor import Result, Run, needs_failed
from orgsync_reconcile.clock import iso
from orgsync_reconcile.errors import OrgsyncError
from orgsync_reconcile.model.plan import Action
from orgsync_reconcile.stores.faults import explain, faults
from orgsync_reconcile.stores.sql import publications, subscriptions
from orgsync_reconcile.stores.sql.connections import log_position
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.savepoint import savepoint
from orgsync_reconcile.stores.sql.schema import rebuild_triggers
from orgsync_reconcile.stores.sql.shapes import shapes_of
from orgsync_reconcile.stores.sql.subscriptions import rebuild_subscribed

#: How many publications are changed in one transaction. Each ends with a look at all of the org's schema.
MOST = 20_000


def named(action: Action) -> tuple[str, str]:
    """(object, field) of an action, from its address `CONN/publication/OBJECT[/field/FIELD]`; field may be empty."""
    parts = action.address.split("/")
    return parts[2], parts[4] if len(parts) > 4 else ""


def _after(action: Action) -> dict[str, Any]:
    return dict(action.after or {})


def _together(
    step: Callable[[ApplyContext, Org, Action], None],
    rebuild: Callable[[Org, Iterable[str]], None] | None = None,
) -> Run:
    """Runs `step` for each action within one transaction of the org; one that fails leaves the others standing.

    `rebuild` brings the triggers of the objects up to date, once.
    """

    def run(context: ApplyContext, actions: Sequence[Action]) -> Result:
        org = context.org(actions[0].org)
        result = Result()
        with org.transaction():
            for action in actions:
                why = needs_failed(action, actions, result)
                if why:
                    result.held_back[action.id] = why
                    continue
                try:
                    with savepoint(org):
                        step(context, org, action)
                except OrgsyncError as error:
                    result.errors[action.id] = str(error)
                except faults() as error:
                    result.errors[action.id] = str(explain(error, org.label))
            if rebuild is not None:
                rebuild(org, dict.fromkeys(named(action)[0] for action in actions))
        return result

    return run


def _publish_object(context: ApplyContext, org: Org, action: Action) -> None:
    after = _after(action)
    publications.publish_object(
        org,
        action.connection,
        named(action)[0],
        after["fields"],
        match_on=after.get("match_on"),
        record_types=after.get("record_types", ()),
        actor=context.actor(action.org),
        clock=context.clock,
        rebuild=False,
    )


def _publish_field(context: ApplyContext, org: Org, action: Action) -> None:
    name, field = named(action)
    publications.publish_field(
        org, action.connection, name, field, actor=context.actor(action.org), clock=context.clock, rebuild=False
    )


def _unpublish_field(context: ApplyContext, org: Org, action: Action) -> None:
    name, field = named(action)
    publications.unpublish_field(
        org, action.connection, name, field, actor=context.actor(action.org), clock=context.clock, rebuild=False
    )


def _unpublish_object(context: ApplyContext, org: Org, action: Action) -> None:
    publications.unpublish_object(
        org,
        action.connection,
        named(action)[0],
        disconnect=bool(_after(action).get("disconnect", True)),
        actor=context.actor(action.org),
        clock=context.clock,
        rebuild=False,
    )


def _source(context: ApplyContext, action: Action) -> Org:
    """The publishing org of a subscription."""
    return context.ends(action).org(context.side(action).other)


def _subscribe_object(context: ApplyContext, org: Org, action: Action) -> None:
    source, name = _source(context, action), named(action)[0]
    subscriptions.subscribe_object(
        org,
        action.connection,
        name,
        shapes_of(source, name, _after(action)["fields"]),
        since_seq=log_position(source),
        since=iso(context.clock()),
        actor=context.actor(action.org),
        clock=context.clock,
        rebuild=False,
    )


def _subscribe_field(context: ApplyContext, org: Org, action: Action) -> None:
    source, (name, field) = _source(context, action), named(action)
    for known, shape in shapes_of(source, name, [field]).items():
        subscriptions.subscribe_field(
            org, action.connection, name, known, shape, actor=context.actor(action.org), clock=context.clock
        )


def _sending(run: Run, fields_of: Callable[[Action], Sequence[str]]) -> Run:
    """Subscribes by `run`; where the publication asks for it, queues the present values of linked records (PUB-9).

    The values are queued here and not when the field is published: only now is there a way for them.
    """

    def subscribe(context: ApplyContext, actions: Sequence[Action]) -> Result:
        result = run(context, actions)
        sent: dict[str, list[str]] = {}
        for action in actions:
            name = named(action)[0]
            wanted = context.desired.publications.get((action.connection, name))
            if action.id not in {*result.errors, *result.held_back} and wanted is not None and wanted.backfill:
                sent.setdefault(name, []).extend(fields_of(action))
        for name, fields in sent.items():
            publications.send_again(_source(context, actions[0]), actions[0].connection, name, fields, context.clock)
        return result

    return subscribe


def _told(run: Run) -> Run:
    """Unsubscribes by what the publishing org tells: it no longer offers these; `run` does what it does not tell of."""

    def unsubscribe(context: ApplyContext, actions: Sequence[Action]) -> Result:
        deliver_events(context, actions[0].connection, (context.side(actions[0]).other,))
        return run(context, actions)

    return unsubscribe


def _unsubscribe_field(context: ApplyContext, org: Org, action: Action) -> None:
    name, field = named(action)
    subscriptions.unsubscribe_field(
        org, action.connection, name, field, actor=context.actor(action.org), clock=context.clock
    )


def _unsubscribe_object(context: ApplyContext, org: Org, action: Action) -> None:
    subscriptions.unsubscribe_object(
        org,
        action.connection,
        named(action)[0],
        disconnect=bool(_after(action).get("disconnect", True)),
        actor=context.actor(action.org),
        clock=context.clock,
        rebuild=False,
    )


publish_objects = _together(_publish_object, rebuild_triggers)
publish_fields = _together(_publish_field, rebuild_triggers)
unpublish_fields = _together(_unpublish_field, rebuild_triggers)
unpublish_objects = _together(_unpublish_object, rebuild_triggers)
subscribe_objects = _sending(_together(_subscribe_object, rebuild_subscribed), lambda action: _after(action)["fields"])
subscribe_fields = _sending(_together(_subscribe_field), lambda action: [named(action)[1]])
unsubscribe_fields = _told(_together(_unsubscribe_field))
unsubscribe_objects = _told(_together(_unsubscribe_object, rebuild_subscribed))
