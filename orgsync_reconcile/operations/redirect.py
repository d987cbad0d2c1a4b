"""Where a request is sent: to the org that is chosen or up, and to no other host whatever it asks for (RTE-1). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.routing import Routing

#: Longer targets are refused; no org has such.
LONGEST_TARGET = 8000


@dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    """Whether an org is up, and how many answers in a row speak against that. The first answer of all decides."""

    up: bool = True
    against: int = 0
    asked: bool = False

    def after(self, answered: bool, *, failures: int, successes: int) -> Health:
        """The health after one more question. It turns after so many failures, or successes, in a row: no flapping."""
        if answered == self.up or not self.asked:
            return Health(up=answered, asked=True)
        against = self.against + 1
        if against >= (successes if answered else failures):
            return Health(up=answered, asked=True)
        return Health(up=self.up, against=against, asked=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """Which org users are sent to, None where there is none; `why`: chosen, up, or primary-down."""

    target: Side | None
    why: str


def choose(routing: Routing, *, primary_up: bool, secondary_up: bool) -> Choice:
    """What somebody chose goes before what is up."""
    if routing.chosen:
        return Choice(target=Side.SECONDARY, why="chosen")
    if primary_up:
        return Choice(target=Side.PRIMARY, why="up")
    if secondary_up:
        return Choice(target=Side.SECONDARY, why="primary-down")
    return Choice(target=None, why="both-down")


def location(door: str, target: str) -> str | None:
    """The address behind a front door for a request's target, path and query kept; None for a target that is refused.

    Only a path is taken: whatever a request names as its host, the answer names the front door's.
    """
    if not target.startswith("/") or len(target) > LONGEST_TARGET:
        return None
    # A browser would take a backslash for a slash, and drop line ends and tabs.
    if re.search(r"[\x00-\x20\x7f\\#]", target):
        return None
    path, mark, query = target.partition("?")
    kept = quote("/" + path.lstrip("/"), safe="/%:@!$&'()*+,;=~-._")
    rest = quote(query, safe="/?%:@!$&'()*+,;=~-._[]")
    found = f"{door.rstrip('/')}{kept}{mark}{rest}"
    mine, theirs = urlsplit(door), urlsplit(found)
    return found if (mine.scheme, mine.netloc) == (theirs.scheme, theirs.netloc) else None
