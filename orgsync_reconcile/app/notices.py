"""Emails that follow what a command did. What goes wrong with them is a line for the user, never the command's failure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from orgsync_reconcile.app.workspace import OpenConnection, Workspace
from orgsync_reconcile.apply import ApplyContext, ApplyReport, Status
from orgsync_reconcile.errors import OrgsyncError
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.desired import Desired, DesiredConnection
from orgsync_reconcile.model.plan import Op
from orgsync_reconcile.operations.mail import Delivery, MailRoom, mail_room
from orgsync_reconcile.operations.notices import send_invitation, send_map_updates
from orgsync_reconcile.operations.suspended import send_suspended
from orgsync_reconcile.stores.sql.org import Org


def room_of(workspace: Workspace, desired: Desired) -> MailRoom:
    """The mail room of these manifests."""
    return mail_room(desired, base=workspace.directory, clock=workspace.clock)


def tell_of_apply(workspace: Workspace, context: ApplyContext, report: ApplyReport) -> tuple[str, ...]:
    """Sends invitations that were made and tells of maps that changed; one line per email, sent or not."""
    room = room_of(workspace, context.desired)
    lines: list[str] = []
    for item in report.of(Status.DONE):
        if item.action.op is Op.INVITE:
            lines += _lines(partial(send_invitation, room, context.ends(item.action), context.connection(item.action)))
    actions = {item.action.connection: item.action for item in report.outcomes}
    for name in sorted(actions.keys() & context.desired.connections.keys()):
        wanted = context.connection(actions[name])
        lines += _lines(partial(send_map_updates, room, context.ends(actions[name]), wanted))
    return tuple(lines)


def tell_of_maps(workspace: Workspace, found: OpenConnection) -> tuple[str, ...]:
    """Sends the emails about changed maps that stand in the queues (QUE-2); a line per email that was not sent."""
    room = room_of(workspace, found.manifests)
    return _lines(partial(send_map_updates, room, found.ends, found.desired), only_lost=True)


def tell_of_suspension(
    workspace: Workspace, desired: Desired, connection: DesiredConnection, orgs: Mapping[Side, Org]
) -> tuple[str, ...]:
    """Sends the emails about a suspension that are due (SUS-2); a line per email that was not sent.

    `orgs` are the ends that can be reached.
    """
    room = room_of(workspace, desired)
    return _lines(partial(send_suspended, room, orgs, connection), only_lost=True)


def _lines(send: Callable[[], tuple[Delivery, ...]], *, only_lost: bool = False) -> tuple[str, ...]:
    try:
        return tuple(item.line for item in send() if not (only_lost and item.sent))
    except OrgsyncError as error:
        return (str(error),)
