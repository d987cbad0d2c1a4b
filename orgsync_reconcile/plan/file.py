"""The saved plan: the JSON document that `plan --format json` prints and `apply` reads back (CONTRACT, REC-2)."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from orgsync_reconcile.errors import OrgsyncError
from orgsync_reconcile.model.diagnostic import Diagnostic, Severity
from orgsync_reconcile.model.origin import Origin
from orgsync_reconcile.model.plan import (
    OF_ORGS,
    Action,
    AllowanceState,
    Change,
    Drift,
    Guard,
    ManualTask,
    Op,
    Plan,
    Reason,
    Risk,
)
from orgsync_reconcile.plan.escape import UNSAFE
from orgsync_reconcile.plan.fingerprint import plan_id

FORMAT_VERSION = "1.0"
_MAJOR = FORMAT_VERSION.partition(".")[0]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Source(_Strict):
    file: str
    line: int
    column: int

    def origin(self) -> Origin:
        return Origin(file=self.file, line=self.line, column=self.column)


class _Manifest(_Strict):
    path: str
    sha256: str


class _Allowance(_Strict):
    connection: str
    guard: str
    limit: int | float
    until: str
    reason: str
    in_force: bool
    source: _Source

    def state(self) -> AllowanceState:
        return AllowanceState(**{**self.model_dump(), "source": self.source.origin()})


class _Inputs(_Strict):
    manifests: list[_Manifest]
    env: str | None
    targets: list[str] = []
    excludes: list[str] = []
    allowances: list[_Allowance] = []


class _Observed(_Strict):
    org_id: str
    revision: str


class _Action(_Strict):
    id: Annotated[str, StringConstraints(pattern=r"^a[1-9][0-9]*$")]
    address: str
    op: Op
    org: str
    change: Change
    risk: Risk
    reason: Reason
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    source: _Source | None
    depends_on: list[str]
    effects: dict[str, int]


class _Drift(_Strict):
    address: str
    org: str
    kind: str
    detail: str
    diff: list[str]
    key: str
    applied: Any
    live: Any
    wanted: Any
    changed_by: Literal["person", "person and git"]
    policy: Literal["correct", "report"]


class _Manual(_Strict):
    code: str
    address: str
    org: str
    task: str
    why: str


class _Guard(_Strict):
    id: str
    actual: float
    limit: int | float | None
    status: Literal["ok", "refused"]
    detail: str
    count: int
    total: int
    allowed_by: str
    blocks: list[str]


class _Diagnostic(_Strict):
    severity: Severity
    code: str
    message: str
    hint: str
    source: _Source | None


class _Document(_Strict):
    format_version: str
    kind: Literal["plan"]
    plan_id: str
    applyable: bool
    inputs: _Inputs
    observed: dict[str, _Observed]
    actions: list[_Action]
    drift: list[_Drift]
    manual: list[_Manual]
    guards: list[_Guard]
    diagnostics: list[_Diagnostic]
    summary: dict[str, int]


def source_document(origin: Origin | None) -> dict[str, Any] | None:
    """A place in a manifest as JSON-ready data."""
    return {"file": origin.file, "line": origin.line, "column": origin.column} if origin else None


def _action(action: Action) -> dict[str, Any]:
    return {
        "id": action.id,
        "address": action.address,
        "op": action.op.value,
        "org": action.org,
        "change": action.change.value,
        "risk": action.risk.value,
        "reason": action.reason.value,
        "before": None if action.before is None else dict(action.before),
        "after": None if action.after is None else dict(action.after),
        "source": source_document(action.source),
        "depends_on": list(action.depends_on),
        "effects": dict(action.effects),
    }


def _allowance(item: AllowanceState) -> dict[str, Any]:
    return {
        "connection": item.connection,
        "guard": item.guard,
        "limit": item.limit,
        "until": item.until,
        "reason": item.reason,
        "in_force": item.in_force,
        "source": source_document(item.source),
    }


def drift_document(item: Drift) -> dict[str, Any]:
    """One change by hand as JSON-ready data."""
    return {
        "address": item.address,
        "org": item.org,
        "kind": item.kind,
        "key": item.key,
        "detail": item.detail,
        "applied": item.applied,
        "live": item.live,
        "wanted": item.wanted,
        "changed_by": item.changed_by,
        "policy": item.policy,
        "diff": list(item.diff),
    }


def to_document(plan: Plan) -> dict[str, Any]:
    """The plan as JSON-ready data, in the contract's shape and key order."""
    return {
        "format_version": FORMAT_VERSION,
        "kind": "plan",
        "plan_id": plan.plan_id,
        "applyable": plan.applyable,
        "inputs": {
            "manifests": [{"path": path, "sha256": sha256} for path, sha256 in plan.manifests],
            "env": plan.environment,
            # Only in the plan of a part, which is planned again with the same choice.
            **({"targets": list(plan.targets)} if plan.targets else {}),
            **({"excludes": list(plan.excludes)} if plan.excludes else {}),
            **({"allowances": [_allowance(item) for item in plan.allowances]} if plan.allowances else {}),
        },
        "observed": {
            name: {"org_id": plan.observed[name][0], "revision": plan.observed[name][1]}
            for name in sorted(plan.observed)
        },
        "actions": [_action(action) for action in plan.actions],
        "drift": [drift_document(item) for item in plan.drift],
        "manual": [
            {"code": m.code, "address": m.address, "org": m.org, "task": m.task, "why": m.why} for m in plan.manual
        ],
        "guards": [
            {
                "id": g.id,
                "actual": g.actual,
                "limit": g.limit,
                "status": g.status,
                "detail": g.detail,
                "count": g.count,
                "total": g.total,
                "allowed_by": g.allowed_by,
                "blocks": list(g.blocks),
            }
            for g in plan.guards
        ],
        "diagnostics": [
            {
                "severity": d.severity.value,
                "code": d.code,
                "message": d.message,
                "hint": d.hint,
                "source": source_document(d.origin),
            }
            for d in plan.diagnostics
        ],
        "summary": dict(plan.summary),
    }


def to_json(plan: Plan, **more: Any) -> str:
    """The plan file's text, with a newline at its end: the same bytes for the same plan (REC-1).

    `more` are keys beside the plan's, for documents that are shown and not applied.
    """
    text = json.dumps({**to_document(plan), **more}, indent=2, ensure_ascii=False)
    # JSON escapes the old control characters only; the rest could still move a terminal's cursor or reorder text.
    return re.sub(UNSAFE, _escaped, text) + "\n"


def _escaped(match: re.Match[str]) -> str:
    character = match.group()
    return character if character == "\n" else f"\\u{ord(character):04x}"


def from_json(text: str, where: str) -> Plan:
    """The plan in a saved file; `where` is the file as shown in messages.

    Raises OrgsyncError for text that is no plan, is of a newer format, or was changed after it was saved.
    """
    _check_format(text, where)
    try:
        document = _Document.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the document"
        raise OrgsyncError(
            f"not a plan that can be read: {place}: {first['msg']}", hint="save it again with plan --out", where=where
        ) from None
    plan = _plan(document)
    _check_actions(plan, where)
    if plan.plan_id != plan_id(plan.manifests, plan.environment, plan.observed, plan.actions):
        raise OrgsyncError(
            "the plan was changed after it was saved: its plan_id does not fit",
            hint="save it again with plan --out",
            where=where,
        )
    return plan


def _check_format(text: str, where: str) -> None:
    """Say plainly what is not a plan, or a plan of another version, before its details are looked at."""
    hint = "save one with plan --out"
    try:
        head = json.loads(text)
    except (ValueError, RecursionError):
        raise OrgsyncError("not a plan: the file is not JSON", hint=hint, where=where) from None
    if not isinstance(head, dict) or head.get("kind") != "plan":
        raise OrgsyncError('not a plan: it has no "kind": "plan"', hint=hint, where=where)
    version = str(head.get("format_version", ""))
    if version.partition(".")[0] != _MAJOR:
        raise OrgsyncError(
            f"the plan has format {version or 'unknown'}, this program reads {FORMAT_VERSION}",
            hint="use the program that saved it, or plan again",
            where=where,
        )


def _check_actions(plan: Plan, where: str) -> None:
    earlier: set[str] = set()
    for index, action in enumerate(plan.actions, start=1):
        if action.id != f"a{index}" or not earlier.issuperset(action.depends_on):
            raise OrgsyncError(
                f"the plan's actions are out of order at {action.id}", hint="save it again with plan --out", where=where
            )
        earlier.add(action.id)


def _plan(document: _Document) -> Plan:
    return Plan(
        plan_id=document.plan_id,
        applyable=document.applyable,
        manifests=tuple((item.path, item.sha256) for item in document.inputs.manifests),
        environment=document.inputs.env,
        targets=tuple(document.inputs.targets),
        excludes=tuple(document.inputs.excludes),
        allowances=tuple(item.state() for item in document.inputs.allowances),
        observed={name: (item.org_id, item.revision) for name, item in document.observed.items()},
        actions=tuple(
            Action(
                id=item.id,
                address=item.address,
                op=item.op,
                org=item.org,
                # Features and protection belong to an org; every other address begins with its connection.
                connection="" if item.op in OF_ORGS else item.address.partition("/")[0],
                change=item.change,
                risk=item.risk,
                reason=item.reason,
                before=item.before,
                after=item.after,
                source=item.source.origin() if item.source else None,
                depends_on=tuple(item.depends_on),
                effects=item.effects,
            )
            for item in document.actions
        ),
        drift=tuple(Drift(**{**item.model_dump(), "diff": tuple(item.diff)}) for item in document.drift),
        manual=tuple(ManualTask(**item.model_dump()) for item in document.manual),
        guards=tuple(Guard(**{**item.model_dump(), "blocks": tuple(item.blocks)}) for item in document.guards),
        diagnostics=tuple(
            Diagnostic(
                severity=item.severity,
                code=item.code,
                message=item.message,
                hint=item.hint,
                origin=item.source.origin() if item.source else None,
            )
            for item in document.diagnostics
        ),
    )
