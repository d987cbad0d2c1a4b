"""One document against its kind's model; what pydantic finds becomes diagnostics at file, line and column (REC-8)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from orgsync_reconcile.manifest import codes
from orgsync_reconcile.manifest.findings import Findings, shown, suggestion
from orgsync_reconcile.manifest.kinds import KINDS
from orgsync_reconcile.manifest.parse import MappingNode, Node, SequenceNode, place
from orgsync_reconcile.manifest.scalars import kind_of
from orgsync_reconcile.manifest.terms import Strict, model_in, written_name
from orgsync_reconcile.model.origin import Origin

VERSION: Final = 1
_EXPECTED: Final = {
    "bool_type": "true or false",
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}
#: What other YAML dialects read as booleans.
_OLD_BOOLEANS: Final = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
Location = tuple[int | str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """One document: its file as shown, its nodes, and the same as plain data."""

    file: str
    node: Node
    data: Any

    @property
    def origin(self) -> Origin:
        """Where the document starts."""
        return place(self.file, self.node)

    def key_origin(self, *path: int | str) -> Origin:
        """The key (or list item) that `path` leads to, as far as it is written out."""
        return place(self.file, self._find(path)[0])

    def value_origin(self, *path: int | str) -> Origin:
        """The value that `path` leads to, as far as it is written out."""
        return place(self.file, self._find(path)[1])

    def _find(self, path: Location) -> tuple[Node, Node]:
        key, value = self.node, self.node
        for part in path:
            pair = None
            if isinstance(value, MappingNode):
                for item in value.value:
                    if item[0].value == part:
                        pair = item
                        break
            elif isinstance(value, SequenceNode) and isinstance(part, int) and part < len(value.value):
                pair = (value.value[part], value.value[part])
            # A part that is not there names a member of a union, or lies inside a value from an expression.
            key, value = pair or (key, value)
        return key, value


def validate(document: Document, findings: Findings) -> Strict | None:
    """The document as its kind's model, or None where it has errors, which go to `findings`."""
    data = document.data
    if not isinstance(data, dict):
        findings.error(
            codes.NOT_A_DOCUMENT,
            document.origin,
            f"a document is a mapping with version and kind, not {kind_of(data)}",
            "start it with version: 1",
        )
        return None
    model = _model_of(document, data, findings)
    _check_version(document, data, findings)
    if model is None:
        return None
    try:
        return model.model_validate(data)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            if detail["loc"] == ("version",):
                continue
            _report(document, model, detail, findings)
        return None


def _model_of(document: Document, data: dict[str, Any], findings: Findings) -> type[Strict] | None:
    if "kind" not in data:
        message = "the document has no key `kind`"
        findings.broken = True
        findings.error(codes.UNKNOWN_KIND, document.origin, message, suggestion("", KINDS, "known kinds"))
        return None
    kind = data["kind"]
    if isinstance(kind, str) and kind in KINDS:
        return KINDS[kind]
    where = document.value_origin("kind")
    hint = suggestion(kind if isinstance(kind, str) else "", KINDS, "known kinds")
    findings.broken = True
    findings.error(codes.UNKNOWN_KIND, where, f"unknown kind {shown(kind)}", hint)
    return None


def _check_version(document: Document, data: dict[str, Any], findings: Findings) -> None:
    version = data.get("version")
    if type(version) is int and version == VERSION:
        return
    if "version" not in data:
        findings.error(codes.WRONG_VERSION, document.origin, "the document has no key `version`", "add version: 1")
        return
    where = document.value_origin("version")
    findings.error(codes.WRONG_VERSION, where, f"unknown version {shown(version)}", f"write version: {VERSION}")


def _report(document: Document, model: type[Strict], detail: ErrorDetails, findings: Findings) -> None:
    location = tuple(part for part in detail["loc"] if not (isinstance(part, str) and part.startswith("[")))
    kind, path, context = detail["type"], _path(location), detail.get("ctx", {})
    if kind == "extra_forbidden":
        hint = suggestion(str(location[-1]), _known_keys(model, location[:-1]), "known keys")
        where = document.key_origin(*location)
        findings.error(codes.UNKNOWN_KEY, where, f"unknown key {shown(location[-1])}", hint)
        return
    if kind == "missing":
        _report_missing(document, location, findings)
        return
    where = document.value_origin(*location)
    if where in findings.unread:
        # The value could not be read, which has been said.
        return
    if kind == "orgsync":
        text = f"`{path}`: {context['text']}" if path else str(context["text"])
        findings.error(context["code"], where, text, context["hint"])
    elif kind == "literal_error":
        accepted = re.findall(r"'([^']*)'", context["expected"])
        hint = suggestion(str(detail["input"]), accepted, "accepted values")
        found = shown(detail["input"]) if isinstance(detail["input"], str) else kind_of(detail["input"])
        findings.error(codes.NOT_ACCEPTED, where, f"`{path}` does not take {found}", hint)
    elif kind in _EXPECTED:
        found = detail["input"]
        hint = f"write {_OLD_BOOLEANS[found.lower()]}" if _old_boolean(kind, found) else ""
        message = f"`{path}` must be {_EXPECTED[kind]}, found {kind_of(found)}"
        findings.error(codes.WRONG_TYPE, where, message, hint or f"write {_EXPECTED[kind]}")
    else:
        findings.error(codes.INVALID_VALUE, where, *_out_of_bounds(path, kind, context))


def _out_of_bounds(path: str, kind: str, context: dict[str, Any]) -> tuple[str, str]:
    """Message and hint for a value of the right type that is too small, too large or malformed."""
    match kind:
        case "string_too_short":
            return f"`{path}` is empty", "write a text"
        case "string_too_long":
            return f"`{path}` is too long", f"use {context['max_length']} characters at most"
        case "too_short":
            return f"`{path}` is an empty list", "name at least one, or remove the key"
        case "too_long":
            return f"`{path}` is too long", f"name {context['max_length']} at most"
        case "greater_than_equal":
            return f"`{path}` is too small", f"write {context['ge']:g} or more"
        case "less_than_equal":
            return f"`{path}` is too large", f"write {context['le']:g} or less"
        case _:
            return f"`{path}` has a value that is not accepted", "see the description of this key in the schema"


def _old_boolean(kind: str, found: Any) -> bool:
    return kind == "bool_type" and isinstance(found, str) and found.lower() in _OLD_BOOLEANS


def _report_missing(document: Document, location: Location, findings: Findings) -> None:
    where = document.key_origin(*location[:-1])
    if location == ("contact", "email"):
        message = "the contact has no email, so it cannot be invited"
        findings.error(codes.CONTACT_WITHOUT_EMAIL, where, message, "add email: ADDRESS")
        return
    inside = f"`{_path(location[:-1])}`" if len(location) > 1 else f"this {document.data['kind']}"
    findings.error(codes.MISSING_KEY, where, f"{inside} lacks the key `{location[-1]}`", f"add {location[-1]}: …")


def _path(location: Location) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")


def _known_keys(model: type[BaseModel], location: Location) -> list[str]:
    current = model
    for part in location:
        fields = {written_name(name, field): field for name, field in current.model_fields.items()}
        if isinstance(part, str) and part in fields:
            inner = model_in(fields[part].annotation)
            current = inner or current
    return [written_name(name, field) for name, field in current.model_fields.items()]
