"""Metadata components: XML to normal form, what the components mean, and what the sync leaves alone. No files."""

from __future__ import annotations

from orgsync_reconcile.metadata.access import (
    AccessInfo,
    RecordTypeInfo,
    RoleInfo,
    permission_set,
    profile,
    record_type,
    role,
)
from orgsync_reconcile.metadata.components import namespace_of, parse_xml, to_component, to_components
from orgsync_reconcile.metadata.fields import field_def, host_objects, value_set
from orgsync_reconcile.metadata.mirrors import mirrored_layout, with_display_format, without_display_format
from orgsync_reconcile.metadata.normalise import normalise
from orgsync_reconcile.metadata.objects import is_standard, object_def, object_kind
from orgsync_reconcile.metadata.order import deploy_order
from orgsync_reconcile.metadata.reports import report_references, rewrite_reports
from orgsync_reconcile.metadata.unsynced import UNSYNCED_ELEMENTS, merge_unsynced, strip_unsynced

__all__ = [
    "UNSYNCED_ELEMENTS",
    "AccessInfo",
    "RecordTypeInfo",
    "RoleInfo",
    "deploy_order",
    "field_def",
    "host_objects",
    "is_standard",
    "merge_unsynced",
    "mirrored_layout",
    "namespace_of",
    "normalise",
    "object_def",
    "object_kind",
    "parse_xml",
    "permission_set",
    "profile",
    "record_type",
    "report_references",
    "rewrite_reports",
    "role",
    "strip_unsynced",
    "to_component",
    "to_components",
    "value_set",
    "with_display_format",
    "without_display_format",
]
