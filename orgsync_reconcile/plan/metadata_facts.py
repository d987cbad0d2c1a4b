"""Which components a connection takes over, and how the two orgs compare (MET-1, MET-2, MET-11)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import translate

from orgsync_reconcile.catalog import SUPPORTED_METADATA, never_synced
from orgsync_reconcile.model.component import ComponentKey, ComponentSummary
from orgsync_reconcile.model.desired import DesiredMetadata
from orgsync_reconcile.plan.scope import Scope


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """The manifest's choice of components, compiled: type -> patterns, None for the whole type."""

    include: Mapping[str, re.Pattern[str] | None]
    exclude: Mapping[str, re.Pattern[str] | None]

    def excluded(self, key: ComponentKey) -> bool:
        """Whether the manifest leaves the component out by name."""
        return _matches(self.exclude, key)

    def takes(self, key: ComponentKey) -> bool:
        """Whether the component follows the primary."""
        return key.type in SUPPORTED_METADATA and _matches(self.include, key) and not _matches(self.exclude, key)


def _matches(patterns: Mapping[str, re.Pattern[str] | None], key: ComponentKey) -> bool:
    if key.type not in patterns:
        return False
    pattern = patterns[key.type]
    return pattern is None or pattern.match(key.full_name) is not None


def _compiled(patterns: tuple[str, ...]) -> dict[str, re.Pattern[str] | None]:
    globs: dict[str, list[str]] = {}
    whole = set()
    for text in patterns:
        component_type, colon, glob = text.partition(":")
        globs.setdefault(component_type, []).append(translate(glob))
        if not colon:
            whole.add(component_type)
    return {name: None if name in whole else re.compile("|".join(parts)) for name, parts in globs.items()}


def selection_of(metadata: DesiredMetadata | None) -> Selection:
    """The manifest's choice; without one, or without `include`, every supported type (MET-1)."""
    include = metadata.include if metadata is not None and metadata.include else tuple(sorted(SUPPORTED_METADATA))
    return Selection(include=_compiled(include), exclude=_compiled(metadata.exclude if metadata else ()))


@dataclass(kw_only=True, slots=True)
class Comparison:
    """Components that differ, sorted; those that are equal, foreign or excluded are not in it."""

    #: Supported and wanted: only in the primary, in both with different hashes, only in the secondary.
    created: list[ComponentKey] = field(default_factory=list)
    changed: list[ComponentKey] = field(default_factory=list)
    extra: list[ComponentKey] = field(default_factory=list)
    #: Of types that do not sync, new or different in the primary (MET-6).
    unsupported: list[ComponentKey] = field(default_factory=list)
    #: Managed packages of the primary that the secondary lacks (MET-11).
    packages: list[str] = field(default_factory=list)
    #: How many components of the secondary are supported and wanted.
    followers: int = 0


def compare(scope: Scope) -> Comparison:
    """Compare both orgs by hash alone, in one pass over each."""
    chosen = selection_of(scope.metadata)
    here, there = scope.primary.components, scope.secondary.components
    own_here, own_there = scope.primary.info.namespace, scope.secondary.info.namespace
    result = Comparison()
    packages: set[str] = set()
    for key, ours in here.items():
        if ours.namespace and ours.namespace != own_here:
            packages.add(ours.namespace)
            continue
        theirs = there.get(key)
        if theirs is not None and theirs.hash == ours.hash:
            continue
        _sort_in(key, ours, theirs, chosen, result, own_here)
    present: set[str] = set()
    for key, theirs in there.items():
        if theirs.namespace and theirs.namespace != own_there:
            present.add(theirs.namespace)
        elif key.type in SUPPORTED_METADATA and chosen.takes(key):
            result.followers += 1
            if key not in here and never_synced(key, theirs.namespace, owned_namespace=own_there) is None:
                result.extra.append(key)
    result.packages = sorted(packages - present)
    for names in (result.created, result.changed, result.extra, result.unsupported):
        names.sort()
    return result


def _sort_in(
    key: ComponentKey,
    ours: ComponentSummary,
    theirs: ComponentSummary | None,
    chosen: Selection,
    result: Comparison,
    own: str,
) -> None:
    if key.type not in SUPPORTED_METADATA or never_synced(key, ours.namespace, owned_namespace=own) is not None:
        if not chosen.excluded(key):
            result.unsupported.append(key)
    elif chosen.takes(key):
        (result.created if theirs is None else result.changed).append(key)
