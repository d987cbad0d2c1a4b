"""Killed at every boundary between two commits, the program makes all of it good afterwards (QUE-3, REC-3, BLK-4)."""

from __future__ import annotations

import json
import re
import shutil
import signal
from pathlib import Path

import pytest
from joined_world import STORES, assert_equal, edit, here, killed_at, positions, sql

from orgsync_reconcile.failpoints import FailPoint

#: First word of a fail point -> the stage to start from, and the command that goes by it.
SCENES = {
    "drain": ("queued", ("drain",)),
    "bulk": ("applied", ("bulk-sync",)),
    "forward": ("cut", ("forward", "link", "Contact", "--where", "LastName LIKE 'old%'")),
    "users": ("new", ("apply", "--yes")),
    "resync": ("restored", ("resync",)),
    "metadata": ("new", ("apply", "--yes")),
    "connection": ("new", ("apply", "--yes")),
    "control": ("new", ("apply", "--yes")),
    "apply": ("new", ("apply", "--yes")),
}
#: Points that one run goes through several times: the process dies there later, too.
AGAIN = [
    f"{FailPoint.APPLY_AFTER_EXECUTOR}:4",
    f"{FailPoint.APPLY_AFTER_EXECUTOR}:8",
    f"{FailPoint.DRAIN_AFTER_TARGET_COMMIT}:2",
]


def carry_on(folder: Path) -> None:
    """What somebody does who was interrupted: the same again, and then what comes after it."""
    here(folder, "apply", "--yes")
    here(folder, "bulk-sync")
    here(folder, "drain")


#: These need several processes, which orgs in files do not take: tests/lanes goes through them.
SHARED = (FailPoint.ROUND_BEFORE_LANE, FailPoint.ROUND_AFTER_LANE)


@pytest.mark.parametrize("point", [*(point for point in FailPoint if point not in SHARED), *AGAIN])
def test_nothing_is_lost_at(point: str, stages: dict[str, Path], tmp_path: Path) -> None:
    """QUE-3, REC-3, BLK-4, USR-7, MET-8, FWD-1, VER-1: killed there, then carried on: all there, once, and a run more does nothing."""
    stage, command = SCENES[point.partition(":")[0]]
    folder = shutil.copytree(stages[stage], tmp_path / "work")
    done = killed_at(folder, point, *command)
    assert done.returncode == -signal.SIGKILL, (done.returncode, done.stdout, done.stderr)
    if stage == "restored":
        # No other sync runs between: it would carry what the backup holds over what came after it.
        here(folder, "drain", codes=(1,))
    if stage in ("cut", "restored"):
        here(folder, *command)
    carry_on(folder)
    assert_equal(folder)
    assert len(sql(folder, "acme-dr", 'SELECT 1 FROM "Contact" WHERE "LastName" LIKE \'old%\'')) == 4
    assert_users_are_there_once(folder)
    if stage == "restored":
        assert_nothing_of_the_backup_won(folder)
    before = positions(folder)
    assert here(folder, "plan", "--detailed-exitcode")
    for again in ("bulk-sync", "drain"):
        assert json.loads(here(folder, "--format", "json", again))["records_per_second"] == 0
    assert positions(folder) == before
    edit(folder, STORES[:1] if stage == "cut" else STORES, label="later")
    here(folder, "drain")
    assert_equal(folder)


def assert_nothing_of_the_backup_won(folder: Path) -> None:
    """QUE-3, VER-1: both orgs have what came after the backup, and what was written to the restored org since."""
    names = ("lost 0", "lost 1", "lost 2", "fresh 0")
    for store in STORES:
        for name in names:
            assert sql(folder, store, 'SELECT count(*) FROM "Account" WHERE "Name" = ?', name) == [(1,)]
            assert sql(folder, store, 'SELECT count(*) FROM "Contact" WHERE "LastName" = ?', name) == [(1,)]
        assert sql(folder, store, 'SELECT "Phone" FROM "Account" WHERE "Name" = \'old 0\'') == [("lost",)]
        assert sql(folder, store, 'SELECT "Industry" FROM "Account" WHERE "Name" = \'old 1\'') == [("Media",)]


def assert_users_are_there_once(folder: Path) -> None:
    """USR-1: each user once, with the manager that stands above them in the primary."""
    people = (
        'SELECT u."LastName", m."LastName" FROM "User" AS u LEFT JOIN "User" AS m ON m."Id" = u."ManagerId"'
        " WHERE u.\"LastName\" IN ('boss', 'worker') ORDER BY 1"
    )
    for store in STORES:
        assert sql(folder, store, people) == [("boss", None), ("worker", "boss")]


def test_a_manager_who_came_after_their_report_is_filled_in(stages: dict[str, Path], tmp_path: Path) -> None:
    """USR-1, LKP-2: the process died when both orgs had just learnt of the manager; the report gets them all the same."""
    folder = shutil.copytree(stages["new"], tmp_path / "work")
    sql(folder, "acme", 'INSERT INTO "UserRole" ("Name", "DeveloperName") VALUES (\'Chief\', \'Chief\')')
    sql(folder, "acme", 'UPDATE "User" SET "UserRoleId" = (SELECT "Id" FROM "UserRole") WHERE "LastName" = \'boss\'')
    here(folder, "apply", "--yes", codes=(5,))
    assert sql(folder, "acme-dr", 'SELECT "ManagerId" FROM "User" WHERE "LastName" = \'worker\'') == [(None,)]
    here(folder, "drain")
    sql(folder, "acme", 'UPDATE "User" SET "UserRoleId" = NULL WHERE "LastName" = \'boss\'')
    done = killed_at(folder, FailPoint.USERS_AFTER_SOURCE_MIRROR, "drain")
    assert done.returncode == -signal.SIGKILL, done.stderr
    here(folder, "drain")
    assert_users_are_there_once(folder)


def test_what_the_secondary_sent_last_is_not_sent_back(stages: dict[str, Path], tmp_path: Path) -> None:
    """QUE-3, ORG-7, BLK-2: only the primary knows of links that a killed drain made; what is edited there finds its way."""
    for first in (("bulk-sync",), ("drain",), ("forward", "link", "Account", "--where", "Name LIKE 'new of acme-dr%'")):
        folder = shutil.copytree(stages["queued"], tmp_path / first[0])
        done = killed_at(folder, FailPoint.DRAIN_AFTER_TARGET_COMMIT, "drain", "--from", "secondary")
        assert done.returncode == -signal.SIGKILL, done.stderr
        sql(folder, "acme", 'UPDATE "Account" SET "Industry" = \'Energy\' WHERE "Name" LIKE \'new of acme-dr%\'')
        here(folder, *first)
        here(folder, "drain")
        assert_equal(folder)
        assert sql(folder, "acme-dr", 'SELECT count(*) FROM "Account" WHERE "Industry" = \'Energy\'') == [(2,)]


def test_a_misspelt_point_is_refused(stages: dict[str, Path], tmp_path: Path) -> None:
    """REC-3: a test that names no point does not pass for want of a kill."""
    folder = shutil.copytree(stages["queued"], tmp_path / "work")
    done = killed_at(folder, "drain:no-such-moment", "drain")
    assert done.returncode == 64
    assert "names no fail point" in done.stderr and "Traceback" not in done.stderr


def test_every_point_is_described() -> None:
    """QUE-3: the page on reliability lists the fail points, all of them and no other."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "reliability.md").read_text(encoding="utf-8")
    table = page.partition("## The fail points")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `([\w:-]+)` \|", table, re.MULTILINE) == list(FailPoint)
