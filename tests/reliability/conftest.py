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
    orgs), `cut` (a contact that arrives one way was undeleted where it arrives, and sent again), `restored` (the
    primary is a backup and has gone on since). Not to be changed.
    """
    base = tmp_path_factory.mktemp("stages")
    folders = {name: base / name for name in ("new", "applied", "queued", "cut", "restored")}
    make_orgs(folders["new"])
    write_records(folders["new"], "acme", "old", 4)
    shutil.copytree(folders["new"], folders["applied"])
    here(folders["applied"], "apply", "--yes")
    shutil.copytree(folders["applied"], folders["queued"])
    here(folders["queued"], "bulk-sync")
    here(folders["queued"], "drain")
    shutil.copytree(folders["queued"], folders["cut"])
    edit(folders["queued"])
    restore_primary(shutil.copytree(folders["queued"], folders["restored"]))
    (folders["cut"] / "manifests" / "contact.yaml").write_text(f"{MANIFESTS['contact']}direction: one-way\n")
    here(folders["cut"], "apply", "--yes", "--allow", "disconnect")
    for store, deleted in (("acme", 1), ("acme-dr", 0), ("acme", 0)):
        sql(folders["cut"], store, 'UPDATE "Contact" SET "IsDeleted" = ? WHERE "LastName" = \'old 0\'', deleted)
        here(folders["cut"], "drain")
    for store in STORES:
        assert sql(folders["cut"], store, "SELECT count(*) FROM orgsync_link WHERE status = 4") == [(1,)]
    return folders


def restore_primary(folder: Path) -> None:
    """Backs the primary up, lets both orgs live on, and puts the backup in its place, where others write to it."""
    live, copy = (folder / "orgs" / name for name in ("acme.db", "acme.backup"))
    # What waits in the backup's log is sent after it: it must not be sent a second time, over what came later.
    sql(folder, "acme", "VACUUM INTO ?", str(copy))
    here(folder, "drain")
    write_records(folder, "acme", "lost", 3)
    sql(folder, "acme", 'UPDATE "Account" SET "Phone" = \'lost\' WHERE "Name" = \'old 0\'')
    sql(folder, "acme-dr", 'UPDATE "Account" SET "Industry" = \'Media\' WHERE "Name" = \'old 1\'')
    here(folder, "drain")
    for rest in live.parent.glob("acme.db-*"):
        rest.unlink()
    copy.replace(live)
    write_records(folder, "acme", "fresh", 1)
