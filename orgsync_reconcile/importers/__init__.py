"""Files that admins already have, as values: SFDX projects, sObject trees and their plans, CSV. No database."""

from __future__ import annotations

from orgsync_reconcile.importers.problem import ImportProblem
from orgsync_reconcile.importers.records import Format, TreeRecord, detect, read_csv, read_plan, read_tree
from orgsync_reconcile.importers.references import LinkedRecord, parent_field, resolve_references
from orgsync_reconcile.importers.sfdx import SfdxProject, read_sfdx
from orgsync_reconcile.importers.values import coerce, render

__all__ = [
    "Format",
    "ImportProblem",
    "LinkedRecord",
    "SfdxProject",
    "TreeRecord",
    "coerce",
    "detect",
    "parent_field",
    "read_csv",
    "read_plan",
    "read_sfdx",
    "read_tree",
    "render",
    "resolve_references",
]
