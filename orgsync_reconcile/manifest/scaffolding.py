"""The starter set of manifests that `orgsync init` writes, with the schema for editors beside it (REC-8)."""

from __future__ import annotations

import json
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from orgsync_reconcile.errors import UsageError
from orgsync_reconcile.manifest.editor_schema import schema
from orgsync_reconcile.manifest.files import SUFFIXES

#: Where the first lines of the manifests look for the schema, beside the manifest folder.
SCHEMA_FILE: Final = Path("schemas", "orgsync.schema.json")


def schema_text() -> str:
    """The editor schema as the file that is committed and written: indented JSON with a newline at its end."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def scaffold(folder: Path) -> list[Path]:
    """Writes a commented starter set into `folder` and the editor schema into `schemas` beside it.

    Returns the files written, in the order of their names. A schema that is there stays as it is. Raises UsageError,
    before anything is written, where one of the manifests exists or the folder holds manifests already.
    """
    starter = {item.name: item.read_text(encoding="utf-8") for item in _starter_files()}
    taken = sorted(name for name in starter if (folder / name).exists() or (folder / name).is_symlink())
    if taken:
        raise UsageError(
            f"{', '.join(taken)} would be overwritten", hint="choose an empty folder", where=folder.name or "."
        )
    mine = sorted(path.name for path in folder.glob("*") if path.suffix in SUFFIXES)
    if mine:
        raise UsageError(
            f"there are manifests already, such as {mine[0]}, which the starter set would get mixed with",
            hint="choose another folder with --manifests",
            where=folder.name or ".",
        )
    written = []
    try:
        for name, text in sorted(starter.items()):
            _write_new(folder / name, text)
            written.append(folder / name)
        schema_file = folder.parent / SCHEMA_FILE
        if not schema_file.exists():
            _write_new(schema_file, schema_text())
            written.append(schema_file)
    except OSError as error:
        raise UsageError(
            f"the starter set cannot be written: {error.strerror}",
            hint="check the folder and its permissions",
            where=folder.name or ".",
        ) from None
    return written


def _starter_files() -> list[Traversable]:
    with_package = files("orgsync_reconcile.manifest") / "starter"
    return [item for item in with_package.iterdir() if item.name.endswith(".yaml")]


def _write_new(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
