"""Differences between two flat views of one document: settings, and lists whose items come and go."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orgsync_reconcile.model.component import canonical
from orgsync_reconcile.model.origin import Origin
from orgsync_reconcile.model.plan import Change
from orgsync_reconcile.plan.draft import listed
from orgsync_reconcile.plan.guards import limit_words
from orgsync_reconcile.plan.semantic.difference import Difference
from orgsync_reconcile.plan.semantic.risks import setting_risk

#: Longer values are cut in a message; the document has them whole.
_LONGEST = 80
#: Lists whose order has a meaning.
_ORDERED = frozenset({"retry", "bulk_sync.stages"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """One document on both sides: how its differences are named, and the places of its keys, "" for the document."""

    kind: str
    group: str
    subject: str
    address: str
    old_places: Mapping[str, Origin]
    new_places: Mapping[str, Origin]
    object: str = ""

    def place(self, key: str) -> tuple[Origin, bool]:
        """Where the head says `key`, else where the base did (True), else the head's document."""
        for places, gone in ((self.new_places, False), (self.old_places, True)):
            path = key
            while path:
                if path in places:
                    return places[path], gone
                path = path.rpartition(".")[0]
        return self.new_places[""], False

    def difference(self, key: str, before: Any, after: Any, message: str, **more: Any) -> Difference:
        """A changed setting, with its risk."""
        risk, why = setting_risk(self.kind, key, before, after)
        origin, gone = self.place(key)
        values: dict[str, Any] = {
            "group": self.group,
            "subject": self.subject,
            "address": self.address,
            "key": key,
            "change": Change.UPDATE,
            "risk": risk,
            "message": f"{message} ({why})" if why else message,
            "before": before,
            "after": after,
            "origin": origin,
            "gone": gone,
            "object": self.object,
        }
        return Difference(**(values | more))


def compare_settings(sheet: Sheet, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    """One difference for each key whose value is another one, in the order of the keys."""
    for key in sorted(old.keys() | new.keys()):
        before, after = old.get(key), new.get(key)
        if canonical(before) == canonical(after):
            continue
        if key not in _ORDERED and _is_list(before) and _is_list(after):
            yield sheet.difference(key, before, after, _list_message(key, before or [], after or []))
        else:
            yield sheet.difference(key, before, after, f"{key}: {value(before)} → {value(after)}")


def _is_list(item: Any) -> bool:
    return item is None or isinstance(item, list)


def _list_message(key: str, before: list[Any], after: list[Any]) -> str:
    said = _WORDS.get(key, value)
    old, new = Counter(map(canonical, before)), Counter(map(canonical, after))
    parts = []
    for word, left in (("adds", new - old), ("drops", old - new)):
        texts = [said(json.loads(text)) for text in sorted(left.elements())]
        if texts:
            parts.append(f"{word} {listed(texts, 6)}")
    return f"{key}: {'; '.join(parts)}"


def value(item: Any) -> str:
    """A value in a message."""
    if item is None:
        return "none"
    text = item if isinstance(item, str) else json.dumps(item, sort_keys=True, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _allowance(item: Mapping[str, Any]) -> str:
    """What lets a guard pass: how far and until when stand first, so that a long reason cuts off neither."""
    return f'{item["guard"]} {limit_words(item["limit"], "up to")} until {item["until"]}, "{value(item["reason"])}"'


#: Lists whose items have words of their own.
_WORDS: Mapping[str, Callable[[Any], str]] = {"allow": _allowance}
