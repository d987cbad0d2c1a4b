"""Logins of the secondary org: one-time links by email, passwords, lock-out (USR-8).

Tokens and passwords are hashed before they reach a store; they stand in no log, history, document or message of ours.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode, urlsplit, urlunsplit

from orgsync_reconcile.clock import Clock, milliseconds
from orgsync_reconcile.errors import OrgsyncError, PermissionDeniedError, UsageError
from orgsync_reconcile.model.desired import Desired
from orgsync_reconcile.model.wording import counted
from orgsync_reconcile.operations.letters import Letter
from orgsync_reconcile.operations.mail import MailRoom
from orgsync_reconcile.plan.users import SUFFIX
from orgsync_reconcile.stores.sql import history, logins
from orgsync_reconcile.stores.sql.connections import get_connection
from orgsync_reconcile.stores.sql.logins import LoginUser
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.permissions import require

#: How long a link can be opened: six months.
LINK_LIFE = timedelta(days=183)
#: How long the password can be set after the link was opened.
TICKET_LIFE = timedelta(hours=1)
#: Failed attempts in a row after which a user is locked out of this org.
MOST_ATTEMPTS = 10
#: Length of a password, in characters.
SHORTEST, LONGEST = 8, 1024
_TOKEN_BYTES = 32
_SCRYPT = {"n": 2**15, "r": 8, "p": 1}
_SCRYPT_MEMORY = 2**26
_SALT_BYTES = 16
_REFUSED = "the username or the password is wrong"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reset:
    """A user of the secondary and what became of the link; `error` is empty where it is on its way."""

    username: str
    email: str
    error: str = ""


def login_url(desired: Desired, connection: str) -> str:
    """Where users log in to the secondary: of the connection's Failover document, else of the Mail document.

    Raises OrgsyncError where neither says so.
    """
    failover = desired.others.get(("Failover", connection), {})
    mail = desired.others.get(("Mail", "mail"), {})
    url = failover.get("secondary_url") or mail.get("login_url")
    if not url:
        raise OrgsyncError(
            f"the manifests do not say where users log in to the secondary of {connection}",
            hint="set secondary_url in a document of kind Failover, or login_url in the one of kind Mail",
        )
    return str(url)


def users_to_reset(secondary: Org, connection: str, usernames: Sequence[str] = ()) -> tuple[LoginUser, ...]:
    """The active synced users of the secondary, or those of them that are named, with or without the suffix.

    Raises UsageError with every name that is none of them.
    """
    users = logins.synced_users(secondary, get_connection(secondary, connection).number)
    if not usernames:
        return users
    known = {user.username.casefold(): user for user in users}
    chosen: dict[str, LoginUser] = {}
    unknown: list[str] = []
    for name in usernames:
        user = known.get(name.casefold()) or known.get(f"{name}{SUFFIX}".casefold())
        if user is None:
            unknown.append(name)
        else:
            chosen[user.id] = user
    if unknown:
        raise UsageError(
            f"no active synced user: {', '.join(unknown)}",
            where=secondary.label,
            hint="name users as they are in the secondary, or copy them first with: orgsync users sync",
        )
    return tuple(chosen.values())


def reset_passwords(
    room: MailRoom,
    secondary: Org,
    connection: str,
    users: Sequence[LoginUser],
    *,
    url: str,
    primary: str,
    actor: str,
    clock: Clock,
) -> tuple[Reset, ...]:
    """Sends each user a one-time link to set a password; the old password is void once the link is on its way.

    A user whose email cannot be sent keeps login and password as they were. `url` is where users log in, `primary` how
    people call the other org. Raises PermissionDeniedError where `actor` may not manage users; without a mail server
    nothing is changed, and every user has that as the error.
    """
    require(secondary, actor, "ManageUsers")
    tokens = {user.id: secrets.token_urlsafe(_TOKEN_BYTES) for user in users}
    expires = clock() + LINK_LIFE
    if room.server is not None:
        with secondary.transaction():
            for user in users:
                logins.offer_link(secondary, user.id, _hash(tokens[user.id]), expires=milliseconds(expires))
    letters = [
        Letter(
            template="reset_password",
            to=user.email,
            values={
                "name": user.name,
                "username": user.username,
                "org": secondary.label,
                "primary": primary,
                "link": link(url, tokens[user.id]),
                "expires": f"{expires:%Y-%m-%d}",
                "connection": connection,
            },
        )
        for user in users
    ]
    done = room.send(letters)
    if room.server is not None:
        with secondary.transaction():
            for user, delivery in zip(users, done, strict=True):
                logins.settle_link(secondary, user.id, _hash(tokens[user.id]), sent=delivery.sent)
    sent = sum(item.sent for item in done)
    if sent:
        detail = f"password links to {counted(sent, 'user')}"
        history.record_event(secondary, connection, history.NOTIFICATION, detail, actor=actor, clock=clock)
    return tuple(
        Reset(username=user.username, email=user.email, error=item.error)
        for user, item in zip(users, done, strict=True)
    )


def link(url: str, token: str) -> str:
    """The address behind which the page that opens a link stands."""
    parts = urlsplit(url)
    path = f"{parts.path.rstrip('/')}/set-password"
    return urlunsplit((parts.scheme, parts.netloc, path, urlencode({"token": token}), ""))


def open_link(secondary: Org, token: str, clock: Clock) -> str:
    """Opens a one-time link, which spends it, and returns a ticket for `set_password`, good for an hour.

    Raises PermissionDeniedError for a link that nobody has, that was opened before, or that has expired.
    """
    now = clock()
    known = logins.login_by_link(secondary, _hash(token))
    if known is None:
        raise _denied(secondary, "nobody has this link")
    ticket = secrets.token_urlsafe(_TOKEN_BYTES)
    if not logins.spend_link(secondary, _hash(token), _hash(ticket), now=milliseconds(now)):
        # A second reader may have been faster than what is known here.
        expired = known.link_opened is None and (known.link_expires or 0) <= milliseconds(now)
        raise _denied(secondary, "this link has expired" if expired else "this link was opened before")
    return ticket


def set_password(secondary: Org, ticket: str, password: str, clock: Clock) -> str:
    """Sets the password with the ticket of an opened link, once; returns the username.

    Raises UsageError for a password that is too weak, which does not spend the ticket, and PermissionDeniedError for a
    ticket that is not valid.
    """
    now = milliseconds(clock())
    known = logins.login_by_ticket(secondary, _hash(ticket))
    life = int(TICKET_LIFE.total_seconds() * 1000)
    if known is None or known.ticket_used is not None or now >= (known.link_opened or 0) + life:
        raise _denied(secondary, "the time to set the password is over")
    _check_strength(password, known.username)
    if not logins.store_password(secondary, _hash(ticket), _hashed_password(password), now=now):
        raise _denied(secondary, "the time to set the password is over")
    return known.username


def log_in(secondary: Org, username: str, password: str, clock: Clock) -> str:
    """The Id of the user who logged in. After ten failed attempts in a row the user is locked out of this org alone.

    Raises PermissionDeniedError; a username that nobody has and a wrong password look the same.
    """
    known = logins.login_of(secondary, username)
    if known is None or known.password is None:
        # As long as a check takes, so that time does not tell either.
        _hashed_password(password)
        raise PermissionDeniedError(
            _REFUSED, where=secondary.label, hint="set your password first, with the link that you were sent"
        )
    if not logins.count_attempt(secondary, known.user, most=MOST_ATTEMPTS):
        _hashed_password(password)
        raise _denied(secondary, f"locked out after {MOST_ATTEMPTS} failed attempts")
    fits = _fits(password, known.password)
    if not fits or not logins.note_login(secondary, known.user, known.password, now=milliseconds(clock())):
        raise PermissionDeniedError(
            _REFUSED, where=secondary.label, hint="set your password first, with the link that you were sent"
        )
    return known.user


def _denied(secondary: Org, what: str) -> PermissionDeniedError:
    return PermissionDeniedError(
        what, where=secondary.label, hint="ask your administrator to run: orgsync users reset-passwords"
    )


def _check_strength(password: str, username: str) -> None:
    if not SHORTEST <= len(password) <= LONGEST:
        raise UsageError(f"a password has {SHORTEST} to {LONGEST} characters", hint="choose another one")
    if password.isalpha() or password.isdigit():
        raise UsageError("a password of letters alone or digits alone", hint="mix letters and digits")
    if password.casefold() in (username.casefold(), username.casefold().removesuffix(SUFFIX)):
        raise UsageError("the password is the username", hint="choose another one")


def _hash(token: str) -> str:
    """Tokens are random and long, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def _derived(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    # Longer input would make a single attempt arbitrarily dear.
    return hashlib.scrypt(
        password[: LONGEST + 1].encode("utf-8", "surrogatepass"), salt=salt, n=n, r=r, p=p, maxmem=_SCRYPT_MEMORY
    )


def _hashed_password(password: str) -> str:
    """`scrypt$n$r$p$salt$hash`, with a salt of its own."""
    salt = secrets.token_bytes(_SALT_BYTES)
    derived = _derived(password, salt, **_SCRYPT)
    return f"scrypt${_SCRYPT['n']}${_SCRYPT['r']}${_SCRYPT['p']}${salt.hex()}${derived.hex()}"


def _fits(password: str, stored: str) -> bool:
    _, n, r, p, salt, derived = stored.split("$")
    found = _derived(password, bytes.fromhex(salt), int(n), int(r), int(p))
    return hmac.compare_digest(found, bytes.fromhex(derived))
