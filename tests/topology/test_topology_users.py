"""Users where connections meet: each person is one user in every org, under one name."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from net_world import Net

from orgsync_reconcile.cli.main import cli

HIRE = (
    'INSERT INTO "User" ("Username", "LastName", "Alias", "Email", "ProfileId", "IsActive")'
    ' SELECT ?1, ?2, ?2, \'people@acme.example\', "ProfileId", TRUE FROM "User" LIMIT 1'
)


def hire(net: Net, org: str, username: str, name: str = "Ann") -> None:
    net.clients[org].execute(HIRE, [username, name])


def names(net: Net, name: str = "Ann") -> dict[str, list[str]]:
    """Org -> the usernames of those who are called so."""
    return {org: net.all(org, 'SELECT "Username" FROM "User" WHERE "LastName" = ?', name) for org in net.orgs}


def change(net: Net, org: str, column: str, value: str) -> None:
    net.clients[org].execute(f'UPDATE "User" SET "{column}" = ? WHERE "LastName" = \'Ann\'', [value])


@pytest.mark.pairings("sqlite-sqlite", "postgres-postgres")
def test_nobody_comes_back_around_a_ring_under_another_name(net: Callable[[str], Net]) -> None:
    """USR-2, CON-10: a user is copied to each org once; another round makes nobody and logs nobody."""
    ring = net("abc").connect("ab", "bc", "ca", users=True)
    hire(ring, "a", "ann@acme.example")
    for _ in range(4):
        ring.round()
    once = {"a": ["ann@acme.example"], "b": ["ann@acme.example.dr"], "c": ["ann@acme.example.dr.dr"]}
    assert names(ring) == once
    for org in "abc":
        assert ring.all(org, 'SELECT "Description" FROM "PartnerNetworkSyncLog"') == []


@pytest.mark.parametrize("org", "abc")
def test_changes_of_a_user_go_all_around_a_ring(net: Callable[[str], Net], org: str) -> None:
    """USR-3, CNF-3: from whichever org; a new name follows the way on which the user came, not the one that closes the ring."""
    ring = net("abc").connect("ab", "bc", "ca", users=True)
    hire(ring, "a", "ann@acme.example")
    ring.round()
    change(ring, org, "Title", f"Chief of {org}")
    change(ring, org, "Username", {"a": "eve@x.example", "b": "eve@x.example.dr", "c": "eve@x.example.dr.dr"}[org])
    for _ in range(3):
        ring.round()
    assert names(ring) == {"a": ["eve@x.example"], "b": ["eve@x.example.dr"], "c": ["eve@x.example.dr.dr"]}
    for end in "abc":
        assert ring.all(end, 'SELECT "Title" FROM "User" WHERE "LastName" = \'Ann\'') == [f"Chief of {org}"]


def test_users_of_a_diamond_are_one_at_its_end(net: Callable[[str], Net]) -> None:
    """USR-2, CON-10: who comes over two ways is one user, also when renamed before the second way is gone."""
    diamond = net("abcd").connect("ab", "ac", "bd", "cd", users=True)
    hire(diamond, "a", "ann@acme.example")
    diamond.round("ab", "ac", "bd")
    change(diamond, "c", "Username", "eve@x.example.dr")
    diamond.round("cd")
    for _ in range(3):
        diamond.round()
    assert names(diamond) == {
        "a": ["eve@x.example"],
        "b": ["eve@x.example.dr"],
        "c": ["eve@x.example.dr"],
        "d": ["eve@x.example.dr.dr"],
    }


def test_a_plan_knows_who_is_there_over_another_way(tmp_path: Path) -> None:
    """USR-1, REC-2: in a ring, what was applied is planned no more, and the users are those that were there."""
    folder = tmp_path / "manifests"
    folder.mkdir()
    suffix = {"a": "", "b": ".dr", "c": ".dr.dr"}
    orgs = [
        f"version: 1\nkind: Org\nname: {org}\nstore: sqlite:{org}.db\nadmin: admin@acme.example{end}\n"
        for org, end in suffix.items()
    ]
    (folder / "orgs.yaml").write_text("---\n".join(orgs))

    def run(*args: str) -> str:
        done = CliRunner().invoke(cli, ["-C", str(tmp_path), *args])
        assert done.exit_code == 0, done.output
        return done.stdout

    for org, end in suffix.items():
        run("org", "create", f"sqlite:{org}.db", "--name", org, "--admin", f"admin@acme.example{end}")
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as db:
        db.execute(HIRE, ["ann@acme.example", "Ann"])
    for one, other in ("ab", "bc", "ca"):
        (folder / f"{one}{other}.yaml").write_text(
            f"version: 1\nkind: Connection\nname: {one}{other}\nprimary: {one}\nsecondary: {other}\n"
            f"owner: admin@acme.example{suffix[one]}\n"
            f"contact: {{first_name: Elise, last_name: of {other}, email: elise@acme.example, account: Acme}}\n"
            "direction: two-way\nsync: {metadata: false}\n"
        )
        run("apply", "--yes")
    run("plan", "--detailed-exitcode")
    for org, end in suffix.items():
        with closing(sqlite3.connect(tmp_path / f"{org}.db")) as db:
            found = [row[0] for row in db.execute('SELECT "Username" FROM "User" ORDER BY 1')]
        assert found == [f"admin@acme.example{end}", f"ann@acme.example{end}"]
