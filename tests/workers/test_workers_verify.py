"""VER-1: verifying with workers says what verifying without them says, whatever becomes of a worker."""

from __future__ import annotations

import json
import os
import pickle
import random
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from dask_cluster import Cluster, dask_cluster
from joined_orgs import P, S
from worker_world import MANIFEST, World

from orgsync_reconcile.app import records
from orgsync_reconcile.app.remote import compare_there, place_of
from orgsync_reconcile.clock import system_clock
from orgsync_reconcile.errors import OrgsyncError
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.sql.flow import Flow, Pair
from orgsync_reconcile.sync import verify_parts
from orgsync_reconcile.sync.verify import verify, verify_by_hashes, verify_in_parts
from orgsync_reconcile.workers.cluster import ClusterCrew
from orgsync_reconcile.workers.crew import Done


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_parts, "PART", 15)


@pytest.mark.parametrize(("form", "way"), [("text", []), ("json", ["--hashes"])])
def test_processes_report_the_same(world: World, form: str, way: list[str]) -> None:
    """Byte for byte, by the join and by sums."""
    alone = world.run("verify", *way, "--format", form, "--detailed-exitcode")
    together = world.run("verify", *way, "--format", form, "--detailed-exitcode", "--workers", "2")
    assert alone.exit_code == 2, alone.output
    assert (together.exit_code, together.output) == (alone.exit_code, alone.output)


@pytest.mark.parametrize(("size", "listed"), [(4, 5), (20, 1), (41, 100)])
def test_parts_of_any_size_add_up(world: World, monkeypatch: pytest.MonkeyPatch, size: int, listed: int) -> None:
    """Counts, the order of the differences and how many are listed do not depend on where parts end."""
    monkeypatch.setattr(verify_parts, "PART", size)
    pair, clock = world.joined.pair, world.joined.clock
    backwards = partial(run_backwards, pair)
    assert verify_in_parts(pair, backwards, clock=clock, listed=listed) == verify(pair, clock=clock, listed=listed)
    assert verify_in_parts(pair, backwards, clock=clock, listed=listed, hashes=True) == verify_by_hashes(
        pair, clock=clock, listed=listed
    )


def run_here(work: Callable[[Any], Any], parts: Iterable[Any]) -> Iterator[Done[Any, Any]]:
    """Does the parts in this process, one after the other."""
    return (Done(part=part, result=work(part)) for part in parts)


def run_backwards(pair: Pair, parts: object) -> object:
    """Parts end in any order."""
    mixed = list(parts)  # type: ignore[call-overload]
    random.Random(7).shuffle(mixed)
    return run_here(lambda part: verify_parts.compare_part(pair, part, system_clock), mixed)


def test_parts_leave_no_link_out(world: World) -> None:
    """Every Id is in one part, and parts hold as many links as they say."""
    flow = Flow(world.joined.pair, Side.PRIMARY)
    parts = list(verify_parts.cut(flow, flow.paths["Account"], listed=1, hashes=False))
    assert [part.links for part in parts] == [15, 15, 10]
    assert [part.low for part in parts[1:]] == [part.high for part in parts[:-1]]
    assert (parts[0].low, parts[-1].high) == ("001", "001~")


def test_repair_with_workers(world: World) -> None:
    """--repair queues the same, and one drain mends it."""
    document = json.loads(world.out("verify", "--workers", "2", "--repair", "--format", "json"))
    assert document["repair"] == {"from_primary": 10, "from_secondary": 0, "sent_as_new": 0}
    world.out("drain")
    assert "Both orgs agree" in world.out("verify", "--workers", "2")


def test_a_cluster_reports_the_same(world: World, cluster: Cluster) -> None:
    alone = world.run("verify", "--hashes", "--format", "json")
    together = world.run("verify", "--hashes", "--format", "json", "--cluster", cluster.address)
    assert (together.exit_code, together.output) == (0, alone.output)


def test_a_worker_killed_in_mid_run_loses_nothing(world: World, cluster: Cluster) -> None:
    """The other one takes over its parts; the report is the same, and every link is counted once."""
    cluster.work(2)
    seen: list[int] = []

    def progress(name: str, done: int, total: int) -> None:
        assert (name, total) == ("", 80)
        seen.append(done)
        if len(seen) == 2:
            cluster.workers[0].kill()

    report = records.compare(world.workspace, "dr", cluster=cluster.address, progress=progress)
    assert cluster.workers[0].wait() != 0
    assert report == verify(world.joined.pair, clock=world.joined.clock)
    assert (seen, seen[-1]) == (sorted(seen), 80)


def test_workers_look_up_secrets_themselves(world: World, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """REC-11: what travels to a worker holds no address from a secret; one without the secret says what it lacks."""
    address = f"sqlite:{world.folder / 'orgs' / 'acme-dr.db'}"
    monkeypatch.setenv("DR_STORE", address)
    (world.folder / "manifests" / "dr.yaml").write_text(MANIFEST.replace("sqlite:orgs/acme-dr.db", "{env: DR_STORE}"))
    part = verify_parts.VerifyPart(object="Account", low="001", high="001~", links=1, listed=1)
    work = partial(compare_there, place_of(world.workspace, "dr"))
    assert b"acme-dr" not in pickle.dumps((work, part))
    # Processes of this machine have the same environment.
    assert world.run("verify", "--workers", "1").output == world.run("verify").output
    result = world.run("verify", "--cluster", cluster.address)
    assert result.exit_code == 64
    assert "the environment variable DR_STORE, which is not there" in result.stderr
    assert f"that was a worker on {os.uname().nodename}, in {world.folder}" in result.stderr


def test_a_part_that_cannot_be_compared_ends_the_verification(world: World) -> None:
    """No report is better than one of half the records."""
    parts: list[object] = []

    def fail(part: object) -> verify_parts.Compared:
        parts.append(part)
        raise OrgsyncError("the disk is gone")

    with pytest.raises(OrgsyncError, match="the disk is gone"):
        verify_in_parts(world.joined.pair, partial(run_here, fail), clock=world.joined.clock)
    assert len(parts) == 1


def test_an_object_that_does_not_flow(world: World) -> None:
    result = world.run("verify", "--workers", "1", "--object", "Nothing__c")
    assert (result.exit_code, "Nothing__c does not flow over dr" in result.stderr) == (64, True)


def test_nothing_is_linked(world: World) -> None:
    """Objects without links are part of the report."""
    for side in (P, S):
        world.joined.clients[side].execute("DELETE FROM orgsync_link WHERE partner LIKE 'a00%' OR local LIKE 'a00%'")
    assert world.out("verify", "--workers", "1") == world.out("verify")


def test_bad_choices_are_explained(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    both = world.run("verify", "--workers", "2", "--cluster", "tcp://127.0.0.1:1")
    assert (both.exit_code, both.stderr) == (64, "error: --workers and --cluster are two ways; choose one\n")
    bad = world.run("verify", "--cluster", "127.0.0.1:8786")
    assert bad.exit_code == 64
    assert "not the address of a scheduler: '127.0.0.1:8786'; write it as tcp://HOST:8786" in bad.stderr
    monkeypatch.setitem(sys.modules, "distributed", None)
    missing = world.run("verify", "--cluster", "tcp://127.0.0.1:1")
    assert missing.exit_code == 64
    assert "install it with: pip install 'orgsync-reconcile[cluster]'" in missing.stderr


def test_a_cluster_that_does_not_answer(tmp_path: Path) -> None:
    """Who waits for nobody is told after a while, and what to start."""
    with pytest.raises(OrgsyncError, match=r"no scheduler answers at tcp://127\.0\.0\.1:1 .* dask scheduler"):
        ClusterCrew("tcp://127.0.0.1:1", seconds=0.3)
    with (
        dask_cluster(tmp_path) as empty,
        pytest.raises(OrgsyncError, match=r"has no workers; start some with: dask worker tcp://"),
    ):
        ClusterCrew(empty.address, seconds=0.3)


def test_workers_of_another_version_are_refused(tmp_path: Path) -> None:
    """Ranges mean the same to all who do them, or nothing is begun."""
    package = tmp_path / "older" / "orgsync_reconcile"
    (package / "workers").mkdir(parents=True)
    (package / "__init__.py").write_text('__version__ = "0.0.1"\n')
    (package / "workers" / "__init__.py").write_text("")
    (package / "workers" / "cluster.py").write_text("def _version():\n    return '0.0.1'\n")
    with dask_cluster(tmp_path) as cluster:
        cluster.work(1, PYTHONPATH=str(package.parent))
        with pytest.raises(OrgsyncError, match=r"has orgsync 0\.0\.1, and this is orgsync .* install the same version"):
            ClusterCrew(cluster.address)
