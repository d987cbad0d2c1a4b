"""One org in two connections at once."""

from __future__ import annotations

from pathlib import Path

from people_world import ADMINS, CONTACT, LICENSES, NAME, add_user, clock, find

from orgsync_reconcile.catalog.orgs import SALESFORCE_TO_SALESFORCE
from orgsync_reconcile.model.connection import ConnectionStatus, Side, SyncOptions
from orgsync_reconcile.stores.sql import connections
from orgsync_reconcile.stores.sql.create import NewOrg
from orgsync_reconcile.stores.sqlite.create import create_org
from orgsync_reconcile.sync import lifecycle
from orgsync_reconcile.sync.users import sync_all_users, upsert_users


def test_users_of_a_hub_reach_both_spokes(people, tmp_path: Path):
    """CON-10, USR-1, USR-3: each connection has its own links and status; ending one leaves the other alone."""
    admin = ADMINS["acme-secondary"]
    with create_org(
        tmp_path / "spoke.db", NewOrg(name="spoke", admin=admin, licenses=LICENSES, features=[SALESFORCE_TO_SALESFORCE])
    ) as spoke:
        ends = lifecycle.Ends(
            primary=people.primary, secondary=spoke, primary_admin=ADMINS["acme"], secondary_admin=admin
        )
        lifecycle.invite(
            ends, "spoke", owner=ADMINS["acme"], contact=CONTACT, options=SyncOptions(), settings={}, clock=clock
        )
        lifecycle.accept(ends, "spoke", options=SyncOptions(), status=ConnectionStatus.ACCEPTED, clock=clock)
        user = add_user(people.primary, "ann@acme.example")
        people.forth()
        sync_all_users(people.primary, spoke, "spoke", Side.PRIMARY, clock)
        assert find(people.secondary, "ann@acme.example.dr") and find(spoke, "ann@acme.example.dr")
        for side in Side:
            lifecycle.deactivate(people.ends.org(side), NAME, actor=people.ends.admin(side), clock=clock)
        before = connections.log_position(people.primary)
        people.primary.db.execute('UPDATE "User" SET "Title" = \'Chief\' WHERE "Id" = ?', [user])
        assert connections.log_position(people.primary) == before + 1
        report = upsert_users(people.primary, spoke, "spoke", Side.PRIMARY, [user], clock=clock)
        assert report.updated == ("ann@acme.example",)
        assert find(spoke, "ann@acme.example.dr", "Title") == ("Chief",)
        assert find(people.secondary, "ann@acme.example.dr", "Title") == (None,)
        assert connections.get_connection(people.primary, "spoke").status is ConnectionStatus.ACCEPTED
