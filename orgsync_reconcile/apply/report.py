"""What became of every action of an apply (REC-3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from orgsync_reconcile.errors import OrgsyncError, PartialError
from orgsync_reconcile.model.plan import Action


class Status(StrEnum):
    """How an action ended. Not started: something that it depends on failed, or the run stopped early."""

    DONE = "done"
    FAILED = "failed"
    NOT_STARTED = "not started"


@dataclass(frozen=True, kw_only=True, slots=True)
class ActionOutcome:
    """One action and how it ended. `message` is the error, or of a done action what still needs attention."""

    action: Action
    status: Status
    message: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ApplyReport:
    """Every action of the plan in the order of the plan."""

    plan_id: str
    outcomes: tuple[ActionOutcome, ...]
    #: What followed, one line each: emails, sent or not, and what the other org has still to learn. Never a failure.
    notices: tuple[str, ...] = ()

    def of(self, status: Status) -> tuple[ActionOutcome, ...]:
        """The actions that ended so."""
        return tuple(item for item in self.outcomes if item.status is status)

    @property
    def summary(self) -> str:
        """`12 done, 1 failed, 3 not started`."""
        return ", ".join(f"{len(self.of(status))} {status.value}" for status in Status)

    @property
    def failure(self) -> OrgsyncError | None:
        """The error that the program ends with, or None: partly done (exit 5), or nothing done at all (exit 1)."""
        failed, left = self.of(Status.FAILED), self.of(Status.NOT_STARTED)
        done = self.of(Status.DONE)
        noted = [item for item in done if item.message]
        if not failed and not left and not noted:
            return None
        if not failed and not left:
            first = noted[0]
            return PartialError(f"{first.action.address}: {first.message}", hint="see: orgsync log list")
        message = f"apply: {self.summary}"
        if failed:
            message += f"; first failure: {failed[0].action.address}: {failed[0].message}"
        if done:
            return PartialError(message, hint="mend what failed, then run orgsync apply again: it does the rest")
        return OrgsyncError(message, hint="mend what failed, then run orgsync apply again")
