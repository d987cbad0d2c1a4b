"""Where in the manifests something was said, kept from YAML to the last message (REC-8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Origin:
    """A place in a manifest. `line` and `column` count from 1; `file` is relative to the working folder."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def document(self) -> dict[str, Any]:
        """As JSON documents have it."""
        return {"file": self.file, "line": self.line, "column": self.column}
