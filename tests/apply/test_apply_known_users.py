"""Users whom both orgs have when they are connected know each other, with user sync switched off too."""

from __future__ import annotations

from apply_world import CONNECTION, clock

from orgsync_reconcile.stores.sql.flow import Pair
from orgsync_reconcile.sync.drain import drain

_USER = (
    'INSERT INTO "User" ("Username", "LastName", "Email", "Alias", "CommunityNickname", "ProfileId")'
    " SELECT ?1, 'Ann', 'ann@acme.example', 'ann', 'ann', \"Id\" FROM \"Profile\" WHERE \"Name\" = 'Standard User'"
)


def test_users_made_by_hand_are_linked_at_accept(pair):
    """USR-1, LKP-6: records of such a user keep their owner in the other org, in both directions."""
    pair.write("connection.yaml", CONNECTION + "sync: {users: {primary: false, secondary: false}}\n")
    pair.write(
        "account.yaml",
        "version: 1\nkind: Publication\nconnection: acme-dr\nobject: Account\nfields: {include: [Name, OwnerId]}\n",
    )
    pair.primary.db.execute(_USER, ["ann@acme.example"])
    pair.secondary.db.execute(_USER, ["Ann@acme.example.dr"])
    pair.converge()
    mine = 'INSERT INTO "Account" ("Name", "OwnerId") SELECT ?, "Id" FROM "User" WHERE "LastName" = \'Ann\''
    pair.primary.db.execute(mine, ["there"])
    pair.secondary.db.execute(mine, ["back"])
    drain(Pair(pair.primary, pair.secondary, "acme-dr"), clock=clock)
    for org in (pair.primary, pair.secondary):
        owners = org.db.execute(
            'SELECT a."Name", u."LastName" FROM "Account" AS a JOIN "User" AS u ON u."Id" = a."OwnerId"'
            " WHERE a.\"Name\" IN ('there', 'back') ORDER BY 1"
        ).fetchall()
        assert owners == [("back", "Ann"), ("there", "Ann")]
