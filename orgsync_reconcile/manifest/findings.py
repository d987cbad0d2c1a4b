"""Collects the findings of one load, with the words that all of them share: nearest names, quoted values, places."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from orgsync_reconcile.manifest import codes
from orgsync_reconcile.model.diagnostic import Diagnostic, Severity
from orgsync_reconcile.model.origin import Origin

#: Errors of one load; what goes on after so many is hostile, or one mistake repeated.
ERROR_LIMIT = 1000
#: Longest value that a message repeats, in characters.
SHOWN_LENGTH = 60
#: Measuring how close two names are is slow, so long names are cut and only so many are measured.
MEASURED_LENGTH = 80
MEASURED_NAMES = 300


class TooManyFindings(Exception):
    """Reading stops here: there are more errors than anyone reads."""


@dataclass(kw_only=True, slots=True)
class Findings:
    """Errors and warnings so far. `broken` says that some documents could not be read at all.

    Raises TooManyFindings at the error that follows ERROR_LIMIT others.
    """

    items: list[Diagnostic] = field(default_factory=list)
    #: Where a value could not be read, so that nothing else is said about it.
    unread: set[Origin] = field(default_factory=set)
    broken: bool = False

    def error(self, code: str, origin: Origin, message: str, hint: str = "") -> None:
        """Adds an error."""
        self._add(Severity.ERROR, code, origin, message, hint)

    def warning(self, code: str, origin: Origin, message: str, hint: str = "") -> None:
        """Adds a warning."""
        self._add(Severity.WARNING, code, origin, message, hint)

    def _add(self, severity: Severity, code: str, origin: Origin, message: str, hint: str) -> None:
        if len(self.items) == ERROR_LIMIT:
            message = f"more than {ERROR_LIMIT} errors; the rest was not looked at"
            hint = "correct the first ones and run this again"
            self.items.append(
                Diagnostic(
                    severity=Severity.ERROR, code=codes.TOO_MANY_ERRORS, message=message, hint=hint, origin=origin
                )
            )
            raise TooManyFindings
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
    folded = name[:MEASURED_LENGTH].casefold()
    by_fold = {item.casefold(): item for item in sorted(known)}
    candidates = list(by_fold)
    if len(candidates) > MEASURED_NAMES:
        candidates = [item for item in candidates if item[:2] == folded[:2]][:MEASURED_NAMES]
    close = difflib.get_close_matches(folded, candidates, n=1, cutoff=0.6)
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
