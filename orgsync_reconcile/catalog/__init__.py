"""Facts: standard objects and their fields, what can be published and deployed, licences, limits, Ids."""

from __future__ import annotations

from orgsync_reconcile.catalog.ids import checksum18, is_valid_id
from orgsync_reconcile.catalog.objects import ANY_OBJECT, key_prefix, standard_objects

__all__ = ["ANY_OBJECT", "checksum18", "is_valid_id", "key_prefix", "standard_objects"]
