"""`orgsync users reset-passwords`."""

from __future__ import annotations

import click

from orgsync_reconcile.app.logins import Resets, reset_passwords, users_concerned
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.layout import visible
from orgsync_reconcile.cli.options import connection_argument
from orgsync_reconcile.cli.session import Session, confirm, pass_session
from orgsync_reconcile.errors import ExitCode, OrgsyncError
from orgsync_reconcile.model.wording import counted


@leaf(formats=("text", "json"))
@connection_argument
@click.option(
    "--user", "users", multiple=True, metavar="USERNAME", help="Only this user; repeatable. By default all that sync."
)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@pass_session
def command(session: Session, connection: str | None, users: tuple[str, ...], yes: bool) -> ExitCode:
    """Send users of the secondary one-time links to set a password.

    Every active synced user, or those named, gets an email with a link that works once, for six months. The old
    password is void as soon as the email is on its way. Needs a document of kind Mail, and Manage Users in the
    secondary. Exits with 5 where some emails could not be sent.

    Examples:
      orgsync users reset-passwords acme-dr
      orgsync users reset-passwords acme-dr --user ann@acme.example --yes
    """
    name, concerned = users_concerned(session.workspace(), connection, users)
    if not yes and concerned:
        question = f"Reset the passwords of {counted(len(concerned), 'user')} of {name}?"
        confirm(session, "users reset-passwords", question)
    done = reset_passwords(session.workspace(), connection, users)
    failed = [item for item in done.users if item.error]
    if session.format == "json":
        session.show_json(_document(done))
    else:
        session.show(f"{done.org}: {counted(len(done.users) - len(failed), 'link')} sent")
    if not done.mail and done.users:
        raise OrgsyncError(
            f"no password was reset: {counted(len(done.users), 'email')} would have gone out, to {_some(done)},"
            " but the manifests have no document of kind Mail",
            hint="add one, with the mail server's host",
        )
    for item in failed:
        session.complain(f"{session.style_error('error', 'failed:')} {visible(f'{item.username}: {item.error}')}")
    if failed and len(failed) == len(done.users):
        raise OrgsyncError("no password was reset", hint="mend the mail server's settings and run this again")
    return ExitCode.PARTIAL if failed else ExitCode.OK


def _some(done: Resets, most: int = 3) -> str:
    """The first few addresses."""
    shown = ", ".join(item.email for item in done.users[:most])
    return visible(f"{shown} and others" if len(done.users) > most else shown)


def _document(done: Resets) -> dict[str, object]:
    return {
        "connection": done.connection,
        "org": done.org,
        "users": [
            {"username": item.username, "email": item.email, "sent": not item.error, "error": item.error}
            for item in done.users
        ],
    }
