"""YAML bytes to nodes with their places: libyaml's composer, within limits, without tags, anchors and aliases.

A node keeps only whether it was plain or quoted; what a plain scalar means is decided in `scalars`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from orgsync_reconcile.manifest import codes
from orgsync_reconcile.manifest.findings import Findings
from orgsync_reconcile.model.origin import Origin

#: Levels of mappings and lists in one document.
DEPTH_LIMIT: Final = 32
PLAIN: Final = "plain"
QUOTED: Final = "quoted"
COLLECTION: Final = "collection"
OURS: Final = frozenset({PLAIN, QUOTED, COLLECTION})

if TYPE_CHECKING:
    from yaml import SafeLoader as _Base
else:
    # libyaml is 20 times faster; the pure Python parser gives the same nodes where it was not compiled in.
    _Base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _TooDeepError(Exception):
    """Raised inside the parser, so that nesting never reaches its recursion; `node` is the deepest one so far."""

    def __init__(self, node: Node | None) -> None:
        super().__init__()
        self.node = node


class _Composer(_Base):
    """Composes nodes, leaves their meaning open, and counts how deep they nest."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._depth = 0

    def resolve(self, kind: type[Node], _value: Any, implicit: Any) -> str:
        """Only tells plain scalars from quoted ones."""
        if kind is ScalarNode:
            return PLAIN if implicit[0] else QUOTED
        return COLLECTION

    def descend_resolver(self, current_node: Node | None, _current_index: Any) -> None:
        """Called for every node on the way down."""
        self._depth += 1
        if self._depth > DEPTH_LIMIT:
            raise _TooDeepError(current_node)

    def close(self) -> None:
        """Frees what libyaml holds."""
        self.dispose()

    def ascend_resolver(self) -> None:
        """Called for every node on the way up."""
        self._depth -= 1


def place(file: str, node: Node) -> Origin:
    """Where a node starts."""
    mark = node.start_mark
    return Origin(file=file, line=mark.line + 1, column=mark.column + 1)


def documents(file: str, data: bytes, findings: Findings) -> Iterator[Node]:
    """The documents of one file up to the first that cannot be parsed; what is wrong goes to `findings` (REC-8)."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        findings.broken = True
        findings.error(codes.NOT_UTF8, _at(file, data, error.start), "the file is not UTF-8", "save it as UTF-8")
        return
    if b"&" in data and _refuse_anchors(file, data, findings):
        findings.broken = True
        return
    # The parser would count a byte order mark as a column.
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        with closing(_Composer(data)) as composer:
            while composer.check_node():
                node = composer.get_node()
                if node is not None:
                    yield node
    except _TooDeepError as error:
        findings.broken = True
        where = place(file, error.node) if error.node else Origin(file=file)
        findings.error(codes.TOO_DEEP, where, f"more than {DEPTH_LIMIT} levels deep", "flatten this structure")
    except yaml.YAMLError as error:
        findings.broken = True
        _report_broken(file, data, error, findings)


def _refuse_anchors(file: str, data: bytes, findings: Findings) -> bool:
    """Anchors carry aliases, and a few lines of aliases expand to gigabytes; values do the same job in the open."""
    found, depth = False, 0
    try:
        with closing(_Composer(data)) as parser:
            while parser.check_event():
                event = parser.get_event()  # type: ignore[no-untyped-call]
                depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
                if depth > DEPTH_LIMIT:
                    # Composing reports it; scanning on would take libyaml quadratic time.
                    break
                if getattr(event, "anchor", None) is None or isinstance(event, yaml.AliasEvent):
                    continue
                found = True
                mark = event.start_mark
                where = Origin(file=file, line=mark.line + 1, column=mark.column + 1)
                hint = "use values.yaml instead, or quotes"
                findings.error(codes.ALIAS, where, "anchors and aliases are not accepted", hint)
    except yaml.YAMLError as error:
        if found:
            _report_broken(file, data, error, findings)
    return found


def _report_broken(file: str, data: bytes, error: yaml.YAMLError, findings: Findings) -> None:
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        where = Origin(file=file, line=mark.line + 1, column=mark.column + 1) if mark else Origin(file=file)
        parts = (error.context, error.problem)
        message = ", ".join(" ".join(part.split()) for part in parts if part)
    else:
        position = getattr(error, "position", 0)
        if getattr(error, "encoding", "") == "unicode":
            # The pure Python parser counts characters, libyaml bytes.
            position = len(data.decode()[:position].encode())
        where = _at(file, data, position)
        message = str(getattr(error, "reason", "")) or "characters that YAML does not allow"
    hint = "put quotes around a text with *" if "alias" in message else "check indentation, colons and quotes here"
    findings.error(codes.BROKEN_YAML, where, f"broken YAML: {message}", hint)


def _at(file: str, data: bytes, position: int) -> Origin:
    """The place of a byte position, columns in characters."""
    before = data[:position]
    line_start = before.rfind(b"\n") + 1
    column = len(before[line_start:].decode("utf-8", "replace")) + 1
    return Origin(file=file, line=before.count(b"\n") + 1, column=column)


__all__ = [
    "COLLECTION",
    "DEPTH_LIMIT",
    "OURS",
    "PLAIN",
    "QUOTED",
    "MappingNode",
    "Node",
    "ScalarNode",
    "SequenceNode",
    "documents",
    "place",
]
