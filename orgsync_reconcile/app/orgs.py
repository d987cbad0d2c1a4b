"""Embedded orgs: made, filled from files, described and checked (ORG-1, ORG-8, ORG-10)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orgsync_reconcile.app.workspace import Workspace, require_stores, store_url
from orgsync_reconcile.catalog.orgs import FEATURES
from orgsync_reconcile.errors import UsageError
from orgsync_reconcile.importers import ImportProblem, read_sfdx
from orgsync_reconcile.model.actual import HygieneFinding
from orgsync_reconcile.stores.sql.check import check
from orgsync_reconcile.stores.sql.component_schema import without_table
from orgsync_reconcile.stores.sql.components import DeployFailure, deploy
from orgsync_reconcile.stores.sql.create import DEFAULT_LICENSES, NewOrg
from orgsync_reconcile.stores.sql.describe import describe
from orgsync_reconcile.stores.sql.features import enable_feature, features
from orgsync_reconcile.stores.sql.loader import LoadReport, load
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.rename import rename_field, rename_object
from orgsync_reconcile.stores.urls import create_store, open_store


@dataclass(frozen=True, kw_only=True, slots=True)
class MadeOrg:
    """An org that was made: its Id, and the username that acts in it."""

    org_id: str
    admin: str
    objects: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Import:
    """What became of a project's components: how many were deployed, by type, and what was not."""

    deployed: dict[str, int]
    problems: tuple[ImportProblem, ...]
    shadowed: tuple[ImportProblem, ...]
    #: Object that the org does not have -> how many fields of it were kept as components alone.
    without_table: dict[str, int]
    failures: tuple[DeployFailure, ...]


def create(
    workspace: Workspace,
    url: str,
    *,
    name: str,
    edition: str,
    org_type: str,
    admin: str,
    features: Sequence[str],
    licenses: dict[str, int] | None,
    namespace: str,
) -> MadeOrg:
    """Makes an org at a store's address (ORG-1). Raises UsageError and StoreError."""
    new = NewOrg(
        name=name,
        edition=edition,
        org_type=org_type,
        admin=admin,
        features=features,
        licenses=licenses or DEFAULT_LICENSES,
        namespace=namespace,
    )
    with create_store(url, new, base=workspace.directory) as org:
        found = describe(org)
        return MadeOrg(org_id=org.org_id, admin=found["org"]["admin"], objects=len(found["objects"]))


def _open(workspace: Workspace, url: str, *, readonly: bool) -> Org:
    """The org at an address, or of that name in the manifests."""
    if ":" in url:
        return open_store(url, base=workspace.directory, readonly=readonly)
    if not (workspace.directory / workspace.manifests).is_dir():
        raise UsageError(f"not a store's address: {url!r}", hint="write sqlite:PATH, for example sqlite:orgs/acme.db")
    desired = workspace.desired()
    if url not in desired.orgs:
        raise UsageError(
            f"there is no org {url!r} in the manifests",
            hint=f"write a store's address such as sqlite:orgs/{url}.db, or one of: {', '.join(sorted(desired.orgs))}",
        )
    address = store_url(workspace, desired.orgs[url])
    require_stores(workspace, desired, {url: address})
    return open_store(address, base=workspace.directory, label=url, readonly=readonly)


class _NothingKeptError(Exception):
    """Takes a deployment back."""


def import_project(workspace: Workspace, url: str, folder: Path, *, keep_going: bool) -> Import:
    """Deploys an SFDX project (ORG-8). Without `keep_going` nothing is deployed where a file or component is bad.

    What is bad is in the result, all of it as far as it can be known. Raises UsageError where the folder is no project.
    """
    project = read_sfdx(workspace.directory / folder)
    failures: tuple[DeployFailure, ...] = ()
    tableless: dict[str, int] = {}
    with _open(workspace, url, readonly=False) as org, suppress(_NothingKeptError), org.transaction():
        failures = deploy(org, project.components)
        tableless = without_table(org, project.components)
        if not keep_going and (failures or project.problems):
            raise _NothingKeptError
    deployed: Counter[str] = Counter()
    if keep_going or not (failures or project.problems):
        failed = {item.key for item in failures}
        deployed.update(item.key.type for item in project.components if item.key not in failed)
    return Import(
        deployed=dict(sorted(deployed.items())),
        problems=project.problems,
        shadowed=project.shadowed,
        without_table=tableless,
        failures=failures,
    )


def load_records(workspace: Workspace, url: str, files: Sequence[Path], *, keep_going: bool) -> LoadReport:
    """Loads records from files (ORG-8). Without `keep_going` nothing of a file with a problem stays."""
    with _open(workspace, url, readonly=False) as org:
        return load(org, [workspace.directory / file for file in files], keep_going=keep_going)


def enable_features(workspace: Workspace, url: str, names: Sequence[str]) -> tuple[str, ...]:
    """Switches features of an org on, all or none; returns those that were off. Raises UsageError for an unknown one."""
    unknown = [name for name in names if name not in FEATURES]
    if unknown:
        raise UsageError(
            f"there is no feature {', '.join(map(repr, unknown))}", hint=f"choose from: {', '.join(sorted(FEATURES))}"
        )
    with _open(workspace, url, readonly=False) as org, org.transaction():
        off = tuple(sorted(set(names) - features(org)))
        for name in off:
            enable_feature(org, name)
        return off


def describe_org(workspace: Workspace, url: str, object_name: str | None) -> dict[str, Any]:
    """The org's objects, or one object's fields, as plain data."""
    with _open(workspace, url, readonly=True) as org:
        return describe(org, object_name)


def rename(workspace: Workspace, url: str, old: str, new: str) -> tuple[str, str]:
    """Renames `Object__c`, or the field `Object.Field__c`; returns both names in full (PUB-11).

    `new` may leave out the object. Raises MetadataError where that cannot be, UsageError for names that do not fit.
    """
    owner, _, field = old.partition(".")
    other, dot, name = new.partition(".")
    if field and dot and other != owner:
        raise UsageError(f"{new} is in another object than {old}", hint="a field stays in its object")
    if not field and dot:
        raise UsageError(f"{old} is an object, and {new} names a field", hint=f"write {owner}.FIELD, or one name")
    with _open(workspace, url, readonly=False) as org:
        if not field:
            rename_object(org, old, new)
            return old, new
        rename_field(org, owner, field, name if dot else other)
        return old, f"{owner}.{name if dot else other}"


def check_org(workspace: Workspace, url: str, objects: Sequence[str]) -> tuple[HygieneFinding, ...]:
    """Dirt in the data (ORG-10)."""
    with _open(workspace, url, readonly=True) as org:
        return check(org, objects)
