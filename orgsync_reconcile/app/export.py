"""`orgsync export`: orgs that are connected already become manifests, and a plan with these proves them (REC-7)."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from orgsync_reconcile.app.planning import Choice, org_names, plan_for
from orgsync_reconcile.app.workspace import Workspace, open_orgs
from orgsync_reconcile.errors import StoreError, UsageError
from orgsync_reconcile.manifest import load
from orgsync_reconcile.manifest.export import manifest_files, manifest_names
from orgsync_reconcile.manifest.files import SUFFIXES
from orgsync_reconcile.manifest.formatting import replace_file
from orgsync_reconcile.manifest.stores import written_store
from orgsync_reconcile.model.actual import Actual
from orgsync_reconcile.model.desired import Desired, DesiredOrg, SecretRef
from orgsync_reconcile.model.plan import Plan
from orgsync_reconcile.plan import Adoption, adopt
from orgsync_reconcile.plan.adopt import NOWHERE
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.reader import read_info, read_org
from orgsync_reconcile.stores.urls import open_store


@dataclass(frozen=True, kw_only=True, slots=True)
class Exported:
    """What was written, what no manifest can say, and the plan that the manifests lead to."""

    files: tuple[Path, ...]
    remarks: tuple[str, ...]
    plan: Plan


def export(
    workspace: Workspace,
    *,
    stores: Sequence[str] = (),
    connections: Sequence[str] = (),
    out: Path | None = None,
    force: bool = False,
) -> Exported:
    """Writes manifests of the connections among the orgs of `stores`, or among the orgs of the manifests.

    All connections unless some are named. Files go to `out`, by default the manifest folder. Nothing is written unless
    all of it loads. Raises UsageError where a file would be overwritten without `force` or nothing is to be exported,
    StoreError where an org cannot be read, ManifestError where the result would not load.
    """
    target = workspace.directory / (workspace.manifests if out is None else out)
    known = Desired() if stores else workspace.desired()
    same_folder = not stores and target.resolve() == (workspace.directory / workspace.manifests).resolve()
    with _orgs(workspace, stores, known) as (described, opened):
        adoption = _adopted(described, opened, connections)
        if same_folder:
            _leave_out(adoption, known)
        _require_connections(adoption, connections, described)
        files = manifest_files(adoption.desired, with_orgs=not same_folder, notes=_notes(adoption))
        _check_free(target, files, mixed=same_folder, force=force)
        made = _proof(workspace, target, files, opened)
    written = []
    for name, text in files.items():
        replace_file(target / name, text)
        written.append(target / name)
    return Exported(files=tuple(written), remarks=tuple(adoption.remarks), plan=made)


@contextmanager
def _orgs(
    workspace: Workspace, stores: Sequence[str], known: Desired
) -> Iterator[tuple[dict[str, DesiredOrg], dict[str, Org]]]:
    """The orgs, described and open, each as it is at one moment."""
    with ExitStack() as stack:
        if stores:
            found = [stack.enter_context(open_store(url, base=workspace.directory, readonly=True)) for url in stores]
            names = list(manifest_names([org.name for org in found]))
            described = {
                name: DesiredOrg(name=name, store=written_store(url, name), admin=read_info(org).admin, origin=NOWHERE)
                for name, url, org in zip(names, stores, found, strict=True)
            }
            opened = dict(zip(names, found, strict=True))
        else:
            opened = stack.enter_context(open_orgs(workspace, known, org_names(workspace, known), readonly=True))
            described = {name: known.orgs[name] for name in opened}
        for org in opened.values():
            stack.enter_context(org.snapshot())
        _require_different(opened)
        yield described, opened


def _require_different(opened: Mapping[str, Org]) -> None:
    seen: dict[str, str] = {}
    for name, org in opened.items():
        other = seen.setdefault(org.org_id, name)
        if other != name:
            raise UsageError(f"{other} and {name} are one and the same org", hint="name different orgs")


def _adopted(described: Mapping[str, DesiredOrg], opened: Mapping[str, Org], connections: Sequence[str]) -> Adoption:
    actual = Actual(orgs={name: read_org(org) for name, org in opened.items()})
    adoption = adopt(described, actual, connections)
    adoption.remarks += [
        f"the store of {name} holds a password, which is not written: set the environment variable {org.store.name}"
        for name, org in sorted(described.items())
        if isinstance(org.store, SecretRef) and org.origin == NOWHERE
    ]
    return adoption


def _leave_out(adoption: Adoption, known: Desired) -> None:
    """What the manifests describe already stays theirs."""
    wanted = adoption.desired
    there = sorted(wanted.connections.keys() & known.connections.keys())
    adoption.remarks += [f"{name} is in the manifests already and was left as it is" for name in there]
    adoption.desired = replace(
        wanted,
        connections={name: item for name, item in wanted.connections.items() if name not in known.connections},
        metadata={name: item for name, item in wanted.metadata.items() if name not in known.connections},
        publications={key: item for key, item in wanted.publications.items() if key[0] not in known.connections},
    )


def _require_connections(adoption: Adoption, wanted: Sequence[str], described: Mapping[str, DesiredOrg]) -> None:
    found = adoption.desired.connections
    missing = [name for name in wanted if name not in found]
    if found and not missing:
        return
    what = f"there is no connection {missing[0]}" if missing else "there is no connection to export"
    hints = [*adoption.remarks, f"known: {', '.join(sorted(found))}" if found else ""]
    hint = "; ".join(filter(None, hints)) or "connect the orgs first, or name the stores of both ends"
    raise StoreError(what, where=", ".join(sorted(described)), hint=hint)


def _notes(adoption: Adoption) -> dict[str, list[str]]:
    """What stands over the components that are left out."""
    return {
        name: [
            f"These would be deployed to {adoption.desired.connections[name].secondary} and never were; remove a line"
            " to have one follow."
        ]
        for name, items in adoption.left_out.items()
        if items and name in adoption.desired.connections
    }


def _check_free(target: Path, files: Mapping[str, str], *, mixed: bool, force: bool) -> None:
    """Raises UsageError where something would be overwritten, or mixed with manifests of other origin."""
    if force:
        return
    shown = target.name or "."
    taken = sorted(name for name in files if (target / name).exists() or (target / name).is_symlink())
    if taken:
        more = f" and {len(taken) - 3} more" if len(taken) > 3 else ""
        raise UsageError(
            f"{', '.join(taken[:3])}{more} would be overwritten",
            where=shown,
            hint="choose another --out, or use --force",
        )
    mine = [] if mixed else _manifests(target)
    if mine:
        raise UsageError(
            f"there are manifests already, such as {mine[0]}", where=shown, hint="choose another --out, or use --force"
        )


def _manifests(folder: Path) -> list[Path]:
    """The YAML files of a folder, relative to it."""
    if not folder.is_dir():
        return []
    found = (path for path in folder.rglob("*") if path.suffix in SUFFIXES)
    return sorted(path.relative_to(folder) for path in found)


def _proof(workspace: Workspace, target: Path, files: Mapping[str, str], opened: Mapping[str, Org]) -> Plan:
    """The plan that the folder will lead to once the files are in it. Raises ManifestError where it would not load."""
    with tempfile.TemporaryDirectory(prefix="orgsync-export-") as place:
        copy = Path(place, target.name or "manifests")
        copy.mkdir()
        for path in _manifests(target):
            if (target / path).is_file():
                (copy / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(target / path, copy / path)
        for name, text in files.items():
            replace_file(copy / name, text)
        desired = load(copy, base=Path(place), environment=workspace.environment)
    needed = {name for item in desired.connections.values() for name in (item.primary, item.secondary)}
    chosen = {name: org for name, org in opened.items() if name in needed | desired.orgs.keys()}
    return plan_for(desired, chosen, Choice(), workspace.clock)
