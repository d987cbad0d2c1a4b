"""The values that expressions look up: `values.yaml`, overlaid with `values.<environment>.yaml`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from orgsync_reconcile.manifest import codes
from orgsync_reconcile.manifest.convert import Converter
from orgsync_reconcile.manifest.files import Source
from orgsync_reconcile.manifest.findings import Findings, shown, suggestion
from orgsync_reconcile.manifest.parse import documents, place
from orgsync_reconcile.model.origin import Origin

#: Only files directly in the manifest folder are values files.
_VALUES_FILE: Final = re.compile(r"values(?:\.(?P<environment>[^/]+))?\.(?:yaml|yml)")


def environment_of(name: str) -> str | None:
    """The environment whose values a file of that name holds, "" for those of all, None for no values file."""
    match = _VALUES_FILE.fullmatch(name)
    return None if match is None else match["environment"] or ""


def read_values(
    sources: list[Source], environment: str | None, folder: str, findings: Findings
) -> tuple[dict[str, Any], list[Source]]:
    """The merged values and the files that they came from; files of other environments are not read.

    Mappings are merged key by key; anything else in the environment's file replaces what `values.yaml` says.
    """
    by_environment: dict[str, list[Source]] = {}
    for source in sources:
        name = environment_of(source.name)
        if name is not None:
            by_environment.setdefault(name, []).append(source)
    if environment is not None and environment not in by_environment:
        known = [name for name in by_environment if name]
        hint = (
            suggestion(environment, known, "known environments")
            if known
            else f"add a file values.{environment}.yaml to the manifest folder"
        )
        findings.error(
            codes.UNKNOWN_ENVIRONMENT, Origin(file=folder), f"unknown environment {shown(environment)}", hint
        )
    values: dict[str, Any] = {}
    read: list[Source] = []
    for name in ("",) if environment is None else ("", environment):
        for count, source in enumerate(by_environment.get(name, [])):
            if count:
                findings.error(
                    codes.BAD_VALUES_FILE,
                    Origin(file=source.shown),
                    f"a second values file beside {Path(by_environment[name][0].name).name}",
                    "keep one of them",
                )
                continue
            read.append(source)
            values = _merged(values, _read_one(source, findings))
    return values, read


def _read_one(source: Source, findings: Findings) -> dict[str, Any]:
    converter = Converter(file=source.shown, templates=None, findings=findings)
    values: dict[str, Any] = {}
    for count, node in enumerate(documents(source.shown, source.data, findings)):
        data = converter.convert(node)
        if data is None:
            continue
        if count or not isinstance(data, dict):
            findings.error(
                codes.BAD_VALUES_FILE, place(source.shown, node), "a values file holds one mapping of names to values"
            )
            continue
        values = data
    return values


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for key, value in above.items():
        old = result.get(key)
        result[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result
