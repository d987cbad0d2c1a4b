"""`orgsync completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.session import Session, pass_session
from orgsync_reconcile.errors import UsageError


@leaf()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@pass_session
def command(session: Session, shell: str) -> None:
    """Print the script that completes orgsync in a shell.

    It completes commands, options and their values, and the names of the manifests' connections. Add it to what the
    shell reads when it starts.

    Examples:
      orgsync completion bash > ~/.local/share/bash-completion/completions/orgsync
      orgsync completion zsh > ~/.zfunc/_orgsync
      orgsync completion fish > ~/.config/fish/completions/orgsync.fish
    """
    found = get_completion_class(shell)
    if found is None:
        raise UsageError(f"there is no completion for {shell}", hint="use bash, zsh or fish")
    from orgsync_reconcile.cli.main import cli

    script = found(cli, {}, "orgsync", "_ORGSYNC_COMPLETE")
    # Not source(), which runs the shell to learn its version.
    session.show((script.source_template % script.source_vars()).strip("\n"))
