"""Addresses of orgs on a PostgreSQL server: libpq's own URLs, with the org's schema as one more parameter.

`postgresql://user@host:5432/database?schema=acme`. Everything else goes to libpq as it stands: `service`, `passfile`,
`sslmode`, `sslrootcert`, several hosts, `target_session_attrs`. Without a schema the org lives in `orgsync`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from orgsync_reconcile.errors import UsageError

DEFAULT_SCHEMA = "orgsync"
_SCHEMES = ("postgresql", "postgres")
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,40}\Z")


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """`dsn` is what libpq gets, `schema` where the org lives."""

    dsn: str
    schema: str

    @property
    def shown(self) -> str:
        """The address for messages and file names: without a password."""
        parts = urlsplit(self.dsn)
        host = parts.netloc.rpartition("@")[2]
        user = parts.username
        return urlunsplit(
            (parts.scheme, f"{quote(user)}@{host}" if user else host, parts.path, f"schema={self.schema}", "")
        )


def is_postgres(url: str) -> bool:
    """Whether an address names a PostgreSQL server."""
    return url.partition(":")[0] in _SCHEMES


def parse_address(url: str) -> Address:
    """The parts of an address. Raises UsageError for a schema that is no plain name, and for what is no URL."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise UsageError(
            f"not a store's address: {error}", hint="write postgresql://host/database?schema=NAME"
        ) from None
    schema = DEFAULT_SCHEMA
    rest: list[tuple[str, str]] = []
    for key, value in parse_qsl(parts.query, keep_blank_values=True):
        if key == "schema":
            schema = value
        else:
            rest.append((key, value))
    if not _NAME.match(schema) or schema.startswith("pg_") or schema == "information_schema":
        raise UsageError(
            f"not a schema's name: {schema!r}", hint="lowercase letters, digits and underscores, at most 41 of them"
        )
    dsn = urlunsplit(("postgresql", parts.netloc, parts.path, urlencode(rest, quote_via=quote), ""))
    return Address(dsn=dsn, schema=schema)
