"""Mentions in posts and comments arrive as plain text: the name stays, the link to its user goes (CHT-2)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from orgsync_reconcile.stores.sql.database import Database
from orgsync_reconcile.stores.sql.text import literal, quote

#: A link to a user or group around the name, and the bare Id in braces.
_LINK = re.compile(r'<a\s[^>]*href="[^"]*/(?:005|0F9)[0-9A-Za-z]{12,15}"[^>]*>(.*?)</a>', re.IGNORECASE | re.DOTALL)
_BRACES = re.compile(r"\{((?:005|0F9)[0-9A-Za-z]{12}(?:[0-9A-Za-z]{3})?)\}")
#: What a text with a mention holds at least.
_SIGNS = ("/005", "/0F9", "{005", "{0F9")


def plain(row: str, column: str) -> str:
    """SQL: the column of a record, with its mentions as plain text where they were staged."""
    given = f"{row}.{quote(column)}"
    found = f'SELECT p.plain FROM temp.plain AS p WHERE p.record = {row}."Id" AND p.field = {literal(column)}'
    return f"coalesce(({found}), {given})"


class PlainTexts:
    """Makes mentions plain. `people` are sessions of the orgs whose users may be mentioned."""

    def __init__(self, people: Sequence[Database]) -> None:
        self._people = people

    def plain(self, text: str) -> str:
        """A text with its mentions as plain text."""
        return _BRACES.sub(self._name_of, _LINK.sub(r"\1", text))

    def _name_of(self, match: re.Match[str]) -> str:
        for db in self._people:
            row = db.execute('SELECT "Name" FROM main."User" WHERE substr("Id", 1, 15) = ?', [match[1][:15]]).fetchone()
            if row is not None:
                return f"@{row[0]}"
        return f"@{match[1]}"


class Mentions(PlainTexts):
    """The plain texts of a session, in temp.plain."""

    def __init__(self, db: Database, people: Sequence[Database]) -> None:
        super().__init__(people)
        self._db = db
        db.execute(
            "CREATE TEMP TABLE IF NOT EXISTS plain (record TEXT, field TEXT, plain TEXT, PRIMARY KEY (record, field))"
        )

    def clear(self) -> None:
        """Forgets what was staged: the texts may have changed."""
        self._db.execute("DELETE FROM temp.plain")

    def stage(self, table: str, column: str, where: str, parameters: Sequence[object]) -> None:
        """Makes the texts of a column plain, of the rows `s` of a table that satisfy a condition."""
        given = f"s.{quote(column)}"
        signs = " OR ".join(f"{given} LIKE '%{sign}%'" for sign in _SIGNS)
        rows = self._db.execute(f'SELECT s."Id", {given} FROM {table} AS s WHERE ({signs}) AND {where}', parameters)
        self._db.executemany(
            "INSERT OR IGNORE INTO temp.plain (record, field, plain) VALUES (?, ?, ?)",
            [(record, column, self.plain(text)) for record, text in rows],
        )
