"""A web server on loopback that keeps what is posted to it and answers as it is told; rules and failing records."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from two_orgs import sql


@dataclass
class Receiver:
    """What the server got, and how it answers: status, headers, seconds before and between the bytes of an answer."""

    port: int = 0
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drip: float = 0.0
    got: list[tuple[str, Mapping[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?token=hush"

    @property
    def documents(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, _, body in self.got]


@contextmanager
def receiver(context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A server that ends with the block."""
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.got.append((self.path, dict(self.headers), body))
            time.sleep(found.delay)
            try:
                if found.drip:
                    for byte in b"HTTP/1.0 200 OK\r\n" * 3:
                        self.wfile.write(bytes([byte]))
                        time.sleep(found.drip)
                self.send_response(found.status)
                for name, value in found.headers.items():
                    self.send_header(name, value)
                self.end_headers()
            except OSError:
                pass

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass

    server = Quiet(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    found.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def rules(folder: Path, *texts: str) -> None:
    """Puts these rules into the manifests in place of those that are there."""
    path = folder / "manifests" / "acme.yaml"
    lines = [line for line in path.read_text().splitlines() if not line.startswith(("notify:", "  - {"))]
    at = lines.index("direction: two-way") + 1
    lines[at:at] = ["notify:", *(f"  - {{{text}}}" for text in texts)]
    path.write_text("\n".join(lines) + "\n")


def refuse_nines(folder: Path) -> None:
    """The secondary refuses accounts with the phone 999."""
    for event in ("UPDATE", "INSERT"):
        sql(
            folder,
            "acme-dr",
            f'CREATE TRIGGER no_nines_{event} BEFORE {event} ON "Account" WHEN new."Phone" = \'999\''
            " BEGIN SELECT raise(ABORT, 'no nines here'); END",
        )


def fail(folder: Path, *names: str) -> None:
    """New accounts in the primary that the secondary refuses."""
    sql(folder, "acme", *(f'INSERT INTO "Account" ("Name", "Phone") VALUES (\'{name}\', \'999\')' for name in names))
