"""How many of what, in words: one way for every message."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """`1 record`, `2,000 records`, `3 entries`, `2 addresses`."""
    return f"{number:,} {noun if number == 1 else _several(noun)}"


def _several(noun: str) -> str:
    if noun.endswith("s"):
        return f"{noun}es"
    return f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2] not in "aeou" else f"{noun}s"
