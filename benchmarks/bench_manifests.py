"""2,000 manifest files with 20,000 fields: CPU seconds of validate, lint and fmt, beside a bare ruamel.yaml parse.

CPU time of a process of its own each, start included, as the machine may have other work.
`review` of as many is measured by bench_review.py.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import report

OBJECTS, FIELDS, CONNECTIONS = 2000, 10, 10
#: CPU seconds that each command may take.
LIMIT = 3.0

ORG = "version: 1\nkind: Org\nname: {0}\nstore: sqlite:{0}.db\nadmin: admin@acme.example\n"
CONNECTION = """version: 1
kind: Connection
name: c{0}
primary: acme
secondary: s{0}
owner: admin@acme.example
contact: {{first_name: Elise, last_name: Medina, email: elise@acme.example, account: Acme}}
bulk_sync: {{stages: [90d]}}
notify: [{{event: log_entry, email: [owner]}}]
"""
RUAMEL = """
import sys
from pathlib import Path
from ruamel.yaml import YAML
for path in sorted(Path(sys.argv[1]).rglob("*.yaml")):
    list(YAML().load_all(path.read_text()))
"""


def write(folder: Path) -> None:
    """The manifests: orgs and connections in one file, a file for each publication."""
    names = ["acme", *(f"s{number}" for number in range(CONNECTIONS))]
    parts = [ORG.format(name) for name in names] + [CONNECTION.format(number) for number in range(CONNECTIONS)]
    (folder / "connections.yaml").write_text("---\n".join(parts))
    for number in range(OBJECTS - 1):
        fields = "".join(f"    - Field_{field}__c\n" for field in range(FIELDS))
        (folder / f"object_{number}.yaml").write_text(
            f"version: 1\nkind: Publication\nconnection: c{number % CONNECTIONS}\nobject: Object_{number}__c\n"
            f"fields:\n  include:\n{fields}"
        )


def main() -> None:
    """Prints one line for each command."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "manifests")
        folder.mkdir()
        write(folder)
        bare = report.cpu([sys.executable, "-c", RUAMEL, str(folder)])
        print(f"bare ruamel.yaml parse  {bare:6.2f} s CPU")
        for command in ("validate", "lint", "fmt"):
            spent = report.cpu([sys.executable, "-m", "orgsync_reconcile", "-C", place, command])
            verdict = "" if spent <= LIMIT else f"  above {LIMIT:g} s"
            print(f"orgsync {command:<15} {spent:6.2f} s CPU, {spent / bare:.2f} of the parse{verdict}")


if __name__ == "__main__":
    main()
