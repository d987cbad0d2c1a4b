"""Metadata XML, which is untrusted input, to plain data: elements as keys, repeated elements as lists (ORG-8)."""

from __future__ import annotations

import re
from typing import Any, Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from orgsync_reconcile.errors import MetadataError

#: Metadata is at most a dozen levels deep; far deeper is an attack on whoever walks it.
_DEEPEST: Final = 100
_DECLARATION = re.compile(rb"<!(?:DOCTYPE|ENTITY)")

#: Empty elements that say something by being there: an empty column still takes its place in a layout.
_MEANT_EMPTY = frozenset({"layoutColumns"})


def parse_elements(text: bytes, *, where: str) -> tuple[str, dict[str, Any]]:
    """The root's tag and its content as nested plain data, in document order and not yet normalised.

    Namespaces are stripped, leaf text is trimmed, empty elements are left out, attributes stand under `@name`. Raises
    MetadataError at `where:line:column` for malformed XML, and for a DTD or entities, which metadata never has and
    which could read files or fill the memory.
    """
    try:
        root = ElementTree.fromstring(text, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    except ParseError as error:
        line, column = error.position
        problem = str(error).partition(":")[0]
        raise MetadataError(
            f"malformed XML: {problem}", hint="correct the file or fetch it again", where=f"{where}:{line}:{column + 1}"
        ) from None
    except DefusedXmlException:
        found = _DECLARATION.search(text)
        line = text[: found.start()].count(b"\n") + 1 if found else 1
        raise MetadataError(
            "document type and entity declarations are refused",
            hint="remove the declaration; metadata needs none",
            where=f"{where}:{line}:1",
        ) from None
    except (ValueError, LookupError) as error:
        raise MetadataError(f"unreadable XML: {error}", hint="save the file as UTF-8", where=f"{where}:1:1") from None
    content = _element(root, 1, where)
    return _local(root.tag), content if isinstance(content, dict) else {}


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _element(element: Element, depth: int, where: str) -> Any:
    """A leaf as text, anything else as a dictionary."""
    if depth > _DEEPEST:
        raise MetadataError(f"nested deeper than {_DEEPEST} levels", hint="correct the file", where=f"{where}:1:1")
    attributes = {f"@{_local(name)}": value for name, value in element.attrib.items()}
    text = (element.text or "").strip()
    if not len(element):
        return {**attributes, "#text": text} if attributes else text
    result: dict[str, Any] = dict(attributes)
    for child in element:
        name = _local(child.tag)
        value = _element(child, depth + 1, where)
        if value in ("", {}):
            if name not in _MEANT_EMPTY:
                continue
            value = {}
        if name not in result:
            result[name] = value
        elif isinstance(result[name], list):
            result[name].append(value)
        else:
            result[name] = [result[name], value]
    return result


def as_list(value: Any) -> list[Any]:
    """What an element that may be absent, single or repeated holds, always as a list."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def as_dicts(value: Any) -> list[dict[str, Any]]:
    """Like `as_list`, for elements that have elements inside; stray text is left out."""
    return [item for item in as_list(value) if isinstance(item, dict)]


def is_true(value: Any) -> bool:
    """Whether a boolean element says true."""
    return str(value).strip().lower() in ("true", "1")
