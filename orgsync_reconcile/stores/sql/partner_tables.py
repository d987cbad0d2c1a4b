"""The partner network objects that every org has (ORG-9), as object definitions; links are a view in system.sql."""

from __future__ import annotations

from orgsync_reconcile.model.schema import FieldDef, FieldType, ObjectDef


def _text(name: str, length: int, *, required: bool = False) -> FieldDef:
    return FieldDef(name=name, type=FieldType.TEXT, length=length, required=required)


def _lookup(name: str, *targets: str) -> FieldDef:
    return FieldDef(name=name, type=FieldType.LOOKUP, reference_to=targets)


def _checkbox(name: str) -> FieldDef:
    return FieldDef(name=name, type=FieldType.CHECKBOX, default="false")


def _object(name: str, key_prefix: str, label: str, *fields: FieldDef) -> ObjectDef:
    return ObjectDef(name=name, key_prefix=key_prefix, label=label, kind="setup", fields={f.name: f for f in fields})


CONNECTION = _object(
    "PartnerNetworkConnection",
    "04P",
    "Connection",
    _text("ConnectionName", 295, required=True),
    _text("ConnectionStatus", 40, required=True),
    _text("ConnectionType", 40),
    _text("ReplicationRole", 40),
    _lookup("AccountId", "Account"),
    _lookup("ContactId", "Contact"),
    _lookup("PrimaryContactId", "User"),
    _checkbox("IsSyncAuditFields"),
    _checkbox("IsSyncMetadata"),
    _checkbox("IsSyncUsers"),
    FieldDef(name="ResponseDate", type=FieldType.DATETIME),
)

SYNC_LOG = _object(
    "PartnerNetworkSyncLog",
    "0PL",
    "Organization Sync Log",
    FieldDef(name="Name", type=FieldType.AUTO_NUMBER, display_format="{00000000}"),
    _lookup("ConnectionId", "PartnerNetworkConnection"),
    _text("EntityType", 80),
    _text("LocalRecord", 255),
    _text("ConnectionEvent", 80),
    _text("Status", 40),
    _text("Error", 80),
    _text("FieldName", 80),
    _text("FieldType", 40),
    FieldDef(name="Description", type=FieldType.LONG_TEXT_AREA, length=32000),
)

ALL = (CONNECTION, SYNC_LOG)
