"""Guards as data: what a plan may disconnect, unpublish, overwrite, delete, move or end, and what it would (REC-5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from orgsync_reconcile.model.actual import Actual
from orgsync_reconcile.model.desired import Allowance, Desired
from orgsync_reconcile.model.plan import Action, AllowanceState, Guard, Op, Plan, Reason, Risk
from orgsync_reconcile.model.wording import counted
from orgsync_reconcile.plan.removed import removed_connections

OK, REFUSED = "ok", "refused"
#: The names that --allow and the manifests take.
GUARDS = ("disconnect", "unpublish", "overwrite", "delete", "move", "deactivate")
#: The guard that nothing lets pass.
PROTECTION = "protection"
UNPROTECT_HINT = "no allowance lets it pass: set protected: false on the org and apply that first, by itself"
#: The limits of a connection whose manifest names none; a guard that is not here has none.
_LIMITS: Mapping[str, float] = {"disconnect": 0.0, "overwrite": 0.0, "unpublish": 0.5, "delete": 0, "deactivate": 0}
_OBJECT_ENDS = frozenset({Op.UNPUBLISH_OBJECT, Op.UNSUBSCRIBE_OBJECT})


@dataclass(frozen=True, kw_only=True, slots=True)
class _Permissions:
    """What lets a guard of one connection pass: the command line, and the manifest as far as it is in force."""

    allow: Mapping[str, float | None]
    allowances: Sequence[Allowance]
    today: date | None

    def grant(self, guard: str, count: int, total: int) -> tuple[str, str]:
        """(what lets this much pass, why the manifest's allowances do not); either may be empty."""
        if guard in self.allow and within_limit(self.allow[guard], count, total):
            most = self.allow[guard]
            return f"--allow {guard}" + ("" if most is None else f"={most:g}"), ""
        notes = []
        for item in self.allowances:
            if item.guard != guard:
                continue
            place = f"{item.origin.file}:{item.origin.line}"
            if self.today is None:
                notes.append(f"the allowance at {place} ends on {item.until.isoformat()}, and this plan knows no date")
            elif not in_force(item, self.today):
                notes.append(f"the allowance at {place} expired on {item.until.isoformat()}")
            elif within_limit(item.limit, count, total):
                return f"{place} until {item.until.isoformat()}: {item.reason}", ""
            else:
                notes.append(f"the allowance at {place} lets {limit_words(item.limit, 'up to')} pass")
        return "", "; ".join(notes)


def in_force(item: Allowance, today: date | None) -> bool:
    """Whether an allowance holds: to the end of its last day. Without a date none does."""
    return today is not None and today <= item.until


def within_limit(limit: float | None, count: int, total: int) -> bool:
    """Whether `count` of `total` is no more than a limit: a float is a share, an int a count, None any amount."""
    if limit is None:
        return True
    return count <= limit if isinstance(limit, int) else _share(count, total) <= limit


def _share(count: int, total: int) -> float:
    return min(count / total, 1.0) if total else 0.0


def above(guard: Guard) -> bool:
    """Whether a guard counts more than its limit."""
    return not within_limit(guard.limit, guard.count, guard.total)


def limit_words(limit: float | None, word: str = "limit") -> str:
    """`limit 30.0%`, `limit 200`, `no limit`."""
    if limit is None:
        return f"no {word}"
    return f"{word} {limit}" if isinstance(limit, int) else f"{word} {limit:.1%}"


def allowance_states(desired: Desired, today: date | None) -> tuple[AllowanceState, ...]:
    """The manifests' allowances and whether each is in force: all that a plan knows of the date (REC-1)."""
    return tuple(
        AllowanceState(
            connection=name,
            guard=item.guard,
            limit=item.limit,
            until=item.until.isoformat(),
            reason=item.reason,
            in_force=in_force(item, today),
            source=item.origin,
        )
        for name in sorted(desired.connections)
        for item in desired.connections[name].allow
    )


def guard_plan(
    desired: Desired,
    actual: Actual,
    followers: Mapping[str, int],
    actions: Iterable[Action],
    allow: Mapping[str, float | None],
    today: date | None = None,
) -> tuple[Guard, ...]:
    """The guards of every connection. `followers`: connection -> components of the secondary that follow the primary.

    Destructive actions are refused unless their guard is allowed by name, others only above the guard's limit.
    """
    by_connection: dict[str, list[Action]] = {}
    for action in actions:
        by_connection.setdefault(action.connection, []).append(action)
    guards: list[Guard] = []
    for name in sorted(followers):
        wanted = desired.connections[name]
        permissions = _Permissions(allow=allow, allowances=wanted.allow, today=today)
        count = _Count(name=name, actions=by_connection.get(name, []), limits=wanted.guards, permissions=permissions)
        org = actual.orgs[wanted.primary]
        known = org.connections.get(name)
        guards.append(_disconnect(count, dict(known.linked) if known else {}))
        published = (
            {(item.object, field) for item in known.published.values() for field in item.fields} if known else ()
        )
        guards.extend(_unpublish(count, len(published)))
        guards.append(_overwrite(count, followers[name]))
        guards.extend(_delete(count, followers[name]))
        guards.extend(_move(count, sum(org.records.values())))
    nobody = _Permissions(allow=allow, allowances=(), today=today)
    for name, ends in removed_connections(desired, actual).items():
        count = _Count(name=name, actions=by_connection.get(name, []), limits={}, permissions=nobody)
        guards.extend(_deactivate(count, max(known.linked_records for known in ends.values())))
    guards.extend(_protection(desired, actual, [action for mine in by_connection.values() for action in mine]))
    return tuple(guards)


def refused(plan: Plan) -> tuple[Guard, ...]:
    """The guards that stop the plan from being applied as it is."""
    return tuple(guard for guard in plan.guards if guard.status == REFUSED)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Count:
    """One connection's actions with what limits them."""

    name: str
    actions: list[Action]
    limits: Mapping[str, float]
    permissions: _Permissions

    def of(self, test: Callable[[Action], bool]) -> list[Action]:
        """The actions that a guard counts."""
        return [action for action in self.actions if test(action)]

    def guard(self, name: str, counted_actions: Sequence[Action], count: int, total: int, noun: str) -> Guard:
        """One guard; what is destructive asks to be allowed at any amount, the rest above the limit."""
        limit = self.limits.get(name, _LIMITS.get(name))
        asks = any(action.risk is Risk.DESTRUCTIVE for action in counted_actions) or not within_limit(
            limit, count, total
        )
        granted, why = self.permissions.grant(name, count, total) if asks else ("", "")
        held = asks and not granted
        number = counted(total, noun)
        # A connection that ends takes all of its records along.
        amount = number if name == "deactivate" else f"{count} of {number}"
        return Guard(
            id=name,
            actual=round(_share(count, total), 4),
            limit=limit,
            status=REFUSED if held else OK,
            detail=f"{self.name}: {amount}" + (f"; {why}" if why else ""),
            count=count,
            total=total,
            allowed_by=granted,
            blocks=tuple(action.id for action in counted_actions) if held else (),
        )


def _named(action: Action) -> str:
    """The object of a publication's, subscription's or bulk sync's address, or of a component that is an object."""
    part = action.address.split("/")[2]
    return part.partition(":")[2] if part.startswith("CustomObject:") else part


def _disconnect(count: _Count, linked: Mapping[str, int]) -> Guard:
    """Linked records that are disconnected, or deleted with their object's metadata; each pair once."""
    ends = count.of(lambda action: action.op in _OBJECT_ENDS and action.risk is Risk.DESTRUCTIVE)
    gone = count.of(lambda action: action.op is Op.DELETE_COMPONENT and linked.get(_named(action), 0) > 0)
    records = sum(linked.get(name, 0) for name in {_named(action) for action in [*ends, *gone]})
    # Users are no records here: no publication disconnects them.
    total = sum(number for name, number in linked.items() if name != "User")
    return count.guard("disconnect", [*ends, *gone], records, total, "linked record")


def _unpublish(count: _Count, published: int) -> list[Guard]:
    """Fields that stop travelling while their object goes on; one that goes both ways counts once."""
    found = count.of(lambda action: action.op is Op.UNPUBLISH_FIELD)
    fields = {tuple(action.address.split("/")[2:]) for action in found}
    return [count.guard("unpublish", found, len(fields), published, "published field")] if found else []


def _overwrite(count: _Count, followers: int) -> Guard:
    """Components that somebody changed in the secondary and that follow the primary again."""
    found = count.of(lambda action: action.op is Op.DEPLOY_COMPONENT and action.reason is Reason.DRIFT)
    return count.guard("overwrite", found, len(found), followers, "component")


def _delete(count: _Count, followers: int) -> list[Guard]:
    found = count.of(lambda action: action.op is Op.DELETE_COMPONENT)
    return [count.guard("delete", found, len(found), followers, "component")] if found else []


def _move(count: _Count, records: int) -> list[Guard]:
    """Records that bulk syncs and backfills send: several fields of one object send a record once."""
    found = count.of(lambda action: action.risk is Risk.MOVES_DATA)
    most: dict[tuple[str, bool], int] = {}
    for action in found:
        key = (_named(action), action.op is Op.BULK_SYNC)
        most[key] = max(most.get(key, 0), action.effects.get("records", 0))
    moved = sum(most.values())
    return [count.guard("move", found, moved, max(records, moved), "record")] if found else []


def _deactivate(count: _Count, linked: int) -> list[Guard]:
    found = count.of(lambda action: action.op is Op.DEACTIVATE)
    # A connection without records ends whole, too.
    return [count.guard("deactivate", found, max(linked, 1), max(linked, 1), "linked record")] if found else []


def _protection(desired: Desired, actual: Actual, actions: Sequence[Action]) -> list[Guard]:
    """One guard for each protected org that something destructive is planned for."""
    guards = []
    for name in sorted(actual.orgs):
        wanted = desired.orgs.get(name)
        if not (actual.orgs[name].info.protected or (wanted is not None and wanted.protected)):
            continue
        found = [action.id for action in actions if action.org == name and action.risk is Risk.DESTRUCTIVE]
        if found:
            guards.append(
                Guard(
                    id=PROTECTION,
                    actual=1.0,
                    limit=0,
                    status=REFUSED,
                    detail=f"{name} is protected: {counted(len(found), 'destructive action')}",
                    count=len(found),
                    total=len(found),
                    blocks=tuple(found),
                )
            )
    return guards
