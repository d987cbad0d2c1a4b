"""The canonical form of a manifest: keys in the order of the reference, lists without an order sorted (REC-8)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from pydantic import BaseModel

from orgsync_reconcile.manifest.findings import Findings
from orgsync_reconcile.manifest.kinds import KINDS
from orgsync_reconcile.manifest.page_reader import read_pages
from orgsync_reconcile.manifest.page_writer import write_pages
from orgsync_reconcile.manifest.scalars import resolve_plain
from orgsync_reconcile.manifest.terms import is_set, model_in, written_name
from orgsync_reconcile.manifest.tree import Collection, Entry, Page, Scalar, Tree

Model = type[BaseModel] | None
_ROUNDS: Final = 5


def canonical_text(file: str, data: bytes, findings: Findings) -> str:
    """The canonical form of a file, with every comment.

    Broken YAML goes to `findings`. The result is read again: it is canonical itself and says what the file said. Raises
    ValueError otherwise, which is a mistake of the program: nothing may be written then.
    """
    pages = _filled(read_pages(file, data, findings))
    if findings.has_errors:
        return ""
    said = [_meaning(page) for page in pages]
    # What became a block for its width takes comments another way, so this goes on until nothing moves.
    text = ""
    for _ in range(_ROUNDS):
        before = text
        for page in pages:
            arrange(page)
        text = write_pages(pages)
        pages = _filled(read_pages(file, text.encode("utf-8"), findings))
        if findings.has_errors or [_meaning(page) for page in pages] != said:
            raise ValueError(f"the canonical form of {file} would lose something")
        if text == before:
            return text
    raise ValueError(f"the canonical form of {file} does not settle")


def _filled(pages: list[Page]) -> list[Page]:
    """The pages that say something; the comments of empty ones go to the page that follows, or to the last."""
    result: list[Page] = []
    waiting: list[str] = []
    for page in pages:
        if isinstance(page.tree, Scalar) and page.tree.plain and resolve_plain(page.tree.text) is None:
            waiting += [*page.above, *page.below]
        else:
            page.above, waiting = [*waiting, *page.above], []
            result.append(page)
    if waiting and result:
        result[-1].below += waiting
    return result or [Page(tree=Scalar(text="", plain=True), above=waiting)]


def arrange(page: Page) -> None:
    """Puts one document in order, in place."""
    model = _model_of(page.tree)
    if isinstance(page.tree, Collection):
        _arrange(page.tree, model, as_set=False)
    page.above = _tidy(page.above)
    page.below = _tidy(page.below, after=True)
    for lines in (page.below, page.above if isinstance(page.tree, Scalar) and not page.tree.text else []):
        if lines[-1:] == [""]:
            lines.pop()


def _model_of(tree: Tree) -> Model:
    if isinstance(tree, Collection) and tree.mapping:
        for entry in tree.entries:
            if entry.key is not None and entry.key.text == "kind" and isinstance(entry.value, Scalar):
                return KINDS.get(entry.value.text)
    return None


def _arrange(tree: Collection, model: Model, *, as_set: bool) -> None:
    fields = _fields(model) if model is not None and tree.mapping else {}
    for entry in tree.entries:
        if isinstance(entry.value, Collection):
            inner, unordered = _inside(entry, model, fields)
            _arrange(entry.value, inner, as_set=unordered)
    if fields:
        rank = {name: place for place, name in enumerate(fields)}
        tree.entries.sort(key=lambda entry: rank.get(_name(entry), len(rank)))
    elif as_set:
        tree.entries.sort(key=_sort_key)
    for place, entry in enumerate(tree.entries):
        if entry.key is None and isinstance(entry.value, Collection) and entry.value.entries and not entry.value.flow:
            # Nothing stands between a dash and what it holds.
            first = entry.value.entries[0]
            entry.above += [*filter(None, [entry.behind]), *first.above]
            entry.behind, first.above = "", []
        entry.above = _tidy(entry.above, after=place > 0)
    tree.below = _tidy(tree.below, after=True)


def _inside(entry: Entry, model: Model, fields: dict[str, Any]) -> tuple[Model, bool]:
    """The model of what an entry holds, and whether it is a list whose order says nothing."""
    if entry.key is None:
        return model, False
    field = fields.get(_name(entry))
    return (None, False) if field is None else (model_in(field.annotation), is_set(field))


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    return {written_name(name, field): field for name, field in model.model_fields.items()}


def _name(entry: Entry) -> str:
    return entry.key.text if entry.key is not None else ""


def _sort_key(entry: Entry) -> tuple[str, str]:
    text = entry.value.text if isinstance(entry.value, Scalar) else ""
    return text.casefold(), text


def _tidy(lines: Iterable[str], *, after: bool = False) -> list[str]:
    """Comments with one blank line at most between them; `after`: one may stand in front of them too."""
    result: list[str] = []
    for line in lines:
        if line or (result[-1] if result else after):
            result.append(line)
    return result


def _meaning(page: Page) -> str:
    """What a page says, whatever the order of keys and of lists without an order, with its comments."""
    comments: list[str] = [*page.above, *page.below]
    data = _data(page.tree, _model_of(page.tree), comments, as_set=False)
    return repr((data, sorted(filter(None, comments))))


def _data(tree: Tree, model: Model, comments: list[str], *, as_set: bool) -> object:
    if isinstance(tree, Scalar):
        return resolve_plain(tree.text) if tree.plain else tree.text
    fields = _fields(model) if model is not None and tree.mapping else {}
    comments += tree.below
    items: list[Any] = []
    for entry in tree.entries:
        comments += [*entry.above, entry.behind]
        inner, unordered = _inside(entry, model, fields)
        value = _data(entry.value, inner, comments, as_set=unordered)
        items.append(value if entry.key is None else (_name(entry), value))
    return (tree.mapping, sorted(items, key=repr) if as_set or tree.mapping else items)
