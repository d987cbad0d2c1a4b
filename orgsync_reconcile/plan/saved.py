"""The shape of a saved plan, strictly: what it must hold, what it may hold, and nothing else (CONTRACT, REC-2)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

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


class SavedPlan(_Strict):
    """A whole saved plan. Raises pydantic's ValidationError where the data is none."""

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

    def plan(self) -> Plan:
        """The plan, as it was saved; whether it is whole is not asked here."""
        return Plan(
            plan_id=self.plan_id,
            applyable=self.applyable,
            manifests=tuple((item.path, item.sha256) for item in self.inputs.manifests),
            environment=self.inputs.env,
            targets=tuple(self.inputs.targets),
            excludes=tuple(self.inputs.excludes),
            allowances=tuple(item.state() for item in self.inputs.allowances),
            observed={name: (item.org_id, item.revision) for name, item in self.observed.items()},
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
                for item in self.actions
            ),
            drift=tuple(Drift(**{**item.model_dump(), "diff": tuple(item.diff)}) for item in self.drift),
            manual=tuple(ManualTask(**item.model_dump()) for item in self.manual),
            guards=tuple(Guard(**{**item.model_dump(), "blocks": tuple(item.blocks)}) for item in self.guards),
            diagnostics=tuple(
                Diagnostic(
                    severity=item.severity,
                    code=item.code,
                    message=item.message,
                    hint=item.hint,
                    origin=item.source.origin() if item.source else None,
                )
                for item in self.diagnostics
            ),
        )
