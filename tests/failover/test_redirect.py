"""The redirect service: where it sends users, where it never does, and how it lives (RTE-1)."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from failover_world import Door, set_up
from hypothesis import given
from hypothesis import strategies as st
from two_orgs import must, run_in

from orgsync_reconcile.app import redirect as app
from orgsync_reconcile.app.workspace import Workspace
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.routing import Routing
from orgsync_reconcile.operations.redirect import Health, choose, location
from orgsync_reconcile.operations.redirect_server import RedirectServer

DOORS = "https://dr.acme.example", "https://dr.acme.example/sf/", "http://[::1]:8443"


@contextmanager
def service(folder: Path, doors: tuple[Door, Door]) -> Iterator[tuple[RedirectServer, list[dict[str, Any]]]]:
    """The service with both doors, checked as often as manifests allow; with what it logs."""
    text = (folder / "manifests" / "failover.yaml").read_text()
    text = text.replace("https://login.acme.example", f"{doors[0].url}/p").replace(
        "https://dr.acme.example", doors[1].url
    )
    (folder / "manifests" / "failover.yaml").write_text(text)
    lines: list[dict[str, Any]] = []
    workspace = Workspace(directory=folder)
    with app.redirect_service(workspace, None, host="127.0.0.1", port=0, log=lines.append) as server:
        yield server, lines


@pytest.fixture
def doors(primary_door: Door, secondary_door: Door) -> tuple[Door, Door]:
    """Both front doors."""
    return primary_door, secondary_door


def ask(server: RedirectServer, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=5)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, dict(answer.headers), body


def raw(server: RedirectServer, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=5) as client:
        client.sendall(request)
        client.shutdown(socket.SHUT_WR)
        parts = []
        while part := client.recv(4096):
            parts.append(part)
    return b"".join(parts)


def eventually(what: Callable[[], bool]) -> None:
    end = time.monotonic() + 8
    while not what():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


def test_it_keeps_path_and_query_and_is_never_cached(work: Path, doors: tuple[Door, Door]) -> None:
    """RTE-1: 302 to the primary while it is up, GET and HEAD alike."""
    with service(work, doors) as (server, lines):
        for method in ("GET", "HEAD"):
            status, headers, body = ask(server, "/lightning/r/001?a=1&b=%20x/../", method)
            assert (status, body) == (302, "")
            assert headers["Location"] == f"{doors[0].url}/p/lightning/r/001?a=1&b=%20x/../"
            assert headers["Cache-Control"] == "no-store"
    assert {(line["method"], line["path"], line["status"]) for line in lines} == {
        ("GET", "/lightning/r/001", 302),
        ("HEAD", "/lightning/r/001", 302),
    }


def test_other_methods_are_refused(work: Path, doors: tuple[Door, Door]) -> None:
    """RTE-1: a body with somebody's credentials is not sent on to another org."""
    with service(work, doors) as (server, _):
        for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            status, headers, _ = ask(server, "/services/data", method)
            assert (status, headers["Allow"], "Location" in headers) == (405, "GET, HEAD", False)
        answer = raw(server, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 30\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n")
        assert answer.count(b"HTTP/1.1 ") == 1


def test_what_is_chosen_wins_over_what_is_up(work: Path, doors: tuple[Door, Door]) -> None:
    """RTE-1: failover start and stop turn a running service, even where the secondary looks down."""
    doors[1].status = 500
    with service(work, doors) as (server, _):
        must(work, "failover", "start", "--yes")
        eventually(lambda: ask(server, "/")[1].get("Location") == f"{doors[1].url}/")
        assert json.loads(ask(server, "/healthz")[2]) == {
            "status": "ok",
            "target": "secondary",
            "why": "chosen",
            "primary": "up",
            "secondary": "down",
        }
        must(work, "failover", "stop", "--yes")
        eventually(lambda: ask(server, "/")[1].get("Location") == f"{doors[0].url}/p/")


def test_it_goes_on_while_the_primary_is_away(work: Path, doors: tuple[Door, Door]) -> None:
    """RTE-1: the org's file is gone and its door is closed: what the secondary knows counts."""
    must(work, "failover", "start", "--yes")
    (work / "orgs" / "acme.db").unlink()
    with service(work, doors) as (server, _):
        assert ask(server, "/x")[1]["Location"] == f"{doors[1].url}/x"


def test_health_checks_turn_it_without_flapping(work: Path, doors: tuple[Door, Door]) -> None:
    """RTE-1: down after so many failures in a row, up after so many answers; both down is said, with a page."""
    set_up(work, "check: {primary: /health, every: 1s, timeout: 1s, failures: 2, successes: 2}\n")
    with service(work, doors) as (server, lines):
        assert doors[0].paths[0] == "/p/health"
        doors[0].status = 503
        eventually(lambda: ask(server, "/")[1].get("Location") == f"{doors[1].url}/")
        assert [(line["org"], line["event"]) for line in lines if "event" in line] == [("acme", "down")]
        assert len(doors[0].paths) >= 3
        doors[1].status = 500
        eventually(lambda: ask(server, "/")[0] == 503)
        _, headers, body = ask(server, "/")
        assert headers["Retry-After"] == "1"
        assert "Neither acme nor acme-dr can be reached" in body
        assert ask(server, "/healthz")[0] == 503


@given(answers=st.lists(st.booleans(), max_size=40), failures=st.integers(1, 4), successes=st.integers(1, 4))
def test_health_by_a_model(answers: list[bool], failures: int, successes: int) -> None:
    """RTE-1: the first answer decides; it turns exactly where the last so many answers are all against it."""
    health = Health()
    up = True
    run = 0
    for place, answered in enumerate(answers):
        health = health.after(answered, failures=failures, successes=successes)
        if place == 0:
            up = answered
        run = 0 if answered == up else run + 1
        if run >= (successes if answered else failures) and run:
            up, run = answered, 0
        assert health.up == up


def test_choosing() -> None:
    """RTE-1: chosen, else the primary, else the secondary, else nobody."""
    automatic, chosen = Routing(connection="c"), Routing(connection="c", target=Side.SECONDARY)
    assert choose(chosen, primary_up=True, secondary_up=False).target is Side.SECONDARY
    assert choose(automatic, primary_up=True, secondary_up=True).target is Side.PRIMARY
    assert choose(automatic, primary_up=False, secondary_up=True).target is Side.SECONDARY
    assert choose(automatic, primary_up=False, secondary_up=False).target is None


TRICKS = [
    "//evil.example",
    "///evil.example/%2f..",
    "/\\evil.example",
    "\\\\evil.example",
    "/%5cevil.example",
    "/%2f%2fevil.example",
    "http://evil.example/",
    "https:evil.example",
    "@evil.example",
    ".evil.example",
    ":80@evil.example/",
    "/@evil.example",
    "/..//evil.example",
    "/.//evil.example",
    "/a\r\nLocation: https://evil.example",
    "/a%0d%0aLocation:%20https://evil.example",
    "/\tevil",
    "/#@evil.example",
    "/?next=https://evil.example",
    "/;@evil.example",
    "*",
    "",
    "/" + "a" * 9000,
]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("target", TRICKS, ids=repr)
def test_no_open_redirect(target: str, door: str) -> None:
    """RTE-1: every trick is refused or stays on the front door's host, in one line, below its path."""
    found = location(door, target)
    if found is None:
        return
    assert urlsplit(found).netloc == urlsplit(door).netloc
    assert urlsplit(found).scheme == urlsplit(door).scheme
    assert found.startswith(door.rstrip("/") + "/")
    assert not found[len(door.rstrip("/")) :].startswith("//")
    assert not any(ord(character) <= 32 or character in "\\\x7f" for character in found)


@given(target=st.text(max_size=60), door=st.sampled_from(DOORS))
def test_no_target_leads_elsewhere(target: str, door: str) -> None:
    """RTE-1: whatever is asked for."""
    for asked in (target, f"/{target}", f"//{target}"):
        found = location(door, asked)
        if found is not None:
            assert urlsplit(found)[:2] == urlsplit(door)[:2]
            assert found.isascii()
            assert found.startswith(door.rstrip("/") + "/")
            assert "\\" not in found


def test_tricks_over_the_wire(work: Path, doors: tuple[Door, Door]) -> None:
    """RTE-1: the Host header, absolute targets and broken requests change nothing about where users are sent."""
    with service(work, doors) as (server, lines):
        evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
        assert ask(server, "/x", **evil)[1]["Location"] == f"{doors[0].url}/p/x"
        for target in ("//evil.example/x", "/\\evil.example", "http://evil.example/", "evil.example"):
            answer = raw(server, f"GET {target} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".encode())
            where = [line for line in answer.split(b"\r\n") if line.startswith(b"Location: ")]
            assert all(line.startswith(f"Location: {doors[0].url}/p/".encode()) for line in where)
            assert answer.startswith((b"HTTP/1.1 302", b"HTTP/1.1 400"))
        for request in (b"\x16\x03\x01\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"BREW / HTTP/1.1\r\n\r\n"):
            answer = raw(server, request)
            assert b"Location" not in answer
            assert b"BREW" not in answer
        assert ask(server, "/" + "a" * 70_000)[0] == 414
        assert ask(server, "/?token=hunter2")[0] == 302
    assert "hunter2" not in json.dumps(lines)


def test_the_page_for_people(work: Path, doors: tuple[Door, Door]) -> None:
    """RTE-1: banner, window and that logins differ, escaped, in a page that loads nothing; asked for / it may go first."""
    set_up(work, "banner: <b>Secondary</b>\nreminder_page: true\n")
    must(work, "failover", "announce", "--from", "2999-01-01T22:00", "--to", "2999-01-02", "--yes")
    with service(work, doors) as (server, _):
        _, headers, body = ask(server, "/.orgsync/notice")
        assert "acme is available" in body
        assert "2999-01-01 22:00 UTC" in body
        assert ask(server, "/", Accept="text/html")[0] == 302
        must(work, "failover", "start", "--yes")
        eventually(lambda: "acme-dr for now" in ask(server, "/.orgsync/notice")[2])
        status, headers, body = ask(server, "/", Accept="text/html,*/*")
        assert status == 200
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "&lt;b&gt;Secondary&lt;/b&gt;" in body
        assert "ends in <code>.dr</code>" in body
        assert f'href="{doors[1].url}"' in body
        assert "<script" not in body
        assert ask(server, "/", Accept="application/json")[0] == 302
        assert ask(server, "/x", Accept="text/html")[0] == 302


def test_many_requests_leave_nothing_behind(work: Path, doors: tuple[Door, Door]) -> None:
    """RTE-1: hundreds of requests at a time; threads and open files are as before."""
    with service(work, doors) as (server, lines):
        ask(server, "/warm")
        before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").is_dir() else 0  # noqa: PTH208
        threads = threading.active_count()
        begun = time.monotonic()
        with ThreadPoolExecutor(max_workers=16) as pool:
            answers = list(pool.map(lambda number: ask(server, f"/{number}")[0], range(600)))
        seconds = time.monotonic() - begun
        assert answers == [302] * 600
        assert 600 / seconds > 50
        eventually(lambda: threading.active_count() <= threads)
        if before:
            eventually(lambda: len(os.listdir("/proc/self/fd")) <= before + 2)  # noqa: PTH208
    assert len([line for line in lines if line.get("status") == 302]) == 601


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_it_is_asked_to(work: Path, number: signal.Signals) -> None:
    """RTE-1: SIGTERM ends it with 0, an interrupt with 130; the log is JSON, a line each, on standard error."""
    args = [sys.executable, "-m", "orgsync_reconcile", "-C", str(work), "serve-redirect", "--port", "0"]
    with subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        port = int(first.rsplit(":", 1)[1].strip("/\n"))
        with socket.create_connection(("127.0.0.1", port)) as idle:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/x")
            assert connection.getresponse().status in (302, 503)
            process.send_signal(number)
            out, err = process.communicate(timeout=20)
            idle.close()
            connection.close()
    assert process.returncode == (0 if number is signal.SIGTERM else 130)
    assert out == ""
    assert [json.loads(line).get("path") for line in err.splitlines()][-1] == "/x"


def test_where_it_cannot_listen(work: Path) -> None:
    """RTE-1: a port that is taken, a host that is none, no document: one line."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = run_in(work, "serve-redirect", "--port", str(taken.getsockname()[1]))
        assert (result.exit_code, "cannot listen on 127.0.0.1" in result.stderr) == (64, True)
    assert run_in(work, "serve-redirect", "--host", "192.0.2.1", "--port", "0").exit_code == 64
    (work / "manifests" / "failover.yaml").unlink()
    assert "no document of kind Failover" in run_in(work, "serve-redirect").stderr
