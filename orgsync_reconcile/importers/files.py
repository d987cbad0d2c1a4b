"""The files of a project, in a fixed order and never from outside of its folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from orgsync_reconcile.importers.problem import ImportProblem

#: Folders that hold no source, whatever is in them.
_SKIPPED = frozenset({"node_modules", "__pycache__"})


def walk(root: Path, folder: Path, problems: list[ImportProblem]) -> Iterator[Path]:
    """Every file below `folder`, by name. Links out of `root` are problems; links inside it are not followed.

    What a link inside the project points to is read in its own place. Hidden folders are passed over.
    """
    boundary = root.resolve()
    for current, folders, names in os.walk(folder, onerror=None):
        here = Path(current)
        for name in sorted(folders):
            if (here / name).is_symlink():
                _check_link(boundary, root, here / name, problems)
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and name not in _SKIPPED and not (here / name).is_symlink()
        )
        for name in sorted(names):
            path = here / name
            if path.is_symlink():
                _check_link(boundary, root, path, problems)
            elif path.is_file():
                yield path


def _check_link(boundary: Path, root: Path, path: Path, problems: list[ImportProblem]) -> None:
    if not path.resolve().is_relative_to(boundary):
        message = "the link leads out of the project's folder; replace it by the file itself"
        problems.append(ImportProblem(path=path.relative_to(root).as_posix(), message=message))
    elif not path.exists():
        message = "the link leads nowhere; remove it or restore what it points to"
        problems.append(ImportProblem(path=path.relative_to(root).as_posix(), message=message))
