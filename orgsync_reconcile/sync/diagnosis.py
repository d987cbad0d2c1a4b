"""The words of a diagnosis: what was found, how bad it is, and the command that mends it (DIA-1)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from orgsync_reconcile.clock import Clock
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.sql.connections import Connection
from orgsync_reconcile.stores.sql.flow.pair import Pair
from orgsync_reconcile.stores.sql.flow.paths import Path
from orgsync_reconcile.stores.sql.org import Org


class Severity(StrEnum):
    """How bad a finding is."""

    #: Missing or stale until somebody acts.
    ERROR = "error"
    #: Missing or stale, and the engine is at it.
    WARNING = "warning"
    #: Nothing is wrong.
    OK = "ok"
    #: Meant to be so, or worth knowing.
    INFO = "info"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One answer. `advice` is what to do by hand first, `command` the command line that mends it; both may be empty."""

    severity: Severity
    #: Stable, for programs.
    code: str
    what: str
    why: str = ""
    advice: str = ""
    command: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Diagnosis:
    """All that was found about one record or user, the worst first. Ids are empty where there is none."""

    connection: str
    object: str
    org: str
    record: str
    partner_org: str
    partner_record: str
    #: Since when they are linked, ISO 8601 text.
    linked_since: str
    findings: tuple[Finding, ...]

    @property
    def healthy(self) -> bool:
        """Whether nothing is missing or stale."""
        return not any(item.severity in (Severity.ERROR, Severity.WARNING) for item in self.findings)


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """The record in question, seen from the org that sends it. `target` is None while that org cannot be reached."""

    name: str
    side: Side
    object: str
    record: str
    source: Org
    target: Org | None
    from_: Connection
    to: Connection | None
    pair: Pair | None
    #: The paths from source to target, and the way back.
    paths: dict[str, Path]
    back: dict[str, Path]
    clock: Clock

    @property
    def path(self) -> Path | None:
        """The object's way to the target."""
        return self.paths.get(self.object)

    @property
    def partner_label(self) -> str:
        """How messages name the target."""
        return self.target.label if self.target else self.from_.partner_name or str(self.side.other)

    def command(self, verb: str, *words: str) -> str:
        """A command line over this connection; `from` is given where the secondary sends."""
        parts = ["orgsync", verb, self.name, *words]
        if self.side is Side.SECONDARY and verb in ("bulk-sync", "forward", "drain"):
            parts.append("--from secondary")
        return " ".join(parts)
