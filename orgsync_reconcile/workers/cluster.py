"""A crew of the workers of a `dask.distributed` cluster, on any number of machines."""

from __future__ import annotations

import logging
from concurrent.futures import Executor
from importlib.util import find_spec
from typing import Any

from typing_extensions import override

from orgsync_reconcile import __version__
from orgsync_reconcile.errors import OrgsyncError, UsageError
from orgsync_reconcile.workers.crew import Crew

#: How long to wait for the scheduler, and then for a first worker, in seconds.
ANSWER_SECONDS = 10.0


class ClusterCrew(Crew):
    """The workers of the cluster whose scheduler is at `address`, such as tcp://host:8786.

    Raises UsageError where the package is missing or the address is none, OrgsyncError where the scheduler or all
    workers are missing, or a worker has another version of orgsync.
    """

    def __init__(self, address: str, *, seconds: float = ANSWER_SECONDS) -> None:
        if find_spec("distributed") is None:
            raise UsageError(
                "--cluster needs the package distributed",
                hint="install it with: pip install 'orgsync-reconcile[cluster]'",
            )
        if not address.startswith(("tcp://", "tls://", "ucx://", "ws://", "wss://")):
            raise UsageError(f"not the address of a scheduler: {address!r}", hint="write it as tcp://HOST:8786")
        self._address = address
        self._client = _connect(address, seconds)
        try:
            _require_workers(self._client, address, seconds)
        except BaseException:
            self._client.close()
            raise
        self._executor = self._client.get_executor(pure=False)

    @override
    def size(self) -> int:
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        return sum(int(worker["nthreads"]) for worker in workers)

    @override
    def executor(self) -> Executor:
        executor: Executor = self._executor
        return executor

    @override
    def renew(self) -> None:
        self._executor = self._client.get_executor(pure=False)

    @override
    def close(self) -> None:
        self._executor.shutdown(wait=False)
        self._client.close()


def _connect(address: str, seconds: float) -> Any:
    """A client of the scheduler."""
    from distributed import Client

    # What goes wrong is told by our own errors.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        return Client(address, timeout=seconds, set_as_default=False)
    except (OSError, ValueError) as error:
        raise OrgsyncError(
            f"no scheduler answers at {address} within {seconds:.0f} seconds",
            hint="start one with: dask scheduler",
        ) from error


def _require_workers(client: Any, address: str, seconds: float) -> None:
    """Raises OrgsyncError where there is no worker, or one of another version."""
    try:
        client.wait_for_workers(1, timeout=seconds)
    except TimeoutError:
        raise OrgsyncError(
            f"the scheduler at {address} has no workers", hint=f"start some with: dask worker {address}"
        ) from None
    try:
        versions: dict[str, str] = client.run(_version)
    except ImportError:
        versions = {"a worker": "none"}
    for worker, version in versions.items():
        if version != __version__:
            raise OrgsyncError(
                f"{worker} has orgsync {version}, and this is orgsync {__version__}",
                where=address,
                hint="install the same version on all machines of the cluster",
            )


def _version() -> str:
    """The version where this runs."""
    return __version__
