"""What the planners write on while a plan is made: draft actions by address, and findings of every sort."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from orgsync_reconcile.model.applied import ConnectionState
from orgsync_reconcile.model.diagnostic import Diagnostic, Severity
from orgsync_reconcile.model.origin import Origin
from orgsync_reconcile.model.plan import Change, Drift, ManualTask, Op, Reason, Risk

#: Longer values are cut where they are shown to people.
_LONGEST = 80


class Phase(IntEnum):
    """The order of work within one connection, where dependencies leave it free (CON-1, CON-5, MET-9, PUB-6)."""

    FEATURE = 0
    DEACTIVATE = 1
    CONTACT = 2
    INVITE = 3
    ACCEPT = 4
    UPDATE = 5
    MIRROR = 6
    METADATA = 7
    METADATA_DONE = 8
    USERS = 9
    USERS_DONE = 10
    MIRROR_THERE = 11
    UNPUBLISH = 12
    UNSUBSCRIBE = 13
    PUBLISH = 14
    SUBSCRIBE = 15
    PUBLISH_BACK = 16
    SUBSCRIBE_BACK = 17
    FILL = 18
    METADATA_DELETE = 19
    BULK_SYNC = 20
    SUSPEND = 21


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """An action before it has a number. `needs` are addresses; those that are not planned are already true."""

    phase: Phase
    #: The place among its phase: parents first, or the deployment rank.
    rank: int = 0
    address: str
    op: Op
    org: str
    connection: str
    change: Change
    risk: Risk = Risk.SAFE
    reason: Reason = Reason.ADDED
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    source: Origin | None = None
    needs: tuple[str, ...] = ()
    effects: Mapping[str, int] = field(default_factory=dict)

    @property
    def key(self) -> tuple[bool, bool, str, int, int, str]:
        """Where the action stands as long as no dependency says otherwise; features and farewells come first."""
        return (
            self.phase is not Phase.FEATURE,
            self.phase is not Phase.DEACTIVATE,
            self.connection,
            self.phase,
            self.rank,
            self.address,
        )


@dataclass(kw_only=True, slots=True)
class Sheet:
    """The paper that all planners write on; `build_plan` sorts it and freezes it."""

    drafts: list[Draft] = field(default_factory=list)
    drift: list[Drift] = field(default_factory=list)
    manual: list[ManualTask] = field(default_factory=list)
    #: Connection -> what it is to be set to.
    wanted: dict[str, ConnectionState] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def error(self, code: str, message: str, *, hint: str = "", origin: Origin | None = None) -> None:
        """Something that makes the plan unfit to be applied."""
        self._note(Severity.ERROR, code, message, hint, origin)

    def warn(self, code: str, message: str, *, hint: str = "", origin: Origin | None = None) -> None:
        """Something that a reviewer should know before saying yes."""
        self._note(Severity.WARNING, code, message, hint, origin)

    def info(self, code: str, message: str, *, hint: str = "", origin: Origin | None = None) -> None:
        """Something worth listing."""
        self._note(Severity.INFO, code, message, hint, origin)

    def task(self, code: str, address: str, org: str, task: str, why: str) -> None:
        """Something that a person must do."""
        self.manual.append(ManualTask(code=code, address=address, org=org, task=task, why=why))

    def drifted(self, address: str, org: str, kind: str, detail: str, **more: Any) -> None:
        """Something that a person changed in an org by hand (REC-6); `more` are the other fields of a Drift."""
        self.drift.append(Drift(address=address, org=org, kind=kind, detail=detail, **more))

    def _note(self, severity: Severity, code: str, message: str, hint: str, origin: Origin | None) -> None:
        self.diagnostics.append(Diagnostic(severity=severity, code=code, message=message, hint=hint, origin=origin))


def listed(names: Sequence[str], limit: int = 10) -> str:
    """Names for a message: `a, b, c`, and how many more there are beyond `limit`."""
    shown = ", ".join(names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"


def shown_value(value: Any, longest: int | None = _LONGEST) -> str:
    """A value for people: `none` for nothing, text as it is, the rest as JSON; one beyond `longest` is cut."""
    shown = "none" if value in (None, "") else value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return shown if longest is None or len(shown) <= longest else shown[:longest] + "…"
