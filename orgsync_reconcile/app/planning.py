"""Planning: manifests and orgs are read, nothing is written (REC-1)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from orgsync_reconcile.app.trust import require_trust
from orgsync_reconcile.app.workspace import Workspace, open_orgs, store_url
from orgsync_reconcile.clock import Clock
from orgsync_reconcile.errors import UsageError
from orgsync_reconcile.model.actual import Actual, ActualOrg
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.desired import Desired, DesiredConnection
from orgsync_reconcile.model.plan import Plan
from orgsync_reconcile.plan import Mode, build_plan, from_json, moved, to_json
from orgsync_reconcile.stores.sql.connection_reader import read_connection
from orgsync_reconcile.stores.sql.connections import connection_names
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.reader import read_org
from orgsync_reconcile.stores.urls import missing_file


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """Which part of a plan is wanted, and what its guards let pass: guard -> the most, None for any amount.

    `mode` is attended for a person who sees the plan; a run that nobody sees leaves what the manifests' drift policy
    only reports, and with corrections also all that Git changed (REC-6).
    """

    targets: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    allow: Mapping[str, float | None] | None = None
    mode: Mode = Mode.ATTENDED


def plan(workspace: Workspace, choice: Choice = Choice(), *, trust_base: str | None = None) -> Plan:
    """What apply would do. The orgs are opened read-only.

    With `trust_base`, a Git revision, no store is opened and no secret looked up that this revision does not declare as
    well (REC-11). Raises ManifestError, and StoreError for an org that cannot be read.
    """
    desired = workspace.desired()
    if trust_base is not None:
        require_trust(workspace, desired, trust_base)
    with open_orgs(workspace, desired, org_names(workspace, desired), readonly=True) as orgs:
        return plan_for(desired, orgs, choice, workspace.clock)


def org_names(workspace: Workspace, desired: Desired) -> set[str]:
    """The orgs that a connection needs, and the others that are there: their last connection may be gone (CON-9)."""
    needed = {name for item in desired.connections.values() for name in (item.primary, item.secondary)}
    return needed | {
        name
        for name, org in desired.orgs.items()
        if name not in needed and missing_file(store_url(workspace, org), workspace.directory) is None
    }


def plan_for(desired: Desired, orgs: Mapping[str, Org], choice: Choice, clock: Clock) -> Plan:
    """The plan for orgs that are open already; each is read as it is at one moment."""
    with ExitStack() as moments:
        for org in orgs.values():
            moments.enter_context(org.snapshot())
        actual = Actual(orgs={name: _read(name, desired, orgs) for name in orgs})
        return build_plan(
            desired,
            actual,
            targets=choice.targets,
            excludes=choice.excludes,
            allow=dict(choice.allow or {}),
            mode=choice.mode,
            today=clock().date(),
        )


def _read(name: str, desired: Desired, orgs: Mapping[str, Org]) -> ActualOrg:
    mine = [item for item in desired.connections.values() if name in (item.primary, item.secondary)]
    objects = {publication.object for item in mine for publication in desired.publications_of(item.name)}
    return read_org(
        orgs[name],
        publications=sorted(objects),
        contacts=[(item.contact.name, item.contact.email) for item in mine if item.primary == name],
        partners={item.name: orgs[item.secondary if item.primary == name else item.primary] for item in mine},
        with_hygiene=_unsynced(name, desired, mine, orgs),
        mirrors=sorted({(part.object, part.field, part.mirror) for item in mine for part in item.auto_numbers}),
    )


def _unsynced(name: str, desired: Desired, mine: Collection[DesiredConnection], orgs: Mapping[str, Org]) -> list[str]:
    """The objects whose first bulk sync from this org is still ahead: their data is looked over (ORG-10)."""
    found: set[str] = set()
    for item in mine:
        if item.primary != name:
            continue
        org = orgs[name]
        done: Mapping[str, int] = {}
        if item.name in connection_names(org):
            known = read_connection(org, item.name, orgs[item.secondary])
            done = known.bulk_synced if known.side is Side.PRIMARY else {}
        found.update(pub.object for pub in desired.publications_of(item.name) if pub.object not in done)
    with_table = {row[0] for row in orgs[name].db.execute("SELECT name FROM orgsync_object")}
    return sorted(found & with_table)


def read_plan(workspace: Workspace, file: Path) -> Plan:
    """A plan that was saved. Raises UsageError where there is no such file, OrgsyncError where it is no plan."""
    try:
        text = (workspace.directory / file).read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"the plan cannot be read: {error.strerror}", where=str(file), hint="save one with: orgsync plan --out FILE"
        ) from None
    except UnicodeDecodeError:
        raise UsageError(
            "not a plan: the file is not text", where=str(file), hint="name a file of plan --out"
        ) from None
    return from_json(text, str(file))


def stale(workspace: Workspace, saved: Plan) -> list[str]:
    """What moved since a plan was saved, one line each; empty where it still holds (REC-2)."""
    fresh = plan(workspace, choice_of(saved))
    if fresh.plan_id == saved.plan_id:
        return []
    return moved(saved, fresh) or ["the actions come in another order"]


def choice_of(saved: Plan) -> Choice:
    """The part of the whole that a saved plan was made for."""
    return Choice(targets=saved.targets, excludes=saved.excludes)


def save_plan(workspace: Workspace, made: Plan, file: Path) -> None:
    """Writes the plan file, whole or not at all. Raises UsageError where it cannot be written."""
    target = workspace.directory / file
    partial = target.with_name(f".{target.name}.new")
    try:
        partial.write_text(to_json(made), encoding="utf-8", newline="\n")
        partial.replace(target)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise UsageError(
            f"the plan cannot be saved: {error.strerror}", where=str(file), hint="check the folder and its permissions"
        ) from None
