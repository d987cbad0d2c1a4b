"""Everything at once, in processes of its own: it converges, nobody waits for ever, nobody hears of locks (QUE-6)."""

from __future__ import annotations

import shutil
from pathlib import Path

from busy_orgs import assert_whole, ended, start, writing
from joined_world import MANIFESTS, STORES, assert_equal, here, positions, sql, write_records

#: Exit 6 is the lock of an apply, which names who holds it: an apply that does not wait may meet it.
HELD = 6


def test_drains_bulk_sync_applies_and_writers_at_once(stages: dict[str, Path], tmp_path: Path) -> None:
    """QUE-6, BLK-4, REC-4, CNF-3: three drains, a bulk sync, two applies that change publications, writers in both orgs."""
    folder = shutil.copytree(stages["applied"], tmp_path / "work")
    for store in STORES:
        write_records(folder, store, f"early {store}", 300)
    (folder / "manifests" / "lead.yaml").write_text(MANIFESTS["account"].replace("Account", "Lead"))
    with writing(folder, "live", pause=0.01) as written:
        runs = [start(folder, "drain") for _ in range(2)]
        runs += [start(folder, "drain", "--from", "secondary"), start(folder, "bulk-sync")]
        applies = [start(folder, "apply", "--yes", "--lock-timeout", "30") for _ in range(2)]
        for run in runs:
            ended(run)
        for apply in applies:
            # The second one finds nothing left to do, or that the first one did what it had planned: stale, exit 4.
            ended(apply, codes=(0, 4))
    assert written.made > 10 and written.changed > 0
    assert written.longest < 30
    here(folder, "apply", "--yes")
    here(folder, "bulk-sync")
    here(folder, "drain")
    assert_equal(folder)
    for label in ("early", "live"):
        ours, theirs = (
            sql(
                folder,
                store,
                f'SELECT "Name" FROM "Account" WHERE "Name" LIKE \'{label}%\' AND "IsDeleted" = 0 ORDER BY 1',
            )
            for store in STORES
        )
        assert ours == theirs and ours
    assert sql(folder, "acme-dr", "SELECT count(*) FROM orgsync_subscribed") == [(3,)]
    assert_whole(folder)
    before = positions(folder)
    here(folder, "drain")
    assert positions(folder) == before


def test_an_apply_that_does_not_wait_is_told_who_holds_the_lock(stages: dict[str, Path], tmp_path: Path) -> None:
    """REC-4: of three applies at once, each does the work, finds it done or under way; the orgs end as the manifests say."""
    folder = shutil.copytree(stages["new"], tmp_path / "work")
    for run in [start(folder, "apply", "--yes") for _ in range(3)]:
        ended(run, codes=(0, 4, HELD))
    here(folder, "apply", "--yes")
    here(folder, "plan", "--detailed-exitcode")
    for store in STORES:
        assert sql(folder, store, 'SELECT count(*) FROM "PartnerNetworkConnection"') == [(1,)]
