"""Quoting: names and literals that come from metadata, never from a user's SQL."""

from __future__ import annotations

import re
from collections.abc import Iterable

from orgsync_reconcile.errors import MetadataError

#: As a LIMIT: all rows.
EVERY = 2**63 - 1

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}\Z")


def quote(name: str) -> str:
    """A name as an SQL identifier. Raises MetadataError unless it is a plain API name."""
    if not _IDENTIFIER.match(name):
        raise MetadataError(f"not an API name: {name!r}", hint="letters, digits and underscores, a letter first")
    return f'"{name}"'


def literal(value: str) -> str:
    """Text as an SQL literal."""
    return "'" + value.replace("\0", "").replace("'", "''") + "'"


def commas(parts: Iterable[str]) -> str:
    """Parts joined for an SQL list."""
    return ", ".join(parts)
