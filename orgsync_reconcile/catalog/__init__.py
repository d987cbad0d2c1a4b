"""Facts: standard objects and their fields, what can be published and deployed, licences, limits, Ids."""

from __future__ import annotations

from orgsync_reconcile.catalog.deployment import (
    SUPPORTED_METADATA,
    UNSUPPORTED_AREAS,
    deploy_rank,
    manual_advice,
    never_synced,
)
from orgsync_reconcile.catalog.ids import checksum18, is_valid_id
from orgsync_reconcile.catalog.objects import key_prefix, standard_objects
from orgsync_reconcile.catalog.orgs import (
    DEFAULT_LIMITS,
    EDITIONS,
    FEATURES,
    LICENSES,
    ORG_TYPES,
    PERMISSIONS,
    STANDARD_PROFILES,
    License,
)
from orgsync_reconcile.catalog.publishing import PUBLISHABLE_STANDARD, publishable_object, unpublishable_field

__all__ = [
    "DEFAULT_LIMITS",
    "EDITIONS",
    "FEATURES",
    "LICENSES",
    "ORG_TYPES",
    "PERMISSIONS",
    "PUBLISHABLE_STANDARD",
    "STANDARD_PROFILES",
    "SUPPORTED_METADATA",
    "UNSUPPORTED_AREAS",
    "License",
    "checksum18",
    "deploy_rank",
    "is_valid_id",
    "key_prefix",
    "manual_advice",
    "never_synced",
    "publishable_object",
    "standard_objects",
    "unpublishable_field",
]
