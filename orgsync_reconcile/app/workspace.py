"""Where a command works: a folder with manifests, one environment, a clock; and the orgs that manifests name."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from orgsync_reconcile.clock import Clock, system_clock
from orgsync_reconcile.errors import OrgsyncError, UnreachableError, UsageError
from orgsync_reconcile.manifest import load
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.desired import Desired, DesiredConnection, DesiredOrg, SecretRef
from orgsync_reconcile.operations.secrets import find_secret, kind_of
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.urls import missing_file, open_store, store_place
from orgsync_reconcile.sync.lifecycle import Ends


@dataclass(frozen=True, kw_only=True, slots=True)
class Workspace:
    """`manifests` and the stores' paths are relative to `directory`."""

    directory: Path = Path()
    manifests: Path = Path("manifests")
    environment: str | None = None
    clock: Clock = system_clock

    def desired(self) -> Desired:
        """What the manifests say. Raises ManifestError with every problem."""
        return load(self.directory / self.manifests, base=self.directory, environment=self.environment)


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenConnection:
    """A connection of the manifests with its two orgs open."""

    desired: DesiredConnection
    primary: Org
    secondary: Org
    #: Who acts in each org, by username.
    admins: dict[Side, str]
    #: Everything that the manifests say.
    manifests: Desired
    #: What there is to say of opening it: that the connection has resumed by itself (SUS-3).
    said: tuple[str, ...] = ()

    @property
    def ends(self) -> Ends:
        """The two orgs and who acts in each."""
        return Ends(
            primary=self.primary,
            secondary=self.secondary,
            primary_admin=self.admins[Side.PRIMARY],
            secondary_admin=self.admins[Side.SECONDARY],
        )

    @property
    def orgs(self) -> dict[Side, Org]:
        """The two orgs by their end."""
        return {Side.PRIMARY: self.primary, Side.SECONDARY: self.secondary}

    def org(self, side: Side) -> Org:
        """The org at one end."""
        return self.primary if side is Side.PRIMARY else self.secondary


def store_url(workspace: Workspace, org: DesiredOrg) -> str:
    """The address of an org's store; a secret reference is resolved here and nowhere earlier (REC-11).

    Raises UsageError where the variable or file is missing.
    """
    if isinstance(org.store, str):
        return org.store
    try:
        found = find_secret(org.store, workspace.directory, what=f"the store of {org.name}")
    except OrgsyncError as error:
        raise UsageError(error.message, where=str(org.origin), hint=error.hint) from None
    try:
        store_place(found, workspace.directory)
    except UsageError:
        # What the secret holds is never repeated.
        raise UsageError(
            f"the {kind_of(org.store)} {org.store.name} does not hold the address of a store for {org.name}",
            where=str(org.origin),
            hint="put sqlite:PATH or postgresql://HOST/DATABASE?schema=NAME there",
        ) from None
    return found


def pick_connection(desired: Desired, name: str | None) -> DesiredConnection:
    """The connection of that name, or the only one. Raises UsageError, with the nearest name."""
    known = sorted(desired.connections)
    if name is None:
        if len(known) == 1:
            return desired.connections[known[0]]
        what = f"the manifests have {len(known)} connections" if known else "the manifests have no connection"
        raise UsageError(
            what, hint=f"name one of: {', '.join(known)}" if known else "add a document of kind Connection"
        )
    if name not in desired.connections:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"the manifests have: {', '.join(known) or 'none'}"
        raise UsageError(f"there is no connection {name!r} in the manifests", hint=hint)
    return desired.connections[name]


@contextmanager
def open_orgs(
    workspace: Workspace, desired: Desired, names: Iterable[str], *, readonly: bool = False
) -> Iterator[dict[str, Org]]:
    """The orgs of these manifest names, open until the block ends.

    Raises UnreachableError for stores that are missing, all of them at once, or cannot be reached; StoreError for one
    that cannot be used, UsageError for an address that cannot.
    """
    urls = {name: store_url(workspace, desired.orgs[name]) for name in sorted(set(names))}
    require_stores(workspace, desired, urls)
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(open_store(url, base=workspace.directory, label=name, readonly=readonly))
            for name, url in urls.items()
        }


def require_stores(workspace: Workspace, desired: Desired, urls: Mapping[str, str]) -> None:
    """Raises UnreachableError with the command for every org that is not there yet, as the manifests describe it."""
    missing = {
        name: (url, path) for name, url in urls.items() if (path := missing_file(url, workspace.directory)) is not None
    }
    if missing:
        # An address that is a secret is not repeated.
        shown = {
            name: ("ADDRESS", "the address in its secret")
            if isinstance(desired.orgs[name].store, SecretRef)
            else (url, str(path))
            for name, (url, path) in missing.items()
        }
        paths = [path for _, path in shown.values()]
        commands = [
            shlex.join(["orgsync", "org", "create", url, "--name", name, "--admin", desired.orgs[name].admin])
            for name, (url, _) in shown.items()
        ]
        raise UnreachableError(
            f"there is no org at {' or '.join(paths)}",
            where=", ".join(missing),
            hint=f"make {'it' if len(missing) == 1 else 'them'} with: {' && '.join(commands)}",
        )


@contextmanager
def open_connection(workspace: Workspace, name: str | None, *, readonly: bool = False) -> Iterator[OpenConnection]:
    """A connection of the manifests with both orgs open until the block ends. Raises as `open_orgs` does."""
    desired = workspace.desired()
    chosen = pick_connection(desired, name)
    with open_orgs(workspace, desired, (chosen.primary, chosen.secondary), readonly=readonly) as orgs:
        yield OpenConnection(
            manifests=desired,
            desired=chosen,
            primary=orgs[chosen.primary],
            secondary=orgs[chosen.secondary],
            admins={
                Side.PRIMARY: desired.orgs[chosen.primary].admin,
                Side.SECONDARY: desired.orgs[chosen.secondary].admin,
            },
        )
