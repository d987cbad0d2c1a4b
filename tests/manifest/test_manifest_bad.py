"""Bad manifests as data: each `bad/NAME.yaml` is refused with exactly the lines of `bad/NAME.txt`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from orgsync_reconcile import manifest
from orgsync_reconcile.errors import ExitCode, ManifestError

CASES = sorted((Path(__file__).parent / "bad").glob("*.yaml"))


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_bad_manifest(case: Path, tmp_path: Path) -> None:
    """REC-8, REC-11, CON-2: all problems at once, each at its file, line and column, with what to do next."""
    shutil.copy(case, tmp_path)
    with pytest.raises(ManifestError) as caught:
        manifest.load(tmp_path, base=tmp_path)
    assert str(caught.value).splitlines() == case.with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    assert caught.value.exit_code is ExitCode.ERROR
    assert [item.origin for item in caught.value.diagnostics] == sorted(
        item.origin for item in caught.value.diagnostics if item.origin
    )


def test_no_secret_is_repeated() -> None:
    """REC-11: the bad manifests hold the password hunter2 in several places, and no message repeats it."""
    assert sum("hunter2" in case.read_text(encoding="utf-8") for case in CASES) >= 2
    assert not any("hunter2" in case.with_suffix(".txt").read_text(encoding="utf-8") for case in CASES)
