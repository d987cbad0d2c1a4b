"""Receivers that are down, slow or out of order; processes that are killed: a notice goes out once, and is not lost (LOG-3)."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from mail_world import Postbox, certificate, free_port, set_up_mail
from two_orgs import must, run_in, sql
from web_world import Receiver, fail, receiver, refuse_nines, rules

from orgsync_reconcile.operations import courier, webhook
from orgsync_reconcile.operations.webhook import post as post_to

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def ask(url: str, timeout: float = 2.0) -> webhook.Answer:
    return post_to(url, b"{}", {}, name="it", clock=lambda: NOW, timeout=timeout)


def waiting(folder: Path) -> tuple[int, float | None, str]:
    """Attempts, seconds until the next try, error of the only notice."""
    ((attempts, next_try, error),) = sql(folder, "acme", "SELECT attempts, next_try, error FROM orgsync_notice")
    return attempts, None if next_try is None else (next_try - time.time() * 1000) / 1000, error


@pytest.fixture
def failing(world: Path) -> Path:
    refuse_nines(world)
    return world


def alert(folder: Path, hook: str) -> str:
    """One entry that is to be told to an address; what the drain says."""
    rules(folder, f"name: ops, event: log_entry, webhook: '{hook}'")
    must(folder, "drain")
    fail(folder, "Nine")
    return again(folder)


def again(folder: Path) -> str:
    result = run_in(folder, "drain")
    assert result.exit_code in (0, 5), result.output
    return result.stderr


def test_a_receiver_that_is_down_gets_it_later(failing: Path) -> None:
    """LOG-3: tried again in growing pauses, by whichever process comes; not sooner, and no second one is written."""
    said = alert(failing, f"http://127.0.0.1:{free_port()}/x?token=hush")
    assert "webhook of the rule ops was not sent" in said
    assert "cannot be reached: Connection refused; tried again in 1 min" in said
    assert "hush" not in said
    assert "was not sent" not in again(failing)
    with receiver() as hooks:
        rules(failing, f"name: ops, event: log_entry, webhook: '{hooks.url}'")
        sql(failing, "acme", "UPDATE orgsync_notice SET next_try = 0")
        again(failing)
        again(failing)
        assert len(hooks.got) == 1
    assert waiting(failing)[:2] == (2, None)


def test_a_receiver_that_never_comes_back_is_given_up(failing: Path) -> None:
    """LOG-3: after the last pause, with a row in the connection history."""
    alert(failing, f"http://127.0.0.1:{free_port()}/x")
    pauses = []
    for _ in courier.BACKOFF:
        pauses.append(waiting(failing)[1])
        sql(failing, "acme", "UPDATE orgsync_notice SET next_try = 0")
        said = again(failing)
    assert [pause for pause in pauses if pause is not None] == pytest.approx(list(courier.BACKOFF), abs=60)
    assert "given up after 7 tries" in said
    assert waiting(failing)[1] is None
    assert "Given up: webhook of the rule ops" in must(failing, "history").stdout
    assert "was not sent" not in again(failing)


def test_too_many_requests_is_heard(failing: Path, hooks: Receiver) -> None:
    """LOG-3: Retry-After goes before our own pause, up to a day."""
    hooks.status, hooks.headers = 429, {"Retry-After": "7200"}
    assert "answered 429 Too Many Requests; tried again in 2 h" in alert(failing, hooks.url)
    assert waiting(failing)[1] == pytest.approx(7200, abs=60)
    hooks.headers = {"Retry-After": "Sun, 01 Mar 2026 12:10:00 GMT"}
    assert ask(hooks.url).pause == 600
    for value in ("99999999999999999999", "soon", "-5", "Sun, 01 Mar 2020 12:10:00 GMT"):
        hooks.headers = {"Retry-After": value}
        assert ask(hooks.url).pause in (0, webhook.LONGEST_PAUSE)


def test_what_goes_wrong_is_one_clear_line(hooks: Receiver, tmp_path: Path) -> None:
    """LOG-3: errors of the server, redirects, a wrong certificate, no TLS, no HTTP, other schemes."""
    hooks.status = 500
    assert ask(hooks.url).error == "it answered 500 Internal Server Error"
    hooks.status, hooks.headers = 302, {"Location": "http://127.0.0.1:1/elsewhere"}
    assert "redirects are not followed" in ask(hooks.url).error
    assert "does not speak TLS" in ask(hooks.url.replace("http", "https", 1)).error
    with receiver(certificate(tmp_path)[1]) as secure:
        assert "the certificate of it is not trusted" in ask(secure.url.replace("http", "https", 1)).error
        assert secure.got == []
    for url in ("ftp://127.0.0.1/", "file:///etc/passwd", "http://u:p@127.0.0.1/", "http://[::1", "gopher:x"):
        assert "is no web address" in ask(url).error
    assert "characters" in ask("http://127.0.0.1/a b\r\nX: y").error
    assert len(hooks.got) == 2


def test_a_slow_receiver_costs_no_more_than_the_time_that_it_has(hooks: Receiver) -> None:
    """LOG-3: neither one that says nothing nor one that sends a byte now and then."""
    started = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert ask(f"http://127.0.0.1:{silent.getsockname()[1]}/", 0.3).error == "it did not answer within 0.3 seconds"
    hooks.drip = 0.05
    assert ask(hooks.url, 0.4).error == "it did not answer within 0.4 seconds"
    assert time.monotonic() - started < 3


def test_mail_that_is_down_is_tried_again_with_one_message_id(failing: Path, post: Postbox) -> None:
    """LOG-3: the same letter, which a mail program can tell from another."""
    set_up_mail(failing, 1)
    rules(failing, "event: log_entry, email: [ops@acme.example]")
    must(failing, "drain")
    fail(failing, "Nine")
    assert "email to ops@acme.example, 'acme-link: 1 new entry in the sync log of acme' was not sent" in again(failing)
    set_up_mail(failing, post.port)
    for _ in range(2):
        sql(failing, "acme", "UPDATE orgsync_notice SET next_try = 0")
        again(failing)
    first, second = post.to("ops@acme.example")
    assert first["Message-ID"] == second["Message-ID"]


def test_many_processes_send_each_notice_once(failing: Path, post: Postbox) -> None:
    """LOG-3: the mail server was away and is back; whoever comes first claims a notice, and nobody sends it again."""
    set_up_mail(failing, 1)
    people = [f"p{number}@acme.example" for number in range(8)]
    rules(failing, f"event: log_entry, email: [{', '.join(people)}]")
    must(failing, "drain")
    for number in range(3):
        fail(failing, f"Nine {number}")
        again(failing)
    assert sql(failing, "acme", "SELECT count(*) FROM orgsync_notice WHERE next_try IS NOT NULL") == [(24,)]
    sql(failing, "acme", "UPDATE orgsync_notice SET next_try = 0")
    set_up_mail(failing, post.port)
    command = [sys.executable, "-m", "orgsync_reconcile", "-C", str(failing), "drain"]
    runs = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    for run in runs:
        _, said = run.communicate(timeout=120)
        assert run.returncode in (0, 5), said
        assert "was not sent" not in said
    for person in people:
        letters = post.to(person)
        assert len(letters) == 3
        assert len({letter["Message-ID"] for letter in letters}) == 3
    assert sql(failing, "acme", "SELECT count(*) FROM orgsync_notice WHERE next_try IS NOT NULL") == [(0,)]


def test_without_mail_it_is_said_once(failing: Path) -> None:
    """LOG-3: no other try would help."""
    rules(failing, "event: log_entry, email: [ops@acme.example]")
    must(failing, "drain")
    fail(failing, "Nine")
    assert "no document of kind Mail; given up" in again(failing)
    assert "was not sent" not in again(failing)


def test_a_rule_that_is_gone_takes_its_webhooks_along(failing: Path) -> None:
    """LOG-3: nobody knows the address any more."""
    alert(failing, f"http://127.0.0.1:{free_port()}/x")
    rules(failing, "name: other, event: log_entry, email: [ops@acme.example]")
    sql(failing, "acme", "UPDATE orgsync_notice SET next_try = 0")
    assert "the manifests no longer have it; given up" in again(failing)


def test_a_notice_that_somebody_changed_is_set_apart(failing: Path, post: Postbox) -> None:
    """LOG-3: broken rows of the outbox stop neither the others nor the drain."""
    set_up_mail(failing, 1)
    rules(failing, "event: log_entry, email: [a@acme.example, b@acme.example]")
    must(failing, "drain")
    fail(failing, "Nine")
    again(failing)
    sql(
        failing,
        "acme",
        "UPDATE orgsync_notice SET next_try = 0",
        "UPDATE orgsync_notice SET body = '{' WHERE number = 1",
    )
    set_up_mail(failing, post.port)
    assert "somebody has changed the notice; given up" in again(failing)
    assert [list(to) for to, _ in post.received] == [["b@acme.example"]]


def test_killed_while_sending_it_is_sent_once_more_with_the_same_key(failing: Path, hooks: Receiver) -> None:
    """LOG-3: between the request and the note that it was sent; others leave it alone for a while, then send it."""
    rules(failing, f"name: ops, event: log_entry, webhook: '{hooks.url}'")
    must(failing, "drain")
    fail(failing, "Nine")
    hooks.delay = 5
    run = subprocess.Popen(
        [sys.executable, "-m", "orgsync_reconcile", "-C", str(failing), "drain"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for _ in range(600):
        if hooks.got:
            break
        time.sleep(0.02)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    hooks.delay = 0
    again(failing)
    assert len(hooks.got) == 1
    sql(failing, "acme", "UPDATE orgsync_notice SET next_try = 1")
    again(failing)
    again(failing)
    assert len({headers["Idempotency-Key"] for _, headers, _ in hooks.got}) == 1
    assert len(hooks.got) == 2
