"""A manifest as a tree that `fmt` and `export` write: values, and the comments that belong to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(kw_only=True, slots=True)
class Scalar:
    """One value. `plain`: written without quotes, so that it may be a number, a truth value or nothing."""

    text: str
    plain: bool = False
    #: Whether it is to stand as a block of lines.
    block: bool = False


@dataclass(kw_only=True, slots=True)
class Entry:
    """A key with its value, or an item of a list (`key` is None)."""

    key: Scalar | None = None
    value: Tree
    #: Comments above it, each with its `#`; an empty text is a blank line.
    above: list[str] = field(default_factory=list)
    #: The comment behind it, and the column where it stands if there is room.
    behind: str = ""
    column: int = 0


@dataclass(kw_only=True, slots=True)
class Collection:
    """A mapping or a list. `flow`: with brackets, on one line."""

    entries: list[Entry]
    mapping: bool
    flow: bool = False
    #: Comments below the last entry.
    below: list[str] = field(default_factory=list)


Tree = Scalar | Collection


@dataclass(kw_only=True, slots=True)
class Page:
    """One document, and the comments above it."""

    tree: Tree
    above: list[str] = field(default_factory=list)
    below: list[str] = field(default_factory=list)


def walk(tree: Tree) -> Iterator[Entry]:
    """All entries in the order in which they stand."""
    if isinstance(tree, Collection):
        for entry in tree.entries:
            yield entry
            yield from walk(entry.value)


def commented(tree: Tree) -> bool:
    """Whether a comment stands anywhere inside."""
    if isinstance(tree, Scalar):
        return False
    return bool(tree.below) or any(entry.above or entry.behind or commented(entry.value) for entry in tree.entries)
