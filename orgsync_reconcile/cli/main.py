"""The entry point: the root of the commands, and what becomes of errors."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from orgsync_reconcile import __version__
from orgsync_reconcile.cli.base import Lazy
from orgsync_reconcile.cli.session import Session
from orgsync_reconcile.cli.table import COMMANDS
from orgsync_reconcile.errors import ExitCode, ManifestError, OrgsyncError
from orgsync_reconcile.model.wording import counted

_HELP = """Keep a secondary org in step with a primary one, as YAML manifests say.

\b
Where to begin:
  orgsync demo                   the whole story on two embedded orgs
  orgsync init                   a starter set of manifests to edit
  orgsync COMMAND --help         what a command does, with examples

Where manifests have one connection, its name may be left out.
"""


class Root(Lazy):
    """The program itself: every error becomes one line and an exit code."""

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any) -> Any:  # type: ignore[override]
        """Runs the command line and ends the process with its exit code."""
        session = Session()
        try:
            result = super().main(
                list(sys.argv[1:] if args is None else args),
                prog_name=prog_name or "orgsync",
                standalone_mode=False,
                obj=session,
                **{key: value for key, value in extra.items() if key not in ("standalone_mode", "obj")},
            )
            code = result if isinstance(result, int) else ExitCode.OK
            sys.stdout.flush()
        except BaseException as error:
            code = _explain(error, session)
        sys.exit(int(code))


def _explain(error: BaseException, session: Session) -> int:
    """Tells the user what went wrong; returns the exit code."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else ExitCode.ERROR
    if isinstance(error, BrokenPipeError):
        # The reader has had enough. What is still buffered goes nowhere, so that Python's exit does not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.ERROR
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        session.complain("interrupted")
        return ExitCode.INTERRUPTED
    if session.verbose > 1:
        import traceback

        session.complain("".join(traceback.format_exception(error)).rstrip())
    mark = session.style_error("error", "error:")
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        session.complain(error.format_message())
        return ExitCode.USAGE
    if isinstance(error, click.ClickException):
        session.complain(f"{mark} {_usage(error)}")
        return ExitCode.USAGE
    if isinstance(error, ManifestError):
        session.complain(str(error))
        number = len(error.diagnostics)
        session.complain(f"{mark} {counted(number, 'problem')} in the manifests; no org was touched")
        return error.exit_code
    if isinstance(error, OrgsyncError):
        session.complain(f"{mark} {error}")
        for note in getattr(error, "__notes__", ()):
            session.complain(f"{session.style_error('warning', 'warning:')} {note}")
        return error.exit_code
    session.complain(f"{mark} {type(error).__name__}: {error}; this is a mistake of the program: run it again with -vv")
    return ExitCode.ERROR


def _usage(error: click.ClickException) -> str:
    message = error.format_message().rstrip(".").replace("a valid integer range", "a whole number")
    message = message.replace("a valid float range", "a number")
    path = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "orgsync"
    return f"{message[:1].lower()}{message[1:]}; see {path} --help"


def _show_version(ctx: click.Context, _option: click.Parameter, value: bool) -> None:
    if value:
        click.echo(f"orgsync {__version__}")
        ctx.exit()


cli = Root(
    "orgsync",
    COMMANDS,
    help=_HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    params=[
        click.Option(
            ["--version"],
            is_flag=True,
            expose_value=False,
            is_eager=True,
            help="Show the version and exit.",
            callback=_show_version,
        )
    ],
)


def run() -> None:
    """What the installed program calls."""
    # A plan makes many small values that stay: looking for cycles among them all the time is a tenth of its cost.
    gc.set_threshold(1_000_000, 20, 20)
    cli()
