"""The protection that an org keeps of itself, whatever becomes of its manifests (REC-5)."""

from __future__ import annotations

from orgsync_reconcile.clock import Clock
from orgsync_reconcile.errors import GuardRefusedError
from orgsync_reconcile.stores.sql import history
from orgsync_reconcile.stores.sql.notified import OWN_SETTING
from orgsync_reconcile.stores.sql.org import Org

_NAME = f"{OWN_SETTING}protected"


def is_protected(org: Org) -> bool:
    """Whether an apply has protected the org and none has put that off."""
    with org.translated():
        return org.db.execute("SELECT 1 FROM orgsync_setting WHERE name = ?", [_NAME]).fetchone() is not None


def set_protected(org: Org, protected: bool, *, actor: str, clock: Clock) -> None:
    """Takes protection on, or puts it off; where it is so already, nothing changes."""
    with org.transaction() as db:
        if is_protected(org) is protected:
            return
        if protected:
            db.execute("INSERT INTO orgsync_setting (name, value) VALUES (?, 'true')", [_NAME])
        else:
            db.execute("DELETE FROM orgsync_setting WHERE name = ?", [_NAME])
        detail = "protected" if protected else "no longer protected"
        history.record_event(org, "", history.PROTECTION, detail, actor=actor, clock=clock)
        org.touch_revision()


def refuse_protected(org: Org, what: str) -> None:
    """Raises GuardRefusedError where the org is protected; `what` would be done to it."""
    if is_protected(org):
        raise GuardRefusedError(
            f"the org is protected: it is not {what}",
            where=org.label,
            hint="set protected: false on the org in the manifests and apply that first",
        )
