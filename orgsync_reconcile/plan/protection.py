"""Protection that an org keeps itself: taken on and put off by actions of their own (REC-5)."""

from __future__ import annotations

from orgsync_reconcile.model.actual import Actual
from orgsync_reconcile.model.desired import Desired
from orgsync_reconcile.model.plan import Change, Op
from orgsync_reconcile.plan import address
from orgsync_reconcile.plan.draft import Draft, Phase, Sheet


def plan_protection(desired: Desired, actual: Actual, sheet: Sheet) -> None:
    """Bring each org's protection to what its manifest says; one that does not say leaves it as it is.

    Whoever removes the line, the document or the folder has not put the protection off.
    """
    for name in sorted(desired.orgs.keys() & actual.orgs.keys()):
        wanted, live = desired.orgs[name].protected, actual.orgs[name].info.protected
        if wanted is None or wanted is live:
            continue
        sheet.drafts.append(
            Draft(
                phase=Phase.FEATURE,
                rank=1,
                address=address.protection(name),
                op=Op.PROTECT if wanted else Op.UNPROTECT,
                org=name,
                connection="",
                change=Change.UPDATE,
                before={"protected": live},
                after={"protected": wanted},
                source=desired.orgs[name].origin,
            )
        )
