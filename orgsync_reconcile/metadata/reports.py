"""Reports that Apex pages and components name by Id (MET-3)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from orgsync_reconcile.model.component import Component

_REPORT_ID = re.compile(r"(?<![0-9A-Za-z])00O[0-9A-Za-z]{12}(?:[0-9A-Za-z]{3})?(?![0-9A-Za-z])")
_PAGES = frozenset({"ApexComponent", "ApexPage"})


def _source(component: Component) -> str:
    return str(component.content.get("source", "")) if component.key.type in _PAGES else ""


def report_references(component: Component) -> frozenset[str]:
    """The report Ids, of 15 or 18 characters as written, in a page's or component's source (MET-3)."""
    return frozenset(_REPORT_ID.findall(_source(component)))


def rewrite_reports(component: Component, mapping: Mapping[str, str]) -> Component:
    """The component with report Ids replaced by those of the other org (MET-3).

    `mapping` goes from this org's to the other org's report Ids; either may have 15 or 18 characters, and a reference
    keeps the length that it is written in. References that are not in the mapping stay.
    """
    by_stem = {old[:15]: new for old, new in mapping.items()}

    def replacement(match: re.Match[str]) -> str:
        found = match.group()
        return by_stem.get(found[:15], found)[: len(found)]

    source = _source(component)
    rewritten = _REPORT_ID.sub(replacement, source)
    if rewritten == source:
        return component
    content = {**component.content, "source": rewritten}
    return Component(key=component.key, content=content, namespace=component.namespace)
