"""From two unconnected orgs to an active connection, by plan and apply."""

from __future__ import annotations

import pytest
from apply_world import ACCOUNT, CONNECTION, clock

from orgsync_reconcile.apply import ApplyContext, apply_plan
from orgsync_reconcile.errors import GuardRefusedError, PermissionDeniedError, StoreError
from orgsync_reconcile.model.connection import ConnectionStatus, Side
from orgsync_reconcile.stores.sql import history
from orgsync_reconcile.stores.sql.connections import find_connection, get_connection
from orgsync_reconcile.stores.sql.publication_reader import read_published, read_subscribed
from orgsync_reconcile.sync.lifecycle import check_identities


def statuses(world):
    return [get_connection(org, "acme-dr").status for org in (world.primary, world.secondary)]


def test_apply_connects_and_the_next_plan_is_empty(pair):
    """REC-2, CON-1, CON-2, CON-3, CON-5, PUB-2: one apply brings both orgs to the manifests; read back, they agree."""
    report = pair.converge()
    assert report.outcomes[0].action.op == "enable-feature"
    assert statuses(pair) == [ConnectionStatus.ACCEPTED] * 2
    primary, secondary = get_connection(pair.primary, "acme-dr"), get_connection(pair.secondary, "acme-dr")
    assert (primary.side, secondary.side) == (Side.PRIMARY, Side.SECONDARY)
    assert (primary.partner_org_id, secondary.partner_org_id) == (pair.secondary.org_id, pair.primary.org_id)
    assert (primary.metadata, primary.users, primary.feeds_and_audit_fields) == (True, True, False)
    for org, role in ((pair.primary, "Primary"), (pair.secondary, "Secondary")):
        row = org.db.execute(
            'SELECT "ConnectionType", "ReplicationRole", "ConnectionStatus" FROM "PartnerNetworkConnection"'
        ).fetchall()
        assert row == [("Replication", role, "Accepted")]
        assert read_published(org, "acme-dr")["Account"].fields == {"Name", "Phone"}
        assert read_subscribed(org, "acme-dr")["Account"].fields == {"Name", "Phone"}
    assert pair.one(pair.secondary, 'SELECT count(*) FROM "Account"') == 0


def test_contact_is_made_once_with_its_account(pair):
    """CON-2: the missing contact and its account are made; an account of that name is used, a contact is not doubled."""
    pair.primary.db.execute('INSERT INTO "Account" ("Name") VALUES (\'Acme\')')
    pair.converge()
    assert pair.one(pair.primary, 'SELECT count(*) FROM "Account"') == 1
    row = pair.primary.db.execute(
        'SELECT c."Name", c."Email", a."Name", p."ContactId" = c."Id" FROM "Contact" AS c'
        ' JOIN "Account" AS a ON a."Id" = c."AccountId", "PartnerNetworkConnection" AS p'
    ).fetchall()
    assert row == [("Elise Medina", "elise@acme.example", "Acme", 1)]


def test_status_goes_step_by_step_and_is_in_the_history(pair):
    """CON-5, CON-12: every move of the status, every publication is a row of the history, with who did it."""
    pair.converge()
    rows = [(item.event, item.detail, item.actor) for item in reversed(history.read_history(pair.primary, "acme-dr"))]
    moves = [detail for event, detail, _ in rows if event == history.STATUS]
    assert moves == ["Invited", "Metadata Sync in Progress", "User Sync in Progress", "Active"]
    assert (history.PUBLISH, "Account with 2 fields", "admin@acme.example") in rows
    assert any(item.event == history.SUBSCRIBE for item in history.read_history(pair.secondary, "acme-dr"))


def test_steps_that_the_options_leave_out_are_skipped(pair):
    """CON-5, CON-6: without metadata and users the connection is active at once."""
    pair.write("connection.yaml", CONNECTION + "sync: {metadata: false, users: {primary: false, secondary: false}}\n")
    pair.converge()
    moves = [item.detail for item in history.read_history(pair.primary) if item.event == history.STATUS]
    assert moves == ["Active", "Invited"]


@pytest.mark.parametrize("name", ["acme", "acme-secondary"])
def test_without_manage_connections_nothing_is_changed(pair, name):
    """CON-4, CON-11: whichever acting user lost the permission since the plan, apply refuses and changes nothing."""
    plan = pair.plan()
    org = pair.orgs[name]
    org.db.execute("DELETE FROM orgsync_grant WHERE permission = 'ManageConnections'")
    context = ApplyContext(orgs=pair.orgs, desired=pair.desired(), clock=clock, replan=lambda: plan)
    with pytest.raises(PermissionDeniedError, match=r"lacks ManageConnections.*nothing was changed"):
        apply_plan(plan, context)
    for each in pair.orgs.values():
        assert find_connection(each, "acme-dr") is None
        assert pair.one(each, "SELECT count(*) FROM orgsync_feature") == 0
        assert pair.one(each, "SELECT count(*) FROM orgsync_journal") == 0


def test_two_copies_of_one_org_cannot_be_connected(pair):
    """CON-4: a copied org file is refused before anything is changed, with what to do."""
    with pytest.raises(StoreError, match="org create"):
        check_identities(pair.primary, pair.primary)


def test_standard_connection_is_left_alone(pair):
    """CON-3: a standard connection of the org stays what it is, also when ours ends."""
    pair.primary.db.execute(
        'INSERT INTO "PartnerNetworkConnection" ("ConnectionName", "ConnectionStatus", "ConnectionType")'
        " VALUES ('Partner Ltd', 'Accepted', 'Standard')"
    )
    before = pair.primary.db.execute('SELECT * FROM "PartnerNetworkConnection"').fetchall()
    pair.converge()
    after = pair.primary.db.execute(
        'SELECT * FROM "PartnerNetworkConnection" WHERE "ConnectionType" = \'Standard\''
    ).fetchall()
    assert after == before


def test_options_owner_and_settings_change_on_a_live_connection(pair):
    """CON-6, CON-7: shared options reach both orgs, the users switch is each org's own, settings are stored as text."""
    pair.converge()
    pair.primary.db.execute(
        'INSERT INTO "User" ("Username", "LastName", "Email", "Alias", "ProfileId") SELECT \'olga@acme.example\', \'O\','
        " 'o@acme.example', 'olga', \"ProfileId\" FROM \"User\" LIMIT 1"
    )
    pair.write(
        "connection.yaml",
        CONNECTION.replace("owner: admin@", "owner: olga@")
        + "conflicts: latest-wins\nsync: {metadata: false, users: {primary: true, secondary: false}}\n",
    )
    pair.converge()
    primary, secondary = get_connection(pair.primary, "acme-dr"), get_connection(pair.secondary, "acme-dr")
    assert (primary.metadata, secondary.metadata) == (False, False)
    assert (primary.users, secondary.users) == (True, False)
    assert primary.settings["conflicts"] == "latest-wins"
    assert (
        pair.one(pair.primary, 'SELECT "Username" FROM "User" WHERE "Id" = ?', primary.owner_id) == "olga@acme.example"
    )
    for org in (pair.primary, pair.secondary):
        assert any("owner olga" in item.detail for item in history.read_history(org))


def test_suspended_in_the_manifest_and_active_again(pair):
    """SUS-4, CON-5: the manifest suspends both ends and resumes them; the history names it."""
    pair.converge()
    pair.write("connection.yaml", CONNECTION + "state: suspended\n")
    pair.converge()
    assert statuses(pair) == [ConnectionStatus.SUSPENDED] * 2
    assert history.read_history(pair.primary)[0].event == "Connection Admin Suspended"
    pair.write("connection.yaml", CONNECTION)
    pair.converge()
    assert statuses(pair) == [ConnectionStatus.ACCEPTED] * 2
    assert history.read_history(pair.secondary)[0].event == "Connection Admin Resumed"


def test_removed_connection_is_deactivated_only_when_allowed_and_can_come_back(pair):
    """CON-9, REC-5: a guard refuses the deactivation, exit 3; allowed, links are cut; connecting again goes on."""
    pair.converge()
    pair.remove("connection.yaml")
    pair.remove("account.yaml")
    plan = pair.plan()
    with pytest.raises(GuardRefusedError, match="--allow deactivate") as refused:
        pair.apply(plan)
    assert refused.value.exit_code == 3
    assert statuses(pair) == [ConnectionStatus.ACCEPTED] * 2
    pair.converge(allow={"deactivate": None})
    assert statuses(pair) == [ConnectionStatus.INACTIVE] * 2
    assert read_published(pair.primary, "acme-dr") == {}
    pair.write("connection.yaml", CONNECTION)
    pair.write("account.yaml", ACCOUNT)
    number = get_connection(pair.primary, "acme-dr").number
    pair.converge()
    assert statuses(pair) == [ConnectionStatus.ACCEPTED] * 2
    assert get_connection(pair.primary, "acme-dr").number == number
