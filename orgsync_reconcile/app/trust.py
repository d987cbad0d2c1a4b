"""Planning what a stranger wrote: stores, secrets and administrators count only as a trusted revision has them (REC-11)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from orgsync_reconcile.app.workspace import Workspace, store_url
from orgsync_reconcile.errors import ManifestError, OrgsyncError, UsageError
from orgsync_reconcile.manifest.git import GitError, Repository
from orgsync_reconcile.manifest.revisions import brought_along, in_repository, read_revision
from orgsync_reconcile.model.desired import Desired, DesiredOrg, SecretRef
from orgsync_reconcile.model.diagnostic import Diagnostic, Severity
from orgsync_reconcile.plan.semantic import codes, untrusted
from orgsync_reconcile.stores.urls import store_place


def require_trust(workspace: Workspace, desired: Desired, revision: str) -> None:
    """Raises ManifestError for each store, secret reference or administrator that `revision` does not have as well.

    Also for a store's file that the branch brings along itself. Raises GitError where there is no such revision.
    """
    repository = Repository.around(workspace.directory)
    commit = repository.commit(revision)
    trusted = read_revision(repository, commit, workspace.manifests).load(workspace.environment)
    found = not_trusted(workspace, repository, trusted, commit, desired, revision, ())
    if found:
        raise ManifestError(found)


def not_trusted(
    workspace: Workspace,
    repository: Repository,
    trusted: Desired,
    commit: str,
    desired: Desired,
    revision: str,
    heads: tuple[str, ...],
) -> tuple[Diagnostic, ...]:
    """The same as findings; `heads` are commits that `desired` stands in, beside the one that is checked out."""
    found = untrusted(trusted, desired, revision)
    if found or repository.bare:
        return found
    commits = (*heads, *_checked_out(repository))
    brought = []
    for _, org in sorted(desired.orgs.items()):
        for what, path in _files(workspace, org):
            part = _brought(repository, commits, commit, path)
            if part is not None:
                brought.append(_refusal(desired, org, what, part, revision))
                break
    return tuple(brought)


def _refusal(desired: Desired, org: DesiredOrg, what: str, part: str, revision: str) -> Diagnostic:
    return Diagnostic(
        severity=Severity.ERROR,
        code=codes.FILE_NOT_TRUSTED,
        message=f"the {what} of the org {org.name} goes through {part}, which {revision} does not have like this",
        hint="keep stores and secrets out of the repository",
        origin=desired.other_origins.get(("Org", org.name), {}).get("store", org.origin),
    )


def _checked_out(repository: Repository) -> tuple[str, ...]:
    try:
        return (repository.commit("HEAD"),)
    except GitError:
        return ()


def _brought(repository: Repository, commits: tuple[str, ...], trusted: str, path: Path) -> str | None:
    try:
        inside = in_repository(repository, path)
    except UsageError:
        return None
    return brought_along(repository, commits, trusted, inside)


def _files(workspace: Workspace, org: DesiredOrg) -> Iterator[tuple[str, Path]]:
    """What an org is read from, one after the other: the file of its secret is looked at before it is opened."""
    if isinstance(org.store, SecretRef) and org.store.source == "file":
        yield "secret", Path(org.store.name)
    # Where the address cannot be used, opening the store says so.
    with suppress(OrgsyncError):
        place = store_place(store_url(workspace, org), Path())
        if isinstance(place, Path):
            yield "store", place
