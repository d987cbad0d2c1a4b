"""The values of a review: one difference, the revisions it lies between, and what goes with it (REC-9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orgsync_reconcile.model.diagnostic import Diagnostic
from orgsync_reconcile.model.origin import Origin
from orgsync_reconcile.model.plan import Change, Plan, Risk

#: The groups that differences without a connection stand in.
ORGS, OPERATIONS = "orgs", "operations"


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One thing that the manifests say differently. `before` and `after` are JSON-ready; None is absent."""

    #: A connection's name, or ORGS or OPERATIONS.
    group: str
    #: What differs within the group: an object, `connection`, `metadata`, an org, `Report weekly`, …
    subject: str
    #: The document, and below it what differs; "" where the whole document came or went.
    address: str
    key: str
    change: Change
    risk: Risk
    #: One phrase without the subject, for example "publishes 3 more fields: Fax, Phone, Website".
    message: str
    before: Any = None
    after: Any = None
    #: Single names that came or went, each with its place.
    items: tuple[tuple[str, Origin], ...] = ()
    origin: Origin
    #: Whether `origin` is a place in the base, because the head no longer says it.
    gone: bool = False
    #: Of a publication, the connection and object that counts can be asked for.
    object: str = ""
    #: Record counts from the orgs, for example {"disconnected": 12304}.
    effects: Mapping[str, int] = field(default_factory=dict)

    @property
    def document(self) -> str:
        """The address of the document that the difference is in."""
        return self.address


@dataclass(frozen=True, kw_only=True, slots=True)
class Revision:
    """One side of a review: its name as it was asked for, and its commit, "" for the working folder."""

    name: str
    commit: str

    @property
    def shown(self) -> str:
        """`main (1a2b3c4)`."""
        if not self.commit:
            return self.name
        return self.name if self.commit.startswith(self.name) else f"{self.name} ({self.commit[:7]})"


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanState:
    """The plan of the head, or why there is none."""

    plan: Plan | None = None
    #: One line; "" where there is a plan or none was asked for.
    absent: str = ""
    #: Whether the plan is of the head together with what its base got meanwhile.
    merged: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Review:
    """All that a reviewer is shown."""

    base: Revision
    head: Revision
    #: The commit at which the two parted; the differences are those since then.
    parted: str
    #: Commits of the base that the head lacks.
    behind: int
    environment: str | None
    #: In the order of connections, objects and keys.
    differences: tuple[Difference, ...]
    #: Addresses of documents that the base changed as well since the two parted.
    overlapping: tuple[str, ...] = ()
    #: Why the base could not be compared with, "" where it could.
    base_problem: str = ""
    #: What the head asks for that its base has not declared: stores, secrets, administrators (REC-11).
    untrusted: tuple[Diagnostic, ...] = ()
    #: Warnings about the head's manifests that the base did not have.
    warnings: tuple[Diagnostic, ...] = ()
    plan: PlanState = PlanState()

    @property
    def differs(self) -> bool:
        """Whether the head says anything else than what it started from."""
        return bool(self.differences) or bool(self.base_problem)

    @property
    def destructive(self) -> tuple[Difference, ...]:
        """The differences that cost something once they are applied."""
        return tuple(item for item in self.differences if item.risk is Risk.DESTRUCTIVE)
