"""Metadata sync: components of the primary into the secondary, and fields that fall out of step (MET-8, MET-9, PUB-8)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType

from orgsync_reconcile.clock import Clock
from orgsync_reconcile.failpoints import FailPoint, reach
from orgsync_reconcile.metadata import rewrite_reports
from orgsync_reconcile.model.component import Component, ComponentKey
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.sql import components, history
from orgsync_reconcile.stores.sql.component_table import read_component, set_synced, summaries
from orgsync_reconcile.stores.sql.connections import get_connection
from orgsync_reconcile.stores.sql.failures import clear_failed, clear_failed_parts, failed_before, set_failed
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.shapes import published_shapes, subscribed_shapes
from orgsync_reconcile.stores.sql.subscriptions import drop_field, subscribe_field

_NO_REPORTS: Mapping[ComponentKey, Mapping[str, str]] = MappingProxyType({})
_NO_NEEDS: Mapping[ComponentKey, Collection[ComponentKey]] = MappingProxyType({})
_NO_RENAMES: Mapping[ComponentKey, ComponentKey] = MappingProxyType({})


def sync_components(
    primary: Org,
    secondary: Org,
    connection: str,
    keys: Iterable[ComponentKey],
    *,
    actor: str,
    clock: Clock,
    reports: Mapping[ComponentKey, Mapping[str, str]] = _NO_REPORTS,
    renames: Mapping[ComponentKey, ComponentKey] = _NO_RENAMES,
    needs: Mapping[ComponentKey, Collection[ComponentKey]] = _NO_NEEDS,
) -> dict[ComponentKey, str]:
    """Deploys these components of the primary to the secondary; returns key -> why, of those that failed.

    One that fails goes at once, without retries, to the connection history and the primary's sync log; the others go on
    (MET-8). `reports`: page -> report Ids to rewrite (MET-3). `renames`: new key -> key that the secondary still has
    (MET-7). `needs`: key -> keys without which it cannot stand: one that fails with what it needs is returned, but not
    remembered as failed, since it is not at fault. Parts that stay each org's own are kept (MET-2). Raises StoreError and its kin.
    """
    chosen: list[Component] = []
    failures: dict[ComponentKey, str] = {}
    for key in dict.fromkeys(keys):
        component = read_component(primary, key)
        if component is None:
            failures[key] = f"{key} is no longer in {primary.label}; plan again"
            continue
        component = rewrite_reports(component, reports.get(key, {}))
        old = renames.get(key)
        if old is None:
            chosen.append(component)
        else:
            renamed = components.rename(secondary, old, key, component.content, synced=True)
            failures.update({item.key: item.message for item in renamed})
    deployed = components.deploy(secondary, chosen, keep_unsynced=True, synced=True)
    failures.update({item.key: item.message for item in deployed})
    reach(FailPoint.METADATA_AFTER_DEPLOY)
    at_fault = {key: why for key, why in failures.items() if failures.keys().isdisjoint(needs.get(key, ()))}
    deployed_keys = [key for key in (*(item.key for item in chosen), *renames) if key not in failures]
    _tell(primary, connection, deployed_keys, at_fault, actor, clock)
    reach(FailPoint.METADATA_AFTER_SOURCE_TOLD)
    return failures


def _tell(
    primary: Org,
    connection: str,
    keys: Sequence[ComponentKey],
    failures: Mapping[ComponentKey, str],
    actor: str,
    clock: Clock,
) -> None:
    """Failures in the primary's history and log; the same failure of the same content is not logged twice."""
    known = get_connection(primary, connection)
    hashes = {key: item.hash for key, item in summaries(primary).items()} if failures else {}
    with primary.transaction():
        for key in keys:
            clear_failed(primary, known.number, "component", str(key))
            if key.type == "CustomObject":
                clear_failed_parts(primary, known.number, key.full_name)
        for key, why in failures.items():
            fingerprint = hashes.get(key, "")
            if failed_before(primary, known.number, "component", str(key)) == (fingerprint, why):
                continue
            history.record_event(
                primary, connection, history.METADATA_FAILED, f"{key}: {why}", actor=actor, clock=clock
            )
            history.log_failure(
                primary,
                known.id,
                entity=key.type,
                record=key.full_name,
                event=history.METADATA_SYNC,
                error_code="METADATA_DEPLOY_ERROR",
                description=why,
            )
            set_failed(primary, known.number, "component", str(key), fingerprint, why)
        if keys or failures:
            primary.touch_revision()


def remember_equal(primary: Org, secondary: Org) -> int:
    """Marks components that are equal in both orgs as synced, so that a later change of either is told apart (MET-5).

    Returns how many were marked. Those that were synced before keep what was remembered.
    """
    ours = summaries(primary)
    equal = {
        key: theirs.hash
        for key, theirs in summaries(secondary).items()
        if not theirs.synced_hash and key in ours and ours[key].hash == theirs.hash
    }
    if equal:
        set_synced(secondary, equal)
    return len(equal)


def drop_mismatched(primary: Org, secondary: Org, connection: str, *, clock: Clock) -> tuple[tuple[str, str, str], ...]:
    """Unsubscribes fields that were deleted, retyped or resized since they were subscribed, in both directions (PUB-8).

    They stay published. Returns (object, field, reason) of each. Cheap enough for every drain.
    """
    dropped: list[tuple[str, str, str]] = []
    for side in Side:
        source, target = (primary, secondary) if side is Side.PRIMARY else (secondary, primary)
        dropped.extend(drop_towards(source, target, connection, clock=clock))
    return tuple(dropped)


def drop_towards(
    source: Org, target: Org, connection: str, *, object_name: str | None = None, clock: Clock
) -> list[tuple[str, str, str]]:
    """Unsubscribes in one org what no longer fits what the other publishes, of all objects or of one (PUB-8)."""
    dropped: list[tuple[str, str, str]] = []
    offered = published_shapes(source, connection, object_name)
    for item in subscribed_shapes(target, connection, object_name):
        if (item.object, item.field) not in offered:
            continue
        reason = _mismatch(offered[item.object, item.field], item.stored, item.here, source.label, target.label)
        if reason:
            drop_field(target, connection, item.object, item.field, reason, actor="orgsync", clock=clock)
            dropped.append((item.object, item.field, reason))
    return dropped


def _mismatch(there: str | None, stored: str, here: str | None, source: str, target: str) -> str:
    """Why a field no longer fits, or nothing."""
    if there is None:
        return f"deleted in {source}"
    if here is None:
        return f"deleted in {target}"
    if there != stored:
        return f"changed in {source} from {shown(stored)} to {shown(there)}"
    if here != there:
        return f"changed in {target} to {shown(here)}, in {source} it is {shown(there)}"
    return ""


def shown(shape: str) -> str:
    """A shape for people: `text(80)`, `number(18,2)`."""
    kind, length, precision, scale = shape.split(":")
    if precision:
        return f"{kind}({precision},{scale or 0})"
    return f"{kind}({length})" if length else kind


def follow_deployed(
    primary: Org,
    secondary: Org,
    connection: str,
    keys: Collection[ComponentKey],
    *,
    actor: str,
    clock: Clock,
) -> None:
    """Subscribes anew to fields whose new type or size was just deployed, so that they do not drop out (PUB-8).

    Of `keys`, the fields that both orgs now have in one shape, other than the one that was subscribed to.
    """
    changed = {tuple(key.full_name.split(".", 1)) for key in keys if key.type == "CustomField" and "." in key.full_name}
    if not changed:
        return
    for side in Side:
        source, target = (primary, secondary) if side is Side.PRIMARY else (secondary, primary)
        offered = published_shapes(source, connection)
        for item in subscribed_shapes(target, connection):
            there = offered.get((item.object, item.field))
            if (item.object, item.field) in changed and there == item.here and there and there != item.stored:
                subscribe_field(target, connection, item.object, item.field, there, actor=actor, clock=clock)
