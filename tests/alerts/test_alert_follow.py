"""A drain that follows: alerts go out beside it, no receiver holds it up, and SIGTERM ends it cleanly (LOG-3, QUE-3)."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from two_orgs import must, sql
from web_world import Receiver, fail, refuse_nines, rules


@contextmanager
def following(folder: Path) -> Iterator[subprocess.Popen[str]]:
    run = subprocess.Popen(
        [sys.executable, "-m", "orgsync_reconcile", "-C", str(folder), "drain", "--follow"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        # The first change that arrives says that it is at work.
        sql(folder, "acme", 'UPDATE "Account" SET "Phone" = \'begin\'')
        until(lambda: arrived(folder, "begin"))
        yield run
    finally:
        if run.poll() is None:
            run.kill()
        run.communicate()


def until(holds: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def arrived(folder: Path, phone: str) -> bool:
    return bool(sql(folder, "acme-dr", f'SELECT 1 FROM "Account" WHERE "Phone" = \'{phone}\''))


def test_a_slow_receiver_does_not_hold_it_up(world: Path, hooks: Receiver) -> None:
    """LOG-3: records go on while a webhook waits for its answer."""
    refuse_nines(world)
    rules(world, f"event: log_entry, webhook: '{hooks.url}'")
    hooks.delay = 4
    with following(world) as run:
        fail(world, "Nine")
        until(lambda: bool(hooks.got))
        asked = time.monotonic()
        sql(world, "acme", 'UPDATE "Account" SET "Phone" = \'later\' WHERE "Name" = \'One\'')
        until(lambda: arrived(world, "later"))
        assert time.monotonic() - asked < 3
        run.send_signal(signal.SIGTERM)
        run.communicate(timeout=30)
        assert run.returncode == 0
    assert len(hooks.got) == 1
    must(world, "status")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_it_ends_cleanly(world: Path, number: int, code: int) -> None:
    """QUE-3: a request to terminate is no failure, and what was sent is whole; an interrupt at the keyboard says so."""
    with following(world) as run:
        run.send_signal(number)
        out, said = run.communicate(timeout=30)
        assert run.returncode == code
        assert "Traceback" not in said
        assert ("interrupted" in said) == (number == signal.SIGINT)
        assert out.count("Account") >= 1
