"""Metadata components: one piece of metadata, its type and full name, and its normalised content (MET-*)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple


class ComponentKey(NamedTuple):
    """A component's identity, for example ("CustomField", "Account.Region__c"). Text form `Type:Full.Name`."""

    type: str
    full_name: str

    def __str__(self) -> str:
        return f"{self.type}:{self.full_name}"


def canonical(content: Any) -> str:
    """Normalised content as canonical JSON: sorted keys, no white space, so that equal content is equal text."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(text: str) -> str:
    """The fingerprint of canonical text, 32 hexadecimal characters."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True, kw_only=True, slots=True)
class Component:
    """A component with its content.

    `content` is the metadata file as nested plain data (XML elements as keys, repeated ones as lists), normalised by
    `catalog`/importers: white space, element order and defaults have no meaning in it. A source file (Apex, pages)
    stands under the key `source`.
    """

    key: ComponentKey
    content: Mapping[str, Any]
    namespace: str = ""

    @property
    def text(self) -> str:
        """The content as canonical JSON."""
        return canonical(self.content)


class ComponentSummary(NamedTuple):
    """What a plan needs of a component without reading its content."""

    key: ComponentKey
    hash: str
    #: The component's Id in its org (reports are referenced by it, MET-3).
    id: str = ""
    namespace: str = ""
    #: The hash at the last successful sync over the connection (secondary only), to tell drift from news.
    synced_hash: str = ""
