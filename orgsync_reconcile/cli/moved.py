"""What a drain or a bulk sync moved, as text, JSON or Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orgsync_reconcile.app.records import Moved
from orgsync_reconcile.app.status import count_waiting
from orgsync_reconcile.cli.layout import spoken, table
from orgsync_reconcile.cli.session import Session
from orgsync_reconcile.errors import ExitCode
from orgsync_reconcile.model.wording import counted

_HEADS = ("OBJECT", "COPIED", "UPDATED", "DELETED", "FAILED", "HELD")


def moved_document(moved: Moved) -> dict[str, Any]:
    """The JSON document of `drain` and `bulk-sync`."""
    return {
        "connection": moved.connection,
        "objects": [
            {
                "object": item.object,
                "copied": item.copied,
                "updated": item.updated,
                "deleted": item.deleted,
                "failed": item.failed,
                "held": item.held,
            }
            for item in moved.objects
        ],
        "seconds": round(moved.seconds, 3),
        "records_per_second": round(moved.records / moved.seconds) if moved.seconds else 0,
    }


def note_waiting(session: Session, connection: str | None) -> None:
    """Says where to look when records wait to be sent, in either org."""
    number = count_waiting(session.workspace(), connection)
    if number:
        wait = "waits" if number == 1 else "wait"
        command = f"orgsync queue list {connection or ''}".rstrip()
        session.note(f"{counted(number, 'record')} {wait} to be sent; see: {command}")


def show_moved(session: Session, moved: Moved, *, nothing: str) -> ExitCode:
    """Prints the document; says where to look when something stayed behind. Returns the exit code.

    `nothing` stands for an empty table, unless a warning says why nothing went.
    """
    if session.format == "json":
        session.show_json(moved_document(moved))
    else:
        rows: list[Sequence[object]] = [
            (item.object, item.copied, item.updated, item.deleted, item.failed, item.held)
            for item in moved.objects
            if item.moved or item.failed or item.held
        ]
        session.show(table(session, _HEADS, rows, empty="Nothing was sent." if moved.warnings else nothing))
    for warning in moved.warnings:
        session.note(f"{session.style_error('warning', 'warning:')} {warning}")
    if moved.records:
        rate = f", {moved.records / moved.seconds:,.0f} a second" if moved.seconds > 1 else ""
        session.note(f"{counted(moved.records, 'record')} in {spoken(moved.seconds)}{rate}")
    if moved.incomplete:
        number = sum(item.failed + item.held for item in moved.objects)
        session.note(f"{counted(number, 'record')} stayed behind; see why: orgsync log list {moved.connection}")
        return ExitCode.PARTIAL
    return ExitCode.OK
