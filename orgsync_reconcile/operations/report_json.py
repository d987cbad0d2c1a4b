"""Reports as one JSON document, written while the entries are read (LOG-4)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from orgsync_reconcile.clock import iso
from orgsync_reconcile.operations.reports import Result


def json_document(results: Sequence[Result]) -> Iterator[str]:
    """`{"reports": [{"name", "title", …, "groups": […] or "entries": […]}]}` in pieces, an entry a line."""
    yield '{"reports": ['
    for place, result in enumerate(results):
        yield ",\n" if place else "\n"
        yield from _report(result)
    yield "\n]}\n"


def _report(result: Result) -> Iterator[str]:
    definition = result.definition
    head = {
        "name": definition.name,
        "title": definition.title,
        "connection": result.connection,
        "since": iso(result.period.since) if result.period.since else None,
        "until": iso(result.period.until),
        "where": definition.where or None,
        "related_to": definition.related_to or None,
        "group_by": definition.group_by or None,
        "totals": dict(result.totals),
        "total": result.total,
    }
    yield f"  {_line(head)[:-1]}, "
    if definition.group_by:
        rows = (_line({"key": item.key, "counts": dict(item.counts), "total": item.total}) for item in result.groups)
        yield '"groups": ['
    else:
        rows = (_line({name: entry[name] for name in definition.columns}) for entry in result.entries)
        yield '"entries": ['
    first = True
    for row in rows:
        yield f"\n    {row}" if first else f",\n    {row}"
        first = False
    yield "]}" if first else "\n  ]}"


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
