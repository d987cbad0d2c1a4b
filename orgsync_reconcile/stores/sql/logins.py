"""Logins of an org's users: rows with hashes of links and passwords, never with what was hashed (USR-8).

Each step is one short transaction that says whether it took place, so that two at once cannot both have it.
"""

from __future__ import annotations

from dataclasses import dataclass

from orgsync_reconcile.stores.sql.links import object_number
from orgsync_reconcile.stores.sql.org import Org


@dataclass(frozen=True, kw_only=True, slots=True)
class LoginUser:
    """A user who can be sent a link."""

    id: str
    username: str
    name: str
    email: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Login:
    """The login of an active user. Moments are milliseconds since 1970, UTC; `password` is its stored hash."""

    user: str
    username: str
    link_expires: int | None
    link_opened: int | None
    ticket_used: int | None
    password: str | None
    number_of_failed_logins: int


_LOGIN = (
    'SELECT u."Id", u."Username", l.link_expires, l.link_opened, l.ticket_used, l.password,'
    ' coalesce(l.number_of_failed_logins, 0) FROM "User" AS u LEFT JOIN orgsync_login AS l ON l.user_id = u."Id"'
    ' WHERE u."IsActive" = TRUE AND u."IsDeleted" = FALSE AND '
)


def _login(org: Org, condition: str, value: str) -> Login | None:
    with org.translated():
        row = org.db.execute(_LOGIN + condition, [value]).fetchone()
    if row is None:
        return None
    return Login(
        user=row[0],
        username=row[1],
        link_expires=row[2],
        link_opened=row[3],
        ticket_used=row[4],
        password=row[5],
        number_of_failed_logins=row[6],
    )


def login_of(org: Org, username: str) -> Login | None:
    """The login of the active user with that username, which ignores case; None where there is none."""
    return _login(org, 'lower(u."Username") = lower(?)', username)


def login_by_link(org: Org, link_hash: str) -> Login | None:
    """The login that a link belongs to; None where no active user has it."""
    return _login(org, "l.link = ?", link_hash)


def login_by_ticket(org: Org, ticket_hash: str) -> Login | None:
    """The login that an opened link may set the password of; None where no active user has it."""
    return _login(org, "l.ticket = ?", ticket_hash)


def synced_users(org: Org, connection: int) -> tuple[LoginUser, ...]:
    """The active users of this org that are linked over the connection with this number, by username."""
    with org.translated():
        rows = org.db.execute(
            'SELECT u."Id", u."Username", coalesce(u."Name", \'\'), u."Email" FROM "User" AS u'
            ' JOIN orgsync_link AS l ON l.local = u."Id" AND l.connection = ? AND l.object = ? AND l.status = 1'
            ' WHERE u."IsActive" = TRUE AND u."IsDeleted" = FALSE ORDER BY lower(u."Username")',
            [connection, object_number(org, "User")],
        ).fetchall()
    return tuple(LoginUser(id=row[0], username=row[1], name=row[2], email=row[3]) for row in rows)


def users_without_password(org: Org, connection: int) -> tuple[int, tuple[str, ...]]:
    """How many active synced users this org has, and the usernames of those who have set no password here (RTE-2)."""
    users = synced_users(org, connection)
    with org.translated():
        rows = org.db.execute("SELECT user_id FROM orgsync_login WHERE password IS NOT NULL").fetchall()
    able = {str(row[0]) for row in rows}
    return len(users), tuple(user.username for user in users if user.id not in able)


def offer_link(org: Org, user: str, link_hash: str, *, expires: int) -> None:
    """Gives a user a new one-time link in place of an older one. The password stands until the link is on its way."""
    with org.transaction() as db:
        db.execute(
            "INSERT INTO orgsync_login (user_id, link, link_expires) VALUES (?1, ?2, ?3)"
            " ON CONFLICT (user_id) DO UPDATE SET link = ?2, link_expires = ?3, link_opened = NULL, ticket = NULL,"
            " ticket_used = NULL",
            [user, link_hash, expires],
        )


def settle_link(org: Org, user: str, link_hash: str, *, sent: bool) -> None:
    """After the email: the old password is void, or, where it was not sent, the link is."""
    with org.transaction() as db:
        if sent:
            # A link that was used faster than this has set a password already, which stands.
            db.execute(
                "UPDATE orgsync_login SET password = NULL WHERE user_id = ? AND link = ? AND ticket_used IS NULL",
                [user, link_hash],
            )
        else:
            db.execute(
                "UPDATE orgsync_login SET link = NULL, link_expires = NULL WHERE user_id = ? AND link = ?",
                [user, link_hash],
            )


def spend_link(org: Org, link_hash: str, ticket_hash: str, *, now: int) -> bool:
    """Marks a link as opened and keeps what it gave. False where it was opened already or has expired."""
    with org.transaction() as db:
        return bool(
            db.execute(
                "UPDATE orgsync_login SET link_opened = ?1, ticket = ?2 WHERE link = ?3 AND link_opened IS NULL"
                " AND link_expires > ?1",
                [now, ticket_hash, link_hash],
            ).rowcount
        )


def store_password(org: Org, ticket_hash: str, password: str, *, now: int) -> bool:
    """Keeps a password's hash for an opened link, which ends a lock-out. False where the link has set one already."""
    with org.transaction() as db:
        return bool(
            db.execute(
                "UPDATE orgsync_login SET password = ?1, password_set = ?2, ticket_used = ?2,"
                " number_of_failed_logins = 0 WHERE ticket = ?3 AND ticket_used IS NULL",
                [password, now, ticket_hash],
            ).rowcount
        )


def count_attempt(org: Org, user: str, *, most: int) -> bool:
    """Counts an attempt as failed before it is checked, so that many at once get no more than `most` guesses.

    False where `most` attempts have failed already: the user is locked out of this org.
    """
    with org.transaction() as db:
        return bool(
            db.execute(
                "UPDATE orgsync_login SET number_of_failed_logins = number_of_failed_logins + 1"
                " WHERE user_id = ? AND number_of_failed_logins < ?",
                [user, most],
            ).rowcount
        )


def note_login(org: Org, user: str, password: str, *, now: int) -> bool:
    """Notes that a user logged in; earlier attempts are forgiven. False where the password was changed meanwhile."""
    with org.transaction() as db:
        return bool(
            db.execute(
                "UPDATE orgsync_login SET number_of_failed_logins = 0, last_login = ? WHERE user_id = ? AND password = ?",
                [now, user, password],
            ).rowcount
        )
