"""The file sfdx-project.json: which folders are packages, and the namespace that the project owns."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orgsync_reconcile.importers.problem import ImportProblem

PROJECT_FILE = "sfdx-project.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectFile:
    """Package folders as absolute paths in the file's order, and the project's own namespace or ""."""

    packages: tuple[Path, ...] = ()
    namespace: str = ""


def read_project_file(root: Path, problems: list[ImportProblem]) -> ProjectFile:
    """The project file of `root`; an absent one is an empty one, a bad one is added to `problems`."""
    path = root / PROJECT_FILE
    if not path.is_file():
        return ProjectFile()
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        problems.append(ImportProblem(path=PROJECT_FILE, line=error.lineno, message=f"no JSON: {error.msg}"))
        return ProjectFile()
    except (UnicodeDecodeError, RecursionError):
        problems.append(ImportProblem(path=PROJECT_FILE, message="no JSON in UTF-8; correct the file"))
        return ProjectFile()
    if not isinstance(data, dict) or not isinstance(data.get("packageDirectories", []), list):
        message = "packageDirectories must be a list; correct the file"
        problems.append(ImportProblem(path=PROJECT_FILE, message=message))
        return ProjectFile()
    packages = [_package(root, item, problems) for item in data.get("packageDirectories", [])]
    namespace = data.get("namespace")
    return ProjectFile(
        packages=tuple(item for item in packages if item is not None),
        namespace=namespace if isinstance(namespace, str) else "",
    )


def _package(root: Path, item: Any, problems: list[ImportProblem]) -> Path | None:
    said = item.get("path") if isinstance(item, dict) else None
    if not isinstance(said, str) or not said:
        message = "a package directory has no path; add one or remove the entry"
        problems.append(ImportProblem(path=PROJECT_FILE, message=message))
        return None
    folder = (root / said).resolve()
    if not folder.is_relative_to(root.resolve()):
        message = f"the package directory {said} is outside of the project; move it inside"
    elif not folder.is_dir():
        message = f"the package directory {said} is missing; create it or remove the entry"
    else:
        return folder
    problems.append(ImportProblem(path=PROJECT_FILE, message=message))
    return None
