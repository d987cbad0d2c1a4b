"""What manifests ask for that a trusted revision has not declared: stores, secret references, administrators (REC-11)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from orgsync_reconcile.model.desired import Desired
from orgsync_reconcile.model.diagnostic import Diagnostic, Severity
from orgsync_reconcile.model.origin import Origin
from orgsync_reconcile.plan.semantic import codes
from orgsync_reconcile.plan.semantic.views import plain, reference

#: Keys of a secret reference.
_SOURCES = frozenset({"env", "file"})
#: (kind, name of the document, dotted key, source, name)
_Secret = tuple[str, str, str, str, str]


def untrusted(trusted: Desired, asked: Desired, revision: str) -> tuple[Diagnostic, ...]:
    """One error, at its place, for each store, administrator or secret of `asked` that `trusted` does not have as well.

    The same means the same document, key and value, expressions evaluated. `revision` is how messages name the trusted
    one.
    """
    found = [*_orgs(trusted, asked, revision)]
    known = {secret for secret, _ in _secrets(trusted)}
    for secret, origin in _secrets(asked):
        if secret not in known:
            _, name, key, source, what = secret
            message = f"{revision} has no secret reference {{{source}: {what}}} at {key} of {name}"
            found.append(_finding(codes.SECRET_NOT_TRUSTED, message, origin))
    return tuple(sorted(found, key=lambda item: (item.origin or Origin(file=""), item.code)))


def _finding(code: str, message: str, origin: Origin) -> Diagnostic:
    return Diagnostic(
        severity=Severity.ERROR,
        code=code,
        message=message,
        hint="have it reviewed and merged first",
        origin=origin,
    )


def _orgs(trusted: Desired, asked: Desired, revision: str) -> Iterator[Diagnostic]:
    for name, org in sorted(asked.orgs.items()):
        places = asked.other_origins.get(("Org", name), {})
        known = trusted.orgs.get(name)
        if known is None or known.store != org.store:
            there = f"has the store {reference(known.store)}" if known else "does not declare this org"
            message = f"the store of the org {name} is {reference(org.store)}, but {revision} {there}"
            yield _finding(codes.STORE_NOT_TRUSTED, message, places.get("store", org.origin))
        if known is not None and known.admin != org.admin:
            message = f"{org.admin} is to act in the org {name}, but {revision} names {known.admin}"
            yield _finding(codes.ADMIN_NOT_TRUSTED, message, places.get("admin", org.origin))


def _secrets(desired: Desired) -> Iterator[tuple[_Secret, Origin]]:
    """Every secret reference beside the orgs' stores, with its place as far as it is known."""
    for name, connection in sorted(desired.connections.items()):
        for key, source, what in _references(plain(connection)):
            yield ("Connection", name, key, source, what), connection.origin_of(key.partition(".")[0])
    for (kind, name), data in sorted(desired.others.items()):
        places = desired.other_origins.get((kind, name), {})
        for key, source, what in _references(plain(data)):
            where = places.get(key) or places.get(key.partition(".")[0]) or places.get("") or Origin(file="")
            yield (kind, name, key, source, what), where


def _references(data: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
    """(dotted key, source, name) of each reference inside plain data; items of a list share their list's key."""
    if isinstance(data, Mapping):
        if len(data) == 1 and data.keys() <= _SOURCES:
            ((source, name),) = data.items()
            yield path, source, str(name)
            return
        for key, item in data.items():
            yield from _references(item, f"{path}.{key}" if path else str(key))
    elif isinstance(data, list):
        for item in data:
            yield from _references(item, path)
