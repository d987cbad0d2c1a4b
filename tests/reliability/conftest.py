"""Folders with two orgs at the stages that the tests of reliability start from, made once and copied."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from joined_world import MANIFESTS, STORES, edit, here, make_orgs, sql, write_records


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the caller's terminal, clock or fail points."""
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "ORGSYNC_NOW", "ORGSYNC_FAILPOINT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def stages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Stage -> folder: `new` (nothing applied), `applied` (records that are not copied), `queued` (edits in both
    orgs), `cut` (a contact that arrives one way was undeleted where it arrives, and sent again). Not to be changed.
    """
    base = tmp_path_factory.mktemp("stages")
    folders = {name: base / name for name in ("new", "applied", "queued", "cut")}
    make_orgs(folders["new"])
    write_records(folders["new"], "acme", "old", 4)
    shutil.copytree(folders["new"], folders["applied"])
    here(folders["applied"], "apply", "--yes")
    shutil.copytree(folders["applied"], folders["queued"])
    here(folders["queued"], "bulk-sync")
    here(folders["queued"], "drain")
    shutil.copytree(folders["queued"], folders["cut"])
    edit(folders["queued"])
    (folders["cut"] / "manifests" / "contact.yaml").write_text(f"{MANIFESTS['contact']}direction: one-way\n")
    here(folders["cut"], "apply", "--yes", "--allow", "disconnect")
    for store, deleted in (("acme", 1), ("acme-dr", 0), ("acme", 0)):
        sql(folders["cut"], store, 'UPDATE "Contact" SET "IsDeleted" = ? WHERE "LastName" = \'old 0\'', deleted)
        here(folders["cut"], "drain")
    for store in STORES:
        assert sql(folders["cut"], store, "SELECT count(*) FROM orgsync_link WHERE status = 4") == [(1,)]
    return folders
