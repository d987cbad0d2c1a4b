"""What no document can know alone: names given twice, references to nothing, mixed directions (REC-8, PUB-7)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from orgsync_reconcile.manifest import codes
from orgsync_reconcile.manifest.findings import Findings, shown, suggestion
from orgsync_reconcile.model.connection import Direction
from orgsync_reconcile.model.desired import DesiredConnection, DesiredOrg, DesiredPublication
from orgsync_reconcile.model.origin import Origin


@dataclass(kw_only=True, slots=True)
class Names:
    """Names that documents declare, also those that have errors of their own, so that no error causes another."""

    findings: Findings
    declared: dict[tuple[str, str], Origin] = field(default_factory=dict)

    def declare(self, kind: str, name: str, origin: Origin) -> bool:
        """Registers a document; False, with an error that names both places, where the name is taken."""
        first = self.declared.setdefault((kind, name), origin)
        if first is origin:
            return True
        self.findings.error(
            codes.TWO_OF_ONE_NAME,
            origin,
            f"a second {kind} {shown(name)}; the first stands at {first}",
            "rename or remove one",
        )
        return False

    def publish(self, connection: str, api_name: str, origin: Origin) -> bool:
        """Registers a publication; API names differ by more than case."""
        first = self.declared.setdefault(("Publication", f"{connection}/{api_name.casefold()}"), origin)
        if first is origin:
            return True
        self.findings.error(
            codes.PUBLISHED_TWICE,
            origin,
            f"{api_name} is published over {shown(connection)} twice; the first time at {first}",
            "merge both into one document",
        )
        return False

    def of(self, kind: str) -> list[str]:
        """All names of one kind."""
        return [name for of_kind, name in self.declared if of_kind == kind]

    def refer(self, kind: str, name: str, code: str, origin: Origin) -> None:
        """Reports a reference to nothing, unless some file could not be read: what is missing may stand there."""
        if (kind, name) in self.declared or self.findings.broken:
            return
        noun = kind.lower()
        self.findings.error(
            code, origin, f"unknown {noun} {shown(name)}", suggestion(name, self.of(kind), f"known {noun}s")
        )


def check_ends(connection: DesiredConnection, orgs: Mapping[str, DesiredOrg], findings: Findings) -> None:
    """Both ends are two orgs, not one under two names."""
    where = connection.origin_of("secondary")
    primary, secondary = orgs.get(connection.primary), orgs.get(connection.secondary)
    if connection.primary == connection.secondary:
        message = f"primary and secondary are the same org {shown(connection.primary)}"
        findings.error(codes.ONE_ORG_TWICE, where, message, "name two orgs")
    elif primary is not None and secondary is not None and primary.store == secondary.store:
        message = "primary and secondary have the same store"
        findings.error(codes.ONE_ORG_TWICE, where, message, "give each org a store of its own")


def check_directions(
    connections: Mapping[str, DesiredConnection], publications: Iterable[DesiredPublication], findings: Findings
) -> None:
    """Warns at each publication that mixes the directions of its connection (PUB-7)."""
    by_connection: dict[str, list[DesiredPublication]] = defaultdict(list)
    for publication in publications:
        by_connection[publication.connection].append(publication)
    for name, items in by_connection.items():
        connection = connections.get(name)
        if connection is None:
            continue
        effective: dict[Direction, list[DesiredPublication]] = defaultdict(list)
        for item in items:
            effective[item.direction or connection.direction].append(item)
        if len(effective) < 2:
            continue
        for item in (item for way, group in effective.items() if way != connection.direction for item in group):
            findings.warning(
                codes.MIXED_DIRECTIONS,
                item.origins.get("direction", item.origin),
                f"{item.object} goes {item.direction}, while {name} is {connection.direction}",
                "publish all objects of a connection in one direction",
            )
