"""`orgsync status`."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from orgsync_reconcile.app.status import show_status
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.connection_page import connection_facts, end_facts, suspended, tables
from orgsync_reconcile.cli.layout import markdown_table, table, visible
from orgsync_reconcile.cli.options import connection_argument
from orgsync_reconcile.cli.session import Session, pass_session
from orgsync_reconcile.model.connection import Side

#: Status as people see it -> how it is coloured.
_KINDS = {"Active": "ok", "Suspended": "warning", "Inactive": "delete", "Not connected": "dim"}


@leaf(formats=("text", "json", "markdown"))
@connection_argument
@pass_session
def command(session: Session, connection: str | None) -> None:
    """Show connections: state, queue, log, publications.

    Who owns it, its settings, the state of both orgs, queue, log, publications, bulk syncs with their speed and an
    estimate, then the first of the queue and the latest of log and history.

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
        return
    page = _markdown if session.format == "markdown" else _page
    session.show("\n\n".join(page(session, item) for item in document["connections"]))


#: Where the values of facts begin.
_LABEL = 12


def _page(session: Session, item: dict[str, Any]) -> str:
    lines = [
        f"{session.style('heading', item['name'])}  {session.style(_KINDS.get(item['status'], 'info'), item['status'])}",
        *_facts(session, connection_facts(item), 2),
    ]
    for side in Side:
        down = item["unreachable"].get(side.value)
        if down is None:
            lines.extend(_end(session, side, item[side.value]))
        else:
            mark = session.style("error", "cannot be reached")
            lines.extend(["", visible(f"  {side.value}: ") + mark + visible(f": {down}")])
    for part in tables(item):
        more = session.style("dim", f"({part.more})")
        lines.extend(["", f"{session.style('heading', part.title)}  {more}"])
        lines.append(table(session, part.heads, part.rows, empty=""))
    return "\n".join(lines)


def _end(session: Session, side: Side, end: dict[str, Any] | None) -> list[str]:
    if end is None:
        return [f"  {side.value}: not connected; see what apply would do: orgsync plan"]
    by = visible(suspended(end["suspended"]))
    title = f"  {session.style('heading', visible(end['org']))} ({side.value}): {end['status']}{by}"
    return ["", title, *_facts(session, end_facts(end), 4)]


def _facts(session: Session, facts: Sequence[tuple[str, str]], indent: int) -> list[str]:
    """One fact a line; longer ones go on below their beginning."""
    rest = " " * (indent + _LABEL)
    return [
        line
        for name, value in facts
        for line in textwrap.wrap(
            visible(value),
            session.width,
            initial_indent=" " * indent + name.ljust(_LABEL),
            subsequent_indent=rest,
            break_long_words=False,
            break_on_hyphens=False,
        )
    ]


def _markdown(_: Session, item: dict[str, Any]) -> str:
    parts = [f"## {_escaped(item['name'])}: {item['status']}"]
    if facts := connection_facts(item):
        parts.append(markdown_table(("", ""), facts))
    for side in Side:
        down, end = item["unreachable"].get(side.value), item[side.value]
        if down is not None:
            parts.append(f"### {side.value}: cannot be reached\n\n{_escaped(down)}")
        elif end is None:
            parts.append(f"### {side.value}: not connected")
        else:
            by = _escaped(suspended(end["suspended"]))
            parts.append(f"### {_escaped(end['org'])} ({side.value}): {end['status']}{by}")
            parts.append(markdown_table(("", ""), end_facts(end)))
    for part in tables(item):
        parts.extend([f"### {part.title}", markdown_table(part.heads, part.rows), f"All: `{part.more}`"])
    return "\n\n".join(parts)


def _escaped(text: str) -> str:
    return visible(text).replace("\\", "\\\\").replace("<", "&lt;").replace("`", "\\`")
