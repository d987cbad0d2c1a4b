"""What ends a server of our own when the process that started it has ended, however that came to be."""

from __future__ import annotations

import subprocess
from pathlib import Path

#: Reads the server's number whenever it changes (an empty line: none), until the pipe is closed: by its writer, or by the
#: system when the writer is gone. Then the server ends at once, and the folder goes. That it has ended is seen by its
#: file: its number stays taken until somebody asks how it ended.
_SCRIPT = """
server=
while read -r line; do server=$line; done
if [ -n "$server" ] && kill -QUIT "$server" 2>/dev/null; then
  left=50
  while [ "$left" -gt 0 ] && [ -e "$1/data/postmaster.pid" ]; do sleep 0.1; left=$((left - 1)); done
  kill -KILL "$server" 2>/dev/null
fi
rm -rf -- "$1"
"""


class Keeper:
    """A small process that outlives this one by the moments that it takes to end the server and remove its folder."""

    def __init__(self, folder: Path) -> None:
        # A session of its own, so that what ends a terminal's processes does not end this one first.
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", _SCRIPT, "sh", str(folder)],
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def keep(self, server: int | None) -> None:
        """Says which process the server is from now on; None: none runs."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n" if server is None else b"%d\n" % server)
        self._process.stdin.flush()

    def close(self) -> None:
        """Ends the server, if it still runs, and removes the folder."""
        self._process.communicate()
