"""The mail room against a real mail server: encryption, logins, refusals, hostile values (CON-12, SUS-2, USR-8)."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from mail_world import Postbox, accepts, certificate, free_port, listen, text_of

from orgsync_reconcile.model.desired import Desired, SecretRef
from orgsync_reconcile.operations.letters import Letter
from orgsync_reconcile.operations.mail import NO_MAIL, Delivery, MailRoom, MailServer, mail_room

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
VALUES: Mapping[str, Any] = {
    "connection": "acme-link",
    "since": "2026-03-01 08:00 UTC",
    "by": "admin@acme.example",
    "reason": "",
    "queues": [{"org": "acme", "pending": 2, "retrying": 1}],
    "total": 3,
}


def room(port: int, base: Path = Path(), host: str = "127.0.0.1", **more: Any) -> MailRoom:
    server = MailServer(**{"host": host, "port": port, "tls": "none", "sender": "orgsync@acme.example", **more})
    return MailRoom(server=server, base=base, clock=lambda: NOW)


def letter(to: str, **values: Any) -> Letter:
    return Letter(template="suspended", to=to, values={**VALUES, **values})


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A certificate's file, and a server's context with it."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl program to make a certificate")
    return certificate(tmp_path_factory.mktemp("tls"))


def test_each_recipient_gets_a_message_of_text_and_html(post: Postbox) -> None:
    """SUS-2: one message per recipient, with date and both forms; the other recipients are not named in it."""
    done = room(post.port).send([letter("ann@acme.example"), letter("bob@acme.example")])
    assert [item.sent for item in done] == [True, True]
    assert [list(recipients) for recipients, _ in post.received] == [["ann@acme.example"], ["bob@acme.example"]]
    (message,) = post.to("ann@acme.example")
    assert message["To"] == "ann@acme.example"
    assert message["From"] == "orgsync@acme.example"
    assert message["Subject"] == "acme-link is suspended: 3 events queued"
    assert message["Date"].datetime == NOW
    assert "acme: 2 pending, 1 retrying" in text_of(message)
    assert "<b>acme-link</b>" in text_of(message, "html")
    assert "bob@" not in message.as_string()


def test_values_cannot_add_headers_recipients_or_markup(post: Postbox) -> None:
    """CON-12: line breaks in a value stay in their header, markup stays text, and an address is one address."""
    evil = "x\r\nBcc: spy@evil.example\r\n\r\n<script>alert(1)</script>"
    (first,) = room(post.port).send([letter("ann@acme.example", connection=evil)])
    assert first.sent
    (message,) = post.to("ann@acme.example")
    assert message["Bcc"] is None
    assert "spy@evil.example" in message["Subject"]
    assert "<script>" not in text_of(message, "html")
    assert "&lt;script&gt;" in text_of(message, "html")
    hostile = [
        "a@acme.example\r\nBcc: spy@evil.example",
        "a@acme.example, spy@evil.example",
        "a@x <spy@evil.example>",
        '"a b"@acme.example',
        "a@acme.example (spy)",
        "acme.example",
    ]
    refused = room(post.port).send([letter(address) for address in hostile])
    assert all("is no email address" in item.error for item in refused)
    assert all("\n" not in item.line for item in refused)
    assert len(post.received) == 1


def test_a_refused_recipient_does_not_stop_the_others(post: Postbox) -> None:
    """SUS-2: the refusal is one line in the server's own words."""
    lost, sent = room(post.port).send([letter("nobody@acme.example"), letter("ann@acme.example")])
    assert lost.error == f"127.0.0.1:{post.port} refused the recipient: 550 there is no such mailbox"
    assert lost.line.startswith("email to nobody@acme.example, 'acme-link is suspended")
    assert sent.sent
    assert len(post.to("ann@acme.example")) == 1


def test_without_a_mail_document_nothing_is_sent() -> None:
    """CON-12: the line says what would have been sent, and why it was not."""
    (item,) = mail_room(Desired(), base=Path(), clock=lambda: NOW).send([letter("ann@acme.example")])
    assert item.error == NO_MAIL
    assert item.line == (
        "email to ann@acme.example, 'acme-link is suspended: 3 events queued' was not sent:"
        " the manifests have no document of kind Mail"
    )


def test_starttls_and_login(tls: tuple[Path, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CON-12: the connection is encrypted before the password goes out; the password is read when something is sent."""
    cert, context = tls
    box = Postbox()
    server = listen(
        box, tls_context=context, require_starttls=True, auth_required=True, authenticator=accepts("post", "s3cret")
    )
    try:
        post = room(server.port, tmp_path, tls="starttls", user="post", password=SecretRef(source="file", name="pw"))
        assert _only(post).error == "the mail password is in the file pw, which is not there; set the file"
        (tmp_path / "pw").write_text("s3cret\n")
        assert "certificate" in _only(post).error
        monkeypatch.setenv("SSL_CERT_FILE", str(cert))
        assert _only(post).sent
        (tmp_path / "pw").write_text("wrong-pw")
        refused = _only(post)
        assert refused.error == f"127.0.0.1:{server.port} refused the login of post (535); check user and password"
    finally:
        server.stop()
    assert len(box.received) == 1


def test_implicit_tls(tls: tuple[Path, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """CON-12: encrypted from the first byte; a plain client and a plain server are told apart from a dead one."""
    cert, context = tls
    box = Postbox()
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    server = listen(box, ssl_context=context)
    plain = listen(Postbox())
    try:
        assert _only(room(server.port, host="localhost", tls="implicit")).sent
        assert "does not speak TLS" in _only(room(plain.port, tls="implicit")).error
        assert "cannot do what the manifest asks for" in _only(room(plain.port, tls="starttls")).error
    finally:
        server.stop()
        plain.stop()
    assert len(box.received) == 1


def test_a_server_that_is_not_there_or_says_nothing() -> None:
    """SUS-2: one line, within the time that the manifest gives; every letter has it."""
    port = free_port()
    first, second = room(port).send([letter("a@acme.example"), letter("b@acme.example")])
    assert first.error == second.error == f"127.0.0.1:{port} cannot be reached: Connection refused; check host and port"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mute = room(silent.getsockname()[1], timeout=0.2)
        assert _only(mute).error.endswith("did not answer within 0.2 seconds")


def test_a_server_that_goes_away_keeps_what_it_took() -> None:
    """SUS-2: what was handed over counts as sent, the rest does not."""
    box = Postbox()
    controller = listen(box)
    upstream = controller.port
    with socket.create_server(("127.0.0.1", 0)) as door:
        thread = threading.Thread(target=_cut_after_one, args=(door, upstream))
        thread.start()
        done = room(door.getsockname()[1]).send([letter("a@acme.example"), letter("b@acme.example")])
        thread.join()
    _stop(controller)
    assert [item.sent for item in done] == [True, False]
    assert "closed the connection" in done[1].error
    assert [list(recipients) for recipients, _ in box.received] == [["a@acme.example"]]


def _only(post: MailRoom) -> Delivery:
    (item,) = post.send([letter("ann@acme.example")])
    return item


def _stop(controller: Controller) -> None:
    controller.stop()


def _cut_after_one(door: socket.socket, upstream: int) -> None:
    """Passes one client on to the server and hangs up when the second message begins."""
    client, _ = door.accept()
    with client, socket.create_connection(("127.0.0.1", upstream)) as server:
        reader, answers = client.makefile("rb"), server.makefile("rb")
        client.sendall(answers.readline())
        mails = 0
        body = False
        for line in reader:
            mails += line.lower().startswith(b"mail from") and not body
            if mails > 1:
                break
            server.sendall(line)
            if body:
                body = line != b".\r\n"
                if body:
                    continue
            else:
                body = line.lower() == b"data\r\n"
            answer = answers.readline()
            client.sendall(answer)
            while answer[3:4] == b"-":
                answer = answers.readline()
                client.sendall(answer)
        reader.close()
        answers.close()
