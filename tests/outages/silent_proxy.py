"""A way to a server that can fall silent: nothing is passed on any more, and nobody is told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_PIECE = 1 << 16


class SilentProxy:
    """Passes on what comes to `port`, to a server on loopback. It takes new sessions all the time."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self._gates: list[threading.Event] = []
        self._gate = self._new_gate()
        #: What somebody has to say for the proxy to fall silent, once; and whether it passes that on before.
        self._word: tuple[bytes, bool] | None = None
        self.fell_silent = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def silence(self) -> None:
        """Keeps everything back from now on."""
        self._gate.clear()
        self.fell_silent.set()

    def silence_at(self, word: bytes, *, behind: bool) -> None:
        """Falls silent as soon as a client or the server says this: before it is passed on, or right behind it."""
        self.fell_silent.clear()
        self._word = word, behind

    def speak(self) -> None:
        """Passes on what was kept back, and what comes."""
        self._gate.set()

    def strand(self) -> None:
        """Keeps back for ever what the sessions of now say and hear; new ones are served."""
        left, self._gate = self._gate, self._new_gate()
        left.clear()

    def close(self) -> None:
        """Ends all sessions."""
        self._listener.close()
        for end in self._sockets:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for gate in self._gates:
            gate.set()

    def _new_gate(self) -> threading.Event:
        gate = threading.Event()
        gate.set()
        self._gates.append(gate)
        return gate

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._server_port))
                self._sockets += [client, server]
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=self._pass_on, args=(*ends, self._gate), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, gate: threading.Event) -> None:
        with suppress(OSError):
            while piece := source.recv(_PIECE):
                word = self._word
                behind = False
                if word is not None and word[0] in piece:
                    self._word, behind = None, word[1]
                    self.silence()
                if not behind:
                    gate.wait()
                target.sendall(piece)
        with suppress(OSError):
            gate.wait()
            target.shutdown(socket.SHUT_WR)
        source.close()


@contextmanager
def silent_proxy(server_port: int) -> Iterator[SilentProxy]:
    """A way to the server, as long as the block lasts."""
    proxy = SilentProxy(server_port)
    try:
        yield proxy
    finally:
        proxy.close()
