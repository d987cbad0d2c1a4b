"""docs/commands.md from the commands' own help: `python -m orgsync_reconcile.cli.reference FILE`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from orgsync_reconcile.cli.main import cli

_HEAD = """# Commands

Written by `make docs` from the program's help; a test compares the two. The options of `orgsync` itself go before or
after the name of a command.

| Exit code | Meaning |
| --- | --- |
| 0 | success |
| 1 | error |
| 2 | changes, drift or differences, only with `--detailed-exitcode` |
| 3 | a guard refused |
| 4 | stale plan |
| 5 | partly done: something failed or is held; running again goes on |
| 6 | somebody else holds the lock |
| 7 | declined at the terminal |
| 64 | the command line cannot be carried out |
| 130 | interrupted |

Standard output carries the requested document and nothing else; progress, notes, warnings and errors go to standard
error. `NO_COLOR` and `FORCE_COLOR` are honoured. `ORGSYNC_NOW` (ISO 8601) sets the program's clock for runs that can
be repeated.
"""


def commands(group: click.Group, ctx: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    """Every command below a group that is no group itself, with its context, in the order of the help."""
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        if command is None:
            continue
        inner = click.Context(command, info_name=name, parent=ctx)
        if isinstance(command, click.Group):
            yield from commands(command, inner)
        else:
            yield command, inner


def root_context() -> click.Context:
    """The context of the program itself, as wide as the page and with its own settings."""
    return click.Context(cli, info_name="orgsync", terminal_width=100, **cli.context_settings)


def reference() -> str:
    """The whole page."""
    root = root_context()
    parts = [_HEAD, f"## orgsync\n\n```text\n{cli.get_help(root)}\n```\n"]
    for command, ctx in commands(cli, root):
        text = command.get_help(ctx)
        own, _, _ = text.partition("\n\nGlobal options:")
        formats = ", ".join(f"`{item}`" for item in getattr(command, "formats", ()))
        parts.append(f"## {ctx.command_path}\n\n```text\n{own}\n```\n\nFormats: {formats}.\n")
    return "\n".join(parts)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(reference(), encoding="utf-8", newline="\n")
