"""Charts as shapes with their places, for a template to draw as SVG: lying bars, or standing ones over time (LOG-4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orgsync_reconcile.operations.reports import Group

#: Width of a drawing, in its own units; a page scales it.
WIDTH = 720.0
#: The bars that are drawn at most; what is smaller is drawn as one.
_MOST_BARS = 24
_ROW, _BAR, _LABEL, _NUMBER = 26.0, 16.0, 190.0, 70.0
_HEIGHT, _FOOT, _HEAD, _LEFT = 180.0, 30.0, 16.0, 44.0
#: Labels below standing bars, at most.
_MOST_LABELS = 8
_LONGEST = 28


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """A bar, or one org's part of it. `series` counts the orgs from 0."""

    x: float
    y: float
    width: float
    height: float
    series: int
    title: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Label:
    """Text at a place. `anchor`: start, middle or end; `quiet` for scales."""

    x: float
    y: float
    text: str
    anchor: str = "start"
    quiet: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawing:
    """A chart: everything that is drawn, and horizontal lines of a scale by their height."""

    height: float
    shapes: tuple[Shape, ...]
    labels: tuple[Label, ...]
    lines: tuple[float, ...] = ()
    width: float = WIDTH


def shown_key(key: str) -> str:
    """A group's key for people."""
    return key.replace("T", " ") + ":00" if len(key) == 13 and key[10:11] == "T" else key or "(none)"


def bars(groups: Sequence[Group], orgs: Sequence[str]) -> Drawing:
    """A lying bar for each group, cut into the orgs' parts."""
    shown = list(groups)
    if len(shown) > _MOST_BARS:
        rest = shown[_MOST_BARS - 1 :]
        counts = {org: sum(item.counts[org] for item in rest) for org in orgs}
        shown = [*shown[: _MOST_BARS - 1], Group(key=f"{len(rest)} more", counts=counts)]
    most = max((item.total for item in shown), default=0) or 1
    room = WIDTH - _LABEL - _NUMBER
    shapes: list[Shape] = []
    labels: list[Label] = []
    for place, item in enumerate(shown):
        top, left = place * _ROW + (_ROW - _BAR) / 2, _LABEL
        for series, org in enumerate(orgs):
            length = round(room * item.counts[org] / most, 2)
            if length:
                title = f"{shown_key(item.key)}, {org}: {item.counts[org]:,}"
                shapes.append(Shape(x=left, y=top, width=length, height=_BAR, series=series, title=title))
                left += length
        base = top + _BAR - 4
        labels.append(Label(x=_LABEL - 8, y=base, text=_short(shown_key(item.key)), anchor="end"))
        labels.append(Label(x=left + 6, y=base, text=f"{item.total:,}"))
    return Drawing(height=max(len(shown), 1) * _ROW, shapes=tuple(shapes), labels=tuple(labels))


def standing(groups: Sequence[Group], orgs: Sequence[str]) -> Drawing:
    """A standing bar for each stretch of time, cut into the orgs' parts, over a scale that begins at 0."""
    most = max((item.total for item in groups), default=0)
    top = _scale(most)
    step = (WIDTH - _LEFT) / max(len(groups), 1)
    width = max(min(step * 0.8, 40.0), 0.5)
    floor = _HEAD + _HEIGHT
    shapes: list[Shape] = []
    labels: list[Label] = []
    every = -(-len(groups) // _MOST_LABELS) or 1
    for place, item in enumerate(groups):
        left, base = _LEFT + place * step + (step - width) / 2, floor
        for series, org in enumerate(orgs):
            height = round(_HEIGHT * item.counts[org] / top, 2)
            if height:
                base -= height
                title = f"{shown_key(item.key)}, {org}: {item.counts[org]:,}"
                shapes.append(
                    Shape(
                        x=round(left, 2),
                        y=round(base, 2),
                        width=round(width, 2),
                        height=height,
                        series=series,
                        title=title,
                    )
                )
        if place % every == 0:
            text = item.key[5:].replace("T", " ") + "h" if len(item.key) == 13 else item.key
            labels.append(Label(x=round(left + width / 2, 2), y=floor + 18, text=text, anchor="middle", quiet=True))
    marks = sorted({0, top // 2, top} if top % 2 == 0 else {0, top})
    heights = tuple(round(floor - _HEIGHT * mark / top, 2) for mark in marks)
    labels.extend(
        Label(x=_LEFT - 8, y=y + 4, text=f"{mark:,}", anchor="end", quiet=True)
        for mark, y in zip(marks, heights, strict=True)
    )
    return Drawing(height=floor + _FOOT, shapes=tuple(shapes), labels=tuple(labels), lines=heights)


def _scale(most: int) -> int:
    """The top of a scale: a round number that is no less than `most`."""
    power = 1
    while True:
        for digit in (10, 15, 20, 30, 40, 50, 60, 80):
            if digit * power % 10 == 0 and digit * power // 10 >= most:
                return digit * power // 10
        power *= 10


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
