"""What happened, in words: a row of the history or an item of the queue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def happened(row: Mapping[str, Any]) -> str:
    """The detail of a row of the history, and which org told this one where it did not begin here (CON-12)."""
    told = f"told by {row['origin']}" if row["origin"] else ""
    return ", ".join(part for part in (row["detail"], told) if part)
