"""Pages to YAML text: two spaces, plain words where they are safe, double quotes where not, comments in their places."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Final

import yaml
from yaml.emitter import Emitter
from yaml.resolver import Resolver

from orgsync_reconcile.manifest.scalars import resolve_plain
from orgsync_reconcile.manifest.template import is_template
from orgsync_reconcile.manifest.tree import Collection, Entry, Page, Scalar, Tree

#: What stands in brackets and would be longer is written as a block.
WIDTH: Final = 120
_INDENT: Final = "  "


def write_pages(pages: Iterable[Page]) -> str:
    """The text of a file, with a line break at its end; empty for pages that say nothing."""
    texts = []
    for page in pages:
        lines = list(_page(page))
        texts.append("".join(f"{line}\n" for line in lines))
    return "---\n".join(texts)


def _page(page: Page) -> Iterator[str]:
    yield from page.above
    if isinstance(page.tree, Collection):
        if page.tree.entries and not page.tree.flow:
            yield from _block(page.tree, "")
        else:
            yield _flow(page.tree)
    elif page.tree.text or not page.tree.plain:
        yield _inline(page.tree, flow=False)
    yield from page.below


def _block(tree: Collection, indent: str) -> Iterator[str]:
    for entry in tree.entries:
        yield from (indent + line if line else "" for line in entry.above)
        yield from _entry(entry, indent)
    yield from (indent + line if line else "" for line in tree.below)


def _entry(entry: Entry, indent: str) -> Iterator[str]:
    head = indent + ("-" if entry.key is None else f"{_inline(entry.key, flow=False) or quoted('')}:")
    value = entry.value
    if isinstance(value, Scalar):
        literal = _literal(value) if value.block else None
        text = literal[0] if literal else _inline(value, flow=False)
        yield _with_comment(f"{head} {text}" if text else head, entry)
        if literal:
            yield from (f"{indent}{_INDENT}{line}" if line else "" for line in literal[1])
        return
    if value.flow or not value.entries:
        text = _flow(value)
        if not value.entries or len(head) + 1 + len(text) <= WIDTH:
            yield _with_comment(f"{head} {text}", entry)
            return
    lines = list(_block(value, indent + _INDENT))
    if entry.key is None and not entry.behind and not value.entries[0].above:
        # The first line of what the item holds stands behind its dash.
        yield f"{head} {lines[0][len(indent + _INDENT) :]}"
        yield from lines[1:]
        return
    yield _with_comment(head, entry)
    yield from lines


def _with_comment(line: str, entry: Entry) -> str:
    return f"{line.ljust(max(entry.column, len(line) + 2))}{entry.behind}" if entry.behind else line


def _flow(tree: Tree) -> str:
    if isinstance(tree, Scalar):
        return _inline(tree, flow=True) or "null"
    parts = [
        _flow(entry.value)
        if entry.key is None
        else f"{_inline(entry.key, flow=True) or quoted('')}: {_flow(entry.value)}"
        for entry in tree.entries
    ]
    return f"{{{', '.join(parts)}}}" if tree.mapping else f"[{', '.join(parts)}]"


def _inline(scalar: Scalar, *, flow: bool) -> str:
    """A value on one line; nothing for nothing."""
    if scalar.plain:
        value = resolve_plain(scalar.text)
        if value is None:
            return ""
        if isinstance(value, bool):
            return "true" if value else "false"
        if not isinstance(value, str):
            return scalar.text
    return scalar.text if _safe(scalar.text, flow) else quoted(scalar.text)


@lru_cache(maxsize=4096)
def _safe(text: str, flow: bool) -> bool:
    """Whether the text stays text without quotes, here and for readers that know older YAML."""
    if not text or is_template(text) or not isinstance(resolve_plain(text), str):
        return False
    analysis = _analysed(text)
    allowed = analysis.allow_flow_plain if flow else analysis.allow_block_plain
    return bool(allowed) and not analysis.multiline and _RESOLVER.resolve(yaml.ScalarNode, text, (True, False)) == _TEXT


def _analysed(text: str) -> Any:
    emitter: Any = Emitter(io.StringIO(), allow_unicode=True)
    return emitter.analyze_scalar(text)


_RESOLVER: Final[Any] = Resolver()
_TEXT: Final = "tag:yaml.org,2002:str"


def quoted(text: str) -> str:
    """The text between double quotes, on one line."""
    written: str = yaml.dump(text, default_style='"', allow_unicode=True, width=1 << 30)
    return written.rstrip("\n")


def _literal(scalar: Scalar) -> tuple[str, list[str]] | None:
    """Indicator and lines of a text as a block; None where a block cannot hold it."""
    text = scalar.text
    lines = text.removesuffix("\n").split("\n")
    if "\n" not in text or text.endswith("\n\n") or text[0] in " \n" or not _analysed(text).allow_block:
        return None
    return ("|" if text.endswith("\n") else "|-"), lines
