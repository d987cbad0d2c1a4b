"""REC-7: pairs of orgs made from published projects become manifests that have nothing to do."""

from __future__ import annotations

import json

import pytest
from real_world import ABSENT, REAL, World, fill

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason=ABSENT)


@pytest.mark.parametrize("project", ["dreamhouse", "ebikes"])
def test_export_of_a_real_project(new_world: World, project: str) -> None:
    """REC-7: all that is publishable is connected, exported, and planned with the export alone."""
    world = fill(new_world, project)
    world.connect(world.publishable(), direction="two-way")
    world.apply()
    ends = ("--primary", world.store("acme"), "--secondary", world.store("acme-secondary"))
    result = world.run("export", *ends, "--out", "out")
    assert "warning" not in result.stderr
    document = json.loads(world.run("-m", "out", "--format", "json", "plan").stdout)
    assert (document["actions"], document["drift"]) == ([], [])
    world.run("fmt", "--check", "out")
