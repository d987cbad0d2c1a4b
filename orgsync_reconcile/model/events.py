"""The words of the queue, and what an org has to tell its partner besides records: control events (QUE-2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as own_field
from enum import StrEnum
from typing import Any


class QueueAction(StrEnum):
    """Every action that stands in a queue, in the platform's words (QUE-2)."""

    BULK_SYNC = "Bulk Sync"
    BULK_SYNC_USERS = "Bulk Sync Users"
    ADMIN_RESUMED = "Connection Admin Resumed"
    ADMIN_SUSPENDED = "Connection Admin Suspended"
    DEACTIVATE = "Connection Deactivate"
    RESUMED = "Connection Resumed"
    SUSPENDED = "Connection Suspended"
    UPDATE = "Connection Update"
    FIELD_MAP_DELETE = "Field Map Delete"
    FIELD_MAP_NAME_UPDATE = "Field Map Name Update"
    FIELD_MAP_UPDATE = "Field Map Update"
    INSERT_RECORD = "Generic Insert"
    UPDATE_RECORD = "Generic Update"
    MAP_UPDATE_EMAIL = "Map Update Email"
    MISSING_PARTNER_ID = "Missing Partner ID"
    DELETE_RECORD = "Replication Delete"
    UNDELETE_RECORD = "Replication Undelete"
    TYPE_MAP_DELETE = "Type Map Delete"
    TYPE_MAP_NAME_UPDATE = "Type Map Name Update"
    TYPE_MAP_SET_PARTNER_SUB = "Type Map Set Partner Sub"
    TYPE_MAP_UPDATE = "Type Map Update"
    USER_UPSERT = "User Upsert"
    VALUE_MAP_DELETE = "Value Map Delete"


#: What happened to the connection as a whole: told at once, ahead of all others, while it is suspended too.
OF_STATE = frozenset(
    {
        QueueAction.ADMIN_RESUMED,
        QueueAction.ADMIN_SUSPENDED,
        QueueAction.RESUMED,
        QueueAction.SUSPENDED,
        QueueAction.DEACTIVATE,
    }
)
#: Work of the org itself, which stands in its queue until it is done; nothing of it is carried out by the partner.
OF_ITSELF = frozenset({QueueAction.BULK_SYNC_USERS, QueueAction.MAP_UPDATE_EMAIL})


class Lane(StrEnum):
    """The order in which events go: one lane for the state of the connection, one for all else, one that stays here."""

    STATE = "state"
    MAP = "map"
    OWN = "own"

    @classmethod
    def of(cls, action: QueueAction) -> Lane:
        """The lane of an action."""
        if action in OF_STATE:
            return cls.STATE
        return cls.OWN if action in OF_ITSELF else cls.MAP


@dataclass(frozen=True, kw_only=True, slots=True)
class ControlEvent:
    """One event as the org's queue holds it. `at` is in milliseconds since 1970; `next_retry` too, None: not set.

    `action`, `lane` and `detail` are as they were found: somebody may have put other words into the table.
    """

    number: int
    lane: str
    action: str
    object: str = ""
    field: str = ""
    detail: Mapping[str, Any] = own_field(default_factory=dict)
    actor: str = ""
    at: int = 0
    attempts: int = 0
    next_retry: int | None = None
    error: str = ""
    #: Whether the detail is none that the program wrote.
    broken: bool = False

    @property
    def subject(self) -> str:
        """What the event is about: `Account`, `Account.Phone`, or nothing where it is the connection."""
        return f"{self.object}.{self.field}" if self.field else self.object
