"""What the documentation tells people to type works: its commands are run, its files are written as they stand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
#: Pages whose commands are run from their beginning to their end, in an empty folder.
PAGES = ("tutorial.md",)
_FENCE = re.compile(r"^```(\w+)(?: title=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_EXPECTED = re.compile(r"\s+# exits with (\d+)$")


@dataclass(frozen=True)
class Block:
    """A fenced block: `title` is the file that it is the text of."""

    language: str
    title: str
    text: str


def blocks_of(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    return [Block(*(part or "" for part in found.groups())) for found in _FENCE.finditer(page.read_text())]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_can_be_followed(page: str, tmp_path: Path) -> None:
    """REC-8, REC-2, QUE-1, LOG-1, SUS-1, REC-5, REC-6: every command ends as the page says."""
    blocks = blocks_of(DOCS / page)
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    place = tmp_path
    ran = 0
    for block in blocks:
        if block.title:
            target = place / block.title
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text)
        elif block.language == "console":
            for line in block.text.splitlines():
                found = _EXPECTED.search(line)
                command = _EXPECTED.sub("", line).partition("  # ")[0]
                done = subprocess.run(
                    ["bash", "-c", f"{command}\nstatus=$?\npwd > {tmp_path}/.place\nexit $status"],
                    cwd=place,
                    env=environment,
                    capture_output=True,
                    text=True,
                    timeout=120,
                    check=False,
                )
                expected = int(found[1]) if found else 0
                assert done.returncode == expected, f"{line}\n{done.stdout}\n{done.stderr}"
                place = Path((tmp_path / ".place").read_text().strip())
                ran += 1
    assert ran > 10


def test_links_between_pages_lead_somewhere() -> None:
    """Every relative link of the documentation names a file that is there."""
    root = DOCS.parent
    missing = []
    for page in [*DOCS.glob("*.md"), root / "README.md", root / "CONTRIBUTING.md"]:
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text()):
            if not (page.parent / target).exists():
                missing.append(f"{page.name}: {target}")
    assert missing == []


def test_every_page_is_linked_from_the_way_in() -> None:
    """No page of the documentation has to be found by its file name."""
    linked = set(re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", (DOCS / "README.md").read_text()))
    pages = {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")} - {"README.md"}
    assert sorted(pages - linked) == []


def test_commands_that_pages_name_are_there() -> None:
    """Every `orgsync COMMAND` in a table of the how-to is a command of the program, with the options it names."""
    reference = (DOCS / "commands.md").read_text()
    wrong = []
    for code in re.findall(r"`(orgsync [^`]+)`", (DOCS / "how-to.md").read_text()):
        words = [word for word in code.split()[1:] if re.fullmatch(r"[a-z][a-z-]*", word)]
        heading = next((n for n in (2, 1) if f"## orgsync {' '.join(words[:n])}\n" in reference and len(words) >= n), 0)
        options = re.findall(r"--[a-z-]+", code)
        section = reference.partition(f"## orgsync {' '.join(words[:heading])}\n")[2].partition("\n## ")[0]
        if not heading or any(option not in section for option in options):
            wrong.append(code)
    assert wrong == []
