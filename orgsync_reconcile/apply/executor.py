"""What an executor is: a function that carries out actions of one kind, alone or many at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from orgsync_reconcile.apply.context import ApplyContext
from orgsync_reconcile.model.plan import Action


@dataclass(kw_only=True, slots=True)
class Result:
    """Action id -> why it failed, why it was held back, or, of done ones, what still needs attention."""

    errors: dict[str, str] = field(default_factory=dict)
    held_back: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)


#: Carries out actions of one op, org and connection. An OrgsyncError fails all of them.
Run = Callable[[ApplyContext, Sequence[Action]], Result]


@dataclass(frozen=True, kw_only=True, slots=True)
class Executor:
    """`most`: how many consecutive actions it takes at once."""

    run: Run
    most: int = 1


def each(step: Callable[[ApplyContext, Action], None]) -> Executor:
    """An executor of single actions."""

    def run(context: ApplyContext, actions: Sequence[Action]) -> Result:
        for action in actions:
            step(context, action)
        return Result()

    return Executor(run=run)


def needs_failed(action: Action, actions: Sequence[Action], result: Result) -> str:
    """What an action depends on that failed or was held back in the same group, as words; empty where nothing did."""
    lost = {need for need in action.depends_on if need in result.errors or need in result.held_back}
    return next((f"it needs {other.address}" for other in actions if other.id in lost), "") if lost else ""
