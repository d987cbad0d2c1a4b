"""Users who could not be copied, in the log of the org that they came from (USR-2, USR-4)."""

from __future__ import annotations

from collections.abc import Sequence

from orgsync_reconcile.plan.users import SUFFIX
from orgsync_reconcile.stores.sql import failures
from orgsync_reconcile.stores.sql.history import USER_UPSERT, log_failure
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.people import Person
from orgsync_reconcile.stores.sql.people_reader import read_users
from orgsync_reconcile.stores.sql.schema import Objects
from orgsync_reconcile.sync.user_way import Way
from orgsync_reconcile.sync.user_writes import Refused


def log_failures(way: Way, failed: Sequence[tuple[Person, Refused]]) -> None:
    """One Failed entry per failure; the same failure of the same content is not logged twice. In a transaction."""
    if not failed:
        return
    hashes = _hashes(way.source)
    for person, why in failed:
        _log(way, person, hashes.get(person.username, ""), why)


def log_nameless(way: Way, people: Sequence[Person]) -> None:
    """Users of the secondary who cannot be sent for their name: an entry in the secondary's log (USR-2)."""
    if not people:
        return
    why = Refused(
        f"the username does not end with {SUFFIX}; users made here are copied only under such a name",
        code="INVALID_USERNAME",
        field="Username",
        field_type="text",
    )
    with way.source.transaction():
        log_failures(way, [(person, why) for person in people])


def _hashes(org: Org) -> dict[str, str]:
    """Username -> the fingerprint by which a plan knows whether a user was saved since a failure (USR-4)."""
    return {name: user.hash for name, user in read_users(org, Objects(org)["User"]).items()}


def _log(way: Way, person: Person, fingerprint: str, why: Refused) -> None:
    number = way.from_.number
    if failures.failed_before(way.source, number, "user", person.username) == (fingerprint, str(why)):
        return
    log_failure(
        way.source,
        way.from_.id,
        entity="User",
        record=person.id,
        event=USER_UPSERT,
        error_code=why.code,
        description=str(why),
        field=why.field,
        field_type=why.field_type,
    )
    failures.set_failed(way.source, number, "user", person.username, fingerprint, str(why))
