"""Collects the findings of one load, with the words that all of them share: nearest names, quoted values, places."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from orgsync_reconcile.model.diagnostic import Diagnostic, Severity
from orgsync_reconcile.model.origin import Origin

#: Longest value that a message repeats, in characters.
SHOWN_LENGTH = 60


@dataclass(kw_only=True, slots=True)
class Findings:
    """Errors and warnings so far. `broken` says that some documents could not be read at all."""

    items: list[Diagnostic] = field(default_factory=list)
    broken: bool = False

    def error(self, code: str, origin: Origin, message: str, hint: str = "") -> None:
        """Adds an error."""
        self._add(Severity.ERROR, code, origin, message, hint)

    def warning(self, code: str, origin: Origin, message: str, hint: str = "") -> None:
        """Adds a warning."""
        self._add(Severity.WARNING, code, origin, message, hint)

    def _add(self, severity: Severity, code: str, origin: Origin, message: str, hint: str) -> None:
        self.items.append(Diagnostic(severity=severity, code=code, message=message, hint=hint, origin=origin))

    def sorted(self) -> tuple[Diagnostic, ...]:
        """All findings by place, then code, each of them once."""
        return in_order(self.items)

    @property
    def has_errors(self) -> bool:
        """Whether the load has to fail."""
        return any(item.severity is Severity.ERROR for item in self.items)


def in_order(items: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Findings by place, then code and message, without repetitions."""
    nowhere = Origin(file="")
    return tuple(sorted(dict.fromkeys(items), key=lambda item: (item.origin or nowhere, item.code, item.message)))


def shown(value: Any) -> str:
    """A value as a message repeats it: quoted, on one line, control characters escaped, cut at SHOWN_LENGTH."""
    text = json.dumps(value, ensure_ascii=False, default=str) if not isinstance(value, str) else _quoted(value)
    return text if len(text) <= SHOWN_LENGTH else f"{text[:SHOWN_LENGTH]}…"


def _quoted(text: str) -> str:
    cut = text[: SHOWN_LENGTH + 1]
    return '"' + "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in cut) + '"'


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that comes closest to `name`, or None where none is close."""
    by_fold = {item.casefold(): item for item in sorted(known)}
    close = difflib.get_close_matches(name[:200].casefold(), by_fold, n=1, cutoff=0.6)
    return by_fold[close[0]] if close else None


def suggestion(name: str, known: Iterable[str], noun: str = "known") -> str:
    """What to do about an unknown name: the nearest known one, or the first dozen of them."""
    names = sorted(known)
    close = nearest(name, names)
    if close is not None:
        return f"did you mean {shown(close)}?"
    if not names:
        return f"{noun}: none"
    return f"{noun}: {', '.join(names[:12])}{', …' if len(names) > 12 else ''}"
