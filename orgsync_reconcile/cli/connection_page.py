"""A connection's page as sections of facts and tables, for a terminal and for Markdown (CON-12)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from orgsync_reconcile.cli.happened import happened
from orgsync_reconcile.cli.layout import shown_time, spoken
from orgsync_reconcile.model.wording import counted

#: Settings as people call them, in the order of the page; those that are empty are left out.
_SETTINGS = {
    "direction": "direction",
    "conflicts": "conflicts",
    "retry": "retry after",
    "bulk_sync.auto": "bulk sync by itself",
    "bulk_sync.stages": "bulk sync stages",
    "bulk_sync.max_age": "bulk sync up to",
    "guards": "guards",
    "limits": "limits",
    "drift": "drift",
    "metadata.delete": "deletes metadata",
}
#: Those that are lengths of time in whole seconds.
_TIMES = ("retry", "bulk_sync.stages", "bulk_sync.max_age")
_YES = {"true": "yes", "false": "no"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A table of the page; `more` is the command that shows the rest."""

    title: str
    heads: tuple[str, ...]
    rows: Sequence[Sequence[object]]
    more: str


def connection_facts(page: dict[str, Any]) -> list[tuple[str, str]]:
    """Who and what the connection is."""
    if not page["owner"]:
        return []
    settings = "; ".join(
        f"{words} {_setting(name, page['settings'][name])}"
        for name, words in _SETTINGS.items()
        if page["settings"].get(name)
    )
    facts = [("type", page["type"]), ("owner", page["owner"]), ("contact", page["contact"] or "none")]
    return [*facts, *([("settings", settings)] if settings else [])]


def _setting(name: str, text: str) -> str:
    if name in _TIMES:
        return ", ".join(_time(part) for part in text.split(","))
    return _YES.get(text, text.replace(",", ", "))


def _time(seconds: str) -> str:
    """`90 s`, `5 min`, `2 h`, `365 d`: in the largest unit that fits."""
    if not (seconds.isascii() and seconds.isdecimal()):
        return seconds
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if int(seconds) and int(seconds) % size == 0:
            return f"{int(seconds) // size} {unit}"
    return f"{seconds} s"


def end_facts(end: dict[str, Any]) -> list[tuple[str, str]]:
    """One org's side of the connection."""
    on = [name.replace("_", " ") for name, value in end["options"].items() if value]
    queue, log = end["queue"], end["log"]
    facts = [
        ("syncs", ", ".join(on) or "no users and no metadata"),
        ("queue", f"{counted(queue['pending'], 'record')} pending, {queue['retrying']:,} retrying"),
        ("log", f"{log['retrying']:,} retrying, {log['failed']:,} failed, {log['resolved']:,} resolved"),
    ]
    if end["severed"]:
        facts.append(("severed", f"{counted(end['severed'], 'record')}, until forwarded"))
    facts.append(("published", _names(end["published"])))
    if end["published"]:
        refused = sorted(set(end["published"]) - set(end["partner_subscribed"]))
        if refused:
            facts.append(("not taken", f"{', '.join(refused)}: the other org has not told that it subscribed"))
    facts.append(("subscribed", _names(end["subscribed"])))
    facts.extend(("bulk sync", _bulk(item)) for item in end["bulk_sync"] if not item["finished"])
    return facts


def _bulk(item: dict[str, Any]) -> str:
    done = f"{item['object']}: {item['copied']:,} copied, {item['remaining']:,} remaining"
    if item["failed"]:
        done += f", {item['failed']:,} failed"
    if item["records_per_second"] is not None:
        return f"{done}, {item['records_per_second']:,.0f} records/s, {spoken(float(item['seconds_left']))} left"
    return f"{done}, {'under way' if item['under_way'] else 'interrupted'}"


def suspended(state: dict[str, Any] | None) -> str:
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


def tables(page: dict[str, Any]) -> list[Table]:
    """The first items of the queues, the newest entries of the log and rows of the history; those that are not empty."""
    name = page["name"]
    found = [
        Table(
            title="Waits to be sent",
            heads=("QUEUED (UTC)", "ORG", "ACTION", "OBJECT", "RECORD"),
            rows=[
                (shown_time(item["queued_at"]), item["org"], item["action"], item["object"], item["record"])
                for item in page["queued"]
            ],
            more=f"orgsync queue list {name}",
        ),
        Table(
            title="Latest in the log",
            heads=("AT (UTC)", "ORG", "NO", "STATUS", "OBJECT", "RECORD", "DESCRIPTION"),
            rows=[
                (
                    *(shown_time(item["at"]), item["org"], item["number"], item["status"]),
                    *(item["object"], item["record"], item["description"]),
                )
                for item in page["latest_log"]
            ],
            more=f"orgsync log list {name}",
        ),
        Table(
            title="Latest in the history",
            heads=("AT (UTC)", "ORG", "EVENT", "WHO", "WHAT"),
            rows=[
                (shown_time(item["at"]), item["org"], item["event"], item["actor"], happened(item))
                for item in page["latest_history"]
            ],
            more=f"orgsync history {name}",
        ),
    ]
    return [table for table in found if table.rows]
