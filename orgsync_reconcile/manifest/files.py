"""Finds and reads the files of a manifest folder: regular files only, inside the folder, within limits (REC-11)."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from orgsync_reconcile.manifest import codes
from orgsync_reconcile.manifest.findings import Findings
from orgsync_reconcile.model.desired import ManifestFile
from orgsync_reconcile.model.origin import Origin

#: Bytes of one file, and of all files together.
FILE_LIMIT: Final = 1024 * 1024
TOTAL_LIMIT: Final = 16 * 1024 * 1024
#: Manifest files of one folder, and folders within one another.
COUNT_LIMIT: Final = 20_000
DEPTH_LIMIT: Final = 32
SUFFIXES: Final = (".yaml", ".yml")


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One file: its path as shown, its name relative to the manifest folder, its bytes."""

    shown: str
    name: str
    data: bytes

    def fingerprint(self) -> ManifestFile:
        """The file's entry in the desired state."""
        return ManifestFile(path=self.shown, sha256=hashlib.sha256(self.data).hexdigest())


def shown_path(path: Path, base: Path) -> str:
    """A path as messages show it: relative to `base`, with slashes, without control characters."""
    return printable(os.path.relpath(path, base).replace(os.sep, "/"))


def printable(path: str) -> str:
    """A path without what a terminal would obey or could not show."""
    return "".join(char if char.isprintable() else "?" for char in path)


def read_folder(folder: Path, base: Path, findings: Findings) -> list[Source]:
    """All `*.yaml` and `*.yml` files below `folder` in the order of their names; hidden ones are left out.

    Files that cannot be read are reported to `findings` and left out. Symbolic links are followed only to files
    inside the folder; linked folders are not entered, as what they hold is read where it is.
    """
    root = folder.resolve()
    sources: list[Source] = []
    left = TOTAL_LIMIT
    found = list(islice(_candidates(folder, base, root, findings), COUNT_LIMIT + 1))
    if len(found) > COUNT_LIMIT:
        findings.broken = True
        where = Origin(file=shown_path(folder, base))
        findings.error(codes.TOO_LARGE, where, f"more than {COUNT_LIMIT} manifest files", "split the folder")
        return []
    for path in sorted(found, key=lambda item: item.relative_to(folder).parts):
        shown = shown_path(path, base)
        data = _read(path, shown, root, findings)
        if data is None:
            findings.broken = True
            continue
        left -= len(data)
        if left < 0:
            findings.broken = True
            findings.error(codes.TOO_LARGE, Origin(file=shown), f"the manifests exceed {TOTAL_LIMIT} bytes together")
            break
        sources.append(Source(shown=shown, name=path.relative_to(folder).as_posix(), data=data))
    return sources


def _candidates(folder: Path, base: Path, root: Path, findings: Findings) -> Iterator[Path]:
    def unreadable(error: OSError) -> None:
        findings.broken = True
        where = Origin(file=shown_path(Path(error.filename), base))
        findings.error(codes.UNREADABLE, where, f"cannot be read: {error.strerror}", "check its permissions")

    top = len(folder.parts)
    for place, folders, files in os.walk(folder, onerror=unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        if len(Path(place).parts) - top >= DEPTH_LIMIT - 1 and folders:
            findings.broken = True
            where = Origin(file=shown_path(Path(place, folders[0]), base))
            findings.error(codes.TOO_DEEP, where, f"more than {DEPTH_LIMIT} folders deep", "move it up")
            folders.clear()
        for name in folders:
            path = Path(place, name)
            if path.is_symlink() and not path.resolve().is_relative_to(root):
                leads_outside(shown_path(path, base), findings)
        yield from (Path(place, name) for name in files if name.endswith(SUFFIXES) and not name.startswith("."))


def _read(path: Path, shown: str, root: Path, findings: Findings) -> bytes | None:
    where = Origin(file=shown)
    try:
        if path.is_symlink() and not path.resolve(strict=True).is_relative_to(root):
            leads_outside(shown, findings)
            return None
        # Opening a pipe would wait for a writer; the check stands on what was opened.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                findings.error(codes.UNREADABLE, where, "not a regular file", "remove it from the manifest folder")
                return None
            data = file.read(FILE_LIMIT + 1)
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "a loop of links"
        findings.error(codes.UNREADABLE, where, f"cannot be read: {reason}", "check the path and its permissions")
        return None
    if len(data) > FILE_LIMIT:
        findings.error(codes.TOO_LARGE, where, f"larger than {FILE_LIMIT} bytes", "split it into several files")
        return None
    return data


def leads_outside(shown: str, findings: Findings) -> None:
    """Reports a link that would read a file of somebody else."""
    findings.broken = True
    findings.error(
        codes.UNREADABLE, Origin(file=shown), "a link that leads outside the manifest folder", "copy what it points to"
    )
