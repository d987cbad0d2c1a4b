"""An org with several connections that was restored from a backup is joined to each of its partners again (CON-10, QUE-3)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from net_world import Net, P, S

from orgsync_reconcile.errors import StoreError
from orgsync_reconcile.stores.sql.flow import Pair
from orgsync_reconcile.stores.sqlite.handle import open_org
from orgsync_reconcile.sync.resync import resync

pytestmark = pytest.mark.files_only

LINKS = "SELECT connection, local, partner, made_here, root FROM orgsync_link WHERE status = 1 ORDER BY 1, 2"


def _backup(net: Net, org: str) -> Path:
    path = net.folder / f"{org}.backup"
    net.clients[org].execute("VACUUM INTO ?", [str(path)])
    return path


def _restore(net: Net, org: str, backup: Path) -> None:
    """Puts the backup in the org's place; everybody opens the files again, since each has others attached."""
    for name in net.orgs:
        net.orgs[name].close()
        net.clients[name].close()
    for rest in net.folder.glob(f"{org}.db-*"):
        rest.unlink()
    backup.replace(net.orgs[org].path)
    for name, closed in list(net.orgs.items()):
        net.orgs[name] = open_org(closed.path, label=name, busy_seconds=10)
        net.clients[name] = sqlite3.connect(closed.path, isolation_level=None, timeout=10)
    for name in net.pairs:
        net.pairs[name] = Pair(net.end(name, P), net.end(name, S), name)


@pytest.fixture
def diamond(net: Callable[[str], Net]) -> Net:
    """Four orgs, two ways from a to d."""
    return net("abcd").connect("ab", "ac", "bd", "cd")


def test_links_come_back_with_where_their_records_were_made(diamond: Net) -> None:
    """CON-10: the root of each link is what it was, so each record is still one, whichever way it comes."""
    diamond.insert("a", "r")
    diamond.drain("ab")
    diamond.drain("bd")
    backup = _backup(diamond, "d")
    diamond.drain("ac")
    diamond.drain("cd")
    before = diamond.all("d", LINKS)
    _restore(diamond, "d", backup)
    assert diamond.all("d", LINKS) != before
    for name in ("bd", "cd"):
        resync(diamond.pairs[name], clock=diamond.clock)
    assert diamond.all("d", LINKS) == before
    diamond.settle()
    diamond.assert_same()
    assert diamond.round() == 0


@pytest.mark.parametrize("org", ["a", "b", "d"])
def test_each_connection_of_a_restored_org_is_joined_again(diamond: Net, org: str) -> None:
    """CON-10, QUE-3: none of its connections syncs before its own resync; then all orgs have what came after the backup,
    and what was made in the restored org since, under an Id that it gave before; each once.
    """
    # Links are told from records that were made later by the time, which is the orgs' own.
    diamond.clock = lambda: datetime.now(UTC)  # type: ignore[method-assign]
    for name in ("edited", "deleted"):
        diamond.insert("a", name, A__c="old")
    diamond.settle()
    backup = _backup(diamond, org)
    diamond.update("c", "edited", A__c="new")
    diamond.delete("c", "deleted")
    for end in diamond.orgs:
        diamond.insert(end, f"late in {end}")
    diamond.settle()
    _restore(diamond, org, backup)
    diamond.insert(org, "fresh")
    ways = [name for name in diamond.pairs if org in name]
    for name in ways:
        with pytest.raises(StoreError, match="was restored from a backup"):
            diamond.drain(name)
        resync(diamond.pairs[name], clock=diamond.clock)
        diamond.drain(name)
    diamond.settle()
    diamond.assert_same()
    assert diamond.values("d") == {"edited": "new", "fresh": None, **{f"late in {end}": None for end in diamond.orgs}}
