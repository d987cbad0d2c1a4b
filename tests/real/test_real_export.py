"""REC-7: pairs of orgs made from published projects become manifests that have nothing to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from real_world import ABSENT, REAL, from_project

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason=ABSENT)


@pytest.mark.parametrize("project", ["dreamhouse", "ebikes"])
def test_export_of_a_real_project(tmp_path: Path, project: str) -> None:
    """REC-7: all that is publishable is connected, exported, and planned with the export alone."""
    world = from_project(tmp_path, project)
    world.connect(world.publishable(), direction="two-way")
    world.apply()
    result = world.run(
        "export", "--primary", "sqlite:orgs/acme.db", "--secondary", "sqlite:orgs/acme-secondary.db", "--out", "out"
    )
    assert "warning" not in result.stderr
    document = json.loads(world.run("-m", "out", "--format", "json", "plan").stdout)
    assert (document["actions"], document["drift"]) == ([], [])
    world.run("fmt", "--check", "out")
