"""Store addresses as manifests name them, and the stores behind them."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from orgsync_reconcile.errors import UsageError
from orgsync_reconcile.stores.address import Address, is_postgres, parse_address, without_password
from orgsync_reconcile.stores.sql.create import NewOrg
from orgsync_reconcile.stores.sql.org import BUSY_SECONDS, Org
from orgsync_reconcile.stores.sqlite.create import create_org
from orgsync_reconcile.stores.sqlite.handle import open_org

#: Schemes that manifests may name and that no store stands behind yet.
_LATER = frozenset({"salesforce"})


def store_place(url: str, base: Path) -> Path | Address:
    """The file of a `sqlite:` store, where relative paths start at `base`; the server and schema of a `postgresql:` one.

    Raises UsageError for other schemes and for an address without a path.
    """
    if is_postgres(url):
        return parse_address(url)
    scheme, colon, rest = url.partition(":")
    if colon and scheme in _LATER:
        raise UsageError(f"{scheme} stores are not supported yet: {without_password(url)}", hint="use sqlite:PATH")
    if scheme != "sqlite" or not rest.strip("/"):
        raise UsageError(
            f"not a store's address: {without_password(url)!r}",
            hint="write sqlite:PATH, for example sqlite:orgs/acme.db, or postgresql://HOST/DATABASE?schema=NAME",
        )
    # sqlite:///absolute and sqlite:relative are both in use elsewhere.
    path = rest[2:] if rest.startswith("///") else rest
    return base / Path(path).expanduser()


def missing_file(url: str, base: Path) -> Path | None:
    """The file of a store that is not there; None where it is, and for stores on a server. Raises as `store_place`."""
    place = store_place(url, base)
    return place if isinstance(place, Path) and not place.exists() else None


def open_store(
    url: str, *, base: Path, label: str = "", readonly: bool = False, busy_seconds: float = BUSY_SECONDS
) -> Org:
    """Opens the org at a store's address. Raises UsageError, and UnreachableError and StoreError as `open_org` does."""
    place = store_place(url, base)
    if isinstance(place, Path):
        return open_org(place, label=label or url, readonly=readonly, busy_seconds=busy_seconds)
    require_driver()
    from orgsync_reconcile.stores.postgres.handle import open_org as open_on_server

    return open_on_server(place, label=label or place.shown, readonly=readonly, busy_seconds=busy_seconds)


def create_store(url: str, new: NewOrg, *, base: Path) -> Org:
    """Makes an org at a store's address and opens it (ORG-1). Raises UsageError and StoreError as `create_org` does."""
    place = store_place(url, base)
    if isinstance(place, Path):
        return create_org(place, new)
    require_driver()
    from orgsync_reconcile.stores.postgres.create import create_org as create_on_server

    return create_on_server(place, new)


def require_driver() -> None:
    """Raises UsageError where the driver of PostgreSQL is not installed."""
    if find_spec("psycopg") is None:
        raise UsageError(
            "stores on PostgreSQL need the package psycopg",
            hint="install it with: pip install 'orgsync-reconcile[postgres]'",
        )
