"""A problem or an advice, with its place and what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from orgsync_reconcile.model.origin import Origin


class Severity(StrEnum):
    """How bad: an error stops the command, a warning does not."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, kw_only=True, slots=True)
class Diagnostic:
    """One finding. `code` is stable (E… for errors, W… for warnings) and documented in docs/diagnostics.md."""

    severity: Severity
    code: str
    message: str
    hint: str = ""
    origin: Origin | None = None

    def one_line(self) -> str:
        """`file:line:column: error E101: what; what to do next`."""
        place = f"{self.origin}: " if self.origin else ""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{place}{self.severity} {self.code}: {self.message}{hint}"

    def document(self) -> dict[str, Any]:
        """As JSON documents have it; `source` is the place in the manifests, or null."""
        return {
            "severity": self.severity.value,
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "source": self.origin.document() if self.origin else None,
        }
