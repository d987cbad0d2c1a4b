"""What all commands share: the global options, the two streams, colour."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orgsync_reconcile.errors import DeclinedError, UsageError

if TYPE_CHECKING:
    from orgsync_reconcile.app.workspace import Workspace

#: What a piece of text is -> how it is shown.
_STYLES: dict[str, dict[str, Any]] = {
    "create": {"fg": "green"},
    "update": {"fg": "yellow"},
    "delete": {"fg": "red"},
    "run": {"fg": "cyan"},
    "drift": {"fg": "magenta"},
    "blocked": {"fg": "red", "bold": True},
    "refused": {"fg": "red", "bold": True},
    "error": {"fg": "red", "bold": True},
    "warning": {"fg": "yellow"},
    "info": {"fg": "blue"},
    "ok": {"fg": "green"},
    "heading": {"bold": True},
    "summary": {"bold": True},
    "dim": {"dim": True},
}
#: Lines are laid out for terminals between these widths.
_NARROWEST, _WIDEST = 60, 160
#: The width for files and pipes.
_UNKNOWN = 120


@dataclass
class Session:
    """The global options of one run, filled in while the command line is read."""

    directory: str = "."
    manifests: str = "manifests"
    env: str | None = None
    #: Empty: the first that the command has.
    format: str = ""
    color: str = "auto"
    quiet: bool = False
    verbose: int = 0

    def workspace(self) -> Workspace:
        """Where the command works. The program has gone to `--dir` already."""
        from orgsync_reconcile.app.workspace import Workspace

        return Workspace(manifests=Path(self.manifests), environment=self.env)

    def colored(self, error: bool = False) -> bool:
        """Whether text on standard output, or on standard error, has colour."""
        if self.color != "auto":
            return self.color == "always"
        if os.environ.get("NO_COLOR"):
            return False
        return bool(os.environ.get("FORCE_COLOR")) or (sys.stderr if error else sys.stdout).isatty()

    def style(self, kind: str, text: str) -> str:
        """`text` with the colour of its kind, for standard output."""
        return click.style(text, **_STYLES.get(kind, {})) if self.colored() else text

    def style_error(self, kind: str, text: str) -> str:
        """`text` with the colour of its kind, for standard error."""
        return click.style(text, **_STYLES.get(kind, {})) if self.colored(error=True) else text

    @property
    def width(self) -> int:
        """Columns to lay text out for: the terminal's, within reason; enough for most where there is none."""
        if not self.terminal and "COLUMNS" not in os.environ:
            return _UNKNOWN
        import shutil

        return min(max(shutil.get_terminal_size((_UNKNOWN, 24)).columns, _NARROWEST), _WIDEST)

    @property
    def terminal(self) -> bool:
        """Whether standard output is a terminal."""
        return sys.stdout.isatty()

    @property
    def interactive(self) -> bool:
        """Whether somebody is there to answer."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    def show(self, text: str) -> None:
        """The requested document, on standard output."""
        click.echo(text if self.format == "github" else no_command(text), color=True)

    def show_json(self, document: Any) -> None:
        """The requested document as JSON, on standard output."""
        import json

        click.echo(json.dumps(document, indent=2, ensure_ascii=False))

    def note(self, text: str) -> None:
        """Everything else, on standard error; nothing with --quiet."""
        if not self.quiet:
            click.echo(no_command(text), err=True, color=True)

    def complain(self, text: str) -> None:
        """An error, on standard error, whatever --quiet says."""
        click.echo(no_command(text), err=True, color=True)

    def wants(self, offered: Sequence[str]) -> None:
        """Settles the format. Raises UsageError where this command has no document in the one asked for."""
        self.format = self.format or offered[0]
        if self.format not in offered:
            raise UsageError(f"this command has no {self.format} format", hint=f"choose one of: {', '.join(offered)}")


def no_command(text: str) -> str:
    """`text` in which a pipeline that reads the output finds no command of its own: `::` at a line's start, or `##[`.

    Names and values of a stranger's manifests may stand at the beginning of a wrapped line (REC-11).
    """
    if "::" not in text and "##[" not in text:
        return text
    return re.sub(r"(?m)^([^\S\n]*):(?=:)", "\\1:\u200b", text).replace("##[", "#\u200b#[")


def confirm(session: Session, command: str, question: str) -> None:
    """Asks before something that cannot be taken back.

    Raises DeclinedError where the answer is no, UsageError where nobody can answer.
    """
    if not session.interactive:
        raise UsageError(
            f"{command} asks before it changes anything, and there is no terminal to ask at", hint="run it with --yes"
        )
    if not click.confirm(question, err=True):
        raise DeclinedError("nothing was changed")


pass_session = click.make_pass_decorator(Session, ensure=True)
