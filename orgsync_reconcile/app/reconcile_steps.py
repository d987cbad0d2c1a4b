"""The steps of an unattended run over one connection (REC-10, REC-6, MET-8, USR-7, PUB-8, VER-1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from orgsync_reconcile.app.alerts import tell_all
from orgsync_reconcile.app.apply import carry_out, check
from orgsync_reconcile.app.planning import Choice, plan
from orgsync_reconcile.app.reach import open_pair
from orgsync_reconcile.app.records import send_queue
from orgsync_reconcile.app.status import show_status
from orgsync_reconcile.app.workspace import Workspace, open_connection
from orgsync_reconcile.apply import ApplyReport, Status
from orgsync_reconcile.model.connection import ConnectionStatus, Side
from orgsync_reconcile.model.desired import Desired, DesiredConnection
from orgsync_reconcile.model.plan import Action, Drift, Op, Plan, Reason
from orgsync_reconcile.model.wording import counted
from orgsync_reconcile.operations.alerts import Event, state_of
from orgsync_reconcile.operations.reconcile import Outcome, StepResult, StepStatus, skipped
from orgsync_reconcile.operations.stopping import Stop
from orgsync_reconcile.plan import Mode
from orgsync_reconcile.sync.status import read_end
from orgsync_reconcile.sync.verify_sample import verify_sample

#: Notes of one kind that a step lists; the counts are complete.
_LISTED = 20


@dataclass(kw_only=True)
class Run:
    """One connection's run: what is wanted, and what the steps so far found."""

    workspace: Workspace
    connection: str
    desired: Desired
    apply: bool
    allow: Mapping[str, float | None]
    seed: int
    ranges: int
    records: int
    stop: Stop
    done: list[StepResult] = field(default_factory=list)
    #: What was changed by hand, as the run found it.
    found: tuple[Drift, ...] = ()
    #: The plan as it stands; None where a step has changed something since.
    _plan: Plan | None = None

    @property
    def wanted(self) -> DesiredConnection:
        """The connection as the manifests describe it."""
        return self.desired.connections[self.connection]

    def plan(self) -> Plan:
        """What an unattended run would correct, and what only a person may apply (REC-6)."""
        if self._plan is None:
            self._plan = plan(self.workspace, Choice(mode=Mode.UNATTENDED))
        return self._plan

    def changed(self) -> None:
        """Says that the orgs are no longer as the plan saw them."""
        self._plan = None

    def actions(self) -> Iterator[Action]:
        """The planned actions of this connection."""
        return (action for action in self.plan().actions if action.connection == self.connection)

    def drift(self) -> tuple[Drift, ...]:
        """What people changed in the orgs of this connection."""
        return tuple(item for item in self.plan().drift if item.address.partition("/")[0] == self.connection)

    def suspended(self) -> str:
        """Why nothing may be sent; empty where the connection is active in both orgs (SUS-1)."""
        with open_connection(self.workspace, self.connection, readonly=True) as found:
            ends = {side: read_end(found.org(side), self.connection) for side in Side}
            labels = {side: found.org(side).label for side in Side}
        for side, end in ends.items():
            if end is None or end.status is not ConnectionStatus.ACCEPTED:
                state = end.status.shown if end else "not connected yet: run orgsync apply"
                return f"{self.connection} is {state} in {labels[side]}"
        return ""


def _of_metadata(action: Action) -> bool:
    return action.op in (Op.DEPLOY_COMPONENT, Op.DELETE_COMPONENT)


def _of_users(action: Action) -> bool:
    return action.op is Op.SYNC_USER


def _of_settings(action: Action) -> bool:
    return action.reason is Reason.DRIFT and not _of_metadata(action)


def _of_subscriptions(action: Action) -> bool:
    """A field that unsubscribed itself and fits again (PUB-8)."""
    return action.op is Op.SUBSCRIBE_FIELD and action.before is not None


def _unattended(action: Action) -> bool:
    """Whether the run does this by itself; everything else is for a person to apply."""
    return any(is_of(action) for is_of in (_of_metadata, _of_users, _of_settings, _of_subscriptions))


def _look(run: Run) -> Outcome:
    """What was changed by hand, and what the manifests say that nobody has applied."""
    made = run.plan()
    drift = run.found = run.drift()
    pending = [action for action in run.actions() if not _unattended(action)]
    prefix = f"{run.connection}/"
    manual = sum(item.address.startswith(prefix) for item in made.manual)
    notes = [f"drift in {item.org}: {item.detail}" for item in drift[:_LISTED]]
    if pending and not run.apply:
        wait = "waits" if len(pending) == 1 else "wait"
        notes.append(
            f"{counted(len(pending), 'change')} of the manifests {wait} for a person: orgsync plan, then orgsync apply"
        )
    check_later = bool(drift) or (bool(pending) and not run.apply)
    return Outcome(
        status=StepStatus.ATTENTION if check_later else StepStatus.OK,
        counts={"drift": len(drift), "pending_changes": len(pending), "manual_tasks": manual},
        notes=tuple(notes),
    )


def _apply(run: Run) -> Outcome:
    """The whole of the manifests, where the run was told to; guards hold as for a person (REC-5)."""
    if not run.apply:
        return skipped("manifests are applied only with --apply")
    choice = Choice(targets=(run.connection,), allow=run.allow)
    made = plan(run.workspace, choice)
    check(made)
    if not made.actions:
        return Outcome()
    return _carried_out(run, made, choice)


def _correct(run: Run, which: Callable[[Action], bool]) -> Outcome:
    """Carries out the planned actions of one kind, and nothing else that is planned (REC-6)."""
    why = run.suspended()
    if why:
        return skipped(why)
    wanted = tuple(action.address for action in run.actions() if which(action))
    if not wanted:
        return Outcome()
    others = tuple(action.address for action in run.plan().actions if action.address not in set(wanted))
    choice = Choice(targets=wanted, excludes=others, allow=run.allow, mode=Mode.UNATTENDED)
    made = plan(run.workspace, choice)
    check(made)
    if not made.actions:
        return skipped("it needs what nobody has applied yet")
    return _carried_out(run, made, choice)


def _carried_out(run: Run, made: Plan, choice: Choice) -> Outcome:
    run.changed()
    report = carry_out(run.workspace, made, choice)
    done, failed = report.of(Status.DONE), report.of(Status.FAILED)
    status = StepStatus.OK
    if report.failure is not None:
        status = StepStatus.PARTIAL if done else StepStatus.FAILED
    return Outcome(
        status=status,
        counts={"done": len(done), "failed": len(failed), "not_started": len(report.of(Status.NOT_STARTED))},
        notes=(*_said(report), *report.notices),
        error=str(report.failure) if report.failure is not None else "",
    )


def _said(report: ApplyReport) -> tuple[str, ...]:
    """What was done, and why something was not, by address."""
    lines = [
        f"{item.action.op} {item.action.address}: {item.status.value}" + (f": {item.message}" if item.message else "")
        for item in report.outcomes
    ]
    more = len(lines) - _LISTED
    return (*lines[:_LISTED], f"and {more} more") if more > 0 else tuple(lines)


def _metadata(run: Run) -> Outcome:
    """Components of the primary into the secondary; changes by hand there go by the drift policy (MET-5, MET-8)."""
    if not run.wanted.options.metadata:
        return skipped("metadata sync is off")
    return _correct(run, _of_metadata)


def _users(run: Run) -> Outcome:
    """Users that the other org lacks (USR-1). Changes of users who are there go by the queue."""
    options = run.wanted.options
    if not (options.users_primary or options.users_secondary):
        return skipped("user sync is off")
    return _correct(run, _of_users)


def _settings(run: Run) -> Outcome:
    """Settings that were changed by hand, where the policy is to correct them (REC-6)."""
    if run.wanted.drift.get("settings") != "correct":
        return skipped("drift of settings is reported, not corrected")
    return _correct(run, _of_settings)


def _subscriptions(run: Run) -> Outcome:
    """Fields that unsubscribed themselves and fit again (PUB-8)."""
    return _correct(run, _of_subscriptions)


def _queue(run: Run) -> Outcome:
    """Everything that is queued or due for a retry, both ways (QUE-1, QUE-5)."""
    moved = send_queue(run.workspace, run.connection, sides=tuple(Side), progress=run.stop.between_batches)
    (page,) = show_status(run.workspace, run.connection)["connections"]
    queues = [page[side.value]["queue"] for side in Side if page[side.value]]
    counts = {
        "moved": moved.records,
        "copied": sum(item.copied for item in moved.objects),
        "updated": sum(item.updated for item in moved.objects),
        "deleted": sum(item.deleted for item in moved.objects),
        "failed": sum(item.failed for item in moved.objects),
        "held": sum(item.held for item in moved.objects),
        "pending": sum(queue["pending"] for queue in queues),
        "retrying": sum(queue["retrying"] for queue in queues),
    }
    if run.suspended():
        return Outcome(status=StepStatus.SKIPPED, counts=counts, notes=moved.warnings)
    status = StepStatus.PARTIAL if moved.incomplete else StepStatus.OK
    return Outcome(status=status, counts=counts, notes=moved.warnings)


def _verify(run: Run) -> Outcome:
    """A sample of the linked records, chosen by the run's seed (VER-1)."""
    why = run.suspended()
    if why:
        return skipped(why)
    with open_pair(run.workspace, run.connection) as (_, pair):
        found = verify_sample(pair, clock=run.workspace.clock, seed=run.seed, ranges=run.ranges, records=run.records)
    counts = {
        "ranges": found.ranges,
        "records": found.records,
        "in_flight": found.in_flight,
        "different": len(found.differences),
    }
    if not found.differences:
        return Outcome(counts=counts)
    lines = [item.line for item in found.differences[:_LISTED]]
    hint = f"see all and mend them: orgsync verify {run.connection} --repair"
    return Outcome(status=StepStatus.ATTENTION, counts=counts, notes=(*lines, hint))


def _notices(run: Run) -> Outcome:
    """What the manifest's rules say of new log entries, and of what this run found, is told and sent (LOG-3, SUS-2)."""
    with open_connection(run.workspace, run.connection) as found:
        told = tell_all(run.workspace, found, tuple(_events(run)))
    counts = {"written": told.written, "sent": told.sent, "flagged": told.flagged}
    return Outcome(status=StepStatus.ATTENTION if told.lines else StepStatus.OK, counts=counts, notes=told.lines)


def _events(run: Run) -> Iterator[Event]:
    """What this run found that lasts: told once, and anew where it is another or was away in between."""
    done = {item.step: item for item in run.done}
    drift, verify = done["drift"], done["verify"]
    failed = [f"{item.step}: {item.error}" for item in run.done if item.status is StepStatus.FAILED]
    lines = [f"{item.org}: {item.detail}" for item in run.found]
    if drift.status is not StepStatus.FAILED:
        yield _event(run, "drift", len(lines), f"{len(lines)} found that was changed by hand", lines)
    if verify.status in (StepStatus.OK, StepStatus.ATTENTION):
        number = verify.counts["different"]
        yield _event(
            run,
            "difference",
            number,
            f"{counted(number, 'linked record')} of a sample {'differs' if number == 1 else 'differ'}",
            verify.notes,
        )
    yield _event(
        run, "reconcile_failed", len(failed), f"{counted(len(failed), 'step')} of the unattended run failed", failed
    )


def _event(run: Run, event: str, count: int, summary: str, lines: Sequence[str]) -> Event:
    # A sample differs from run to run, so its findings are one state.
    mark = [event] if event == "difference" and lines else sorted(lines)
    return Event(
        connection=run.connection,
        event=event,
        org=run.wanted.primary,
        at=run.workspace.clock(),
        count=count,
        summary=summary,
        lines=tuple(lines[:_LISTED]),
        state=state_of(mark),
    )


#: Name -> step, in the order in which they are taken: each finds in order what the ones before it put in order.
STEPS: Mapping[str, Callable[[Run], Outcome]] = {
    "drift": _look,
    "apply": _apply,
    "metadata": _metadata,
    "users": _users,
    "settings": _settings,
    "subscriptions": _subscriptions,
    "queue": _queue,
    "verify": _verify,
    "notices": _notices,
}
