"""The loop: take the locks, plan again, check, then run the actions in order with a journal (REC-2, REC-3, REC-4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from orgsync_reconcile.apply.checks import check_applyable, check_fresh, check_guards, check_permissions
from orgsync_reconcile.apply.context import ApplyContext
from orgsync_reconcile.apply.deliveries import deliver_events
from orgsync_reconcile.apply.executor import Result
from orgsync_reconcile.apply.registry import EXECUTORS
from orgsync_reconcile.apply.remember import remembering
from orgsync_reconcile.apply.report import ActionOutcome, ApplyReport, Status
from orgsync_reconcile.errors import OrgsyncError
from orgsync_reconcile.failpoints import FailPoint, reach
from orgsync_reconcile.model.plan import Action, Plan
from orgsync_reconcile.stores.sql import journal
from orgsync_reconcile.stores.sql.leases import apply_lease, lease
from orgsync_reconcile.stores.sql.org import Org

#: Called when an action starts (None), and with its outcome when it has ended.
Progress = Callable[[Action, ActionOutcome | None], None]


def apply_plan(
    plan: Plan, context: ApplyContext, *, fail_fast: bool = False, progress: Progress | None = None
) -> ApplyReport:
    """Runs a plan. An action that fails holds back only what depends on it, unless `fail_fast`.

    Raises before anything is changed: OrgsyncError for a plan with errors, LockHeldError, StalePlanError,
    GuardRefusedError, PermissionDeniedError. What goes wrong after that is in the report, whose `failure` is the error
    to end with. Running again finishes what was left (REC-3).
    """
    check_applyable(plan)
    with _locks(plan, context):
        fresh = context.replan()
        check_fresh(plan, fresh)
        check_applyable(fresh)
        check_guards(fresh)
        check_permissions(fresh, context)
        with remembering(fresh, context):
            return _Loop(fresh, context, fail_fast, progress).run()


@contextmanager
def _locks(plan: Plan, context: ApplyContext) -> Iterator[None]:
    """One lock per connection of the plan, by name, so that two applies never wait for each other."""
    homes = {action.connection: context.home(action) for action in reversed(plan.actions) if action.connection}
    with ExitStack() as stack:
        for name in sorted(homes):
            stack.enter_context(
                lease(homes[name], apply_lease(name), context.holder, context.clock, context.lock_timeout)
            )
        yield


class _Loop:
    """One run through the actions of a plan."""

    def __init__(self, plan: Plan, context: ApplyContext, fail_fast: bool, progress: Progress | None) -> None:
        self._plan = plan
        self._context = context
        self._fail_fast = fail_fast
        self._progress = progress
        self._outcomes: dict[str, ActionOutcome] = {}

    def run(self) -> ApplyReport:
        """Every action is run once, or noted as not started."""
        position = 0
        actions = self._plan.actions
        while position < len(actions):
            action = actions[position]
            position += 1
            if self._held_back(action):
                self._end(action, Status.NOT_STARTED, self._why(action))
                continue
            group = [action]
            most = EXECUTORS[action.op].most
            while position < len(actions) and len(group) < most and self._joins(actions[position], group):
                group.append(actions[position])
                position += 1
            self._execute(group)
        return ApplyReport(
            plan_id=self._plan.plan_id,
            outcomes=tuple(self._outcomes[action.id] for action in actions),
            notices=tuple(self._deliver()),
        )

    def _deliver(self) -> Iterator[str]:
        """Tells the other orgs what they were not told on the way; yields a line where that has to wait."""
        for name in sorted({action.connection for action in self._plan.actions if action.connection}):
            try:
                deliver_events(self._context, name)
            except OrgsyncError as error:
                yield f"what was changed waits in the queue of {name} and goes with the next drain: {error}"

    def _failed(self, action_id: str) -> bool:
        outcome = self._outcomes.get(action_id)
        return outcome is not None and outcome.status is not Status.DONE

    def _held_back(self, action: Action) -> bool:
        stopped = self._fail_fast and any(item.status is Status.FAILED for item in self._outcomes.values())
        return stopped or any(self._failed(need) for need in action.depends_on)

    def _why(self, action: Action) -> str:
        needs = [need for need in action.depends_on if self._failed(need)]
        if needs:
            return f"it needs {self._outcomes[needs[0]].action.address}"
        return "stopped at the first failure"

    def _joins(self, action: Action, group: Sequence[Action]) -> bool:
        """Whether an action is of one kind with those before it and is free to run."""
        first = group[0]
        same = (action.op, action.org, action.connection) == (first.op, first.org, first.connection)
        return same and not self._held_back(action)

    def _execute(self, group: Sequence[Action]) -> None:
        home: Org = self._context.home(group[0])
        numbers = journal.start(home, self._plan.plan_id, group, self._context.clock)
        reach(FailPoint.APPLY_AFTER_JOURNAL_START)
        for action in group:
            if self._progress:
                self._progress(action, None)
        try:
            result = EXECUTORS[group[0].op].run(self._context, group)
        except OrgsyncError as error:
            result = Result(errors={action.id: str(error) for action in group})
        reach(FailPoint.APPLY_AFTER_EXECUTOR)
        journal.finish(home, numbers, result.errors, result.held_back, self._context.clock)
        reach(FailPoint.APPLY_AFTER_JOURNAL_FINISH)
        for action in group:
            if action.id in result.errors:
                self._end(action, Status.FAILED, result.errors[action.id])
            elif action.id in result.held_back:
                self._end(action, Status.NOT_STARTED, result.held_back[action.id])
            else:
                self._end(action, Status.DONE, result.notes.get(action.id, ""))

    def _end(self, action: Action, status: Status, message: str) -> None:
        outcome = ActionOutcome(action=action, status=status, message=message)
        self._outcomes[action.id] = outcome
        if self._progress:
            self._progress(action, outcome)
