"""From desired and actual state to a plan: pure functions, no store, no file, no clock."""

from __future__ import annotations

from orgsync_reconcile.plan.build import build_plan
from orgsync_reconcile.plan.fingerprint import moved
from orgsync_reconcile.plan.guards import GUARDS, refused
from orgsync_reconcile.plan.settings import connection_options, connection_settings

__all__ = ["GUARDS", "build_plan", "connection_options", "connection_settings", "moved", "refused"]
