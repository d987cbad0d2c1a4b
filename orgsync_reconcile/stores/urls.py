"""Store addresses as manifests name them, and the stores behind them."""

from __future__ import annotations

from pathlib import Path

from orgsync_reconcile.errors import UsageError
from orgsync_reconcile.stores.sql.create import NewOrg
from orgsync_reconcile.stores.sql.org import BUSY_SECONDS, Org
from orgsync_reconcile.stores.sqlite.create import create_org
from orgsync_reconcile.stores.sqlite.handle import open_org

#: Schemes that manifests may name and that no store stands behind yet.
_LATER = frozenset({"postgresql", "salesforce"})


def store_path(url: str, base: Path) -> Path:
    """The file of a `sqlite:` store; relative paths start at `base`.

    Raises UsageError for other schemes and for an address without a path.
    """
    scheme, colon, rest = url.partition(":")
    if colon and scheme in _LATER:
        raise UsageError(f"{scheme} stores are not supported yet: {url}", hint="use sqlite:PATH")
    if scheme != "sqlite" or not rest.strip("/"):
        raise UsageError(f"not a store's address: {url!r}", hint="write sqlite:PATH, for example sqlite:orgs/acme.db")
    # sqlite:///absolute and sqlite:relative are both in use elsewhere.
    path = rest[2:] if rest.startswith("///") else rest
    return base / Path(path).expanduser()


def open_store(
    url: str, *, base: Path, label: str = "", readonly: bool = False, busy_seconds: float = BUSY_SECONDS
) -> Org:
    """Opens the org at a store's address. Raises UsageError, and StoreError as `open_org` does."""
    return open_org(store_path(url, base), label=label or url, readonly=readonly, busy_seconds=busy_seconds)


def create_store(url: str, new: NewOrg, *, base: Path) -> Org:
    """Makes an org at a store's address and opens it (ORG-1). Raises UsageError and StoreError as `create_org` does."""
    return create_org(store_path(url, base), new)
