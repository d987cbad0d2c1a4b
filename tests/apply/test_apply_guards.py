"""Guards when a plan is carried out: computed again, allowances by the day, protection that the org keeps (REC-5)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from apply_world import ACCOUNT, CONNECTION, ORGS

from orgsync_reconcile.errors import GuardRefusedError
from orgsync_reconcile.stores.sql.history import read_history
from orgsync_reconcile.stores.sql.protection import is_protected

PROTECTED = ORGS.replace("admin: admin@acme.example\n", "admin: admin@acme.example\nprotected: true\n")


def test_protection_outlives_its_line_and_its_manifest(pair):
    """REC-5: kept in the org; only `protected: false`, applied by itself, puts it off, and then what destroys is free."""
    pair.write("orgs.yaml", PROTECTED)
    pair.converge()
    assert is_protected(pair.primary) and not is_protected(pair.secondary)
    assert read_history(pair.primary, limit=1000)[-1].detail == "protected"
    pair.write("orgs.yaml", ORGS)
    assert pair.plan().actions == ()
    pair.remove("account.yaml")
    allow = {"disconnect": None}
    with pytest.raises(GuardRefusedError, match="acme is protected") as refused:
        pair.apply(allow=allow)
    assert refused.value.exit_code == 3 and "set protected: false" in str(refused.value)
    pair.write("orgs.yaml", PROTECTED.replace("true", "false"))
    with pytest.raises(GuardRefusedError, match="acme is protected"):
        pair.apply(allow=allow)
    pair.write("account.yaml", ACCOUNT)
    pair.converge()
    assert not is_protected(pair.primary)
    pair.remove("account.yaml")
    pair.converge(allow=allow)


def test_a_connection_to_a_protected_org_is_not_ended(pair):
    """REC-5, CON-9: the removal of a connection is refused, though it is allowed by name."""
    pair.write("orgs.yaml", PROTECTED)
    pair.converge()
    pair.remove("account.yaml")
    pair.remove("connection.yaml")
    with pytest.raises(GuardRefusedError, match="acme is protected"):
        pair.apply(allow={"deactivate": None})


def test_guards_are_computed_again_at_apply(pair):
    """REC-2, REC-5: a saved plan is not stale when an allowance has ended or records were linked, but refused."""
    pair.converge()
    pair.primary.db.execute('INSERT INTO "Account" ("Name") VALUES (\'Globex\')')
    allowed = CONNECTION + "allow: [{guard: disconnect, limit: 100%, reason: we move, until: 2026-03-01}]\n"
    pair.write("connection.yaml", allowed)
    pair.converge()
    pair.remove("account.yaml")
    saved = pair.plan(today=datetime(2026, 3, 1, tzinfo=UTC).date())
    assert not [guard for guard in saved.guards if guard.status != "ok"]
    with pytest.raises(GuardRefusedError, match=r"connection\.yaml:10 expired on 2026-03-01"):
        pair.apply(saved, today=datetime(2026, 3, 2, tzinfo=UTC).date())
    report = pair.apply(saved, today=datetime(2026, 3, 1, tzinfo=UTC).date())
    assert report.failure is None
