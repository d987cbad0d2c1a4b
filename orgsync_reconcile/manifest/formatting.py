"""Canonical form of whole files: which ones differ from it, and writing them, each whole or not at all (REC-8)."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from orgsync_reconcile.errors import UsageError
from orgsync_reconcile.manifest import codes
from orgsync_reconcile.manifest.canonical import canonical_text
from orgsync_reconcile.manifest.files import FILE_LIMIT, SUFFIXES, Source, read_folder, shown_path
from orgsync_reconcile.manifest.findings import Findings
from orgsync_reconcile.model.diagnostic import Diagnostic, Severity
from orgsync_reconcile.model.origin import Origin


@dataclass(frozen=True, kw_only=True, slots=True)
class Formatted:
    """One file: where it is, its path as shown, what it holds and what it would hold in canonical form."""

    path: Path
    shown: str
    before: str
    after: str

    @property
    def changed(self) -> bool:
        """Whether the file is not in canonical form."""
        return self.before != self.after

    def finding(self) -> Diagnostic:
        """What is to be said of a file that is not in canonical form: the first line that differs."""
        pairs = zip(self.before.split("\n"), self.after.split("\n"), strict=False)
        line = next((number for number, (old, new) in enumerate(pairs, start=1) if old != new), 1)
        return Diagnostic(
            severity=Severity.WARNING,
            code=codes.NOT_CANONICAL,
            message="the file is not in canonical form",
            hint="run orgsync fmt",
            origin=Origin(file=self.shown, line=line),
        )


def format_paths(paths: Sequence[Path], base: Path, findings: Findings) -> list[Formatted]:
    """The canonical form of these files, and of the manifests in these folders; paths are shown relative to `base`.

    What cannot be read as YAML goes to `findings` with its place, and the file is left out. Raises UsageError for a
    path that is not there, is no YAML file, or is a symbolic link.
    """
    result: dict[Path, Formatted] = {}
    for path, source in _sources(paths, base, findings):
        problems = Findings()
        after = canonical_text(source.shown, source.data, problems)
        findings.items.extend(problems.items)
        if not problems.has_errors:
            before = source.data.decode("utf-8")
            result[path.resolve()] = Formatted(path=path, shown=source.shown, before=before, after=after)
    return sorted(result.values(), key=lambda item: item.shown)


def _sources(paths: Sequence[Path], base: Path, findings: Findings) -> Iterator[tuple[Path, Source]]:
    for path in paths:
        shown = shown_path(path, base)
        if path.is_dir():
            for source in read_folder(path, base, findings):
                # What a link points to stands in the folder too and is formatted there.
                if not (path / source.name).is_symlink():
                    yield path / source.name, source
        elif path.is_symlink():
            raise UsageError("this is a link", where=shown, hint="name the file that it points to")
        elif not path.is_file():
            raise UsageError("there is no such file or folder", where=shown, hint="name manifests, or a folder of them")
        elif path.suffix not in SUFFIXES:
            raise UsageError("this is no YAML file", where=shown, hint="name files that end in .yaml or .yml")
        else:
            with path.open("rb") as file:
                data = file.read(FILE_LIMIT + 1)
            if len(data) > FILE_LIMIT:
                hint = "split it into several files"
                findings.error(codes.TOO_LARGE, Origin(file=shown), f"larger than {FILE_LIMIT} bytes", hint)
            else:
                yield path, Source(shown=shown, name=path.name, data=data)


def replace_file(path: Path, text: str) -> None:
    """Writes a file, whole or not at all; one that is there keeps its permissions. Raises UsageError."""
    partial = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, partial = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".new", dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        if path.exists():
            shutil.copymode(path, partial)
        else:
            Path(partial).chmod(0o666 & ~_umask())
        Path(partial).replace(path)
    except OSError as error:
        if partial:
            with contextlib.suppress(OSError):
                Path(partial).unlink()
        raise UsageError(
            f"cannot be written: {error.strerror}", where=str(path), hint="check the folder and its permissions"
        ) from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
