"""Two orgs, connected once and copied for every test, in the stores of its pairing."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from report_world import MANIFESTS, log, must
from two_orgs import SCHEMAS


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the caller's terminal or clock."""
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "ORGSYNC_NOW"):
        monkeypatch.delenv(name, raising=False)


def make_connected(address: Callable[[str], str]) -> None:
    """Two connected orgs with empty logs."""
    with tempfile.TemporaryDirectory() as name:
        addresses = {org: address(org) for org, _ in SCHEMAS.values()}
        folder = _folder(Path(name), addresses)
        for org, admin in SCHEMAS.values():
            must(folder, "org", "create", addresses[org], "--name", org, "--admin", admin)
        must(folder, "apply", "--yes")


def _folder(folder: Path, addresses: dict[str, str]) -> Path:
    """Writes the manifests of orgs at these addresses."""
    text = MANIFESTS
    for org, address in addresses.items():
        text = text.replace(f"store: sqlite:orgs/{org}.db", f'store: "{address}"')
    (folder / "manifests").mkdir(exist_ok=True)
    (folder / "manifests" / "acme.yaml").write_text(text)
    return folder


@pytest.fixture
def work(place: Callable[..., dict[str, str]], tmp_path: Path) -> Path:
    """A folder of the test's own with two connected orgs and empty logs."""
    names = [org for org, _ in SCHEMAS.values()]
    return _folder(tmp_path, place(make_connected, *names, joined=True, folder="orgs"))


@pytest.fixture
def logged(work: Path) -> Path:
    """The same with five entries in the primary's log and two in the secondary's."""
    log(
        work,
        "acme",
        [
            {"at": "2026-01-01T00:00:00.000Z", "object": "Lead", "field_type": "phone", "status": "Resolved"},
            {"at": "2026-03-09T11:59:59.999Z", "object": "Contact", "field_type": "email"},
            {"at": "2026-03-09T12:00:00.000Z", "object": "Contact", "field_type": "email"},
            {"at": "2026-03-10T11:00:00.000Z", "field_type": "", "status": "Retrying"},
            {"at": "2026-03-10T12:00:00.000Z"},
        ],
    )
    log(
        work,
        "acme-dr",
        [
            {"at": "2026-03-10T10:30:00.000Z", "object": "Contact"},
            {"at": "2026-03-10T11:30:00.000Z", "object": "Contact", "status": "Resolved"},
        ],
    )
    return work
