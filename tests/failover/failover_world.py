"""Two connected orgs with users, a mail server, a single sign-on hook, and front doors that can be closed."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from two_orgs import ORGS, connection, documents, run_in, sql

MANIFESTS = documents(
    ORGS, connection("acme-link"), "version: 1\nkind: Publication\nconnection: acme-link\nobject: Account\n"
)
FAILOVER = """\
version: 1
kind: Failover
connection: acme-link
primary_url: https://login.acme.example
secondary_url: https://dr.acme.example
"""


class Postbox:
    """A mail server's handler that keeps what it takes, and refuses recipients that begin with `nobody`."""

    def __init__(self) -> None:
        self.port = 0
        self.received: list[tuple[str, EmailMessage]] = []

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:  # noqa: N802
        if address.startswith("nobody"):
            return "550 there is no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        message = message_from_bytes(cast("bytes", envelope.content), policy=policy.default)
        self.received.append((envelope.rcpt_tos[0], cast("EmailMessage", message)))
        return "250 OK"

    @property
    def recipients(self) -> list[str]:
        return sorted(address for address, _ in self.received)


@contextmanager
def mail_server() -> Iterator[Postbox]:
    box = Postbox()
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        box.port = int(found.getsockname()[1])
    controller = Controller(box, hostname="127.0.0.1", port=box.port)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


class Door(ThreadingHTTPServer):
    """A front door on loopback: answers with `status`, and keeps what was posted."""

    daemon_threads = True

    def __init__(self) -> None:
        self.status = 200
        self.posted: list[dict[str, Any]] = []
        self.paths: list[str] = []
        super().__init__(("127.0.0.1", 0), _DoorHandler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _DoorHandler(BaseHTTPRequestHandler):
    server: Door

    def do_GET(self) -> None:
        self.server.paths.append(self.path)
        self.answer()

    def do_POST(self) -> None:
        self.server.posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.answer()

    def answer(self) -> None:
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        if self.server.status // 100 == 3:
            self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@contextmanager
def door() -> Iterator[Door]:
    with Door() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def document(folder: Path, *args: str, **environment: str) -> dict[str, Any]:
    return dict(json.loads(run_in(folder, *args, "--format", "json", **environment).stdout))


def add_user(folder: Path, username: str, profile: str = "Standard User") -> None:
    name = username.partition("@")[0]
    sql(
        folder,
        "acme",
        'INSERT INTO "User" ("Username", "FirstName", "LastName", "Email", "Alias", "CommunityNickname", "ProfileId")'
        ' SELECT ?1, \'A\', ?2, ?1, ?2, ?2, "Id" FROM "Profile" WHERE "Name" = ?3',
        values=(username, name, profile),
    )


def set_up(folder: Path, more: str = "", *, mail: int = 0) -> None:
    """The document Failover with more keys, and a mail server on that port."""
    (folder / "manifests" / "failover.yaml").write_text(FAILOVER + more)
    if mail:
        (folder / "manifests" / "mail.yaml").write_text(
            f"version: 1\nkind: Mail\nhost: 127.0.0.1\nfrom: orgsync@acme.example\ntls: none\ntimeout: 5s\nport: {mail}\n"
        )


def text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())
