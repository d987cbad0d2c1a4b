"""A mail server on loopback, and a folder with two orgs whose manifests send their mail there."""

from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Sequence
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from two_orgs import ORGS, connection, documents, sql

MANIFESTS = documents(
    ORGS, connection("acme-link"), "version: 1\nkind: Publication\nconnection: acme-link\nobject: Account\n"
)


class Postbox:
    """A mail server's handler that keeps what it takes, and refuses recipients that begin with `nobody`."""

    def __init__(self) -> None:
        self.port = 0
        self.received: list[tuple[Sequence[str], EmailMessage]] = []

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:  # noqa: N802
        if address.startswith("nobody"):
            return "550 there is no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        message = message_from_bytes(cast("bytes", envelope.content), policy=policy.default)
        self.received.append((list(envelope.rcpt_tos), cast("EmailMessage", message)))
        return "250 OK"

    def to(self, address: str) -> list[EmailMessage]:
        return [message for recipients, message in self.received if list(recipients) == [address]]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def listen(box: Postbox, **more: Any) -> Controller:
    """Starts a server that the caller stops."""
    controller = Controller(box, hostname="127.0.0.1", port=free_port(), **more)
    controller.start()
    return controller


def accepts(user: str, password: str) -> Any:
    """An authenticator that knows one user."""

    def check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword) -> AuthResult:
        good = (data.login, data.password) == (user.encode(), password.encode())
        return AuthResult(success=good, handled=good)

    return check


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for localhost that nobody signed, and a server's context with it."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    subprocess.run([*command, "-addext", names, "-keyout", key, "-out", cert], check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    return cert, context


def add_user(folder: Path, username: str, email: str = "") -> None:
    name = username.partition("@")[0]
    sql(
        folder,
        "acme",
        'INSERT INTO "User" ("Username", "FirstName", "LastName", "Email", "Alias", "CommunityNickname", "ProfileId")'
        f" SELECT '{username}', 'Ann', '{name.title()}', '{email or username}', '{name}', '{name}', \"Id\""
        ' FROM "Profile" WHERE "Name" = \'Standard User\'',
    )


def set_up_mail(folder: Path, port: int, more: str = "") -> None:
    (folder / "manifests" / "mail.yaml").write_text(
        "version: 1\nkind: Mail\nhost: 127.0.0.1\nfrom: orgsync@acme.example\ntls: none\ntimeout: 5s\n"
        f"port: {port}\nlogin_url: https://dr.acme.example/\n{more}"
    )


def text_of(message: EmailMessage, kind: str = "plain") -> str:
    body = message.get_body((kind,))
    assert body is not None
    return str(body.get_content())
