"""Addresses of orgs on a PostgreSQL server: libpq's own URLs, with the org's schema as one more parameter.

`postgresql://user@host:5432/database?schema=acme`. Everything else goes to libpq as it stands: `service`, `passfile`,
`sslmode`, `sslrootcert`, several hosts, `target_session_attrs`. Without a schema the org lives in `orgsync`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from orgsync_reconcile.errors import UsageError

DEFAULT_SCHEMA = "orgsync"
_SCHEMES = ("postgresql", "postgres")
#: Which parameters tell one server from another; the others do not say where an org is.
_SHOWN = frozenset({"service", "host", "hostaddr", "port", "dbname", "user"})
_SECRETS = frozenset({"password", "sslpassword"})
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
        place = parts.netloc.rpartition("@")[2]
        if parts.username:
            place = f"{quote(parts.username)}@{place}"
        named = [(key, value) for key, value in parse_qsl(parts.query) if key in _SHOWN]
        return _url(place, parts.path, [*named, ("schema", self.schema)])

    def without_secret(self, message: str) -> str:
        """A message of the driver, which may quote the address, without the password."""
        parts = urlsplit(self.dsn)
        given = [value for key, value in parse_qsl(parts.query) if key in _SECRETS]
        raw = (parts.netloc.rpartition("@")[0].partition(":")[2],)
        for secret in sorted({*raw, *(unquote(item) for item in raw), *given} - {""}, key=len, reverse=True):
            message = message.replace(secret, "***")
        return message


def is_postgres(url: str) -> bool:
    """Whether an address names a PostgreSQL server."""
    return url.partition(":")[0] in _SCHEMES


def parse_address(url: str) -> Address:
    """The parts of an address. Raises UsageError for a schema that is no plain name, and for what is no URL."""
    try:
        parts = urlsplit(url)
        # Several hosts with a port each are libpq's own way to write it.
        for host in parts.netloc.rpartition("@")[2].split(","):
            _ = urlsplit(f"//{host}").port
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
    return Address(dsn=_url(parts.netloc, parts.path, rest), schema=schema)


def without_password(text: str) -> str:
    """Text in which an address may stand, for messages."""
    return re.sub(r"(?<=//)([^/@\s:]*):[^@\s]*@", r"\1:***@", text)


def _url(place: str, path: str, query: Iterable[tuple[str, str]]) -> str:
    """A URL as libpq takes it: two slashes also where no host is named."""
    words = urlencode(list(query), quote_via=quote)
    return f"postgresql://{place}{path}{'?' if words else ''}{words}"
