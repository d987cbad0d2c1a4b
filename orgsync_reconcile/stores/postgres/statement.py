"""Our SQL, written once in what both engines speak, in PostgreSQL's words.

The few marks that differ are parameters (`?`, `?1`, `:name`), comparison with blanks (`IS`), the names of the attached
databases, and what is done about rows that are there already. Text literals, quoted names and comments stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from orgsync_reconcile.stores.postgres.names import fitted, quote_ours

#: The values of a statement: in order, or by name.
Parameters = Sequence[object] | Mapping[str, object]

_MARKS = re.compile(
    r"""
    (?P<kept>'(?:[^']|'')*' | "(?:[^"]|"")*" | --[^\n]* | ::)
  | (?P<numbered>\?\d+)
  | (?P<mark>\?)
  | (?<![:\w]):(?P<name>[A-Za-z_]\w*)
  | (?P<percent>%)
  | (?P<ignore>\bINSERT\ OR\ IGNORE\b)
  | \bmain\.(?P<main>)(?=["A-Za-z])
  | \btemp\.(?P<temp>)(?=["A-Za-z])
  | \bpartner\."?(?P<partner>\w+)"?
  | (?P<cross>\bCROSS\ JOIN\b)
  | (?P<differs>\bIS\ NOT\b)(?!\s+(?:NULL|DISTINCT|TRUE|FALSE)\b)
  | (?P<same>\bIS\b)(?!\s+(?:NULL|NOT|DISTINCT|TRUE|FALSE)\b)
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as psycopg takes it. `numbered` says that its parameters go by number."""

    text: str
    numbered: bool

    def values(self, parameters: Parameters) -> Parameters:
        """The parameters in the form that `text` asks for."""
        if self.numbered and not isinstance(parameters, Mapping):
            return {f"p{place}": value for place, value in enumerate(parameters, 1)}
        return parameters


@lru_cache(maxsize=4096)
def translate(sql: str) -> Statement:
    """The statement in PostgreSQL's words."""
    numbered = ignoring = False

    def word(found: re.Match[str]) -> str:
        nonlocal numbered, ignoring
        kind = found.lastgroup
        if kind == "kept":
            return found[0].replace("%", "%%")
        if kind == "numbered":
            numbered = True
            return f"%(p{found[0][1:]})s"
        if kind == "name":
            return f"%({found['name']})s"
        if kind == "partner":
            return f"pg_temp.{quote_ours(fitted('partner_' + found['partner']))}"
        if kind == "ignore":
            ignoring = True
            return "INSERT"
        return _WORDS[str(kind)]

    text = _MARKS.sub(word, sql)
    return Statement(text=f"{text} ON CONFLICT DO NOTHING" if ignoring else text, numbered=numbered)


_WORDS = {
    "mark": "%s",
    "percent": "%%",
    "main": "",
    "temp": "pg_temp.",
    "cross": "JOIN",
    "differs": "IS DISTINCT FROM",
    "same": "IS NOT DISTINCT FROM",
}
