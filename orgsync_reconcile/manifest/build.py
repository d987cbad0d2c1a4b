"""Validated documents to the desired state's nouns, with the places of their keys."""

from __future__ import annotations

from typing import Any

from orgsync_reconcile.manifest.kind_connection import Connection, MetadataSwitch, UserSwitches
from orgsync_reconcile.manifest.kinds import FieldNames, Metadata, Org, Publication
from orgsync_reconcile.manifest.parse import MappingNode, Node, ScalarNode, place
from orgsync_reconcile.manifest.terms import Secret, Strict
from orgsync_reconcile.manifest.validate import Document
from orgsync_reconcile.model.connection import ConflictPolicy, ContactRef, Direction, SyncOptions
from orgsync_reconcile.model.desired import (
    Allowance,
    AutoNumberMirror,
    BulkSyncPlan,
    DesiredConnection,
    DesiredMetadata,
    DesiredOrg,
    DesiredPublication,
    FieldSelection,
    SecretRef,
)
from orgsync_reconcile.model.origin import Origin


def origins_of(file: str, node: Node, prefix: str = "") -> dict[str, Origin]:
    """Dotted key -> its place: a scalar's own, else the place of the key above it."""
    result: dict[str, Origin] = {}
    if not isinstance(node, MappingNode):
        return result
    for key, value in node.value:
        path = f"{prefix}{key.value}"
        result[path] = place(file, value if isinstance(value, ScalarNode) else key)
        result.update(origins_of(file, value, f"{path}."))
    return result


def build_org(document: Document, org: Org) -> DesiredOrg:
    """`kind: Org` (ORG-1)."""
    store: str | SecretRef
    if isinstance(org.store, Secret):
        store = SecretRef(source="env", name=org.store.env) if org.store.env else _file_secret(org.store)
    else:
        store = org.store
    return DesiredOrg(name=org.name, store=store, admin=org.admin, protected=org.protected, origin=document.origin)


def _file_secret(secret: Secret) -> SecretRef:
    return SecretRef(source="file", name=secret.file)


def build_connection(document: Document, connection: Connection) -> DesiredConnection:
    """`kind: Connection` with every default filled in (CON-2, CON-6)."""
    sync, bulk = connection.sync, connection.bulk_sync
    users = (
        sync.users if isinstance(sync.users, UserSwitches) else UserSwitches(primary=sync.users, secondary=sync.users)
    )
    return DesiredConnection(
        name=connection.name,
        primary=connection.primary,
        secondary=connection.secondary,
        owner=connection.owner,
        contact=ContactRef(**connection.contact.model_dump()),
        direction=Direction(connection.direction),
        state=connection.state,
        options=SyncOptions(
            feeds_and_audit_fields=sync.feeds_and_audit_fields,
            metadata=sync.metadata is not False,
            users_primary=users.primary,
            users_secondary=users.secondary,
        ),
        metadata_delete=isinstance(sync.metadata, MetadataSwitch) and sync.metadata.delete,
        conflicts=ConflictPolicy(connection.conflicts),
        retry=tuple(connection.retry),
        bulk_sync=BulkSyncPlan(auto=bulk.auto, stages=tuple(bulk.stages), max_age=bulk.max_age),
        limits=connection.limits.model_dump(exclude_unset=True),
        guards=connection.guards.model_dump(exclude_none=True),
        allow=tuple(
            Allowance(**item.model_dump(), origin=document.value_origin("allow", index))
            for index, item in enumerate(connection.allow)
        ),
        drift=connection.drift.model_dump(),
        auto_numbers=tuple(
            AutoNumberMirror(**item.model_dump(), origin=document.value_origin("auto_numbers", index))
            for index, item in enumerate(connection.auto_numbers)
        ),
        notify=tuple(plain(item) for item in connection.notify),
        origin=document.origin,
        origins=origins_of(document.file, document.node),
    )


def build_publication(document: Document, publication: Publication) -> DesiredPublication:
    """`kind: Publication` (PUB-3)."""
    fields = publication.fields
    selection = FieldSelection()
    if isinstance(fields, FieldNames):
        mode, names = ("include", fields.include) if fields.include else ("exclude", fields.exclude)
        selection = FieldSelection(
            mode="include" if fields.include else "exclude",
            names={name: document.value_origin("fields", mode, index) for index, name in enumerate(names)},
        )
    return DesiredPublication(
        connection=publication.connection,
        object=publication.object,
        fields=selection,
        direction=None if publication.direction is None else Direction(publication.direction),
        match_on=publication.match_on,
        backfill=publication.backfill,
        origin=document.origin,
        origins=origins_of(document.file, document.node),
    )


def build_metadata(document: Document, metadata: Metadata) -> DesiredMetadata:
    """`kind: Metadata` (MET-1)."""
    return DesiredMetadata(
        connection=metadata.connection,
        include=tuple(metadata.include),
        exclude=tuple(metadata.exclude),
        origin=document.origin,
    )


def plain(model: Strict) -> dict[str, Any]:
    """A model as plain data by its manifest keys: durations in seconds, secrets as `{env: …}` or `{file: …}`."""
    data = model.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {key: _only_set(getattr(model, key, None), value) for key, value in data.items()}


def _only_set(value: Any, dumped: Any) -> Any:
    return value.model_dump(exclude_unset=True) if isinstance(value, Secret) else dumped
