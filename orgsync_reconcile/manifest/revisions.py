"""The manifests of a Git revision, read from the object store by the rules of the manifest folder (REC-9, REC-11)."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orgsync_reconcile.errors import ManifestError, UsageError
from orgsync_reconcile.manifest import codes
from orgsync_reconcile.manifest.files import (
    COUNT_LIMIT,
    DEPTH_LIMIT,
    FILE_LIMIT,
    SUFFIXES,
    TOTAL_LIMIT,
    Source,
    leads_outside,
    printable,
    read_folder,
    shown_path,
)
from orgsync_reconcile.manifest.findings import Findings, TooManyFindings, shown
from orgsync_reconcile.manifest.git import Entry, GitError, Repository
from orgsync_reconcile.manifest.loader import desired_of
from orgsync_reconcile.model.desired import Desired
from orgsync_reconcile.model.origin import Origin

#: Longest text of a symbolic link, in bytes.
_LINK_LIMIT: Final = 4096


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifests:
    """The files of one state of the manifest folder. `findings` are what reading them found wrong."""

    folder: str
    sources: tuple[Source, ...]
    findings: Findings

    def load(self, environment: str | None) -> Desired:
        """The desired state. Raises ManifestError with every error."""
        findings = Findings(items=list(self.findings.items), broken=self.findings.broken)
        try:
            return desired_of(list(self.sources), self.folder, environment, findings)
        except TooManyFindings:
            raise ManifestError(findings.sorted()) from None


def in_repository(repository: Repository, path: Path) -> str:
    """A path of the working folder as seen from the repository's root, "" for the root. Raises UsageError outside."""
    if repository.bare:
        inside = posixpath.normpath(path.as_posix())
        if not path.is_absolute() and inside != ".." and not inside.startswith("../"):
            return "" if inside == "." else inside
    else:
        root = repository.folder.resolve()
        for _ in Path(repository.prefix).parts:
            root = root.parent
        absolute = Path(os.path.normpath(repository.folder.absolute() / path))
        # From the outside: a link inside the repository that leads to its root must stay part of the path.
        for above in reversed((absolute, *absolute.parents)):
            if above.is_dir() and above.samefile(root):
                return "/".join(absolute.relative_to(above).parts)
    raise UsageError(f"{path} is outside the Git repository", hint="check --dir and --manifests")


def read_working_folder(folder: Path, base: Path) -> Manifests:
    """The manifest folder as it is on disk."""
    findings = Findings()
    name = shown_path(folder, base)
    if not folder.is_dir():
        _no_folder(name, findings)
        return Manifests(folder=name, sources=(), findings=findings)
    return Manifests(folder=name, sources=tuple(read_folder(folder, base, findings)), findings=findings)


def read_revision(repository: Repository, commit: str, folder: Path) -> Manifests:
    """The manifest folder in a commit. Raises GitError where Git cannot supply it.

    The rules are those of the folder on disk: regular files below it, links only to files inside it, nothing larger or
    deeper than the limits. Messages name files as they would be called in the working folder.
    """
    path = in_repository(repository, folder)
    findings = Findings()
    tree = repository.tree(commit, path)
    name = printable(folder.as_posix())
    if tree is None:
        _no_folder(name, findings)
        return Manifests(folder=name, sources=(), findings=findings)
    reader = _Reader(repository=repository, commit=commit, path=path, name=name, findings=findings)
    return Manifests(folder=name, sources=tuple(reader.read(tree)), findings=findings)


def _no_folder(name: str, findings: Findings) -> None:
    message = "there is no manifest folder here"
    findings.error(codes.NO_MANIFESTS, Origin(file=name), message, "run orgsync init, or name it with --manifests")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reader:
    """Reads one tree. `path` is the folder's from the root, `name` as messages call it."""

    repository: Repository
    commit: str
    path: str
    name: str
    findings: Findings

    def read(self, tree: str) -> Iterator[Source]:
        everything = {entry.path: entry for entry in self.repository.entries(tree)}
        wanted = [entry for path, entry in everything.items() if self._is_wanted(path, entry)]
        if len(wanted) > COUNT_LIMIT:
            self._refuse(self.name, codes.TOO_LARGE, f"more than {COUNT_LIMIT} manifest files", "split the folder")
            return
        wanted.sort(key=lambda entry: entry.path.split("/"))
        targets = self._targets(everything)
        found: list[tuple[Entry, Entry]] = []
        left = TOTAL_LIMIT
        for entry in wanted:
            target = targets.get(entry.path) if entry.is_link else entry
            if target is None:
                # What is wrong with the link has been said.
                continue
            if target.size > FILE_LIMIT:
                hint = "split it into several files"
                self._refuse(self.shown(entry.path), codes.TOO_LARGE, f"larger than {FILE_LIMIT} bytes", hint)
                continue
            left -= target.size
            if left < 0:
                message = f"the manifests exceed {TOTAL_LIMIT} bytes together"
                self._refuse(self.shown(entry.path), codes.TOO_LARGE, message, "split the folder")
                break
            found.append((entry, target))
        contents = self.repository.contents(target.object for _, target in found)
        for entry, target in found:
            yield Source(shown=self.shown(entry.path), name=entry.path, data=contents[target.object])

    def shown(self, path: str) -> str:
        """A file as messages name it."""
        return printable(f"{self.name}/{path}" if self.name not in ("", ".") else path)

    def _is_wanted(self, path: str, entry: Entry) -> bool:
        parts = path.split("/")
        if any(part.startswith(".") for part in parts):
            return False
        if len(parts) > DEPTH_LIMIT:
            if path.endswith(SUFFIXES):
                message = f"more than {DEPTH_LIMIT} folders deep"
                self._refuse(self.shown(path), codes.TOO_DEEP, message, "move it up")
            return False
        if entry.is_link and entry.size > _LINK_LIMIT and path.endswith(SUFFIXES):
            self._refuse(self.shown(path), codes.UNREADABLE, "a link that is no path", "copy what it points to")
            return False
        if entry.is_file or entry.is_link:
            return path.endswith(SUFFIXES)
        self._refuse(self.shown(path), codes.UNREADABLE, "a submodule", "keep manifests in this repository")
        return False

    def _targets(self, everything: Mapping[str, Entry]) -> dict[str, Entry]:
        """Where the links of the folder lead: path -> a regular file of the folder. What leads outside is reported."""
        links = {path: entry for path, entry in everything.items() if entry.is_link and entry.size <= _LINK_LIMIT}
        texts = self.repository.contents(entry.object for entry in links.values())
        pointing = {
            path: texts[entry.object].decode(errors="surrogateescape")
            for path, entry in links.items()
            if not any(part.startswith(".") for part in path.split("/"))
        }
        found: dict[str, Entry] = {}
        for path in pointing:
            target = self._follow(path, pointing)
            is_manifest = path.endswith(SUFFIXES)
            if target is None:
                if is_manifest or self._is_folder(path, pointing[path]):
                    self.findings.broken = True
                    leads_outside(self.shown(path), self.findings)
            elif target in everything and everything[target].is_file:
                found[path] = everything[target]
            elif is_manifest:
                self._refuse(
                    self.shown(path), codes.UNREADABLE, "a link to no file of the folder", "copy what it points to"
                )
        return found

    def _follow(self, path: str, pointing: Mapping[str, str]) -> str | None:
        """The path at the end of a chain of links; None where it leaves the folder or goes round."""
        for _ in range(10):
            text = pointing.get(path)
            if text is None:
                return path
            if text.startswith("/"):
                return None
            path = posixpath.normpath(posixpath.join(posixpath.dirname(path), text))
            if path == ".." or path.startswith("../"):
                return None
        return None

    def _is_folder(self, path: str, text: str) -> bool:
        """Whether a link of another name leads to a folder; outside the repository nobody knows, so it counts as one."""
        joined = posixpath.normpath(posixpath.join(self.path, posixpath.dirname(path), text))
        if text.startswith("/") or joined == ".." or joined.startswith("../"):
            return True
        return self.repository.tree(self.commit, "" if joined == "." else joined) is not None

    def _refuse(self, place: str, code: str, message: str, hint: str) -> None:
        self.findings.broken = True
        self.findings.error(code, Origin(file=place), message, hint)


def brought_along(repository: Repository, commits: Iterable[str], trusted: str, path: str) -> str | None:
    """The part of `path` (from the root) at which a commit, or the index, has a file or link that `trusted` has not."""
    parts = path.split("/")
    prefixes = ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]
    for part in prefixes:
        for found in (*(repository.entry(commit, part) for commit in commits), repository.staged(part)):
            if found is None or found.mode == "040000":
                continue
            known = repository.entry(trusted, part)
            if known is None or (known.mode, known.object) != (found.mode, found.object):
                return part
    return None


__all__ = [
    "GitError",
    "Manifests",
    "Repository",
    "brought_along",
    "in_repository",
    "read_revision",
    "read_working_folder",
    "shown",
]
