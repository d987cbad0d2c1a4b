"""Events that somebody has put into the table, and sequences of causes with drains in between (QUE-2, QUE-3)."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from hostile_world import HostileWorld
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from org_stores import Templates
from sync_world import ACTOR, CONNECTION, NAMES, P, S, make_orgs

from orgsync_reconcile.clock import iso
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.sql import (
    connection_changes,
    connections,
    publication_reader,
    publications,
    subscriptions,
)
from orgsync_reconcile.stores.sql.schema import Objects

EVENT = (
    "INSERT INTO orgsync_event (connection, lane, action, object, field, detail, at) VALUES (1, {}, {}, {}, {}, {}, {})"
)
TAMPERED = {
    "an unknown action": EVENT.format("'map'", "'Format Disk'", "'Account'", "''", "'{}'", "1"),
    "an unknown state": EVENT.format("'state'", "'Connection Exploded'", "''", "''", "'{}'", "1"),
    "work of its own in another lane": EVENT.format("'map'", "'Map Update Email'", "'Account'", "''", "'{}'", "1"),
    "broken detail": EVENT.format("'map'", "'Field Map Delete'", "'Account'", "'Phone'", "'{'", "1"),
    "detail that is no mapping": EVENT.format("'map'", "'Type Map Delete'", "'Account'", "''", "'[1]'", "1"),
    "detail that lacks what is needed": EVENT.format(
        "'map'", "'Field Map Name Update'", "'Account'", "'Phone'", "'{}'", "1"
    ),
    "an object that is not there": EVENT.format(
        "'map'", "'Field Map Name Update'", "'Nope__c'", "'x'", '\'{"before": "y"}\'', "1"
    ),
    "bytes": EVENT.format("'map'", "x'00ff'", "x'00ff'", "x'00'", "x'80'", "'noon'"),
    "a mail without words": EVENT.format("'own'", "'Map Update Email'", "'Account'", "''", "'7'", "1"),
    "unknown work": EVENT.format("'own'", "'Coffee'", "'Account'", "''", "'{}'", "1"),
    "an unknown lane": EVENT.format("'fast'", "'Field Map Delete'", "'Account'", "'Phone'", "'{}'", "1"),
}


@pytest.mark.pairings("sqlite-sqlite", "sqlite-postgres")
@pytest.mark.parametrize("statement", TAMPERED.values(), ids=TAMPERED)
def test_a_tampered_event_stops_nothing(world: HostileWorld, statement: str) -> None:
    """QUE-2: it is set apart, with a log entry where the partner was to be told; events and records behind it go on."""
    if "x'" in statement and not world.addresses[P].startswith("sqlite:"):
        pytest.skip("a server takes no such value")
    world.connect("Account")
    world.drain()
    world.clients[P].execute(statement)
    publications.unpublish_field(world.orgs[P], CONNECTION, "Account", "Fax", actor=ACTOR, clock=world.clock)
    world.insert(P, "Account", Name="x")
    for command in (("queue", "list"), ("status",)):
        assert world.program(*command, CONNECTION).exit_code == 0
    done = world.program("drain", CONNECTION)
    assert done.exit_code == 0, done.output
    assert "mistake of the program" not in done.stderr
    assert world.count(S, "Account") == 1
    assert "Fax" not in publication_reader.read_subscribed(world.orgs[S], CONNECTION)["Account"].fields
    codes = [item.error_code for item in world.log(S)]
    assert codes == (["UNKNOWN_EVENT"] if "'map'" in statement or "'state'" in statement else [])
    for command in (("history",), ("log", "list"), ("drain",), ("verify",)):
        assert world.program(*command, CONNECTION).exit_code == 0
    assert [item.error_code for item in world.log(S)] == codes
    strays = [item.description.partition(" was ")[2] for item in world.log(P)]
    assert strays == (["left out: there is no lane 'fast'"] if "'fast'" in statement else [])


FIELDS = ("Name", "Phone", "Fax")
STEPS = st.lists(
    st.tuples(
        st.sampled_from((P, S)), st.sampled_from(("field", "object", "option", "record", "drain", "drain one way"))
    ),
    max_size=12,
)


def toggle_field(world: HostileWorld, side: Side) -> None:
    """Phone is offered no longer, or again, by one org; whoever plans would subscribe to it there."""
    org, partner = world.orgs[side], world.orgs[side.other]
    offered = publication_reader.read_published(org, CONNECTION).get("Account")
    acting = {"actor": ACTOR, "clock": world.clock}
    if offered is None:
        return
    if "Phone" in offered.fields:
        publications.unpublish_field(org, CONNECTION, "Account", "Phone", **acting)
    else:
        publications.publish_field(org, CONNECTION, "Account", "Phone", **acting)
        if "Account" in publication_reader.read_subscribed(partner, CONNECTION):
            shape = Objects(org)["Account"].fields["Phone"].shape
            subscriptions.subscribe_field(partner, CONNECTION, "Account", "Phone", shape, **acting)


def toggle_object(world: HostileWorld, side: Side) -> None:
    """Account is offered no longer, or again with all fields and subscribed to."""
    org, partner = world.orgs[side], world.orgs[side.other]
    acting = {"actor": ACTOR, "clock": world.clock}
    if "Account" in publication_reader.read_published(org, CONNECTION):
        publications.unpublish_object(org, CONNECTION, "Account", disconnect=False, **acting)
        return
    publications.publish_object(org, CONNECTION, "Account", FIELDS, **acting)
    subscriptions.subscribe_object(
        partner,
        CONNECTION,
        "Account",
        {name: Objects(org)["Account"].fields[name].shape for name in FIELDS},
        since_seq=connections.log_position(org),
        since=iso(world.now),
        **acting,
    )


def play(world: HostileWorld, step: tuple[Side, str]) -> None:
    side, what = step
    if what == "field":
        toggle_field(world, side)
    elif what == "object":
        toggle_object(world, side)
    elif what == "option":
        now = connections.get_connection(world.orgs[P], CONNECTION).metadata
        connection_changes.set_options(world.orgs[P], CONNECTION, metadata=not now, actor=ACTOR, clock=world.clock)
    elif what == "record":
        world.insert(side, "Account", Name="x")
    else:
        world.drain(*((side,) if what == "drain one way" else ()), max_records=1 if what == "drain one way" else None)


@pytest.mark.pairings
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_both_maps_end_equal(pairing: str, templates: Templates, steps: list[tuple[Side, str]]) -> None:
    """QUE-2, CNF-3: whatever was caused and drained in between, each org accepts what the other offers, and knows it."""
    with tempfile.TemporaryDirectory(prefix="orgsync-events-") as name, ExitStack() as stack:
        copied = templates.copied(pairing, make_orgs, list(NAMES.values()), Path(name))
        world = HostileWorld(Path(name), stack, addresses=stack.enter_context(copied))
        world.connect("Account", fields={"Account": FIELDS})
        for step in steps:
            play(world, step)
        world.drain()
        for side in (P, S):
            offered = publication_reader.read_published(world.orgs[side], CONNECTION)
            accepted = publication_reader.read_subscribed(world.orgs[side.other], CONNECTION)
            assert {key: item.fields for key, item in offered.items()} == {k: v.fields for k, v in accepted.items()}
            assert world.all(side, "SELECT partner_sub FROM orgsync_published") == [1] * len(offered)
            assert world.all(side, "SELECT 1 FROM orgsync_event WHERE lane <> 'own'") == []
        ends = [connections.get_connection(world.orgs[side], CONNECTION).metadata for side in (P, S)]
        assert ends[0] == ends[1]
