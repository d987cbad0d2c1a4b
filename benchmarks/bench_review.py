"""How much processor time a review of many manifests takes: 2,000 files with 20,000 fields, a few of them changed."""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

ORG = "version: 1\nkind: Org\nname: {0}\nstore: sqlite:orgs/{0}.db\nadmin: admin@acme.example\n"
CONNECTION = """\
version: 1
kind: Connection
name: link
primary: acme
secondary: acme-dr
owner: admin@acme.example
contact: {first_name: Elise, last_name: Medina, email: elise@acme.example, account: Acme}
"""
GIT = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
GIT |= {f"GIT_{who}_{what}": "a@acme.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def publication(number: int, fields: int, more: str = "") -> str:
    names = ", ".join(f"Field_{field}__c" for field in range(fields))
    return f"version: 1\nkind: Publication\nconnection: link\nobject: Object_{number}__c\nfields: {{include: [{names}{more}]}}\n"


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, env={**os.environ, **GIT}, check=True, timeout=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--fields", type=int, default=10, help="fields in each file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        manifests = folder / "manifests"
        manifests.mkdir()
        (manifests / "orgs.yaml").write_text("---\n".join([ORG.format("acme"), ORG.format("acme-dr"), CONNECTION]))
        for number in range(options.files):
            (manifests / f"object_{number}.yaml").write_text(publication(number, options.fields))
        git(folder, "init", "-q", "-b", "main")
        git(folder, "add", "-A")
        git(folder, "commit", "-q", "-m", "one")
        git(folder, "checkout", "-q", "-b", "topic")
        for number in range(0, options.files, 100):
            (manifests / f"object_{number}.yaml").write_text(publication(number, options.fields, ", New__c"))
        git(folder, "commit", "-q", "-a", "-m", "two")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [sys.executable, "-m", "orgsync_reconcile", "-C", place, "review", "main", "--no-plan"],
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(done.stdout.splitlines()[-1])
    print(
        f"review of {options.files:,} files with {options.files * options.fields:,} fields: {seconds:.2f} s of processor time"
    )


if __name__ == "__main__":
    main()
