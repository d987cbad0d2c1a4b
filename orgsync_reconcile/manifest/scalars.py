"""Plain YAML scalars by the 1.2 core schema, so that `no`, `on` and `12:30` stay text (REC-8)."""

from __future__ import annotations

import re
from typing import Final

#: Longer numerals stay text: no key of a manifest takes such numbers, and converting them costs quadratic time.
NUMERAL_LENGTH: Final = 40

_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER: Final = re.compile(r"[-+]?[0-9]+", re.ASCII)
_OCTAL: Final = re.compile(r"0o[0-7]+")
_HEXADECIMAL: Final = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_NUMBER_START: Final = frozenset("-+.0123456789")

_TYPE_WORDS: Final[dict[str, str]] = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "list": "a list",
    "dict": "a mapping",
    "NoneType": "nothing",
}


def resolve_plain(text: str) -> str | int | float | bool | None:
    """The value of an unquoted scalar: null, true, false, an integer, a finite float, or the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_START or len(text) > NUMERAL_LENGTH:
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if _OCTAL.fullmatch(text):
        return int(text[2:], 8)
    if _HEXADECIMAL.fullmatch(text):
        return int(text[2:], 16)
    if _FLOAT.fullmatch(text):
        number = float(text)
        # 1e999 overflows to infinity, which has no JSON form.
        return number if abs(number) != float("inf") else text
    return text


def kind_of(value: object) -> str:
    """What a value is, in the words of messages: "text", "a whole number", "a list", …"""
    return _TYPE_WORDS.get(type(value).__name__, type(value).__name__)
