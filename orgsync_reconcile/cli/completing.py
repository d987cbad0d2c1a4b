"""What the shell offers for names of the manifests, read cheaply: never an error, never a slow key press."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import click

from orgsync_reconcile.cli.session import Session

#: Files that are looked at, and characters of each.
_FILES, _CHARACTERS = 500, 20_000
_NAME = re.compile(r"^name:\s*[\"']?([A-Za-z0-9][A-Za-z0-9_.-]*)", re.MULTILINE)
_KIND = re.compile(r"^kind:\s*[\"']?Connection[\"']?\s*(#.*)?$", re.MULTILINE)


def connections(ctx: click.Context, _option: click.Parameter, incomplete: str) -> list[str]:
    """The names of connections that begin with what was typed."""
    session = ctx.find_object(Session) or Session()
    return sorted({name for name in _names(Path(session.directory, session.manifests)) if name.startswith(incomplete)})


def _names(folder: Path) -> Iterator[str]:
    for path in itertools.islice(folder.rglob("*.y*ml"), _FILES):
        try:
            with path.open(encoding="utf-8") as file:
                text = file.read(_CHARACTERS)
        except (OSError, UnicodeDecodeError):
            continue
        for document in re.split(r"^---.*$", text, flags=re.MULTILINE):
            name = _NAME.search(document)
            if name and _KIND.search(document):
                yield name[1]
