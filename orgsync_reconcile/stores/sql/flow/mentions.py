"""Mentions in posts and comments arrive as plain text: the name stays, the link to its user goes (CHT-2)."""

from __future__ import annotations

import re

from orgsync_reconcile.stores.sql.database import Database

#: The SQL function that makes mentions plain.
PLAIN = "plain_mentions"
#: A link to a user or group around the name, and the bare Id in braces.
_LINK = re.compile(r'<a\s[^>]*href="[^"]*/(?:005|0F9)[0-9A-Za-z]{12,15}"[^>]*>(.*?)</a>', re.IGNORECASE | re.DOTALL)
_BRACES = re.compile(r"\{((?:005|0F9)[0-9A-Za-z]{12}(?:[0-9A-Za-z]{3})?)\}")


def register(db: Database, names: Database) -> None:
    """Gives `db` the function. `names` is the other org's connection, with this org attached: it knows both's users."""

    def name_of(match: re.Match[str]) -> str:
        for schema in ("main", "partner"):
            row = names.execute(
                f'SELECT "Name" FROM {schema}."User" WHERE substr("Id", 1, 15) = ?', [match[1][:15]]
            ).fetchone()
            if row is not None:
                return f"@{row[0]}"
        return f"@{match[1]}"

    def plain(text: str | None) -> str | None:
        if text is None or ("<" not in text and "{" not in text):
            return text
        return _BRACES.sub(name_of, _LINK.sub(r"\1", text))

    db.define(PLAIN, plain)
