"""Asking the orgs' front doors whether they are up, again and again (RTE-1)."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.operations.failover_settings import FailoverSettings
from orgsync_reconcile.operations.redirect import Health


def answers(door: str, path: str, timeout: float) -> bool:
    """Whether the front door answers within so many seconds, with anything but a fault of its own (5xx)."""
    parts = urlsplit(door)
    host = parts.hostname or ""
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(host, parts.port, timeout=timeout, context=context)
    else:
        connection = http.client.HTTPConnection(host, parts.port, timeout=timeout)
    # An answer that trickles in never lets a single read time out.
    deadline = threading.Timer(timeout, _hang_up, (connection,))
    deadline.daemon = True
    deadline.start()
    try:
        connection.request("GET", f"{parts.path.rstrip('/')}{path}", headers={"Connection": "close"})
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException, ValueError):
        return False
    finally:
        deadline.cancel()
        connection.close()


def _hang_up(connection: http.client.HTTPConnection) -> None:
    opened = connection.sock
    if opened is not None:
        try:
            opened.shutdown(socket.SHUT_RDWR)
        except OSError:
            connection.close()


class Watch:
    """The health of both orgs, asked for by `ask`; `turned` is told when one goes down or comes up."""

    def __init__(self, settings: FailoverSettings, turned: Callable[[Side, bool], None]) -> None:
        self._settings = settings
        self._turned = turned
        self._health = {side: Health() for side in Side}

    def up(self, side: Side) -> bool:
        """Whether that org is up, as far as is known."""
        return self._health[side].up

    def ask(self) -> None:
        """Asks both once."""
        check = self._settings.check
        with ThreadPoolExecutor(max_workers=2) as pool:
            found = {
                side: pool.submit(answers, self._settings.doors[side], check.paths[side], check.timeout)
                for side in Side
            }
        for side, answer in found.items():
            before = self._health[side]
            self._health[side] = before.after(answer.result(), failures=check.failures, successes=check.successes)
            if before.up != self._health[side].up:
                self._turned(side, not before.up)
