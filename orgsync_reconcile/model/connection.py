"""The words of a replication connection (CON-*)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Side(StrEnum):
    """The two ends of a connection."""

    PRIMARY = "primary"
    SECONDARY = "secondary"

    @property
    def other(self) -> Side:
        """The opposite end."""
        return Side.SECONDARY if self is Side.PRIMARY else Side.PRIMARY


class Direction(StrEnum):
    """One-way is primary to secondary only (PUB-7)."""

    ONE_WAY = "one-way"
    TWO_WAY = "two-way"


class ConnectionStatus(StrEnum):
    """The platform's values, as triggers read them (CON-5)."""

    SENT = "Sent"
    BULK_SYNC_METADATA = "BulkSyncMetadata"
    USERS_INITIAL_SYNC = "UsersInitialSync"
    ACCEPTED = "Accepted"
    SUSPENDED = "ConnectionSuspended"
    INACTIVE = "Inactive"

    @property
    def shown(self) -> str:
        """The words that people see."""
        return {
            "Sent": "Invited",
            "BulkSyncMetadata": "Metadata Sync in Progress",
            "UsersInitialSync": "User Sync in Progress",
            "Accepted": "Active",
            "ConnectionSuspended": "Suspended",
            "Inactive": "Inactive",
        }[self.value]


class ConflictPolicy(StrEnum):
    """Who wins where both orgs changed one field (CNF-1)."""

    PRIMARY_WINS = "primary-wins"
    LATEST_WINS = "latest-wins"
    SECONDARY_WINS = "secondary-wins"


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncOptions:
    """The connection's options (CON-6). `users` is each org's own switch for its outgoing direction."""

    feeds_and_audit_fields: bool = False
    metadata: bool = True
    users_primary: bool = True
    users_secondary: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class ContactRef:
    """The connection's contact: a Contact record of the primary (CON-2)."""

    first_name: str
    last_name: str
    email: str
    account: str

    @property
    def name(self) -> str:
        """First and last name, as people see it."""
        return f"{self.first_name} {self.last_name}".strip()
