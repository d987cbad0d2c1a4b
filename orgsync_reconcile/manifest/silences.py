"""`# orgsync: ignore W202 because …`: advice that somebody has weighed and does not want to hear again (REC-8)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import yaml

from orgsync_reconcile.manifest import codes
from orgsync_reconcile.manifest.comments import Comment, find_comments
from orgsync_reconcile.manifest.files import Source
from orgsync_reconcile.manifest.findings import in_order, shown, suggestion
from orgsync_reconcile.model.desired import Silence
from orgsync_reconcile.model.diagnostic import Diagnostic, Severity
from orgsync_reconcile.model.origin import Origin

_MARK: Final = re.compile(r"#+\s*orgsync:\s*(?P<said>.*)")
_IGNORE: Final = re.compile(r"ignore\s+(?P<codes>[A-Za-z0-9]+(?:\s*,\s*[A-Za-z0-9]+)*)(?P<rest>.*)")
_REASON: Final = re.compile(r"\s+because\s+(?P<reason>\S.*)")
#: Errors cannot be silenced, and neither can what is wrong with a silence.
_OF_SILENCES: Final = frozenset({codes.SILENCE_WITHOUT_REASON, codes.UNKNOWN_SILENCE, codes.UNUSED_SILENCE})
KNOWN: Final = (
    frozenset(value for name, value in vars(codes).items() if name.isupper() and value.startswith("W")) - _OF_SILENCES
)


def read_silences(source: Source) -> Iterator[Silence]:
    """The silences of one file that is valid YAML. One behind a line is for that line, one above for what follows it."""
    if b"orgsync:" not in source.data:
        return
    try:
        comments = find_comments(source.data.decode("utf-8").removeprefix("\ufeff"))
    except (UnicodeDecodeError, yaml.YAMLError):
        return
    above = {item.line: item for item in comments if item.alone}
    for comment in comments:
        mark = _MARK.fullmatch(comment.text)
        if mark is None:
            continue
        first, last = _lines(comment, above)
        ignore = _IGNORE.fullmatch(mark["said"])
        reason = _REASON.fullmatch(ignore["rest"]) if ignore else None
        yield Silence(
            codes=tuple(re.findall(r"[A-Za-z0-9]+", ignore["codes"])) if ignore else (),
            reason=reason["reason"] if reason else "",
            origin=Origin(file=source.shown, line=comment.line + 1, column=comment.column + 1),
            first_line=first + 1,
            last_line=last + 1,
        )


def _lines(comment: Comment, above: dict[int, Comment]) -> tuple[int, int]:
    """The first and the last line, from 0, that a comment speaks for: its block of comments and the line below it."""
    first = last = comment.line
    if comment.alone:
        while first - 1 in above and above[first - 1].text:
            first -= 1
        while last in above:
            last += 1
    return first, last


def without_silenced(found: Iterable[Diagnostic], silences: Sequence[Silence]) -> tuple[Diagnostic, ...]:
    """Advice without what is silenced, and with what is wrong with the silences themselves."""
    used: set[tuple[Silence, str]] = set()
    left: list[Diagnostic] = []
    for item in found:
        speaking = [silence for silence in silences if silence.reason and _speaks_for(silence, item)]
        used.update((silence, item.code) for silence in speaking)
        left += [] if speaking else [item]
    for silence in silences:
        left += _wrong_with(silence, used)
    return in_order(left)


def _speaks_for(silence: Silence, item: Diagnostic) -> bool:
    where = item.origin
    return (
        where is not None
        and item.code in KNOWN.intersection(silence.codes)
        and where.file == silence.origin.file
        and silence.first_line <= where.line <= silence.last_line
    )


def _wrong_with(silence: Silence, used: set[tuple[Silence, str]]) -> Iterator[Diagnostic]:
    def finding(code: str, message: str, hint: str) -> Diagnostic:
        return Diagnostic(severity=Severity.WARNING, code=code, message=message, hint=hint, origin=silence.origin)

    form = "write # orgsync: ignore CODE because REASON"
    if not silence.codes:
        yield finding(codes.UNKNOWN_SILENCE, "a comment for orgsync that it does not understand", form)
        return
    for code in silence.codes:
        if code not in KNOWN:
            yield finding(
                codes.UNKNOWN_SILENCE, f"no advice has the code {shown(code)}", suggestion(code, KNOWN, "known codes")
            )
        elif silence.reason and (silence, code) not in used:
            yield finding(codes.UNUSED_SILENCE, f"there is no {code} here to ignore", "remove it")
    if not silence.reason:
        yield finding(codes.SILENCE_WITHOUT_REASON, "advice is ignored without a reason, so it still counts", form)
