"""Posting to a web address: http and https only, no redirect, a time within which all of it ends, no secret in a message."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from orgsync_reconcile import __version__
from orgsync_reconcile.clock import Clock
from orgsync_reconcile.operations.letters import cleaned

#: How long a request may take, connection and answer together, in seconds.
TIMEOUT = 10.0
#: How long a receiver may ask to be left alone, in seconds: a day.
LONGEST_PAUSE = 86_400.0
#: How much of a receiver's own words is repeated.
_WORDS = 80


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What became of a request; `error` is empty where the receiver took it, one line without secrets otherwise."""

    error: str = ""
    #: Seconds for which the receiver asks to be left alone.
    pause: float = 0.0


def signature(secret: str, body: bytes) -> str:
    """The value of the signature's header: `sha256=` and the HMAC of the body, in hexadecimal."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def post(
    url: str, body: bytes, headers: Mapping[str, str], *, name: str, clock: Clock, timeout: float = TIMEOUT
) -> Answer:
    """Posts JSON to `url`. Messages call the address `name`, since it may hold a token."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return Answer(error=f"{name} is no web address")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        return Answer(error=f"{name} is no web address of http or https without a user name")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not target.isascii() or any(ord(character) <= 32 or ord(character) == 127 for character in target):
        return Answer(error=f"{name} has characters that a web address cannot have")
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(
            parts.hostname, port, timeout=timeout, context=ssl.create_default_context()
        )
    else:
        connection = http.client.HTTPConnection(parts.hostname, port, timeout=timeout)
    late = threading.Event()
    # A receiver that sends a little now and then never lets a single read time out.
    deadline = threading.Timer(timeout, _hang_up, (connection, late))
    deadline.daemon = True
    deadline.start()
    try:
        connection.request("POST", target, body=body, headers={**_HEADERS, **headers})
        return _answer(connection.getresponse(), name, clock)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Answer(error=_explain(error, name, timeout, late=late.is_set()))
    finally:
        deadline.cancel()
        connection.close()


_HEADERS: Mapping[str, str] = {
    "Content-Type": "application/json; charset=utf-8",
    "User-Agent": f"orgsync/{__version__}",
    "Accept": "*/*",
    "Connection": "close",
}


def _hang_up(connection: http.client.HTTPConnection, late: threading.Event) -> None:
    late.set()
    opened = connection.sock
    if opened is not None:
        try:
            opened.shutdown(socket.SHUT_RDWR)
        except OSError:
            connection.close()


def _answer(response: http.client.HTTPResponse, name: str, clock: Clock) -> Answer:
    """What the status says; the body is of no interest."""
    if 200 <= response.status < 300:
        return Answer()
    if 300 <= response.status < 400:
        return Answer(error=f"{name} answered {response.status}: redirects are not followed, name the address itself")
    words = " ".join(str(cleaned(response.reason or "")).split())[:_WORDS]
    return Answer(
        error=f"{name} answered {response.status} {words}".rstrip(),
        pause=_pause(response.getheader("Retry-After"), clock),
    )


def _pause(header: str | None, clock: Clock) -> float:
    """Seconds from a Retry-After header: a number of them, or a date."""
    if not header:
        return 0.0
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_PAUSE)
    try:
        moment = parsedate_to_datetime(text)
        return min(max((moment - clock()).total_seconds(), 0.0), LONGEST_PAUSE)
    except (TypeError, ValueError, OverflowError):
        return 0.0


def _explain(error: Exception, name: str, timeout: float, *, late: bool) -> str:
    if late or isinstance(error, TimeoutError):
        return f"{name} did not answer within {timeout:g} seconds"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of {name} is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"{name} does not speak TLS; check http and https"
    if isinstance(error, socket.gaierror):
        return f"there is no host of {name}; check the address"
    if isinstance(error, http.client.HTTPException):
        return f"{name} closed the connection or does not speak HTTP"
    if isinstance(error, OSError):
        return f"{name} cannot be reached: {cleaned(error.strerror or type(error).__name__)}"
    return f"{name} is no address that can be asked"
