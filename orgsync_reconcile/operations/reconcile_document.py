"""The report of an unattended run as plain data: the JSON document, which docs/reconcile.schema.json describes (REC-10)."""

from __future__ import annotations

from typing import Any

from orgsync_reconcile.clock import iso
from orgsync_reconcile.errors import ExitCode
from orgsync_reconcile.operations.reconcile import ConnectionResult, ReconcileReport, StepResult

FORMAT_VERSION = "1.0"


def reconcile_document(report: ReconcileReport, code: ExitCode) -> dict[str, Any]:
    """The whole report. `code` is what the program ends with, or would, were it not in a loop."""
    return {
        "format_version": FORMAT_VERSION,
        "kind": "reconcile",
        "started": iso(report.started),
        "seconds": round(report.seconds, 3),
        "status": report.status.value,
        "exit_code": int(code),
        "seed": report.seed,
        "stopped": report.stopped,
        "errors": list(report.errors),
        "connections": [_connection(item) for item in report.connections],
    }


def _connection(result: ConnectionResult) -> dict[str, Any]:
    return {
        "connection": result.connection,
        "status": result.status.value,
        "seconds": round(result.seconds, 3),
        "held_by": result.held_by or None,
        "steps": [_step(item) for item in result.steps],
    }


def _step(result: StepResult) -> dict[str, Any]:
    return {
        "step": result.step,
        "status": result.status.value,
        "seconds": round(result.seconds, 3),
        "counts": dict(result.counts),
        "notes": list(result.notes),
        "error": result.error or None,
    }
