"""An SFDX project, in source or metadata format, as components (ORG-8)."""

from __future__ import annotations

import base64
import glob
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from orgsync_reconcile.errors import MetadataError, UsageError
from orgsync_reconcile.importers.files import walk
from orgsync_reconcile.importers.names import META, check_root, full_name, is_bundle, is_metadata
from orgsync_reconcile.importers.problem import ImportProblem, from_error
from orgsync_reconcile.importers.project_file import PROJECT_FILE, read_project_file
from orgsync_reconcile.metadata import deploy_order, parse_xml, to_components
from orgsync_reconcile.model.component import Component, ComponentKey

#: Build tools put the project's namespace in place of these; source that is deployed as it is has none.
_TOKENS = re.compile(r"%%%(?:MANAGED_OR_)?NAMESPACE(?:D_ORG|_OR_C|_DOT)?%%%|___NAMESPACE___")
#: Types whose body has, in source format, the suffix of what it is, or is a folder.
_RENAMED_BODIES = frozenset({"Document", "StaticResource"})
_BYTE_TOKENS = re.compile(_TOKENS.pattern.encode())


@dataclass(frozen=True, kw_only=True, slots=True)
class SfdxProject:
    """What a project's files say. Nothing of it has been deployed."""

    #: In deployment order.
    components: tuple[Component, ...]
    problems: tuple[ImportProblem, ...] = ()
    #: Components that stood back behind one of the same name in another folder, as messages.
    shadowed: tuple[ImportProblem, ...] = ()
    #: The namespace that the project owns, "" for none.
    namespace: str = ""
    #: Component -> file that it was read from, relative to the project's folder.
    sources: Mapping[ComponentKey, str] = field(default_factory=dict)


def read_sfdx(folder: Path) -> SfdxProject:
    """Every component below a project's folder; unknown types are kept as opaque components (ORG-8).

    Package directories come first, in their order: as when they are deployed one after the other, a later one's
    component takes the place of an earlier one's. Source in other folders (configuration that is deployed apart, or the
    whole folder where there is no project file) adds what they do not have. Bad files are among the problems and the others are
    read. Raises UsageError where the folder is missing or has no source at all.
    """
    if not folder.is_dir():
        raise UsageError(f"no such folder: {folder}", hint="name the folder of an SFDX project")
    problems: list[ImportProblem] = []
    project = read_project_file(folder, problems)
    collector = _Collector(root=folder, namespace=project.namespace, problems=problems)
    seen: set[Path] = set()
    for package in project.packages:
        for path in walk(folder, folder / package.relative_to(folder.resolve()), problems):
            if path not in seen:
                seen.add(path)
                collector.add(path, package)
    for path in walk(folder, folder, problems):
        if path not in seen:
            collector.add(path, None)
    if not collector.components and not problems and not (folder / PROJECT_FILE).is_file():
        raise UsageError(f"no metadata in {folder}", hint=f"name a folder with {PROJECT_FILE} or source files")
    return SfdxProject(
        components=deploy_order(collector.components.values()),
        problems=tuple(sorted(set(problems))),
        shadowed=tuple(sorted(collector.shadowed)),
        namespace=project.namespace,
        sources=dict(sorted(collector.sources.items())),
    )


@dataclass(kw_only=True, slots=True)
class _Collector:
    """Components as they are found, and who stands back behind whom."""

    root: Path
    namespace: str
    problems: list[ImportProblem]
    components: dict[ComponentKey, Component] = field(default_factory=dict)
    sources: dict[ComponentKey, str] = field(default_factory=dict)
    shadowed: list[ImportProblem] = field(default_factory=list)
    #: The package directory that a component was found in; None outside of all.
    packages: dict[ComponentKey, Path | None] = field(default_factory=dict)

    def add(self, path: Path, package: Path | None) -> None:
        """Reads one file; `package` is the package directory that it belongs to."""
        shown = path.relative_to(self.root).as_posix()
        try:
            if not is_metadata(path, PurePosixPath(shown)):
                return
            for component in _read_file(path, shown, self.namespace):
                self._keep(component, shown, package)
        except MetadataError as error:
            self.problems.append(from_error(error, shown))
        except OSError as error:
            message = f"unreadable: {error.strerror}; correct the file's permissions"
            self.problems.append(ImportProblem(path=shown, message=message))

    def _keep(self, component: Component, shown: str, package: Path | None) -> None:
        key = component.key
        first = self.sources.get(key)
        if first is not None:
            if self.components[key].content == component.content:
                return
            if package is None:
                message = f"{key} is already described by {first}, which is used instead"
                self.shadowed.append(ImportProblem(path=shown, message=message))
                return
            if package == self.packages[key]:
                message = f"{key} is also in {first}, with other content; keep one of them"
                self.problems.append(ImportProblem(path=shown, message=message))
                return
            message = f"{key} is described by {shown} too, of a later package directory, which is used instead"
            self.shadowed.append(ImportProblem(path=first, message=message))
        self.components[key] = component
        self.sources[key] = shown
        self.packages[key] = package


def _read_file(path: Path, shown: str, namespace: str) -> Iterator[Component]:
    place = PurePosixPath(shown)
    root, content = parse_xml(_BYTE_TOKENS.sub(b"", path.read_bytes()), where=shown)
    check_root(place, root)
    name = _TOKENS.sub("", full_name(place, root))
    content.update(_sources(path, root))
    yield from to_components(root, name, content, owned_namespace=namespace, where=shown)


def _sources(path: Path, type_: str) -> dict[str, Any]:
    """The body beside a description: Apex, a page, a file, or all files of a bundle by their path in it."""
    if is_bundle(type_):
        return _folder(path.parent, path)
    body = path.with_name(path.name.removesuffix(META))
    if type_ in _RENAMED_BODIES and not body.is_file():
        stem = body.name.rpartition(".")[0]
        if body.with_name(stem).is_dir():
            return _folder(body.with_name(stem), path)
        beside = (item for item in sorted(path.parent.glob(f"{glob.escape(stem)}.*")) if not item.name.endswith(META))
        body = next(beside, body)
    if body == path or not body.is_file() or body.is_symlink():
        return {}
    return {"source": _text(body)}


def _folder(folder: Path, description: Path) -> dict[str, Any]:
    others = (item for item in sorted(folder.rglob("*")) if item.is_file() and not item.is_symlink())
    files = {item.relative_to(folder).as_posix(): _text(item) for item in others if item != description}
    return {"sources": files} if files else {}


def _text(path: Path) -> str:
    """A file's text with line ends alike on every system; what is no text as base64."""
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        return "base64:" + base64.b64encode(data).decode("ascii")
