"""Users who are in both orgs before anything was copied: they know each other from the start (USR-1, LKP-6)."""

from __future__ import annotations

from orgsync_reconcile.clock import Clock
from orgsync_reconcile.failpoints import FailPoint, reach
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.plan.users import counterpart
from orgsync_reconcile.stores.sql import links
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.people import read_people
from orgsync_reconcile.sync.user_way import way_between


def link_present_users(primary: Org, secondary: Org, connection: str, clock: Clock) -> int:
    """Links users who are in both orgs under matching names, whatever the switches say; returns how many are new.

    An admin may add the secondary's users by hand: records that name them must still find them (USR-1, LKP-6).
    """
    way = way_between(primary, secondary, connection, Side.PRIMARY, clock)
    with primary.snapshot():
        people = {person.username.lower(): person for person in read_people(primary, way.columns)}
    with secondary.snapshot():
        theirs = read_people(secondary, way.columns)
        taken = links.partners_of(secondary, way.to.number, "User")
    kin = way.kinship()
    pairs = [
        (ours, their)
        for their in theirs
        if (name := counterpart(their.username, Side.SECONDARY)) is not None
        and (ours := people.get(name.lower())) is not None
        and ours.id not in taken
        and their.id not in taken.values()
    ]
    for org, number, made_here in ((secondary, way.to.number, True), (primary, way.from_.number, False)):
        with org.transaction():
            for ours, their in pairs:
                local, partner = (their.id, ours.id) if made_here else (ours.id, their.id)
                root = kin.root.get(ours.id) if made_here else None
                links.add_link(org, number, "User", local, partner, made_here=made_here, since_ms=way.now_ms, root=root)
        if made_here:
            reach(FailPoint.USERS_AFTER_FIRST_LINKS)
    return len(pairs)
