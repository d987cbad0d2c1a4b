"""Users who have no counterpart yet: copied to the other org, or linked where they are already there (USR-1…6)."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from orgsync_reconcile.model.actual import ActualOrg, UserInfo
from orgsync_reconcile.model.component import ComponentKey
from orgsync_reconcile.model.connection import ConnectionStatus, Side
from orgsync_reconcile.model.plan import Change, Op
from orgsync_reconcile.model.wording import counted
from orgsync_reconcile.plan import address, codes
from orgsync_reconcile.plan.connection import feature_needs
from orgsync_reconcile.plan.draft import Draft, Phase, Sheet, listed
from orgsync_reconcile.plan.scope import Scope

#: Appended to usernames on the way to the secondary, removed on the way back (USR-2).
SUFFIX = ".dr"


def counterpart(username: str, source: Side) -> str | None:
    """The username in the other org; None for a user of the secondary whose name lacks the suffix (USR-2)."""
    if source is Side.PRIMARY:
        return username + SUFFIX
    return username.removesuffix(SUFFIX) if username.endswith(SUFFIX) else None


def plan_users(scope: Scope, sheet: Sheet, planned: Collection[ComponentKey]) -> None:
    """Plan the users to copy in each direction whose switch is on; later changes of users travel live (USR-3).

    Inactive ones are copied as such: records that they own or made still name them (USR-1, USR-5).
    """
    options = scope.desired.options
    for source, switched_on in ((Side.PRIMARY, options.users_primary), (Side.SECONDARY, options.users_secondary)):
        if switched_on:
            _plan_direction(scope, sheet, source, planned)


def _plan_direction(scope: Scope, sheet: Sheet, source: Side, planned: Collection[ComponentKey]) -> None:
    org, other = scope.org(source), scope.org(source.other)
    known = scope.side(source)
    by_name = {name.casefold(): name for name in other.users}
    by_way = _known_over_others(scope, source)
    coming: list[UserInfo] = []
    nameless: list[str] = []
    for username in sorted(org.users):
        user = org.users[username]
        if not user.standard:
            continue
        name = by_way.get(username) or counterpart(username, source)
        if name is None:
            if user.active:
                nameless.append(username)
            continue
        existing = by_name.get(name.casefold())
        if existing is not None and (not scope.new or _linked_forward(scope, source, other.users[existing])):
            continue
        failed = known.failed_users.get(username) if known else None
        if failed is not None and failed[0] == user.hash:
            _failed(scope, sheet, source, name, username, failed[1])
            continue
        if existing is None:
            coming.append(user)
        _draft(scope, sheet, source, user, existing or name, link=existing is not None)
    if nameless:
        sheet.info(
            codes.USERS_WITHOUT_SUFFIX,
            f"{counted(len(nameless), 'user')} of {scope.org_name(source)} without {SUFFIX} in the username"
            f" {'is' if len(nameless) == 1 else 'are'} not copied to {scope.org_name(source.other)}:"
            f" {listed(nameless)}",
            origin=scope.desired.origin_of("sync.users"),
        )
    _say_left_out(scope, sheet, source, org, bool(coming))
    _check_licenses(scope, sheet, source, coming)
    _check_assignments(scope, sheet, source, coming, planned)


def _known_over_others(scope: Scope, source: Side) -> dict[str, str]:
    """Username -> that of the same person in the other org, whom both have over other connections (CON-10)."""
    if any(scope.org(side).connections.keys() <= {scope.name} for side in Side):
        return {}
    theirs = {
        identity: username for username, user in scope.org(source.other).users.items() for identity in user.known_as
    }
    return {
        username: theirs[identity]
        for username, user in scope.org(source).users.items()
        for identity in sorted(user.known_as)
        if identity in theirs
    }


def _linked_forward(scope: Scope, source: Side, found: UserInfo) -> bool:
    """Whether the pair is already linked on the way from the primary: one pair, one link."""
    return source is Side.SECONDARY and scope.desired.options.users_primary and found.standard


def _draft(scope: Scope, sheet: Sheet, source: Side, user: UserInfo, name: str, *, link: bool) -> None:
    sheet.drafts.append(
        Draft(
            phase=Phase.USERS,
            address=address.user(scope.name, name, source),
            op=Op.SYNC_USER,
            org=scope.org_name(source.other),
            connection=scope.name,
            change=Change.UPDATE if link else Change.CREATE,
            after={"link": link, "source_username": user.username},
            source=scope.desired.origin_of("sync.users"),
            needs=(
                *feature_needs(scope, source.other),
                address.end(scope.name, Side.SECONDARY),
                address.status(scope.name, ConnectionStatus.USERS_INITIAL_SYNC),
            ),
        )
    )


def _failed(scope: Scope, sheet: Sheet, source: Side, name: str, username: str, error: str) -> None:
    sheet.task(
        codes.USER_FAILED,
        address.user(scope.name, name, source),
        scope.org_name(source.other),
        f"correct the user {username} in {scope.org_name(source)} and save it; it is then copied again",
        f"copying the user failed: {error}",
    )


def _say_left_out(scope: Scope, sheet: Sheet, source: Side, org: ActualOrg, copying: bool) -> None:
    """Users without a standard licence stay out, and that is said when users are copied (USR-1)."""
    left_out = sorted(name for name, user in org.users.items() if user.active and not user.standard)
    if left_out and (copying or scope.new):
        sheet.info(
            codes.USERS_LEFT_OUT,
            f"{counted(len(left_out), 'user')} of {scope.org_name(source)} without a standard licence"
            f" {'is' if len(left_out) == 1 else 'are'} not copied: {listed(left_out)}",
            origin=scope.desired.origin_of("sync.users"),
        )


def _check_licenses(scope: Scope, sheet: Sheet, source: Side, coming: Iterable[UserInfo]) -> None:
    """A warning per licence of which the other org has too few (CON-8)."""
    wanted: dict[str, int] = {}
    for user in (item for item in coming if item.active):
        wanted[user.license] = wanted.get(user.license, 0) + 1
    for name in sorted(wanted):
        total, used = scope.org(source.other).licenses.get(name, (0, 0))
        if wanted[name] > total - used:
            sheet.warn(
                codes.FEW_LICENSES,
                f"{scope.org_name(source.other)} has {max(total - used, 0)} free {name} licences"
                f" for {counted(wanted[name], 'user')} to copy",
                hint=f"add {wanted[name] - max(total - used, 0)} {name} licences there",
                origin=scope.desired.origin_of("sync.users"),
            )


def _check_assignments(
    scope: Scope, sheet: Sheet, source: Side, coming: Collection[UserInfo], planned: Collection[ComponentKey]
) -> None:
    """Profiles, roles and permission sets that the users have and the other org will lack (USR-4, USR-6)."""
    other = scope.org(source.other)
    deployed = {key for key in planned if source is Side.PRIMARY}
    kinds = (
        ("profile", "Profile", other.profiles, {user.profile for user in coming}),
        ("role", "Role", other.roles, {user.role for user in coming}),
        ("permission set", "PermissionSet", other.permission_sets, {n for u in coming for n in u.permission_sets}),
    )
    missing = [
        f"{noun} {name}"
        for noun, component_type, present, wanted in kinds
        for name in sorted(wanted - present - {""})
        if ComponentKey(component_type, name) not in deployed
    ]
    if missing:
        off = "" if scope.desired.options.metadata else ", and metadata sync is off"
        sheet.warn(
            codes.MISSING_FOR_USERS,
            f"{scope.org_name(source.other)} lacks {listed(missing)}{off}: users who have them cannot be copied",
            hint="create them there first" if off else "include them in the metadata, or create them there first",
            origin=scope.desired.origin_of("sync.users"),
        )
