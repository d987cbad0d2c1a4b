"""The HTTP service that redirects users: answers from what it is told, and keeps nothing of a request (RTE-1)."""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

from orgsync_reconcile.clock import Clock, iso
from orgsync_reconcile.errors import UsageError
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.routing import Routing
from orgsync_reconcile.operations.failover_settings import FailoverSettings
from orgsync_reconcile.operations.pages import POLICY, page
from orgsync_reconcile.operations.redirect import Choice, location
from orgsync_reconcile.plan.users import SUFFIX

#: What the service answers itself; everything else is sent on.
HEALTH_PATH = "/healthz"
NOTICE_PATH = "/.orgsync/notice"
#: Requests that are answered at the same time; further ones are closed at once.
_AT_ONCE = 200
#: How long a client may keep a connection open without asking, in seconds.
_IDLE = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """What the service knows at one moment."""

    routing: Routing
    choice: Choice
    up: dict[Side, bool]


class RedirectServer(ThreadingHTTPServer):
    """Listens until `shutdown`. `state` is asked for each request; `log` gets one structured line for each."""

    daemon_threads = True
    # Threads end with their clients; waiting for idle ones would hold up the end.
    block_on_close = False
    request_queue_size = 128
    allow_reuse_address = True

    def __init__(
        self,
        address: tuple[str, int],
        settings: FailoverSettings,
        names: dict[Side, str],
        state: Callable[[], State],
        log: Callable[[dict[str, Any]], None],
        clock: Clock,
    ) -> None:
        self.settings = settings
        self.names = names
        self.state = state
        self.log = log
        self.clock = clock
        self._room = threading.BoundedSemaphore(_AT_ONCE)
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        try:
            super().__init__(address, _Handler)
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise UsageError(
                f"cannot listen on {address[0]}:{address[1]}: {why}", hint="choose another --host or --port"
            ) from None

    def server_bind(self) -> None:
        """Binds without asking a name server for this machine's name."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answers in a thread of its own, as long as there are not too many."""
        if not self._room.acquire(blocking=False):
            self.log({"at": iso(self.clock()), "client": client_address[0], "error": "too many at once"})
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Gives its place back at the end."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """A client that went away is one line, no traceback."""
        error = sys.exc_info()[1]
        self.log({"at": iso(self.clock()), "client": client_address[0], "error": type(error).__name__})


class _Handler(BaseHTTPRequestHandler):
    """One client. The request's own headers are not looked at, but for what kind of answer it takes."""

    protocol_version = "HTTP/1.1"
    timeout = _IDLE
    server: RedirectServer

    def version_string(self) -> str:
        return "orgsync"

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def _refuse_method(self) -> None:
        # Sent on, a body with somebody's credentials would go to another org without their knowing.
        self._send(HTTPStatus.METHOD_NOT_ALLOWED, b"only GET and HEAD are redirected\n", {"Allow": "GET, HEAD"})

    do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_TRACE = do_CONNECT = _refuse_method  # noqa: N815

    def _answer(self) -> None:
        state = self.server.state()
        path = self.path.partition("?")[0]
        if path == HEALTH_PATH:
            self._send_health(state)
        elif path == NOTICE_PATH:
            self._send_page(HTTPStatus.OK, state)
        elif state.choice.target is None:
            self._send_page(
                HTTPStatus.SERVICE_UNAVAILABLE, state, {"Retry-After": str(int(self.server.settings.check.every))}
            )
        elif self._wants_reminder(path, state):
            self._send_page(HTTPStatus.OK, state)
        else:
            self._redirect(state.choice.target)

    def _wants_reminder(self, path: str, state: State) -> bool:
        return (
            self.server.settings.reminder_page
            and path == "/"
            and state.choice.target is Side.SECONDARY
            and "text/html" in self.headers.get("Accept", "")
        )

    def _redirect(self, target: Side) -> None:
        found = location(self.server.settings.doors[target], self.path)
        if found is None:
            self._send(HTTPStatus.BAD_REQUEST, b"this is no path of an org\n")
            return
        self._send(HTTPStatus.FOUND, b"", {"Location": found}, target=target)

    def _send_health(self, state: State) -> None:
        document = {
            "status": "ok" if state.choice.target else "down",
            "target": state.choice.target.value if state.choice.target else None,
            "why": state.choice.why,
            **{side.value: "up" if state.up[side] else "down" for side in Side},
        }
        status = HTTPStatus.OK if state.choice.target else HTTPStatus.SERVICE_UNAVAILABLE
        self._send(status, json.dumps(document).encode() + b"\n", {"Content-Type": "application/json"})

    def _send_page(self, status: HTTPStatus, state: State, more: dict[str, str] | None = None) -> None:
        target = state.choice.target
        now = self.server.clock()
        routing = state.routing
        window = routing.window_to and datetime.fromisoformat(routing.window_to) > now
        text = "".join(
            page(
                "notice",
                target=target.value if target else "",
                name=self.server.names[target] if target else "",
                primary=self.server.names[Side.PRIMARY],
                secondary=self.server.names[Side.SECONDARY],
                door=self.server.settings.doors[target] if target else "",
                banner=routing.banner,
                window=(_shown(routing.window_from), _shown(routing.window_to)) if window else None,
                suffix=SUFFIX,
            )
        )
        self._send(
            status,
            text.encode(),
            {
                "Content-Type": "text/html; charset=utf-8",
                "Content-Security-Policy": f"{POLICY}; frame-ancestors 'none'",
                **(more or {}),
            },
        )

    def _send(
        self, status: HTTPStatus, body: bytes, headers: dict[str, str] | None = None, *, target: Side | None = None
    ) -> None:
        if status >= HTTPStatus.BAD_REQUEST:
            # A body that was not read must not be taken for the next request.
            self.close_connection = True
        self.send_response(status)
        fields = {"Content-Type": "text/plain; charset=utf-8", **(headers or {})}
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("X-Content-Type-Options", "nosniff")
        if self.close_connection:
            self.send_header("Connection", "close")
        # Before the answer is out, so that nobody has one that the log does not know.
        self._note(status, target)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """What is no request of HTTP; nothing of it is repeated."""
        if not hasattr(self, "command"):
            self.command = ""
        if self.request_version == "HTTP/0.9":
            self.request_version = "HTTP/1.0"
        self.close_connection = True
        self._send(HTTPStatus(code), b"this request cannot be answered\n")

    def handle_one_request(self) -> None:
        """Takes the time of each request, idle clients left out."""
        self._begun = time.monotonic()
        super().handle_one_request()

    def parse_request(self) -> bool:
        """Starts the clock when the first line is there."""
        self._begun = time.monotonic()
        return super().parse_request()

    def _note(self, status: HTTPStatus, target: Side | None) -> None:
        # A query may hold somebody's token.
        path = getattr(self, "path", "").partition("?")[0][:200]
        self.server.log(
            {
                "at": iso(self.server.clock()),
                "client": self.client_address[0],
                "method": (self.command or "")[:20],
                "path": path,
                "status": int(status),
                "target": target.value if target else None,
                "ms": round((time.monotonic() - self._begun) * 1000, 1),
            }
        )

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing: the structured line says it all."""


def _shown(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M} UTC" if text else ""
