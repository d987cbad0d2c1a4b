"""docs/manifests.md from the models: `python -m orgsync_reconcile.manifest.reference FILE` (REC-8)."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from orgsync_reconcile.manifest.editor_schema import schema
from orgsync_reconcile.manifest.kinds import KINDS
from orgsync_reconcile.manifest.terms import COMPONENT_PATTERN, DURATION_PATTERN, IDENTIFIER_PATTERN, NAME_PATTERN

_HEAD: Final = """# Manifests

Written by `make docs` from the program; a test compares the two. Manifests are YAML: any number of `.yaml` and `.yml`
files below the manifest folder, any number of documents in each, in any order. Every document has `version: 1` and a
`kind`. Unknown keys are errors. `orgsync fmt` brings keys into the order of this page.

- A *duration* is a number and a unit: `s`, `m`, `h`, `d` or `w`, for example `90d`.
- A *secret* is a reference, `{env: NAME}` or `{file: PATH}`, and never stands in a manifest itself.
- A text may hold an expression over the values of `values.yaml` and of the chosen environment's file, for example
  `"sqlite:{{ values.folder }}/acme.db"`. One that is the whole text takes the value's own type.
"""
_PATTERNS: Final = {
    DURATION_PATTERN: "duration",
    NAME_PATTERN: "name",
    IDENTIFIER_PATTERN: "API name",
    COMPONENT_PATTERN: "component pattern",
}
#: What an editor accepts beside the value itself.
_EXPRESSION: Final = {"type": "string", "pattern": r"\{\{"}


def reference() -> str:
    """The whole page."""
    document = schema()
    definitions: dict[str, Any] = document["$defs"]
    parts = [_HEAD]
    for kind, model in KINDS.items():
        parts.append(f"## {kind}\n\n{_about(model)}\n\n{_table(definitions[model.__name__], definitions)}")
        for name in _inner(model.__name__, definitions):
            parts.append(
                f"### {kind}: {_words(name)}\n\n{_about_text(definitions[name])}\n\n{_table(definitions[name], definitions)}"
            )
    return "\n".join(parts)


def _about(model: type[Any]) -> str:
    return inspect.cleandoc(model.__doc__ or "")


def _about_text(definition: dict[str, Any]) -> str:
    return str(definition.get("description", ""))


def _inner(name: str, definitions: dict[str, Any], seen: frozenset[str] = frozenset()) -> Iterator[str]:
    """The mappings inside a document, in the order of its keys, each once."""
    done = set(seen)
    for value in definitions[name].get("properties", {}).values():
        for found in _references(value):
            if found not in done and found != "Secret":
                done |= {found}
                yield found
                for deeper in _inner(found, definitions, frozenset(done)):
                    done.add(deeper)
                    yield deeper


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield str(value["$ref"]).rsplit("/", 1)[-1]
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def _table(definition: dict[str, Any], definitions: dict[str, Any]) -> str:
    required = set(definition.get("required", ()))
    rows = ["| Key | Takes | Default | Meaning |", "| --- | --- | --- | --- |"]
    for key, value in definition.get("properties", {}).items():
        default = "required" if key in required else _default(value, whole=bool({*_references(value)} - {"Secret"}))
        cells = (f"`{key}`", _takes(value, definitions), default, str(value.get("description", "")))
        rows.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(rows) + "\n"


def _default(value: dict[str, Any], *, whole: bool) -> str:
    """What stands where the key is left out; `whole`: the key takes a mapping."""
    default = value.get("default")
    if whole and "default" not in value and "type" not in value:
        return "that of its keys"
    if default is None or default == []:
        return "none"
    return f"`{default if isinstance(default, str) else json.dumps(default, ensure_ascii=False)}`"


def _takes(value: dict[str, Any], definitions: dict[str, Any]) -> str:
    choices = [
        item for item in value.get("anyOf", value.get("oneOf", [value])) if item not in (_EXPRESSION, {"type": "null"})
    ]
    return " or ".join(dict.fromkeys(_one(item, definitions) for item in choices))


def _one(value: dict[str, Any], definitions: dict[str, Any]) -> str:
    if "$ref" in value:
        name = str(value["$ref"]).rsplit("/", 1)[-1]
        return "secret" if name == "Secret" else _words(name)
    if "anyOf" in value or "oneOf" in value:
        return _takes(value, definitions)
    if "const" in value:
        return f"`{value['const']}`"
    if "enum" in value:
        return ", ".join(f"`{item}`" for item in value["enum"])
    match value.get("type"):
        case "array":
            kind = "set" if value.get("uniqueItems") else "list"
            return f"{kind} of {_takes(value.get('items', {}), definitions)}"
        case "boolean":
            return "`true`, `false`"
        case "integer":
            return "whole number" + _bounds(value)
        case "number":
            return "number" + _bounds(value)
        case "object":
            return "mapping"
        case _:
            return _PATTERNS.get(str(value.get("pattern")), "text")


def _bounds(value: dict[str, Any]) -> str:
    low, high = value.get("minimum"), value.get("maximum")
    return (
        "" if low is None and high is None else f" {low if low is not None else ''}…{high if high is not None else ''}"
    )


def _words(name: str) -> str:
    """`UserSwitches` -> `user switches`."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(reference(), encoding="utf-8", newline="\n")
