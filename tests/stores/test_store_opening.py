"""Addresses, opening and making orgs: every way in which a store is not there for us says so in one line."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orgsync_reconcile.errors import ExitCode, StoreBusyError, StoreError, UsageError
from orgsync_reconcile.stores.sql.create import NewOrg
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sqlite.create import create_org
from orgsync_reconcile.stores.sqlite.handle import open_org
from orgsync_reconcile.stores.urls import create_store, open_store, store_place

pytestmark = pytest.mark.files_only


def test_relative_addresses_start_at_the_folder(tmp_path: Path) -> None:
    """ORG-1: a manifest's store address names a file."""
    assert store_place("sqlite:orgs/a.db", tmp_path) == tmp_path / "orgs/a.db"
    assert store_place("sqlite:///srv/a.db", tmp_path) == Path("/srv/a.db")
    assert store_place("sqlite:/srv/a.db", tmp_path) == Path("/srv/a.db")


@pytest.mark.parametrize("url", ["salesforce:dev"])
def test_later_stores_say_so(url: str, tmp_path: Path) -> None:
    """ORG-1: a store that is not supported yet is a usage error."""
    with pytest.raises(UsageError, match="not supported yet") as caught:
        store_place(url, tmp_path)
    assert caught.value.exit_code is ExitCode.USAGE
    assert caught.value.hint


@pytest.mark.parametrize("url", ["", "acme.db", "sqlite:", "sqlite://", "mysql://x/y"])
def test_what_is_no_address_is_refused(url: str, tmp_path: Path) -> None:
    """ORG-1: anything else is refused with an example."""
    with pytest.raises(UsageError, match="sqlite:orgs"):
        store_place(url, tmp_path)


def test_made_and_opened_again(tmp_path: Path) -> None:
    """ORG-1: an org keeps what it was made as."""
    with create_store(
        "sqlite:orgs/acme.db",
        NewOrg(name="acme", edition="unlimited", org_type="sandbox", admin="a@acme.example"),
        base=tmp_path,
    ) as made:
        org_id = made.org_id
    with open_store("sqlite:orgs/acme.db", base=tmp_path, label="acme", readonly=True) as org:
        row = org.db.execute("SELECT name, edition, org_type FROM orgsync_org").fetchone()
        users = org.db.execute('SELECT "Username" FROM "User"').fetchall()
        assert org.org_id == org_id
    assert row == ("acme", "unlimited", "sandbox")
    assert users == [("a@acme.example",)]


def test_a_missing_store_names_the_command(tmp_path: Path) -> None:
    """ORG-1: a missing org says how to make one."""
    with pytest.raises(StoreError, match="there is no org") as caught:
        open_store("sqlite:none.db", base=tmp_path, label="acme")
    assert str(caught.value).startswith("acme: ")
    assert "orgsync org create" in caught.value.hint
    assert not (tmp_path / "none.db").exists()


def test_another_programs_database_is_left_as_it_is(tmp_path: Path) -> None:
    """ORG-1: a database that is no org is refused and not touched."""
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE t (x)")
    other.commit()
    other.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="not an org"):
        open_org(path)
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["other.db"]


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    """ORG-1: any other file is refused."""
    path = tmp_path / "notes.db"
    path.write_text("these are notes, and quite long ones, " * 50)
    with pytest.raises(StoreError, match="not an SQLite database"):
        open_org(path)


def test_a_newer_store_is_refused(org: Org) -> None:
    """ORG-1: a store of a newer program is not read wrongly."""
    org.db.execute("UPDATE orgsync_org SET store_version = 99")
    with pytest.raises(StoreError, match="version 99") as caught:
        open_org(org.path)
    assert caught.value.hint == "upgrade orgsync"


def test_a_locked_store_is_busy(org: Org, client: sqlite3.Connection) -> None:
    """ORG-1: a store that another program holds is told apart from a broken one."""
    client.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusyError, match="held the store"):
        open_org(org.path, busy_seconds=0.05)
    client.execute("ROLLBACK")
    open_org(org.path, busy_seconds=0.05).close()


def test_a_store_opened_read_only_is_not_written(org: Org) -> None:
    """ORG-1: planning cannot change an org."""
    with open_org(org.path, readonly=True) as reader:
        assert reader.org_id == org.org_id
        with pytest.raises(StoreError, match="read-only"), reader.transaction() as db:
            db.execute('INSERT INTO "Account" ("Name") VALUES (?)', ["x"])


@contextmanager
def ordinary_user() -> Iterator[None]:
    """The superuser may write anything: act as somebody else meanwhile."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_file_without_write_permission() -> None:
    """ORG-1: missing write permission is named."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        create_org(folder / "acme.db", NewOrg(name="acme")).close()
        (folder / "acme.db").chmod(0o444)
        with ordinary_user(), pytest.raises(StoreError, match="read-only"):
            open_org(folder / "acme.db")


def test_an_org_is_not_made_twice(org: Org) -> None:
    """ORG-1: an existing file is never overwritten."""
    with pytest.raises(StoreError, match="exists already"):
        create_org(org.path, NewOrg(name="other"))


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """ORG-1: an impossible place is refused and nothing stays behind."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="cannot make the folder"):
        create_org(tmp_path / "file" / "acme.db", NewOrg(name="acme"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"edition": "professional"}, "unknown edition 'professional'"),
        ({"org_type": "trial"}, "unknown org type 'trial'"),
        ({"features": ["telepathy"]}, "unknown feature 'telepathy'"),
    ],
)
def test_unknown_words_are_usage_errors(words: dict[str, object], message: str, tmp_path: Path) -> None:
    """ORG-1: editions, types and features are known words."""
    with pytest.raises(UsageError, match=message):
        create_org(tmp_path / "a.db", NewOrg(name="a", **words))  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_failed_transaction_leaves_nothing(org: Org) -> None:
    """ORG-7: what is rolled back was never there."""
    with pytest.raises(RuntimeError), org.transaction() as db:
        db.execute('INSERT INTO "Account" ("Name") VALUES (?)', ["x"])
        raise RuntimeError
    assert org.db.execute('SELECT count(*) FROM "Account"').fetchone() == (0,)
