"""Names of what is ours in a schema: PostgreSQL cuts names at 63 bytes, so long ones end in a hash."""

from __future__ import annotations

import hashlib

#: The longest name that PostgreSQL keeps whole, in bytes.
LONGEST = 63


def fitted(name: str) -> str:
    """The name itself where it fits, else its beginning and a hash of it."""
    if len(name.encode()) <= LONGEST:
        return name
    return f"{name[: LONGEST - 11]}~{hashlib.blake2b(name.encode(), digest_size=5).hexdigest()}"


#: What whoever sleeps until there is something to send listens to.
CHANNEL = "orgsync_change"


def lock_key(name: str) -> int:
    """The number of an advisory lock: 63 bits of the name's hash."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest()) >> 1


def sleepers_key(schema: str) -> int:
    """The lock that is held by whoever sleeps until there is something to send from the org in a schema."""
    return lock_key(f"sleeping until {schema} changes")


def quote_ours(name: str) -> str:
    """A name of our own making as an SQL identifier; it may hold a colon."""
    return '"' + name.replace('"', '""') + '"'


#: Constraint names begin with the platform's word; one of them is too long to leave room for a field.
SHORT_CODES = {"INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": "RESTRICTED_PICKLIST"}
