"""Components that follow the primary: create, update, rename, correct drift, and what people must do (MET-*)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orgsync_reconcile.catalog import deploy_rank, manual_advice
from orgsync_reconcile.metadata import report_references, rewrite_reports, without_display_format
from orgsync_reconcile.model.component import Component, ComponentKey
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.plan import Change, Op, Reason, Risk
from orgsync_reconcile.plan import address, codes
from orgsync_reconcile.plan.connection import feature_needs
from orgsync_reconcile.plan.content import changed_keys, component_of, same_where_synced, unified
from orgsync_reconcile.plan.draft import Draft, Phase, Sheet, listed
from orgsync_reconcile.plan.metadata_facts import Comparison, compare
from orgsync_reconcile.plan.renames import find_renames, renamed_in_place, warn_renames
from orgsync_reconcile.plan.reports import ReportIndex
from orgsync_reconcile.plan.scope import Scope
from orgsync_reconcile.plan.three_way import ChangedBy

#: May name reports by Id (MET-3).
_PAGES = frozenset({"ApexComponent", "ApexPage"})


@dataclass(kw_only=True, slots=True)
class MetadataOutcome:
    """What the other planners need to know of the metadata that this plan deploys."""

    #: Components that are deployed by this plan.
    planned: set[ComponentKey] = field(default_factory=set)
    #: How many components of the secondary follow the primary.
    followers: int = 0


def plan_metadata(scope: Scope, sheet: Sheet) -> MetadataOutcome:
    """Write what to deploy into the secondary, and list what cannot be or is not to be deployed."""
    facts = compare(scope)
    outcome = MetadataOutcome(followers=facts.followers)
    _unsupported(scope, facts, sheet)
    if not scope.desired.options.metadata:
        _switched_off(scope, facts, sheet)
        return outcome
    work = _Work(scope=scope, sheet=sheet, outcome=outcome, reports=ReportIndex(scope.primary, scope.secondary))
    renames = find_renames(scope, facts)
    warn_renames(scope, renames, sheet)
    for key in facts.created:
        work.create(key, renamed_in_place(key, renames))
    for key in facts.changed:
        work.update(key)
    replaced = {old for new, old in renames.items() if renamed_in_place(new, renames)}
    for key in facts.extra:
        if key not in replaced:
            _extra(scope, key, sheet)
    return outcome


def _unsupported(scope: Scope, facts: Comparison, sheet: Sheet) -> None:
    """What never syncs: other types, and managed packages (MET-6, MET-11)."""
    for key in facts.unsupported:
        verb = "differs from" if key in scope.secondary.components else "is missing next to"
        sheet.task(
            codes.UNSUPPORTED_TYPE,
            address.component(scope.name, key),
            scope.desired.secondary,
            manual_advice(key.type),
            f"{key} {verb} {scope.desired.primary}'s, and {key.type} does not sync",
        )
    for name in facts.packages:
        sheet.task(
            codes.PACKAGE_MISSING,
            f"{scope.name}/metadata/InstalledPackage:{name}",
            scope.desired.secondary,
            f"install the managed package {name}",
            f"{scope.desired.primary} has components of {name}; managed packages never sync",
        )


def _switched_off(scope: Scope, facts: Comparison, sheet: Sheet) -> None:
    """With the switch off, every difference is somebody's task (MET-12)."""
    for key in sorted([*facts.created, *facts.changed]):
        missing = key not in scope.secondary.components
        if not missing and same_where_synced(component_of(scope.primary, key), component_of(scope.secondary, key)):
            continue
        sheet.task(
            codes.METADATA_OFF,
            address.component(scope.name, key),
            scope.desired.secondary,
            f"{'create' if missing else 'change'} {key} as it is in {scope.desired.primary}",
            "metadata sync is off",
        )
    for key in facts.extra:
        sheet.task(
            codes.METADATA_OFF,
            address.component(scope.name, key),
            scope.desired.secondary,
            f"delete {key}, or create it in {scope.desired.primary} too",
            "metadata sync is off",
        )


def _extra(scope: Scope, key: ComponentKey, sheet: Sheet) -> None:
    """Only in the secondary: deleted in the primary (MET-4), or added in the secondary (MET-5)."""
    theirs = scope.secondary.components[key]
    where = address.component(scope.name, key)
    wanted = scope.desired
    if not theirs.synced_hash:
        sheet.task(
            codes.COMPONENT_ADDED,
            where,
            wanted.secondary,
            f"create {key} in {wanted.primary} too, or leave it",
            f"{key} exists only in {wanted.secondary}, and metadata is never sent back",
        )
    elif wanted.metadata_delete:
        sheet.drafts.append(
            Draft(
                phase=Phase.METADATA_DELETE,
                rank=-deploy_rank(key.type),
                address=where,
                op=Op.DELETE_COMPONENT,
                org=wanted.secondary,
                connection=scope.name,
                change=Change.DELETE,
                risk=Risk.DESTRUCTIVE,
                reason=Reason.CHANGED,
                before={"hash": theirs.hash},
                source=wanted.origin_of("sync.metadata"),
            )
        )
    else:
        sheet.task(
            codes.COMPONENT_DELETED,
            where,
            wanted.secondary,
            f"delete {key}, or set sync.metadata to {{delete: true}}",
            f"{key} was deleted in {wanted.primary}; deletions do not sync",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Work:
    """Deployments of one connection in the making."""

    scope: Scope
    sheet: Sheet
    outcome: MetadataOutcome
    reports: ReportIndex

    def create(self, key: ComponentKey, old: ComponentKey | None) -> None:
        """A component that the secondary lacks, or has under its old name (MET-7)."""
        if self._failed(key):
            return
        before = {"full_name": old.full_name} if old else None
        self._deploy(key, Reason.CHANGED if old else Reason.ADDED, before, {}, ours=None)

    def update(self, key: ComponentKey) -> None:
        """A component whose hash differs: news from the primary, or a change by hand in the secondary (MET-5)."""
        scope = self.scope
        ours, theirs = component_of(scope.primary, key), component_of(scope.secondary, key)
        if same_where_synced(ours, theirs) or self._differs_on_purpose(key, ours, theirs):
            return
        here, there = scope.primary.components[key], scope.secondary.components[key]
        by_hand = bool(there.synced_hash) and there.hash != there.synced_hash
        reason = Reason.DRIFT if by_hand and here.hash == there.synced_hash else Reason.CHANGED
        if by_hand:
            self.sheet.drifted(
                address.component(scope.name, key),
                scope.desired.secondary,
                "component",
                f"{key} was changed in {scope.desired.secondary}"
                + ("" if reason is Reason.DRIFT else f", and in {scope.desired.primary} too"),
                diff=unified(ours, theirs, scope.desired.primary, scope.desired.secondary),
                applied=there.synced_hash,
                live=there.hash,
                wanted=here.hash,
                changed_by=(ChangedBy.PERSON if reason is Reason.DRIFT else ChangedBy.BOTH).value,
                policy=scope.policy("metadata"),
            )
            if reason is Reason.DRIFT and "metadata" in scope.reported:
                return
        if self._failed(key):
            return
        old, new = changed_keys(ours, theirs)
        before: dict[str, Any] = {"hash": there.hash}
        after: dict[str, Any] = {}
        if new:
            before["content"], after["content"] = old, new
        self._deploy(key, reason, before, after, ours=ours)

    def _failed(self, key: ComponentKey) -> bool:
        """Whether this very content was refused before: it is not tried again until it is saved again."""
        ours = self.scope.primary.components[key]
        for side in Side:
            known = self.scope.side(side)
            failed = known.failed_components.get(key) if known else None
            if failed is not None and failed[0] == ours.hash:
                self.sheet.task(
                    codes.COMPONENT_FAILED,
                    address.component(self.scope.name, key),
                    self.scope.desired.secondary,
                    f"correct {key} in {self.scope.desired.primary} and save it; it is then deployed again",
                    f"the deployment failed: {failed[1]}",
                )
                return True
        return False

    def _reports(self, key: ComponentKey, ours: Component | None) -> tuple[dict[str, str], list[str]]:
        """The reports that a page names, by the secondary's Ids, and those that have no twin there (MET-3)."""
        if key.type not in _PAGES or ours is None:
            return {}, []
        return self.reports.translate(sorted(report_references(ours)))

    def _as_deployed(self, key: ComponentKey, ours: Component | None, theirs: Component | None) -> bool:
        """Whether the secondary's page is ours with its report Ids rewritten (MET-3)."""
        mapping, missing = self._reports(key, ours)
        if ours is None or theirs is None or missing or not mapping:
            return False
        return rewrite_reports(ours, mapping).content == theirs.content

    def _differs_on_purpose(self, key: ComponentKey, ours: Component | None, theirs: Component | None) -> bool:
        """Rewritten report Ids (MET-3), and the secondary's own display format of an auto-number (AUT-1)."""
        if self._as_deployed(key, ours, theirs):
            return True
        if ours is None or theirs is None:
            return False
        mirrored = {
            ("CustomObject", item.object) if item.field == "Name" else ("CustomField", f"{item.object}.{item.field}")
            for item in self.scope.desired.auto_numbers
        }
        return key in mirrored and without_display_format(ours).content == without_display_format(theirs).content

    def _deploy(
        self,
        key: ComponentKey,
        reason: Reason,
        before: Mapping[str, Any] | None,
        after: dict[str, Any],
        *,
        ours: Component | None,
    ) -> None:
        """Plan the deployment; a page whose reports have no twin is a manual task instead (MET-3)."""
        scope = self.scope
        if (key.type in _PAGES or key.type == "Role") and ours is None:
            ours = component_of(scope.primary, key)
        mapping, missing = self._reports(key, ours)
        where = address.component(scope.name, key)
        if missing:
            self.sheet.task(
                codes.REPORT_MISSING,
                where,
                scope.desired.secondary,
                f"create an identical report in {scope.desired.secondary} for {listed(missing)}",
                f"{key} names it by its Id, and reports do not sync",
            )
            return
        if mapping:
            after["reports"] = mapping
        self.sheet.drafts.append(
            Draft(
                phase=Phase.METADATA,
                rank=deploy_rank(key.type),
                address=where,
                op=Op.DEPLOY_COMPONENT,
                org=scope.desired.secondary,
                connection=scope.name,
                change=Change.CREATE if before is None else Change.UPDATE,
                reason=reason,
                before=before,
                after={"hash": scope.primary.components[key].hash, **after},
                source=scope.metadata.origin if scope.metadata else scope.desired.origin_of("sync.metadata"),
                needs=self._needs(key, ours),
            )
        )
        self.outcome.planned.add(key)

    def _needs(self, key: ComponentKey, ours: Component | None) -> tuple[str, ...]:
        """What must be there first: the connection, the object of a member, a lookup's parent, a role's parent."""
        scope = self.scope
        wanted = [ComponentKey("CustomObject", name) for name in _objects_named(key, scope)]
        if key.type == "Role" and ours is not None and ours.content.get("parentRole"):
            wanted.append(ComponentKey("Role", str(ours.content["parentRole"])))
        return (
            *feature_needs(scope, Side.SECONDARY),
            address.end(scope.name, Side.SECONDARY),
            *(address.component(scope.name, item) for item in wanted if item != key),
        )


def _objects_named(key: ComponentKey, scope: Scope) -> list[str]:
    """The objects that a field, record type or layout belongs to or points at."""
    if key.type == "Layout":
        return [key.full_name.partition("-")[0]]
    name, _, member = key.full_name.partition(".")
    if not member:
        return []
    item = scope.primary.objects.get(name)
    definition = item.fields.get(member) if item and key.type == "CustomField" else None
    return [name, *(definition.reference_to if definition else ())]
