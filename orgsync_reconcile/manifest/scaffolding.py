"""The starter set of manifests that `orgsync init` writes, with the schema for editors beside it (REC-8)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from orgsync_reconcile.errors import UsageError
from orgsync_reconcile.manifest.editor_schema import schema
from orgsync_reconcile.manifest.files import SUFFIXES
from orgsync_reconcile.manifest.findings import shown
from orgsync_reconcile.manifest.terms import ADDRESS_PATTERN, NAME_PATTERN

#: Where the first lines of the manifests look for the schema, beside the manifest folder.
SCHEMA_FILE: Final = Path("schemas", "orgsync.schema.json")
#: Pipeline -> where its file stands, beside the manifest folder.
PIPELINES: Final = {"github": Path(".github", "workflows", "orgsync.yml"), "gitlab": Path(".gitlab-ci.yml")}


@dataclass(frozen=True, kw_only=True, slots=True)
class StarterNames:
    """The names in a starter set. Both orgs' administrators are told from `admin`, a username of the primary."""

    primary: str = "acme"
    secondary: str = "acme-secondary"
    connection: str = "acme-dr"
    admin: str = "admin@acme.example"

    def check(self) -> None:
        """Raises UsageError for a name that manifests do not take, or one name for both orgs."""
        for option, pattern in (
            ("primary", NAME_PATTERN),
            ("secondary", NAME_PATTERN),
            ("connection", NAME_PATTERN),
            ("admin", ADDRESS_PATTERN),
        ):
            if not re.fullmatch(pattern, getattr(self, option)):
                example = getattr(StarterNames(), option)
                raise UsageError(
                    f"--{option} does not take {shown(getattr(self, option))}", hint=f"write something like {example}"
                )
        if self.primary == self.secondary:
            raise UsageError("--primary and --secondary are the same", hint="name two orgs")

    def put_into(self, text: str) -> str:
        """The text of a starter file with these names in place of its own."""
        names = StarterNames()
        mine = {getattr(names, item): getattr(self, item) for item in ("admin", "secondary", "connection", "primary")}
        words = "|".join(re.escape(word) for word in mine)
        return re.sub(rf"(?<![\w@-])({words})(?![\w-])", lambda match: mine[match[1]], text)


def schema_text() -> str:
    """The editor schema as the file that is committed and written: indented JSON with a newline at its end."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def scaffold(folder: Path, names: StarterNames = StarterNames(), pipeline: str | None = None) -> list[Path]:
    """Writes a commented starter set into `folder` and the editor schema into `schemas` beside it.

    `pipeline` is a key of PIPELINES and adds its file. Returns the files written: manifests in the order of their
    names, schema, pipeline. A schema that is there stays as it is. Raises UsageError, before anything is written, where
    one of the manifests or the pipeline exists, the folder holds manifests already, or a name is not accepted.
    """
    names.check()
    starter = {item.name: names.put_into(item.read_text(encoding="utf-8")) for item in _starter_files()}
    pipeline_file = folder.parent / PIPELINES[pipeline] if pipeline else None
    if pipeline_file is not None and (pipeline_file.exists() or pipeline_file.is_symlink()):
        raise UsageError(f"{PIPELINES[pipeline or '']} would be overwritten", hint="leave out --ci, or move it away")
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
        if pipeline_file is not None:
            _write_new(pipeline_file, _pipeline_text(pipeline or "", folder.name))
            written.append(pipeline_file)
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


def _pipeline_text(pipeline: str, folder: str) -> str:
    """The pipeline of a manifest folder of that name."""
    with_package = files("orgsync_reconcile.manifest") / "pipelines" / f"{pipeline}.yaml"
    text = with_package.read_text(encoding="utf-8").replace("MANIFESTS", folder)
    return (
        text
        if folder == "manifests"
        else re.sub(r"\borgsync (?=fmt|validate|lint|review)", f"orgsync -m {folder} ", text)
    )


def _write_new(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
