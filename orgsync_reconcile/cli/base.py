"""The shape of every command: global options before or after its name, examples in its help, lazy groups."""

from __future__ import annotations

import contextlib
import importlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from orgsync_reconcile.cli.session import Session
from orgsync_reconcile.errors import UsageError

FORMATS = ("text", "json", "markdown", "github", "sarif")
#: The names of the global options, as click knows them.
GLOBAL = ("directory", "manifests", "env", "format", "color", "quiet", "verbose")


def _remember(ctx: click.Context, option: click.Parameter, value: Any) -> None:
    """Keeps a global option in the session; given twice, the later one counts."""
    session = ctx.ensure_object(Session)
    if value not in (None, False, 0) and option.name:
        setattr(session, option.name, value)


def global_options(formats: Sequence[str]) -> list[click.Option]:
    """The options that every command takes."""

    def option(*names: str, **more: Any) -> click.Option:
        return click.Option(names, expose_value=False, callback=_remember, **more)

    return [
        option("-C", "--dir", "directory", metavar="DIR", help="Work as if started in DIR."),
        option("-m", "--manifests", metavar="DIR", help="The folder of the manifests; by default: manifests."),
        option("-e", "--env", metavar="NAME", help="Take the values of this environment."),
        option("--format", type=click.Choice(formats), help=f"How to print the document; by default: {formats[0]}."),
        option("--color", type=click.Choice(["auto", "always", "never"]), help="When to use colour."),
        option("-q", "--quiet", is_flag=True, help="Say nothing but the document and errors."),
        option("-v", "--verbose", count=True, help="Say more; -vv shows tracebacks."),
    ]


class _WithGlobals(click.Command):
    """Lists the global options apart from the command's own."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Two tables: the command's own options, and the global ones."""
        records: dict[bool, list[tuple[str, str]]] = {False: [], True: []}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None and isinstance(param, click.Option):
                records[param.name in GLOBAL].append(record)
        for is_global, title in ((False, "Options"), (True, "Global options")):
            with formatter.section(title):
                formatter.write_dl(records[is_global])


class Leaf(_WithGlobals):
    """A command that does something. `formats` are the documents that it can print."""

    def __init__(self, *args: Any, formats: Sequence[str] = ("text",), **more: Any) -> None:
        # click keeps the lines of a paragraph as they are where it begins with a backspace.
        more["help"] = re.sub(r"(?m)^( *)(Examples?:)$", "\\1\b\n\\1\\2", more.get("help") or "")
        super().__init__(*args, **more)
        self.formats = tuple(formats)
        self.params.extend(global_options(self.formats))

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command in the folder that --dir names."""
        session = ctx.ensure_object(Session)
        session.wants(self.formats)
        try:
            folder = contextlib.chdir(session.directory)
            folder.__enter__()
        except OSError as error:
            raise UsageError(f"--dir {session.directory}: {error.strerror}", hint="name an existing folder") from None
        try:
            return super().invoke(ctx)
        finally:
            folder.__exit__(None, None, None)


class Lazy(_WithGlobals, click.Group):
    """A group that knows its commands by name and summary, and imports one when it is run or asked for help."""

    def __init__(self, name: str, entries: Mapping[str, Any], *, path: str = "", **more: Any) -> None:
        super().__init__(name=name, **more)
        self.entries = entries
        self.path = path
        self.params.extend(global_options(FORMATS))

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The names in the order of the table, which is the order of use."""
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of that name, imported now; None where there is none."""
        entry = self.entries.get(cmd_name)
        if entry is None:
            return None
        if isinstance(entry, tuple):
            summary, entries = entry
            return Lazy(cmd_name, entries, path=f"{cmd_name}_", help=summary)
        module = importlib.import_module(f"orgsync_reconcile.cli.commands.{self.path}{cmd_name}".replace("-", "_"))
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Names the nearest command where there is none of that name."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            near = difflib.get_close_matches(args[0], self.entries, n=1)
            raise click.UsageError(
                f"there is no command {args[0]!r}" + (f", did you mean {near[0]}" if near else ""), ctx
            ) from error

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands first: they are what one looks for."""
        rows = [(name, entry if isinstance(entry, str) else entry[0]) for name, entry in self.entries.items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
        _WithGlobals.format_options(self, ctx, formatter)


def leaf(*, formats: Sequence[str] = ("text",), **more: Any) -> Callable[[Callable[..., Any]], Leaf]:
    """Declares a command; its docstring is the help, whose first line stands in the table too."""

    def declare(function: Callable[..., Any]) -> Leaf:
        return click.command(cls=Leaf, formats=formats, **more)(function)

    return declare
