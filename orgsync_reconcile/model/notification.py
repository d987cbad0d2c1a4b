"""Notification rules as the manifests give them, and the facts that their texts may look up (LOG-3)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orgsync_reconcile.model.component import canonical, digest
from orgsync_reconcile.model.desired import SecretRef

#: What the texts of a rule may look up as `alert.NAME`. Of several entries, those of the newest.
FACTS = (
    "connection",
    "event",
    "org",
    "count",
    "at",
    "summary",
    "details",
    "object",
    "record",
    "status",
    "code",
    "description",
    "field",
)
#: An expression's lookup of a fact.
_LOOKUP = re.compile(r"\balert\s*(?:\.\s*([A-Za-z_]\w*)|\[\s*[\"']([^\"']*)[\"']\s*\])")


def template_names(text: str) -> Iterator[str]:
    """The facts that a text's expressions look up."""
    for expression in re.findall(r"\{\{(.*?)\}\}", text, re.DOTALL):
        for match in _LOOKUP.finditer(expression):
            yield match[1] or match[2] or ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hook:
    """A web address that is told. A secret stands here by reference only."""

    url: str | SecretRef
    style: str = "json"
    secret: SecretRef | None = None
    header: str = "X-Orgsync-Signature"


@dataclass(frozen=True, kw_only=True, slots=True)
class FlagField:
    """The field that is set on the records concerned."""

    object: str
    field: str
    value: bool | str = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One rule below `notify`. Durations are seconds; `mark` tells it from the others of its connection."""

    mark: str
    event: str
    where: Mapping[str, Any] = field(default_factory=dict)
    more_than: int | None = None
    within: float = 0.0
    every: float | None = None
    email: tuple[str, ...] = ()
    hook: Hook | None = None
    flag: FlagField | None = None
    subject: str = ""
    text: str = ""

    @property
    def quiet(self) -> float:
        """How long it says nothing after it has told, in seconds: a threshold's period where nothing else is said."""
        return self.every if self.every is not None else self.within


def rules_of(notify: Sequence[Mapping[str, Any]]) -> tuple[Rule, ...]:
    """The rules of a connection's `notify`, as validated plain data.

    A rule's mark is its name, or comes of what it watches: whom it tells may change without its telling all again.
    """
    rules: list[Rule] = []
    seen: dict[str, int] = {}
    for data in notify:
        watched = {key: data[key] for key in ("event", "where", "when", "every") if key in data}
        mark = str(data.get("name") or f"{data['event']}-{digest(canonical(watched))[-12:]}")
        seen[mark] = seen.get(mark, 0) + 1
        when = data.get("when") or {}
        rules.append(
            Rule(
                mark=mark if seen[mark] == 1 else f"{mark}#{seen[mark]}",
                event=str(data["event"]),
                where=data.get("where") or {},
                more_than=when.get("more_than"),
                within=float(when.get("within", 0)),
                every=float(data["every"]) if data.get("every") is not None else None,
                email=tuple(data.get("email") or ()),
                hook=_hook(data.get("webhook")),
                flag=FlagField(**data["flag"]) if data.get("flag") else None,
                subject=str(data.get("subject") or ""),
                text=str(data.get("text") or ""),
            )
        )
    return tuple(rules)


def _hook(data: Any) -> Hook | None:
    if data is None:
        return None
    if isinstance(data, str) or "url" not in data:
        return Hook(url=_address(data))
    secret = data.get("secret")
    return Hook(
        url=_address(data["url"]),
        style=str(data.get("style", "json")),
        secret=reference(secret) if secret else None,
        header=str(data.get("header", "X-Orgsync-Signature")),
    )


def _address(data: str | Mapping[str, Any]) -> str | SecretRef:
    return data if isinstance(data, str) else reference(data)


def reference(data: Mapping[str, Any]) -> SecretRef:
    """A secret reference from `{env: NAME}` or `{file: PATH}`."""
    if data.get("env"):
        return SecretRef(source="env", name=str(data["env"]))
    return SecretRef(source="file", name=str(data["file"]))
