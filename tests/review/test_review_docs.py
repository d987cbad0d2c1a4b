"""REC-9: what docs/pull-requests.md shows is what the program prints."""

from __future__ import annotations

import re
from pathlib import Path

from git_world import CONNECTION, Repo, publication

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "pull-requests.md").read_text(encoding="utf-8")


def test_the_example(synced: Repo) -> None:
    """REC-9: line by line, but for the commits' names and the plan in between."""
    synced.branch(
        "topic",
        {
            "manifests/account.yaml": publication("Account", "{include: [Name, Fax, Industry, Phone, Website]}"),
            "manifests/case.yaml": None,
            "manifests/connection.yaml": CONNECTION + "guards: {disconnect: 0.9}\n",
        },
    )
    example = re.search(r"```console\n\$ orgsync review main\n(.*?)```", PAGE, re.DOTALL)
    assert example is not None
    before, after = example[1].split("…\n")
    shown = synced.run("review", "main").stdout
    assert "\n".join(shown.splitlines()[1:]).startswith("\n".join(before.splitlines()[1:]))
    assert shown.endswith(after)
