"""How reports are written: text, Markdown, CSV, JSON and a page that needs nothing but itself (LOG-4)."""

from __future__ import annotations

import csv
import io
import json
import re
import tracemalloc
from html.parser import HTMLParser
from pathlib import Path

import pytest
from report_world import log, must, report, run_in
from two_orgs import sql

HOSTILE = '</td><script>alert("1")</script>{{ 7*7 }}\u202e\x1b[31m'


class _Page(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def of(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag in tags]


def page(text: str) -> _Page:
    parsed = _Page()
    parsed.feed(text)
    return parsed


@pytest.fixture
def hostile(work: Path) -> Path:
    """A log with an entry that would break out of every format."""
    log(
        work,
        "acme",
        [
            {"at": "2026-03-10T10:00:00.000Z", "object": HOSTILE[:80], "description": f'=cmd|" /C"!A0,\r\n{HOSTILE}'},
            {"at": "2026-03-10T11:00:00.000Z", "description": 'a "quoted", text'},
        ],
    )
    (work / "manifests" / "report.yaml").write_text(
        "version: 1\nkind: Report\nname: all\ntitle: <b>All</b>\nconnection: acme-link\ncolumns: [object, description]\n"
    )
    return work


def test_text(logged: Path) -> None:
    """LOG-4: a title, what it covers, and a table; groups with a bar."""
    lines = report(logged, "by-object").splitlines()
    assert lines[0] == "Log entries by object"
    assert lines[1] == "7 entries up to 2026-03-10 12:00 UTC (acme 5, acme-dr 2)"
    assert lines[3].split() == ["OBJECT", "acme", "acme-dr", "TOTAL"]
    assert lines[4].split() == ["Contact", "2", "2", "4", "▇" * 24]
    assert lines[5].split() == ["Account", "2", "0", "2", "▇" * 12]
    assert "No entries." in report(logged, "by-object", "--where", "object = 'Case'")


def test_markdown_and_control_characters(hostile: Path) -> None:
    """LOG-4: what an entry says is shown and never obeyed."""
    for form in ("text", "markdown"):
        text = report(hostile, "all", "--format", form)
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert "&lt;script>" in report(hostile, "all", "--format", "markdown")


def test_lists_for_people_are_cut_and_say_so(work: Path) -> None:
    """LOG-4: text shows 100 entries unless told, CSV and JSON all."""
    log(work, "acme", [{"at": f"2026-03-10T10:00:{n % 60:02d}.000Z"} for n in range(130)])
    result = must(work, "log", "report", "last-24-hours")
    assert len(result.stdout.splitlines()) == 3 + 1 + 100
    assert "last-24-hours: the newest 100 of 130 entries" in result.stderr
    assert len(report(work, "last-24-hours", "--format", "csv").splitlines()) == 131
    result = must(work, "log", "report", "last-24-hours", "--format", "json", "--limit", "7")
    assert len(json.loads(result.stdout)["reports"][0]["entries"]) == 7
    assert "newest 7 of 130" in result.stderr
    assert "The newest 5 of 130 entries" in report(work, "last-24-hours", "--format", "html", "--limit", "5")


def test_csv(hostile: Path) -> None:
    """LOG-4: RFC 4180, and no cell is a formula when a spreadsheet opens it."""
    text = must(hostile, "log", "report", "all", "--format", "csv").stdout_bytes.decode()
    assert text.startswith("object,description\r\n")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows[1] == ["Account", 'a "quoted", text']
    assert rows[2][1].startswith("'=cmd|")
    assert rows[2][1].endswith(HOSTILE)
    assert len(rows) == 3


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", " =", "\r", "＝"])
def test_no_cell_is_a_formula(work: Path, start: str) -> None:
    """LOG-4: whatever a spreadsheet would take for a formula is text."""
    log(work, "acme", [{"at": "2026-03-10T10:00:00.000Z", "object": f"{start}1+1"}])
    text = must(work, "log", "report", "by-object", "--format", "csv").stdout_bytes.decode()
    (_, row) = csv.reader(io.StringIO(text, newline=""))
    assert row == [f"'{start}1+1", "1", "0", "1"]


def test_json_is_one_document_of_all_reports(hostile: Path) -> None:
    """LOG-4: several reports, the hostile entry as it is."""
    document = json.loads(report(hostile, "all", "by-object", "last-24-hours", "--format", "json"))
    assert [item["name"] for item in document["reports"]] == ["all", "by-object", "last-24-hours"]
    assert document["reports"][0]["entries"][1]["description"].endswith(HOSTILE)
    assert document["reports"][1]["groups"][0]["counts"] == {"acme": 1, "acme-dr": 0}
    assert document["reports"][0]["until"] == "2026-03-10T12:00:00.001Z"
    empty = json.loads(report(hostile, "all", "by-object", "--where", "number = 99", "--format", "json"))
    assert [item.get("entries", item.get("groups")) for item in empty["reports"]] == [[], []]


def test_the_page_needs_nothing_and_runs_nothing(hostile: Path) -> None:
    """LOG-4: one file, no script, no other address; everything that comes from the log is escaped."""
    text = report(hostile, "all", "by-object", "--format", "html")
    found = page(text)
    assert not found.of("script", "link", "img", "iframe", "object", "form", "base", "a")
    assert not [a for _, a in found.elements if any(key.startswith("on") or key in ("src", "href") for key in a)]
    assert not re.search(r"url\(|@import|https?://", text)
    (policy,) = [a["content"] for a in found.of("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert str(policy).startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "</td><script>alert" in found.text
    assert "<b>All</b>" in found.text
    assert "{{ 7*7 }}" in found.text
    assert not found.of("b")


def test_the_page_can_be_read_by_everybody(logged: Path) -> None:
    """LOG-4: charts have titles and the same numbers in a table; heads say what they are heads of; dark and print."""
    text = report(logged, "by-object", "by-hour", "--format", "html")
    found = page(text)
    assert found.of("html")[0]["lang"] == "en"
    charts = found.of("svg")
    assert len(charts) == 2
    ids = {a["id"] for _, a in found.elements if "id" in a}
    for chart in charts:
        assert chart["role"] == "img"
        assert set(str(chart["aria-labelledby"]).split()) <= ids
    assert len(ids) == len([a for _, a in found.elements if "id" in a])
    assert len(found.of("table")) == len(found.of("caption")) == 2
    assert {a.get("scope") for a in found.of("th")} == {"col", "row"}
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text
    assert "Contact, acme-dr: 2" in found.text


def test_bars_are_as_long_as_their_numbers(logged: Path) -> None:
    """LOG-4: the chart tells what the table tells."""
    rectangles = page(report(logged, "by-object", "--format", "html")).of("rect")
    widths = [float(str(item["width"])) for item in rectangles]
    # Contact 2 and 2, Account 2, Lead 1.
    assert widths == [widths[0]] * 3 + [widths[0] / 2]
    standing = page(report(logged, "by-hour", "--format", "html")).of("rect")
    heights = [float(str(item["height"])) for item in standing]
    assert len(heights) == 5
    assert len(set(heights)) == 1


def test_many_groups_are_drawn_as_one_more_bar(work: Path) -> None:
    """LOG-4: a chart stays readable; its table has them all."""
    log(work, "acme", [{"at": "2026-03-10T10:00:00.000Z", "object": f"Object{n:02d}__c"} for n in range(40)])
    found = page(report(work, "by-object", "--format", "html"))
    assert len(found.of("rect")) == 24
    assert "17 more" in found.text
    assert len([a for a in found.of("th") if a.get("scope") == "row"]) == 40


@pytest.mark.files_only
def test_a_file_is_there_whole_or_not_at_all(logged: Path) -> None:
    """LOG-4: the file appears when all of it is written; one that was there stays where something goes wrong."""
    result = must(logged, "log", "report", "by-object", "--format", "html", "--out", "page.html")
    assert result.stdout == ""
    assert (logged / "page.html").read_text().startswith("<!doctype html>")
    before = (logged / "page.html").read_bytes()
    sql(logged, "acme", 'UPDATE "PartnerNetworkSyncLog" SET "Description" = CAST(x\'ff\' AS TEXT)')
    (logged / "manifests" / "report.yaml").write_text(
        "version: 1\nkind: Report\nname: all\nconnection: acme-link\ncolumns: [description]\n"
    )
    assert run_in(logged, "log", "report", "all", "--format", "html", "--out", "page.html").exit_code == 1
    assert (logged / "page.html").read_bytes() == before
    assert list(logged.glob(".page*")) == []
    result = run_in(logged, "log", "report", "by-object", "--out", "nowhere/page.txt")
    assert (result.exit_code, "nowhere/page.txt cannot be written" in result.stderr) == (64, True)


def test_memory_does_not_grow_with_the_log(work: Path) -> None:
    """LOG-4: entries are read and written one after the other."""
    entry = {"at": "2026-03-10T10:00:00.000Z", "description": "x" * 2000}
    log(work, "acme", [entry] * 2)
    peaks = []
    for rounds in (0, 12):
        for _ in range(rounds):
            sql(
                work,
                "acme",
                'INSERT INTO "PartnerNetworkSyncLog" ("ConnectionId", "Description", "CreatedDate")'
                ' SELECT "ConnectionId", "Description", "CreatedDate" FROM "PartnerNetworkSyncLog"',
            )
        tracemalloc.start()
        must(work, "log", "report", "last-24-hours", "--format", "csv", "--out", "log.csv")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert len((work / "log.csv").read_text().splitlines()) == 2 * 2**12 + 1
    assert peaks[1] < peaks[0] + 2_000_000
