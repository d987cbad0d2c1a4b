"""The mail room: sends letters through the server of the manifests' Mail document, one message per recipient.

A letter that cannot be sent is one clear line and never an error of the work that it tells of. There is no outbox:
without a Mail document nothing is sent, and the line says what would have been.
"""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from orgsync_reconcile.clock import Clock
from orgsync_reconcile.errors import OrgsyncError
from orgsync_reconcile.model.desired import Desired, SecretRef
from orgsync_reconcile.operations.letters import Letter, cleaned
from orgsync_reconcile.operations.secrets import find_secret

#: The line for letters where nobody set up mail.
NO_MAIL = "the manifests have no document of kind Mail"
#: How much of a server's answer is repeated.
_ANSWER = 160


@dataclass(frozen=True, kw_only=True, slots=True)
class MailServer:
    """The document Mail. `timeout` is in seconds; the password is resolved when something is sent, not before."""

    host: str
    port: int
    tls: str
    sender: str
    user: str = ""
    password: SecretRef | None = None
    timeout: float = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """What became of a letter; `error` is empty where the server took it."""

    to: str
    subject: str
    error: str = ""

    @property
    def sent(self) -> bool:
        """Whether the mail server took the message."""
        return not self.error

    @property
    def line(self) -> str:
        """One line for people."""
        words = f"email to {cleaned(self.to)}, {self.subject!r}"
        return f"{words} was not sent: {self.error}" if self.error else f"{words} was sent"


@dataclass(frozen=True, kw_only=True, slots=True)
class MailRoom:
    """Sends letters. `base` is the folder that a secret's path starts at; without a `server` nothing is sent."""

    server: MailServer | None
    base: Path
    clock: Clock

    def send(self, letters: Sequence[Letter]) -> tuple[Delivery, ...]:
        """Sends each letter to its one recipient, over one connection; what became of them, in their order."""
        if not letters:
            return ()
        if self.server is None:
            return tuple(Delivery(to=item.to, subject=item.subject, error=NO_MAIL) for item in letters)
        done: list[Delivery] = []
        try:
            with _session(self.server, self.base) as smtp:
                for letter in letters:
                    done.append(self._post(smtp, self.server, letter))
        except (OSError, OrgsyncError) as error:
            why = _explain(error, self.server)
            done.extend(Delivery(to=item.to, subject=item.subject, error=why) for item in letters[len(done) :])
        return tuple(done)

    def _post(self, smtp: smtplib.SMTP, server: MailServer, letter: Letter) -> Delivery:
        """Hands one message over. Raises OSError where the connection is gone, so that the rest is not tried."""
        subject = letter.subject
        try:
            smtp.send_message(letter.message(server.sender, self.clock()), server.sender, [letter.to])
        except smtplib.SMTPServerDisconnected:
            raise
        except (smtplib.SMTPException, OrgsyncError, UnicodeError) as error:
            return Delivery(to=letter.to, subject=subject, error=_explain(error, server))
        return Delivery(to=letter.to, subject=subject)


def mail_room(desired: Desired, *, base: Path, clock: Clock) -> MailRoom:
    """The mail room as the manifests set it up."""
    data = desired.others.get(("Mail", "mail"))
    return MailRoom(server=None if data is None else _server(data), base=base, clock=clock)


def _server(data: Mapping[str, object]) -> MailServer:
    password = data.get("password")
    return MailServer(
        host=str(data["host"]),
        port=int(str(data["port"])),
        tls=str(data["tls"]),
        sender=str(data["from"]),
        user=str(data.get("user") or ""),
        password=_reference(password) if isinstance(password, Mapping) else None,
        timeout=float(str(data["timeout"])),
    )


def _reference(data: Mapping[str, object]) -> SecretRef:
    if "env" in data:
        return SecretRef(source="env", name=str(data["env"]))
    return SecretRef(source="file", name=str(data["file"]))


@contextmanager
def _session(server: MailServer, base: Path) -> Iterator[smtplib.SMTP]:
    """An open connection to the server, encrypted and logged in as the manifest says. Raises OSError and OrgsyncError."""
    password = find_secret(server.password, base, what="the mail password") if server.password else ""
    smtp: smtplib.SMTP
    if server.tls == "implicit":
        smtp = smtplib.SMTP_SSL(server.host, server.port, timeout=server.timeout, context=ssl.create_default_context())
    else:
        smtp = smtplib.SMTP(server.host, server.port, timeout=server.timeout)
    try:
        if server.tls == "starttls":
            smtp.starttls(context=ssl.create_default_context())
        if server.user:
            smtp.login(server.user, password)
        yield smtp
        # What was handed over is delivered, however the server says goodbye.
        with contextlib.suppress(OSError):
            smtp.quit()
    finally:
        smtp.close()


def _explain(error: Exception, server: MailServer) -> str:
    """Why something was not sent, in one line without secrets."""
    where = f"{server.host}:{server.port}"
    if isinstance(error, OrgsyncError):
        return str(error)
    if isinstance(error, smtplib.SMTPAuthenticationError):
        # The answer may repeat what was sent, so its number has to do.
        return f"{where} refused the login of {server.user} ({error.smtp_code}); check user and password"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, answer = next(iter(error.recipients.values()))
        return f"{where} refused the recipient: {_answer(code, answer)}"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{where} refused it: {_answer(error.smtp_code, error.smtp_error)}"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return f"{where} cannot do what the manifest asks for: {error}"
    # smtplib wraps a time-out as a server that went away.
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return f"{where} did not answer within {server.timeout:g} seconds"
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return f"{where} closed the connection; check port and tls"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of {where} is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"{where} does not speak TLS as tls: {server.tls} expects; check port and tls"
    if isinstance(error, socket.gaierror):
        return f"there is no mail server {server.host}; check host"
    if isinstance(error, UnicodeError):
        return "the address has characters that email cannot carry"
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"{where} cannot be reached: {cleaned(text)}; check host and port"


def _answer(code: int, answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return f"{code} {' '.join(str(cleaned(text)).split())[:_ANSWER]}"
