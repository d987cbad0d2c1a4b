"""Emails that follow what a command did. What goes wrong with them is a line for the user, never the command's failure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import groupby
from operator import itemgetter

from orgsync_reconcile.app.workspace import OpenConnection, Workspace
from orgsync_reconcile.apply import ApplyContext, ApplyReport, Status
from orgsync_reconcile.errors import OrgsyncError
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.desired import Desired, DesiredConnection
from orgsync_reconcile.model.plan import Op
from orgsync_reconcile.operations.mail import Delivery, MailRoom, mail_room
from orgsync_reconcile.operations.notices import DroppedField, send_invitation, send_map_update
from orgsync_reconcile.operations.suspended import send_suspended
from orgsync_reconcile.stores.sqlite.handle import SqliteOrg


def room_of(workspace: Workspace, desired: Desired) -> MailRoom:
    """The mail room of these manifests."""
    return mail_room(desired, base=workspace.directory, clock=workspace.clock)


def tell_of_apply(workspace: Workspace, context: ApplyContext, report: ApplyReport) -> tuple[str, ...]:
    """Sends invitations that were made and tells of fields that dropped out; one line per email, sent or not."""
    room = room_of(workspace, context.desired)
    lines: list[str] = []
    for item in report.of(Status.DONE):
        if item.action.op is Op.INVITE:
            lines += _lines(partial(send_invitation, room, context.ends(item.action), context.connection(item.action)))
    actions = {item.action.connection: item.action for item in report.outcomes}
    for name, rows in groupby(sorted(context.dropped, key=itemgetter(0)), key=itemgetter(0)):
        fields = [DroppedField(object=row[1], field=row[2], reason=row[3]) for row in rows]
        lines += _lines(partial(send_map_update, room, context.ends(actions[name]), name, fields))
    return tuple(lines)


def tell_of_fields(
    workspace: Workspace, found: OpenConnection, dropped: Sequence[tuple[str, str, str]]
) -> tuple[str, ...]:
    """Tells the administrators of (object, field, reason) that dropped out; a line per email that was not sent."""
    room = room_of(workspace, found.manifests)
    fields = [DroppedField(object=name, field=field, reason=reason) for name, field, reason in dropped]
    return _lines(partial(send_map_update, room, found.ends, found.desired.name, fields), only_lost=True)


def tell_of_suspension(
    workspace: Workspace, desired: Desired, connection: DesiredConnection, orgs: Mapping[Side, SqliteOrg]
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
