"""Renderers: a plan as text for a terminal and as Markdown for a comment (REC-1, REC-9, REC-11)."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plan_facts import (
    actual,
    components,
    connected,
    connection,
    desired,
    include,
    primary,
    publication,
    published,
    secondary,
    subscribed,
)

from orgsync_reconcile.model.connection import ConflictPolicy, Direction
from orgsync_reconcile.model.desired import BulkSyncPlan
from orgsync_reconcile.model.plan import ManualTask, Plan
from orgsync_reconcile.plan import build_plan, render_markdown, render_text

ONE_WAY = connection(direction=Direction.ONE_WAY)
MARKER = "<!-- orgsync:plan -->"


def changes() -> Plan:
    """Two objects and three fields come, one object goes, an option changes, a component drifted."""
    ours = components(("Role", "Sales", {"name": "ours"}))
    theirs = components(("Role", "Sales", {"name": "by hand"}))
    hashes = {key: item.hash for key, item in ours["components"].items()}
    theirs["components"] = {key: item._replace(synced_hash=hashes[key]) for key, item in theirs["components"].items()}
    facts = connected(
        {"published": published("Contact", "LastName"), "linked": {"Contact": 4}},
        {"subscribed": subscribed("Contact", "LastName")},
        here=primary(records={"Account": 40}, **ours),
        there=secondary(**theirs),
        wanted=ONE_WAY,
    )
    wanted = replace(ONE_WAY, conflicts=ConflictPolicy.LATEST_WINS, bulk_sync=BulkSyncPlan(auto=True))
    return build_plan(desired(publication("Account"), connections=[wanted]), facts)


def test_text_has_a_line_for_each_action() -> None:
    """REC-1: symbols in one column, attributes below, the manifest's line at the end, the summary last."""
    lines = render_text(changes(), width=120).splitlines()
    by_symbol = {line[2]: line for line in lines if re.match(r"  [+~>!?-] ", line)}
    assert set(by_symbol) == {"+", "~", ">", "!", "?"}
    assert by_symbol["+"].endswith("manifests/acme.yaml:30")
    assert any(line.strip() == "conflicts: primary-wins → latest-wins" for line in lines)
    assert "40 records" in by_symbol[">"]
    assert "acme-dr/metadata/Role:Sales" in by_symbol["?"]
    assert lines[-1] == (
        "Plan: 2 to create, 2 to update, 2 to delete, 1 to run. Refused by disconnect, overwrite: see the guards."
    )


def test_a_narrow_terminal_gets_what_is_done_below_a_long_address() -> None:
    """REC-1: at 60 columns no line of an action is cut by the terminal, and nothing but the place is left out."""
    wide = render_text(changes(), width=120).splitlines()
    narrow = render_text(changes(), width=60).splitlines()
    said = " ".join(" ".join(narrow).split())
    for line in wide:
        found = re.match(r"  [+~>!-] (\S+)  +(.*?)  +manifests/", line)
        if found:
            assert f"{found[1]} {found[2]}" in said
    below = narrow.index("  ! acme-dr/publication/Contact") + 1
    assert narrow[below].startswith("      unpublish-object in acme (4 records disconnected")


def test_blocked_actions_are_marked() -> None:
    """REC-5: what a refused guard holds back can still be seen."""
    plan = changes()
    assert "! acme-dr/publication/Contact" in render_text(plan)
    assert "--allow disconnect" in render_text(plan)
    allowed = replace(plan, guards=tuple(replace(guard, status="ok") for guard in plan.guards))
    assert "- acme-dr/publication/Contact" in render_text(allowed)
    assert "!" not in render_text(allowed)


def test_empty_plan_says_so() -> None:
    """REC-2: one sentence."""
    assert render_text(build_plan(desired(), connected())) == "No changes. The orgs match the manifests."
    assert "No changes." in render_markdown(build_plan(desired(), connected()))


def test_errors_are_listed_with_their_place() -> None:
    """REC-8: what, where and what to do; the summary says that the plan cannot be applied."""
    text = render_text(build_plan(desired(publication("Account", fields=include("Nme"))), actual()))
    assert "E322 Account has no field Nme; did you mean Name?  manifests/acme.yaml:40" in text
    assert text.splitlines()[-1].endswith("It cannot be applied: see the errors.")


def test_style_colours_pieces() -> None:
    """REC-1: colour is added by the caller, and takes nothing away."""
    plan = changes()
    seen = set()

    def style(kind: str, text: str) -> str:
        seen.add(kind)
        return f"<{text}>"

    coloured = render_text(plan, style=style)
    assert re.sub(r"[<>]", "", coloured) == re.sub(r"[<>]", "", render_text(plan))
    assert {"create", "update", "run", "blocked", "drift", "dim", "heading", "refused", "summary"} <= seen


def test_markdown_puts_destructive_actions_first() -> None:
    """REC-9: marker, summary, what destroys, the rest."""
    text = render_markdown(changes())
    assert text.startswith(MARKER + "\n")
    order = [
        text.index(part) for part in ("**Plan: 2", "### Refused", "### Destructive actions (2)", "### Actions (5)")
    ]
    assert order == sorted(order)


def test_markdown_of_a_huge_plan_fits_a_comment() -> None:
    """REC-9: below 65,536 characters, never without its summary, saying how much is left out."""
    parts = components(*[("ApexClass", f"Class{index}" + "x" * 300, {}) for index in range(2000)])
    theirs = components(*[("Role", f"Extra{index}" + "é" * 600, {}) for index in range(2000)])
    plan = build_plan(desired(), connected(here=primary(**parts), there=secondary(**theirs)))
    text = render_markdown(plan)
    assert len(text.encode()) < 65_536
    assert "Plan: 2000 to create" in text
    assert re.search(r"… and \d+ more", text)


HOSTILE = [
    "@everyone",
    "`code` `",
    "<script>alert(1)</script>",
    MARKER,
    "-->",
    "[x](https://evil.example)",
    "https://evil.example",
    "#123",
    "a\n## heading",
    "\x1b[2J",
    "\u202eevil",
    "|a|b|",
    "</details>",
    "::error::x",
]


def with_text(text: str) -> Plan:
    plan = build_plan(desired(), connected())
    task = ManualTask(code="M302", address=f"acme-dr/{text}", org="acme", task=text, why=text)
    return replace(plan, manual=(task,), environment=None)


def harmless(text: str) -> None:
    rendered = render_markdown(with_text(text))
    assert rendered.count(MARKER) == 1
    assert "<!--" not in rendered[len(MARKER) :]
    outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", rendered)
    assert not re.search(r"@\w|#\d|://\w|<script|(?<!\\)\]\(", outside)
    assert outside.count("</details>") == outside.count("<details>") == 1
    assert not {"\x1b", "\u202e", "\x9b"} & set(rendered + render_text(with_text(text)))
    assert len(render_text(with_text(text), width=2000).splitlines()) == 5


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_are_harmless(text: str) -> None:
    """REC-11: no mention, link, reference, HTML, marker or control character gets through."""
    harmless(text)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(HOSTILE), max_size=4).map("".join))
def test_hostile_mixtures_are_harmless(text: str) -> None:
    """REC-11: nor does any mixture of them."""
    harmless(text)
