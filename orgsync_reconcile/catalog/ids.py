"""Record Ids: the three-character case suffix that turns 15 characters into 18, and its check."""

from __future__ import annotations

import string

_ALPHABET = string.ascii_uppercase + "012345"
_ID_CHARACTERS = frozenset(string.ascii_letters + string.digits)


def checksum18(id15: str) -> str:
    """The three-character suffix of a 15-character Id (ORG-5).

    Each character stands for five characters of the Id, least significant first: a bit is set where the character is
    an uppercase letter. Raises ValueError where the text is no 15-character Id.
    """
    if len(id15) != 15 or not _ID_CHARACTERS.issuperset(id15):
        raise ValueError(f"not a 15-character Id: {id15!r}")
    return "".join(
        _ALPHABET[sum(1 << bit for bit, character in enumerate(id15[start : start + 5]) if character.isupper())]
        for start in (0, 5, 10)
    )


def is_valid_id(text: str) -> bool:
    """Whether `text` is an 18-character Id with its true suffix (ORG-5)."""
    if len(text) != 18 or not _ID_CHARACTERS.issuperset(text):
        return False
    return checksum18(text[:15]) == text[15:]
