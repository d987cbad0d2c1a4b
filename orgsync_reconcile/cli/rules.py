"""What each code means, taken from the documentation: `python -m orgsync_reconcile.cli.rules DIAGNOSTICS RULES`."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

_ROW = re.compile(r"^\| ([EWIMR]\d{3}) \| ([^|]+) \|(?: ([^|]+) \|)?$", re.MULTILINE)


def rules_text(page: str) -> str:
    """The codes of docs/diagnostics.md as the data that ships with the program."""
    rows = {code: {"meaning": meaning, "help": advice} for code, meaning, advice in _ROW.findall(page)}
    return json.dumps(dict(sorted(rows.items())), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(
        rules_text(Path(sys.argv[1]).read_text(encoding="utf-8")), encoding="utf-8", newline="\n"
    )
