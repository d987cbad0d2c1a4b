"""The examples of docs/alerts.md are valid manifests, and the page names what there is (LOG-3)."""

from __future__ import annotations

import re
from pathlib import Path

from two_orgs import must
from web_world import rules

from orgsync_reconcile.model.notification import FACTS
from orgsync_reconcile.operations.courier import BACKOFF

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "alerts.md").read_text(encoding="utf-8")


def test_the_examples_are_valid(world: Path) -> None:
    """LOG-3, REC-8: every block of YAML, in place of the connection's own rules."""
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert blocks
    (world / "manifests" / "values.yaml").write_text("team: Harbour\n")
    rules(world, "event: drift, email: [owner]")
    path = world / "manifests" / "acme.yaml"
    text = path.read_text()
    for block in blocks:
        path.write_text(text.replace("notify:\n  - {event: drift, email: [owner]}\n", block))
        must(world, "validate")


def test_the_page_names_all_facts_and_pauses() -> None:
    """LOG-3: what texts may look up, and how long a receiver may be down."""
    named = PAGE.partition("may also look up")[2].partition("\n\n")[0]
    assert set(re.findall(r"`([a-z]+)`", named)) == set(FACTS)
    assert BACKOFF == (60, 300, 1800, 7200, 28800, 86400)
