"""The desired state: what the manifests say, with the place of every statement."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from orgsync_reconcile.model.connection import ConflictPolicy, ContactRef, Direction, SyncOptions
from orgsync_reconcile.model.diagnostic import Diagnostic
from orgsync_reconcile.model.origin import Origin


@dataclass(frozen=True, kw_only=True, slots=True)
class SecretRef:
    """A secret by reference only: `{env: NAME}` or `{file: PATH}`."""

    source: Literal["env", "file"]
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DesiredOrg:
    """`kind: Org`. `store` is a URL as written, for example `sqlite:orgs/acme.db`."""

    name: str
    store: str | SecretRef
    admin: str
    #: None where the manifest does not say: the org stays as protected as it is.
    protected: bool | None = None
    origin: Origin


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldSelection:
    """Which fields of an object to publish: all supported ones, only `include`, or all but `exclude` (PUB-3)."""

    mode: Literal["all", "include", "exclude"] = "all"
    #: field name -> where the manifest names it (the `fields` key itself with mode `all`)
    names: Mapping[str, Origin] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class DesiredPublication:
    """`kind: Publication`: one object of one connection."""

    connection: str
    object: str
    fields: FieldSelection = FieldSelection()
    #: None: as the connection says.
    direction: Direction | None = None
    match_on: str | None = None
    backfill: bool = False
    origin: Origin
    #: Places of single keys, for messages: "object", "fields", "match_on", "direction".
    origins: Mapping[str, Origin] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class DesiredMetadata:
    """`kind: Metadata`: which components follow the primary. Patterns are `Type` or `Type:Glob`."""

    connection: str
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    origin: Origin


@dataclass(frozen=True, kw_only=True, slots=True)
class BulkSyncPlan:
    """`bulk_sync`: durations in seconds. `max_age` None means that no cutoff is too early."""

    auto: bool = False
    stages: tuple[int, ...] = ()
    max_age: int | None = 365 * 86400


@dataclass(frozen=True, kw_only=True, slots=True)
class AutoNumberMirror:
    """`auto_numbers`: a custom text field that mirrors an auto-number (AUT-1)."""

    object: str
    field: str
    mirror: str
    secondary_format: str
    origin: Origin


def guard_limit(text: str) -> float | None:
    """A guard's limit from text: a whole number is a count, a decimal or a percentage a share; None for neither."""
    if re.fullmatch(r"[0-9]{1,12}", text, re.ASCII):
        return int(text)
    if not re.fullmatch(r"[0-9]{0,3}(\.[0-9]{1,9})?%?", text, re.ASCII) or not text.strip(".%"):
        return None
    share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    return share if share <= 1 else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Allowance:
    """`allow`: more than a guard's limit is let through, for a reason and up to the end of a day in UTC (REC-5)."""

    guard: str
    #: A share where it is a float, a count where it is an int.
    limit: float
    reason: str
    until: date
    origin: Origin


@dataclass(frozen=True, kw_only=True, slots=True)
class DesiredConnection:
    """`kind: Connection` with its defaults filled in."""

    name: str
    primary: str
    secondary: str
    owner: str
    contact: ContactRef
    direction: Direction = Direction.TWO_WAY
    state: Literal["active", "suspended"] = "active"
    options: SyncOptions = field(default_factory=SyncOptions)
    metadata_delete: bool = False
    conflicts: ConflictPolicy = ConflictPolicy.PRIMARY_WINS
    #: Seconds between tries.
    retry: tuple[int, ...] = (60, 300, 1800, 7200, 28800)
    bulk_sync: BulkSyncPlan = BulkSyncPlan()
    limits: Mapping[str, int] = field(default_factory=dict)
    #: Guard name -> the most that is let through: a share where it is a float, a count where it is an int.
    guards: Mapping[str, float] = field(default_factory=lambda: {"disconnect": 0.3, "overwrite": 0.3})
    allow: tuple[Allowance, ...] = ()
    drift: Mapping[str, str] = field(default_factory=lambda: {"metadata": "correct", "settings": "report"})
    auto_numbers: tuple[AutoNumberMirror, ...] = ()
    #: Notification rules as plain data, checked by the manifest room.
    notify: tuple[Mapping[str, Any], ...] = ()
    origin: Origin
    #: Places of single keys, for messages: "owner", "contact", "contact.email", "sync.feeds_and_audit_fields", …
    origins: Mapping[str, Origin] = field(default_factory=dict)

    def origin_of(self, key: str) -> Origin:
        """Where `key` is set, or the document itself where a default stands."""
        return self.origins.get(key, self.origin)


@dataclass(frozen=True, kw_only=True, slots=True)
class Silence:
    """A comment that silences advice with these codes from its first to its last line; an empty reason silences none."""

    codes: tuple[str, ...]
    reason: str
    origin: Origin
    first_line: int
    last_line: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ManifestFile:
    """One file that was read: its path as shown and the SHA-256 of its bytes, in hexadecimal."""

    path: str
    sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Desired:
    """Everything that the manifests say, by name."""

    orgs: Mapping[str, DesiredOrg] = field(default_factory=dict)
    connections: Mapping[str, DesiredConnection] = field(default_factory=dict)
    #: (connection, object) -> publication
    publications: Mapping[tuple[str, str], DesiredPublication] = field(default_factory=dict)
    #: connection -> metadata selection
    metadata: Mapping[str, DesiredMetadata] = field(default_factory=dict)
    #: Documents of further kinds (Mail, Report, Failover) as validated plain data: (kind, name) -> data.
    others: Mapping[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    #: Places of their keys, and of those of Org and Metadata documents, dotted; "" is the document's own.
    other_origins: Mapping[tuple[str, str], Mapping[str, Origin]] = field(default_factory=dict)
    files: tuple[ManifestFile, ...] = ()
    environment: str | None = None
    #: Warnings found while reading; errors are raised.
    diagnostics: tuple[Diagnostic, ...] = ()
    #: Comments that silence advice.
    silences: tuple[Silence, ...] = ()

    def publications_of(self, connection: str) -> tuple[DesiredPublication, ...]:
        """A connection's publications by object name."""
        return tuple(self.publications[key] for key in sorted(self.publications) if key[0] == connection)
