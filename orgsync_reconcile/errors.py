"""Every error that a user can meet, with its exit code and what to do next.

The tree::

    OrgsyncError                      1   anything that went wrong and was explained
    ├── UsageError                   64   the command line cannot be carried out as it stands
    ├── ManifestError                 1   problems in manifests, all of them at once
    ├── StoreError                    1   an org's store is missing, locked, read-only, foreign or newer
    │   ├── StoreBusyError            1   somebody else held the store longer than we wait
    │   ├── StoreFullError            1   the store has no room left
    │   └── UnreachableError          1   the org behind a store cannot be reached for now
    ├── MetadataError                 1   a component or an import file that an org refuses
    ├── RecordError                   1   a record that an org refuses
    ├── PermissionDeniedError         1   the acting user lacks a permission
    ├── GuardRefusedError             3   the plan does more than its guards allow
    ├── StalePlanError                4   the orgs or manifests moved since the plan was saved
    ├── PartialError                  5   part of the work is done; running again finishes it
    ├── LockHeldError                 6   another run holds the lock
    └── DeclinedError                 7   the person at the terminal said no
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orgsync_reconcile.model.diagnostic import Diagnostic


class ExitCode(IntEnum):
    """What the program tells its caller, the whole list."""

    OK = 0
    ERROR = 1
    CHANGES = 2
    GUARD_REFUSED = 3
    STALE_PLAN = 4
    PARTIAL = 5
    LOCK_HELD = 6
    DECLINED = 7
    USAGE = 64
    INTERRUPTED = 130


class OrgsyncError(Exception):
    """One line that says what and where; `hint` says what to do next."""

    exit_code: ExitCode = ExitCode.ERROR

    def __init__(self, message: str, *, hint: str = "", where: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.where = where

    def __str__(self) -> str:
        prefix = f"{self.where}: " if self.where else ""
        suffix = f"; {self.hint}" if self.hint else ""
        return f"{prefix}{self.message}{suffix}"


class UsageError(OrgsyncError):
    """The command line cannot be carried out as it stands."""

    exit_code = ExitCode.USAGE


class ManifestError(OrgsyncError):
    """Problems in manifests, all of them at once (REC-8)."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(item.one_line() for item in self.diagnostics))

    def __reduce__(self) -> tuple[type[ManifestError], tuple[tuple[Diagnostic, ...]]]:
        """Lets it come back from another process."""
        return type(self), (self.diagnostics,)


class StoreError(OrgsyncError):
    """An org's store cannot be used: missing, not an org, read-only, or of a newer version."""


class StoreBusyError(StoreError):
    """Another process held the store for longer than we wait."""


class DisturbedError(StoreBusyError):
    """Other sessions came in between, and nothing of the step was kept: it can be tried again at once."""


class StoreFullError(StoreError):
    """The store has no room left; nothing of the last step was kept."""


class UnreachableError(StoreError):
    """The org behind a store cannot be reached for now: gone, forbidden, damaged (SUS-3).

    A connection over it suspends itself in the org that can be reached; `connected` says that there is such a
    connection, so that waiting makes sense.
    """

    def __init__(self, message: str, *, hint: str = "", where: str = "", connected: bool = False) -> None:
        super().__init__(message, hint=hint, where=where)
        self.connected = connected


class MetadataError(OrgsyncError):
    """A component, or a file with one, that an org refuses."""


class RecordError(OrgsyncError):
    """A record that an org refuses; `code` is the platform's own word."""

    def __init__(self, message: str, *, code: str = "", hint: str = "", where: str = "") -> None:
        super().__init__(message, hint=hint, where=where)
        self.code = code


class PermissionDeniedError(OrgsyncError):
    """The acting user lacks a permission (CON-4, CON-11)."""


class GuardRefusedError(OrgsyncError):
    """The plan does more than its guards allow (REC-5)."""

    exit_code = ExitCode.GUARD_REFUSED


class StalePlanError(OrgsyncError):
    """The orgs or the manifests moved since the plan was saved (REC-2)."""

    exit_code = ExitCode.STALE_PLAN


class PartialError(OrgsyncError):
    """Part of the work is done; running again finishes it (REC-3)."""

    exit_code = ExitCode.PARTIAL


class LockHeldError(OrgsyncError):
    """Another run holds the lock (REC-4)."""

    exit_code = ExitCode.LOCK_HELD


class DeclinedError(OrgsyncError):
    """The person at the terminal said no."""

    exit_code = ExitCode.DECLINED
