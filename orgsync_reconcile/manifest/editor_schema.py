"""JSON Schema (draft 2020-12) of a manifest document, for completion and checks in editors (REC-8)."""

from __future__ import annotations

from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema

from orgsync_reconcile.manifest.kinds import KINDS
from orgsync_reconcile.manifest.terms import DURATION_PATTERN, duration_text
from orgsync_reconcile.manifest.validate import VERSION

#: A scalar that holds an expression may become anything once it is evaluated.
_EXPRESSION: Final[dict[str, Any]] = {"type": "string", "pattern": r"\{\{"}
#: Keys that an expression may stand for as far as the loader is concerned, but that editors need to see written out.
_WRITTEN_OUT: Final = frozenset({"version", "kind"})


class _Plain(GenerateJsonSchema):
    """Without the titles that repeat each key's name."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        """No titles on keys."""
        return False


def schema() -> dict[str, Any]:
    """One schema that chooses by `kind`, so that an editor reports the problems of that kind only."""
    _, generated = models_json_schema(
        [(model, "validation") for model in KINDS.values()], by_alias=True, schema_generator=_Plain
    )
    definitions: dict[str, JsonSchemaValue] = generated["$defs"]
    for definition in definitions.values():
        _open_to_expressions(definition)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "orgsync manifest",
        "description": "One document of an orgsync manifest",
        "type": "object",
        "required": ["version", "kind"],
        "properties": {
            "version": {"const": VERSION, "description": "Version of the manifest format"},
            "kind": {"enum": list(KINDS), "description": "What this document describes"},
        },
        "allOf": [
            {
                "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
                "then": {"$ref": f"#/$defs/{model.__name__}"},
            }
            for kind, model in KINDS.items()
        ],
        "$defs": dict(sorted(definitions.items())),
    }


def _open_to_expressions(definition: dict[str, Any]) -> None:
    definition.pop("title", None)
    for name, value in definition.get("properties", {}).items():
        if name not in _WRITTEN_OUT:
            definition["properties"][name] = _or_expression(value)


def _is_duration(value: dict[str, Any]) -> bool:
    candidates = [value, value.get("items", {}), *value.get("anyOf", []), *value.get("items", {}).get("anyOf", [])]
    return any(item.get("pattern") == DURATION_PATTERN for item in candidates)


def _as_written(default: int | list[int]) -> str | list[str]:
    """A duration's default as manifests write it."""
    return [duration_text(item) for item in default] if isinstance(default, list) else duration_text(default)


def _or_expression(value: dict[str, Any]) -> dict[str, Any]:
    """The schema of a value, or a string with an expression in its place."""
    if isinstance(value.get("items"), dict):
        value = {**value, "items": _or_expression(value["items"])}
    if value.get("type") == "string" and not {"pattern", "enum", "const"} & value.keys():
        return value
    around: dict[str, Any] = {"description": value["description"]} if "description" in value else {}
    default = value.get("default")
    # The default of a mapping is that of its keys.
    if default is not None and not isinstance(default, dict):
        around["default"] = _as_written(default) if _is_duration(value) else default
    inside = {key: item for key, item in value.items() if key not in ("description", "default")}
    choices = inside["anyOf"] if set(inside) == {"anyOf"} else inside["oneOf"] if set(inside) == {"oneOf"} else [inside]
    return {**around, "anyOf": [*choices, dict(_EXPRESSION)]}
