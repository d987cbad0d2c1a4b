"""Pages that are followed to the letter: their yaml blocks become files, their console blocks are typed in, in order.

A yaml block whose first line is `# PATH` is written there; one without is not run. A console line that begins with `$ `
is a command; what follows is what it prints, with Ids, moments and ages in any value. `# exits with N` names another
exit code than 0. `sqlite3 FILE SQL` runs without that program.
"""

from __future__ import annotations

import re
import shlex
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from orgsync_reconcile.cli.main import cli

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_EXIT = re.compile(r"\s+# exits with (\d+)$")


@dataclass(frozen=True)
class Step:
    """A command line with what it is to print and its exit code."""

    line: str
    output: str
    code: int


def files_and_steps(text: str) -> list[tuple[str, str] | Step]:
    """(path, content) of files and steps, in the order of the page."""
    found: list[tuple[str, str] | Step] = []
    for language, body in _BLOCK.findall(text):
        if language == "yaml" and body.startswith("# "):
            found.append((body.splitlines()[0][2:].strip(), body))
        elif language == "console":
            for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
                line, _, output = part.partition("\n")
                code = _EXIT.search(line)
                found.append(Step(line=_EXIT.sub("", line), output=output, code=int(code[1]) if code else 0))
    return found


def run(folder: Path, step: Step) -> tuple[int, str]:
    """Types a command in; its exit code and standard output."""
    words = shlex.split(step.line, comments=True)
    if words[0] == "sqlite3":
        db = sqlite3.connect(folder / words[1])
        rows = db.execute(words[2]).fetchall()
        db.commit()
        db.close()
        return 0, "".join("|".join(map(str, row)) + "\n" for row in rows)
    assert words[0] == "orgsync", step.line
    result = CliRunner().invoke(cli, ["-C", str(folder), *words[1:]])
    return result.exit_code, result.stdout if result.exit_code == step.code else result.output


def follow(folder: Path, text: str) -> None:
    """Follows a page; fails at the first command that does something else than the page says."""
    for item in files_and_steps(text):
        if isinstance(item, tuple):
            path = folder / item[0]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(item[1], encoding="utf-8")
            continue
        code, output = run(folder, item)
        assert code == item.code, f"{item.line}\n{output}"
        if item.output:
            assert masked(output) == masked(item.output), item.line


def masked(text: str) -> list[str]:
    """The lines, with what differs from run to run, and the columns' padding, taken out."""
    text = re.sub(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?Z?", "MOMENT", text)
    text = re.sub(r"\b[0-9a-zA-Z]{3}[0-9a-z]{12}A{2}[0-9A-Z]\b|\b[0-9a-zA-Z]{15}[A-Z0-5]{3}\b", "ID", text)
    text = re.sub(r"\b\d+ seconds?\b", "SECONDS", text)
    lines = [re.sub(r"\s{2,}", "  ", line).strip() for line in text.strip().splitlines()]
    # The age of a change is the last column of a table with one.
    return [re.sub(r"^(\w+(?:  [\d,]+){4,5})  \d+$", r"\1  AGE", line) for line in lines]
