"""YAML text to pages: the nodes that the loader reads, with every comment at the entry that it belongs to."""

from __future__ import annotations

from dataclasses import dataclass, field

from yaml.nodes import CollectionNode

from orgsync_reconcile.manifest import codes
from orgsync_reconcile.manifest.comments import Comment, find_comments, separators
from orgsync_reconcile.manifest.findings import Findings, shown
from orgsync_reconcile.manifest.parse import (
    OURS,
    PLAIN,
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    documents,
    place,
)
from orgsync_reconcile.manifest.tree import Collection, Entry, Page, Scalar, Tree, commented

_FAR = 1 << 60
Position = tuple[int, int]


def read_pages(file: str, data: bytes, findings: Findings) -> list[Page]:
    """The documents of one file; what is wrong with its YAML goes to `findings`, and the result is then of no use.

    A comment alone on its line belongs to what follows it, or to the end of the mapping or list that it is indented
    with. Any other one belongs to what begins last on its line.
    """
    nodes = list(documents(file, data, findings))
    for node in nodes:
        _check(file, node, findings)
    if findings.has_errors:
        return []
    text = data.decode("utf-8").removeprefix("\ufeff")
    comments = find_comments(text)
    if not nodes:
        return [Page(tree=Scalar(text="", plain=True), above=[item.text for item in comments])]
    starts = separators(text)
    # Without a separator of its own, the first document begins with the file.
    firsts = [0, *starts[len(starts) - len(nodes) + 1 :]]
    pages = []
    for begin, end, node in zip(firsts, [*firsts[1:], _FAR], nodes, strict=True):
        pages.append(_Reader(comments=[item for item in comments if begin <= item.line < end]).page(node))
    return pages


def _check(file: str, node: Node, findings: Findings) -> None:
    """Tags, and keys that are no text, are errors wherever manifests are read."""
    if node.tag not in OURS:
        findings.error(codes.TAG, place(file, node), f"the tag {shown(node.tag)} is not accepted", "write plain YAML")
    elif isinstance(node, SequenceNode):
        for item in node.value:
            _check(file, item, findings)
    elif isinstance(node, MappingNode):
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                hint = 'put quotes around an expression: "{{ … }}"'
                findings.error(codes.KEY_NOT_TEXT, place(file, key), "a key that is no text", hint)
            else:
                _check(file, key, findings)
            _check(file, value, findings)


def _start(node: Node) -> Position:
    return node.start_mark.line, node.start_mark.column


def _end(node: Node) -> Position:
    return node.end_mark.line, node.end_mark.column


def _in_brackets(node: Node) -> bool:
    return isinstance(node, CollectionNode) and bool(node.flow_style)


@dataclass(kw_only=True, slots=True)
class _Part:
    """An entry with the nodes that it was made of."""

    entry: Entry
    start: Position
    node: Node
    parts: list[_Part] = field(default_factory=list)

    @property
    def last_line(self) -> int:
        """The line on which a comment behind it stands."""
        if isinstance(self.node, ScalarNode):
            return _start(self.node)[0] if self.node.style in ("|", ">") else _end(self.node)[0]
        return _end(self.node)[0] if _in_brackets(self.node) else self.start[0]


@dataclass(kw_only=True, slots=True)
class _Reader:
    """Builds one page; `comments` are those of its document and are used up."""

    comments: list[Comment]

    def page(self, node: Node) -> Page:
        tree, parts = self._tree(node)
        alone = [item for item in self.comments if item.alone or not _put_behind(item, parts)]
        self.comments = alone[::-1]
        above = [item.text for item in self._before(parts[0].start[0] if parts else _end(node)[0] + 1)]
        if isinstance(tree, Collection):
            self._spread(tree, node, parts, column=0, limit=_FAR)
        return Page(tree=tree, above=above, below=[item.text for item in self._before(_FAR)])

    def _tree(self, node: Node) -> tuple[Tree, list[_Part]]:
        if isinstance(node, ScalarNode):
            return Scalar(text=node.value, plain=node.tag == PLAIN, block=node.style in ("|", ">")), []
        parts = []
        for item in node.value:
            key, value = item if isinstance(node, MappingNode) else (None, item)
            tree, inner = self._tree(value)
            entry = Entry(key=None if key is None else Scalar(text=key.value, plain=key.tag == PLAIN), value=tree)
            parts.append(_Part(entry=entry, start=_start(key or value), node=value, parts=inner))
        entries = [part.entry for part in parts]
        return Collection(entries=entries, mapping=isinstance(node, MappingNode), flow=_in_brackets(node)), parts

    def _before(self, line: int) -> list[Comment]:
        found = []
        while self.comments and self.comments[-1].line < line:
            found.append(self.comments.pop())
        return found

    def _spread(self, tree: Collection, node: Node, parts: list[_Part], *, column: int, limit: int) -> None:
        """Gives the comments that stand alone to entries; those indented less than `column` lie outside."""
        # What is indented no further than the keys or dashes around it belongs to them.
        inner = 0 if _in_brackets(node) else node.start_mark.column + 1
        for place_, part in enumerate(parts):
            part.entry.above = [item.text for item in self._before(part.start[0])]
            if isinstance(part.entry.value, Collection):
                after = parts[place_ + 1].start[0] if place_ + 1 < len(parts) else limit
                if _in_brackets(part.node):
                    after = _end(part.node)[0]
                self._spread(part.entry.value, part.node, part.parts, column=inner, limit=after)
                part.entry.value.flow = part.entry.value.flow and not commented(part.entry.value)
        inside = 0
        for count, item in enumerate(reversed(self.comments), start=1):
            if item.line >= limit or (item.text and item.column < column and not _in_brackets(node)):
                break
            inside = count if item.text else inside
        tree.below = [self.comments.pop().text for _ in range(inside)]


def _put_behind(comment: Comment, parts: list[_Part]) -> bool:
    """Gives a comment to the entry that begins last before it on its line; False where there is none."""
    here = (comment.line, comment.column)
    found: _Part | None = None
    while True:
        begun = [part for part in parts if part.start <= here]
        if not begun:
            break
        last = begun[-1]
        closed = isinstance(last.node, ScalarNode) or (_in_brackets(last.node) and _end(last.node) <= here)
        found, parts = last, [] if closed else last.parts
    if found is None or found.entry.behind or comment.line not in (found.start[0], found.last_line):
        return False
    found.entry.behind, found.entry.column = comment.text, comment.column
    return True
