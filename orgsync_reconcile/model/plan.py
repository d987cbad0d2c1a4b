"""The plan as data: frozen actions in the order in which they run (CONTRACT, REC-1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from orgsync_reconcile.model.applied import ConnectionState
from orgsync_reconcile.model.diagnostic import Diagnostic
from orgsync_reconcile.model.origin import Origin


class Op(StrEnum):
    """What an action does. Each has one executor in `apply`."""

    ENABLE_FEATURE = "enable-feature"
    CREATE_CONTACT = "create-contact"
    INVITE = "invite"
    ACCEPT = "accept"
    #: Moves the status on: metadata done -> users -> active (CON-5).
    ADVANCE_CONNECTION = "advance-connection"
    UPDATE_CONNECTION = "update-connection"
    SUSPEND = "suspend"
    RESUME = "resume"
    DEACTIVATE = "deactivate"
    DEPLOY_COMPONENT = "deploy-component"
    DELETE_COMPONENT = "delete-component"
    #: The steps of an auto-number's mirror (AUT-1).
    CREATE_MIRROR = "create-mirror"
    MIRROR_LAYOUT = "mirror-layout"
    SET_DISPLAY_FORMAT = "set-display-format"
    INSTALL_MIRROR = "install-mirror"
    REMOVE_MIRROR = "remove-mirror"
    FILL_MIRROR = "fill-mirror"
    SYNC_USER = "sync-user"
    PUBLISH_OBJECT = "publish-object"
    SUBSCRIBE_OBJECT = "subscribe-object"
    PUBLISH_FIELD = "publish-field"
    SUBSCRIBE_FIELD = "subscribe-field"
    UNPUBLISH_FIELD = "unpublish-field"
    UNSUBSCRIBE_FIELD = "unsubscribe-field"
    UNPUBLISH_OBJECT = "unpublish-object"
    UNSUBSCRIBE_OBJECT = "unsubscribe-object"
    BULK_SYNC = "bulk-sync"
    #: An org takes protection on itself, or puts it off.
    PROTECT = "protect"
    UNPROTECT = "unprotect"


class Change(StrEnum):
    """What kind of change an action is."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    RUN = "run"


class Risk(StrEnum):
    """What an action may cost."""

    SAFE = "safe"
    MOVES_DATA = "moves-data"
    DESTRUCTIVE = "destructive"


class Reason(StrEnum):
    """Why an action is planned."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed-from-manifest"
    DRIFT = "drift"
    DEPENDENCY = "dependency"


#: Actions on an org as a whole, of no connection.
OF_ORGS = frozenset({Op.ENABLE_FEATURE, Op.PROTECT, Op.UNPROTECT})
#: Actions that change an org's fields, layouts and triggers, for which it takes Customize Application (CON-11).
CUSTOMIZING = frozenset(
    {Op.CREATE_MIRROR, Op.MIRROR_LAYOUT, Op.SET_DISPLAY_FORMAT, Op.INSTALL_MIRROR, Op.REMOVE_MIRROR}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Action:
    """One step. `before`, `after` and `effects` are JSON-ready; `effects` holds record counts only."""

    id: str
    address: str
    op: Op
    #: The manifest name of the org that is written.
    org: str
    connection: str
    change: Change
    risk: Risk = Risk.SAFE
    reason: Reason = Reason.ADDED
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    source: Origin | None = None
    depends_on: tuple[str, ...] = ()
    effects: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Drift:
    """Something that a person changed in an org. `detail` is one line, `diff` unified-diff lines.

    `kind`: owner, contact, option, users, setting, publication, subscription, state, suspended, deactivated, component.
    `applied`, `live` and `wanted` are JSON-ready: as it was applied last, as it is, and as the manifests want it.
    """

    address: str
    org: str
    kind: str
    detail: str
    diff: tuple[str, ...] = ()
    #: Which part of it, for example a setting's name; empty where the address says it all.
    key: str = ""
    applied: Any = None
    live: Any = None
    wanted: Any = None
    #: Whether the manifests or the primary changed it too: `person`, or `person and git`.
    changed_by: str = "person"
    #: What an unattended run does: `correct` or `report`.
    policy: str = "report"


@dataclass(frozen=True, kw_only=True, slots=True)
class ManualTask:
    """Something that a person must do; `code` is stable (M…)."""

    code: str
    address: str
    org: str
    task: str
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Guard:
    """A limit on what a plan may do. `status`: ok, or refused (needs --allow ID[=N], unless it is `protection`).

    `actual` is the share, `count` of `total` things; `limit` is a share where it is a float, a count where it is an int,
    and None where there is none.
    """

    id: str
    actual: float
    limit: float | None
    status: str
    detail: str = ""
    count: int = 0
    total: int = 0
    #: What let it pass: `--allow …`, or the manifest's allowance with its place; empty where nothing had to.
    allowed_by: str = ""
    #: The ids of the actions that it holds back.
    blocks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class AllowanceState:
    """A manifest's allowance as it stood when the plan was made: all that a plan knows of the date (REC-1)."""

    connection: str
    guard: str
    limit: float
    until: str
    reason: str
    in_force: bool
    source: Origin


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What apply would do, and all that a reviewer should know."""

    plan_id: str
    applyable: bool
    #: (path, sha256) of every manifest file
    manifests: tuple[tuple[str, str], ...]
    environment: str | None
    #: org name -> (org_id, revision)
    observed: Mapping[str, tuple[str, str]]
    actions: tuple[Action, ...] = ()
    drift: tuple[Drift, ...] = ()
    manual: tuple[ManualTask, ...] = ()
    guards: tuple[Guard, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    #: The part of the whole that was asked for: addresses, sorted.
    targets: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    allowances: tuple[AllowanceState, ...] = ()
    #: Connection -> what it is to be set to; for apply, which remembers it, and no part of the plan file.
    wanted: Mapping[str, ConnectionState] = field(default_factory=dict, compare=False)

    @property
    def summary(self) -> Mapping[str, int]:
        """How many actions of each change."""
        counts = {change.value: 0 for change in Change}
        for action in self.actions:
            counts[action.change.value] += 1
        return counts
