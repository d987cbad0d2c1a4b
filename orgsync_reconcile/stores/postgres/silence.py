"""A session that gets no answer: whether the server is at work on it, or will never answer (SUS-3).

The network's keepalives notice a machine that is gone. They notice nothing where the machine, or something between, still
takes what is sent and passes nothing on: a frozen server, a proxy whose other leg is dead. So a session that has not heard
a byte for as long asks in another one whether the server is still at work on what it was asked. A statement may last as
long as the server works on it; twice in a row without a sign of that, and the session is given up.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from typing import Any, TypeVar

import psycopg
from psycopg import pq
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow
from typing_extensions import override

#: How many looks in a row find the server not at work before the session is given up.
_LOOKS = 2
#: The session that asks gets its answer within so many seconds.
_ANSWER_SECONDS = 10.0
#: Which session of the server this one is: numbers of processes repeat, above all in containers. The second is NULL for
#: who acts as a role without the rights of the one that logged in: the server does not tell it what its session does.
IDENTITY = (
    "pg_backend_pid(), (SELECT extract(epoch FROM backend_start)::text FROM pg_stat_get_activity(pg_backend_pid()))"
)
_WHERE = "WHERE pid = %s AND extract(epoch FROM backend_start)::text = %s"
#: A server that waits for its client, while that waits for it, has not got what was sent, or its answer was lost.
_WAITS_FOR_CLIENT = "wait_event IN ('ClientRead', 'ClientWrite')"
_AT_WORK = f"SELECT count(*) FROM pg_stat_activity {_WHERE} AND ({_WAITS_FOR_CLIENT}) IS NOT TRUE"
#: What comes through later, of a session that was given up, must not be carried out.
_END = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity {_WHERE} AND {_WAITS_FOR_CLIENT}"

Result = TypeVar("Result")
#: What the driver waits with: it says what it waits for, and is told what is ready; 0 after a while of nothing.
Waiting = Generator[Any, Any, Result]


class WatchedConnection(psycopg.Connection[TupleRow]):
    """A session whose waits are watched, once `watch` was called."""

    _on_nothing: Callable[[float], None] | None = None

    def watch(self, dsn: str, settings: Mapping[str, Any], identity: tuple[object, ...]) -> None:
        """Lets the session be given up where the server is silent. `dsn` and `settings` are what it was opened with.

        It may be silent for as long as the network may: `tcp_user_timeout`. What waits for longer may raise
        OperationalError, and then the session is closed. One whose work the server does not show is never given up.
        """
        pause = _seconds(self.info.get_parameters())
        if pause and None not in identity:
            self._on_nothing = _Watch(self, dsn, settings, identity, pause).look

    @override
    def wait(self, gen: Waiting[Result], *args: Any, **words: Any) -> Result:
        return super().wait(gen if self._on_nothing is None else _watched(gen, self._on_nothing), *args, **words)


class _Watch:
    """How `session` is looked after. `pause` is how long it may be silent before each look, in seconds."""

    def __init__(
        self,
        session: WatchedConnection,
        dsn: str,
        settings: Mapping[str, Any],
        identity: tuple[object, ...],
        pause: float,
    ) -> None:
        self._session = session
        self._dsn = dsn
        self._settings = settings
        self._identity = identity
        self._pause = pause
        self._next = 0.0
        self._in_vain = 0

    def look(self, silent: float) -> None:
        """Is called every now and then while nothing comes, with the seconds since something did."""
        if silent == 0.0:
            self._next, self._in_vain = self._pause, 0
        elif self._in_vain == _LOOKS:
            # What came during the last look was heard before this.
            self._session.close()
            raise psycopg.OperationalError(f"no answer for {silent:.0f} seconds, and no sign that one is coming")
        elif silent >= self._next:
            self._in_vain = 0 if self._is_at_work() else self._in_vain + 1
            self._next = silent + self._pause

    def _is_at_work(self) -> bool:
        """Whether the server says that it is at work for the session; ends it where it says otherwise for the last time."""
        info = self._session.info
        place = {"host": info.host, "hostaddr": info.hostaddr or None, "port": info.port, "target_session_attrs": "any"}
        address = make_conninfo(self._dsn, **{**self._settings, **place})
        try:
            with _BriefConnection.connect(address, autocommit=True) as other:
                (found,) = other.execute(_AT_WORK, self._identity).fetchone() or (0,)
                if not found and self._in_vain == _LOOKS - 1:
                    other.execute(_END, self._identity)
        except psycopg.errors.ConnectionTimeout:
            return False
        except psycopg.Error:
            # A server that only has no room for one more session was not silent.
            return pq.PGconn.ping(address.encode()) in (pq.Ping.OK, pq.Ping.REJECT)
        return bool(found)


class _BriefConnection(psycopg.Connection[TupleRow]):
    """A session that does not wait for long."""

    @override
    def wait(self, gen: Waiting[Result], *args: Any, **words: Any) -> Result:
        return super().wait(_watched(gen, self._give_up), *args, **words)

    def _give_up(self, silent: float) -> None:
        if silent >= _ANSWER_SECONDS:
            self.close()
            raise psycopg.errors.ConnectionTimeout("no answer")


def _watched(gen: Waiting[Result], on_nothing: Callable[[float], None]) -> Waiting[Result]:
    """The same, but that `on_nothing` is told how long nothing came: 0.0 at first, then more and more."""
    since = None
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if ready:
                since = None
            elif since is None:
                since = time.monotonic()
                on_nothing(0.0)
            else:
                on_nothing(time.monotonic() - since)
            wanted = gen.send(ready)
    except StopIteration as ended:
        result: Result = ended.value
        return result


def _seconds(parameters: Mapping[str, str]) -> float:
    """How long the network may take to say that what was sent has come; 0.0: there is no limit of ours."""
    return int(parameters.get("tcp_user_timeout", 0)) / 1000
