"""Names of what is ours in a schema: PostgreSQL cuts names at 63 bytes, so long ones end in a hash."""

from __future__ import annotations

import hashlib

from orgsync_reconcile.errors import MetadataError

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


def constraint_name(code: str, field_name: str) -> str:
    """`CODE:Field`, the code cut where both together are longer than a name can be.

    A field is always named in full, so that whoever reads a refusal knows it.
    """
    return f"{code[: LONGEST - 1 - len(field_name)]}:{field_name}"


def require_short(name: str) -> None:
    """Raises MetadataError where the server would cut an object's or a column's name."""
    if len(name) > LONGEST:
        raise MetadataError(
            f"{name} has {len(name)} characters, names on a PostgreSQL server have at most {LONGEST}",
            hint="give it a shorter name",
        )
