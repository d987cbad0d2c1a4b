"""The users who act in each org, and the permissions that the planned actions need of them (CON-2, CON-4, CON-11)."""

from __future__ import annotations

from orgsync_reconcile.model.actual import ActualOrg, UserInfo
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.desired import Desired
from orgsync_reconcile.model.plan import CUSTOMIZING, Op
from orgsync_reconcile.plan import codes
from orgsync_reconcile.plan.draft import Sheet
from orgsync_reconcile.plan.scope import Scope

_CUSTOMIZE = "CustomizeApplication"
_CUSTOMIZED_TYPES = ("CustomField:", "CustomObject:", "Layout:", "RecordType:")


def find_user(org: ActualOrg, username: str) -> UserInfo | None:
    """A user by username, which ignores case."""
    found = org.users.get(username)
    if found is not None:
        return found
    folded = username.casefold()
    return next((user for name, user in org.users.items() if name.casefold() == folded), None)


def check_owner(scope: Scope, sheet: Sheet) -> None:
    """The connection's owner is an active user of the primary (CON-2)."""
    owner = find_user(scope.primary, scope.desired.owner)
    if owner is None or not owner.active:
        state = "is inactive in" if owner else "is no user of"
        sheet.error(
            codes.UNKNOWN_OWNER,
            f"the owner {scope.desired.owner} {state} {scope.desired.primary}",
            hint="name an active user of the primary org",
            origin=scope.desired.origin_of("owner"),
        )


def check_permissions(desired: Desired, scope: Scope, sheet: Sheet) -> None:
    """Each org that this connection's actions write has an admin who may do them (CON-4, CON-11)."""
    for side in Side:
        name = scope.org_name(side)
        org = scope.org(side)
        wanted = _wanted(scope, name, sheet)
        if not wanted:
            continue
        declared = desired.orgs.get(name)
        username = declared.admin if declared else org.info.admin
        origin = declared.origin if declared else scope.desired.origin
        admin = find_user(org, username)
        if admin is None or not admin.active:
            sheet.error(
                codes.NO_ADMIN,
                f"{username}, who acts in {name}, {'is inactive' if admin else 'does not exist'} there",
                hint="name an active user of that org as its admin",
                origin=origin,
            )
            continue
        missing = sorted(wanted - admin.permissions)
        if missing:
            sheet.error(
                codes.NO_PERMISSION,
                f"{username} lacks {', '.join(missing)} in {name}, which the plan needs",
                hint=f"grant {'it' if len(missing) == 1 else 'them'} by the profile or a permission set",
                origin=origin,
            )


def _wanted(scope: Scope, org: str, sheet: Sheet) -> set[str]:
    """The permissions that the planned actions need in one org."""
    wanted: set[str] = set()
    for draft in sheet.drafts:
        if draft.org != org or draft.connection not in ("", scope.name):
            continue
        if draft.op is Op.CREATE_CONTACT:
            wanted |= {"CreateContact", "ReadContact"}
        if draft.op in (Op.DEPLOY_COMPONENT, Op.DELETE_COMPONENT):
            if draft.address.split("/", 2)[2].startswith(_CUSTOMIZED_TYPES):
                wanted.add(_CUSTOMIZE)
        elif draft.op in CUSTOMIZING:
            wanted.add(_CUSTOMIZE)
        else:
            wanted.add("ManageConnections")
    return wanted
