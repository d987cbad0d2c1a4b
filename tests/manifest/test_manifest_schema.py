"""The JSON Schema for editors: current, complete, and in agreement with the loader."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from orgsync_reconcile.manifest import editor_schema, reference, scaffolding
from orgsync_reconcile.manifest.kinds import KINDS

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = sorted(
    path
    for folder in (ROOT / "manifests", ROOT / "examples")
    for path in folder.rglob("*.yaml")
    if "manifests" in path.relative_to(ROOT).parts[:-1] and not path.name.startswith("values.")
)
BAD = Path(__file__).parent / "bad"


def documents(path: Path) -> list[Any]:
    return [item for item in yaml.safe_load_all(path.read_text(encoding="utf-8")) if item is not None]


def test_committed_schema_is_current() -> None:
    """REC-8: schemas/orgsync.schema.json is what the models say; write scaffolding.schema_text() there otherwise."""
    committed = (ROOT / "schemas" / "orgsync.schema.json").read_text(encoding="utf-8")
    assert committed == scaffolding.schema_text()
    Draft202012Validator.check_schema(json.loads(committed))


def test_every_key_is_described() -> None:
    """REC-8: an editor can explain each key, and shows durations as they are written."""
    schema = editor_schema.schema()
    definitions = schema["$defs"]
    undescribed = [
        f"{name}.{key}"
        for name, definition in definitions.items()
        for key, value in definition.get("properties", {}).items()
        if not value.get("description")
    ]
    assert undescribed == []
    assert all(item["additionalProperties"] is False for item in definitions.values())
    assert definitions["BulkSync"]["properties"]["max_age"]["default"] == "365d"
    assert definitions["Connection"]["properties"]["retry"]["default"] == ["1m", "5m", "30m", "2h", "8h"]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: "/".join(path.parts[-3:]))
def test_shipped_manifests_pass(path: Path) -> None:
    """REC-8: starter set and examples pass the schema that their first line names, expressions included."""
    first = path.read_text(encoding="utf-8").splitlines()[0]
    named = first.removeprefix("# yaml-language-server: $schema=")
    assert (path.parent / named).resolve() == ROOT / "schemas" / "orgsync.schema.json"
    validator = Draft202012Validator(editor_schema.schema())
    for document in documents(path):
        assert [error.message for error in validator.iter_errors(document)] == []


@pytest.mark.parametrize(
    "name",
    ["org_keys", "org_stores", "connection_keys", "connection_missing", "unknown_kind", "versions", "operations"],
)
def test_bad_manifests_fail(name: str) -> None:
    """REC-8: what the loader refuses within one document, an editor marks too."""
    validator = Draft202012Validator(editor_schema.schema())
    assert any(not validator.is_valid(document) for document in documents(BAD / f"{name}.yaml"))


def test_errors_are_those_of_the_kind() -> None:
    """REC-8: an editor sees one precise error, not one per kind."""
    document = {"version": 1, "kind": "Publication", "connection": "c", "object": "Account", "filds": "all"}
    errors = list(Draft202012Validator(editor_schema.schema()).iter_errors(document))
    assert len(errors) == 1
    assert "'filds' was unexpected" in errors[0].message


def test_the_page_of_manifests_is_current() -> None:
    """REC-8: docs/manifests.md names every kind and every key; `make docs` writes it."""
    page = (ROOT / "docs" / "manifests.md").read_text(encoding="utf-8")
    assert page == reference.reference(), "run make docs"
    for kind in KINDS:
        assert f"\n## {kind}\n" in page
    for name, definition in editor_schema.schema()["$defs"].items():
        for key in definition.get("properties", {}) if name != "Secret" else ():
            assert f"| `{key}` |" in page, f"{name}.{key}"
    assert '| `retry` | list of duration | `["1m", "5m", "30m", "2h", "8h"]` |' in page
    assert "| `max_age` | duration or `none` | `365d` |" in page
