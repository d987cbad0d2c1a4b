"""What the store tests share: a new org in a file, a plain SQLite client, a way to publish."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copyfile

import pytest
from store_helpers import NOW

from orgsync_reconcile.model.connection import ConnectionStatus, Side, SyncOptions
from orgsync_reconcile.stores.sql import connections, publications
from orgsync_reconcile.stores.sql.create import NewOrg
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sqlite.create import create_org
from orgsync_reconcile.stores.sqlite.handle import open_org


@pytest.fixture(scope="session")
def new_org(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an org as it is made, to copy: making one takes longer than most tests."""
    path = tmp_path_factory.mktemp("template") / "acme.db"
    create_org(path, NewOrg(name="acme", features=["salesforce-to-salesforce"])).close()
    return path


@pytest.fixture
def org(new_org: Path, tmp_path: Path) -> Iterator[Org]:
    """A new org in a file of its own."""
    with open_org(Path(copyfile(new_org, tmp_path / "acme.db")), label="acme") as opened:
        yield opened


@pytest.fixture
def client(org: Org) -> Iterator[sqlite3.Connection]:
    """Any other program: a plain connection to the org's file that knows nothing of us."""
    db = sqlite3.connect(org.path, isolation_level=None)
    yield db
    db.close()


@pytest.fixture
def publish(org: Org) -> Callable[..., None]:
    """Publishes an object with fields over a connection, which is made when it is first named."""

    def run(object_name: str, *fields: str, connection: str = "dr") -> None:
        if connections.find_connection(org, connection) is None:
            connections.create_connection(
                org,
                connection,
                Side.PRIMARY,
                partner_org_id="00Dzzz000000000AAA",
                partner_name="Secondary",
                owner_id=org.admin_id,
                contact_id=None,
                options=SyncOptions(users_primary=False),
                status=ConnectionStatus.ACCEPTED,
                actor="admin",
                clock=lambda: NOW,
            )
        publications.publish_object(org, connection, object_name, fields, actor="admin", clock=lambda: NOW)

    return run
