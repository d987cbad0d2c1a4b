"""`orgsync status`."""

from __future__ import annotations

from typing import Any

from orgsync_reconcile.app.status import show_status
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.layout import counted, shown_time, visible
from orgsync_reconcile.cli.options import connection_argument
from orgsync_reconcile.cli.session import Session, pass_session
from orgsync_reconcile.model.connection import Side

#: Status as people see it -> how it is coloured.
_KINDS = {"Active": "ok", "Suspended": "warning", "Inactive": "delete", "Not connected": "dim"}


@leaf(formats=("text", "json"))
@connection_argument
@pass_session
def command(session: Session, connection: str | None) -> None:
    """Show connections: state, queue, log, publications.

    While an end is suspended its lists of published and subscribed objects are hidden (null in JSON).

    Examples:
      orgsync status
      orgsync status acme-dr --format json
    """
    document = show_status(session.workspace(), connection)
    if session.format == "json":
        session.show_json(document)
        return
    if not document["connections"]:
        session.show("No connections in the manifests.")
    session.show("\n\n".join(_page(session, item) for item in document["connections"]))


def _page(session: Session, item: dict[str, Any]) -> str:
    lines = [
        f"{session.style('heading', item['name'])}  {session.style(_KINDS.get(item['status'], 'info'), item['status'])}"
    ]
    if item["owner"]:
        lines.append(visible(f"  {item['type']}, owner {item['owner']}, contact {item['contact'] or 'none'}"))
    for side in Side:
        down = item["unreachable"].get(side.value)
        if down is None:
            lines.extend(_end(session, side, item[side.value]))
        else:
            mark = session.style("error", "cannot be reached")
            lines.extend(["", visible(f"  {side.value}: ") + mark + visible(f": {down}")])
    return "\n".join(lines)


def _end(session: Session, side: Side, end: dict[str, Any] | None) -> list[str]:
    if end is None:
        return [f"  {side.value}: not connected; see what apply would do: orgsync plan"]
    by = _suspended(end["suspended"])
    on = [name.replace("_", " ") for name, value in end["options"].items() if value]
    queue, log = end["queue"], end["log"]
    lines = [
        "",
        f"  {session.style('heading', visible(end['org']))} ({side.value}): {end['status']}{visible(by)}",
        f"    syncs       {', '.join(on) or 'no users and no metadata'}",
        f"    queue       {counted(queue['pending'], 'record')} pending, {queue['retrying']:,} retrying",
        f"    log         {log['retrying']:,} retrying, {log['failed']:,} failed, {log['resolved']:,} resolved",
        *([f"    severed     {counted(end['severed'], 'record')}, until forwarded"] if end["severed"] else []),
        f"    published   {_names(end['published'])}",
        f"    subscribed  {_names(end['subscribed'])}",
    ]
    for bulk in end["bulk_sync"]:
        if not bulk["finished"]:
            lines.append(
                f"    bulk sync   {bulk['object']}: {bulk['copied']:,} copied, {bulk['remaining']:,} remaining"
            )
    return lines


def _suspended(state: dict[str, Any] | None) -> str:
    """By whom, since when and why the end is suspended; empty where it is not."""
    if state is None:
        return ""
    who = "itself" if state["reason"] else state["by"]
    by = f" by {who}" if who else ""
    why = f": {state['reason']}" if state["reason"] else ""
    return f"{by} since {shown_time(state['since'])} UTC{why}"


def _names(names: list[str] | None) -> str:
    if names is None:
        return "hidden while suspended"
    return ", ".join(names) or "nothing"
