"""Connected orgs with manifests beside them, of which some records disagree; and a cluster of two workers."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from dask_cluster import Cluster, dask_cluster
from joined_orgs import Joined, P, S, create_orgs
from worker_world import MANIFEST, World


@pytest.fixture(scope="session")
def unequal_orgs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two-way Accounts and one-way Things, 40 of each, with every kind of disagreement."""
    folder = tmp_path_factory.mktemp("unequal") / "orgs"
    folder.mkdir()
    create_orgs(folder)
    with ExitStack() as stack:
        joined = Joined(folder, stack).connect("Account")
        joined.publish("Thing__c", ["Name", "Text__c", "Number__c", "Account__c", "Self__c"], one_way=True)
        accounts = [joined.insert(P, "Account", Name=f"A {n:02d}") for n in range(40)]
        things = [joined.insert(P, "Thing__c", Name=f"T {n:02d}", Account__c=accounts[n]) for n in range(40)]
        joined.drain()
        assert joined.verify().equal
        for number in (0, 3, 4, 17, 18, 19, 38, 39):
            joined.update(P, "Account", accounts[number], Phone=f"lost {number}", Industry="Energy")
        joined.delete(P, "Account", accounts[21])
        joined.delete(S, "Account", joined.other(P, accounts[30]))
        joined.forget(P)
        joined.forget(S)
        # What is edited in the secondary of a one-way object stands, unless the primary's change is still to come.
        for number in (5, 6, 31):
            joined.update(S, "Thing__c", joined.other(P, things[number]), Text__c="edited here")
        joined.update(P, "Thing__c", things[31], Number__c=1)
    return folder


@pytest.fixture
def world(unequal_orgs: Path, tmp_path: Path) -> Iterator[World]:
    """A folder of one's own with these orgs and their manifests."""
    shutil.copytree(unequal_orgs, tmp_path / "orgs")
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "dr.yaml").write_text(MANIFEST)
    with ExitStack() as stack:
        yield World(folder=tmp_path, joined=Joined(tmp_path / "orgs", stack))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A scheduler and two workers on loopback."""
    with dask_cluster(tmp_path_factory.mktemp("dask")) as found:
        found.work(2)
        yield found
