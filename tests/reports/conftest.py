"""Two orgs, connected once and copied for every test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from report_world import MANIFESTS, log, must


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the caller's terminal or clock."""
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "ORGSYNC_NOW"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def connected_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two connected orgs with empty logs. Not to be changed."""
    folder = tmp_path_factory.mktemp("reports") / "work"
    (folder / "manifests").mkdir(parents=True)
    (folder / "manifests" / "acme.yaml").write_text(MANIFESTS)
    for name, admin in (("acme", "admin@acme.example"), ("acme-dr", "admin@acme.example.dr")):
        must(folder, "org", "create", f"sqlite:orgs/{name}.db", "--name", name, "--admin", admin)
    must(folder, "apply", "--yes")
    return folder


@pytest.fixture
def work(connected_once: Path, tmp_path: Path) -> Path:
    """A folder of the test's own with two connected orgs and empty logs."""
    return Path(shutil.copytree(connected_once, tmp_path / "work"))


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
