"""Reports that pages name by Id: which report of the secondary is the twin of which of the primary (MET-3)."""

from __future__ import annotations

from collections.abc import Iterable

from orgsync_reconcile.model.actual import ActualOrg
from orgsync_reconcile.model.component import ComponentKey

#: Ids are compared by their first 15 characters: pages hold either form.
_ID_LENGTH = 15


class ReportIndex:
    """Reports of two orgs, read once when the first page asks."""

    def __init__(self, primary: ActualOrg, secondary: ActualOrg) -> None:
        self._primary = primary
        self._secondary = secondary
        self._by_id: dict[str, ComponentKey] | None = None

    def translate(self, references: Iterable[str]) -> tuple[dict[str, str], list[str]]:
        """({the Id as the page has it: the twin's Id of the same length}, [references without an identical twin])."""
        mapping: dict[str, str] = {}
        missing: list[str] = []
        for reference in references:
            twin = self._twin(reference)
            if twin:
                mapping[reference] = twin[: len(reference)]
            else:
                missing.append(reference)
        return mapping, missing

    def _twin(self, reference: str) -> str:
        if self._by_id is None:
            self._by_id = {
                item.id[:_ID_LENGTH]: key
                for key, item in self._primary.components.items()
                if key.type == "Report" and item.id
            }
        key = self._by_id.get(reference[:_ID_LENGTH])
        if key is None:
            return ""
        theirs = self._secondary.components.get(key)
        return theirs.id if theirs is not None and theirs.hash == self._primary.components[key].hash else ""
