"""Two orgs that manifests connect, and what `orgsync export` makes of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from click.testing import Result
from two_orgs import run_in

ORG = "version: 1\nkind: Org\nname: {name}\nstore: sqlite:orgs/{name}.db\nadmin: {admin}\n"
CONNECTION = """\
version: 1
kind: Connection
name: {name}
primary: {primary}
secondary: {secondary}
owner: admin@acme.example
contact: {{first_name: Elise, last_name: de la Medina, email: elise@acme.example, account: Acme}}
"""
ADMINS = {"acme": "admin@acme.example", "spare": "admin@acme.example.dr", "third": "admin@acme.example.dr"}
STORES = ("--primary", "sqlite:orgs/acme.db", "--secondary", "sqlite:orgs/spare.db")


def run(folder: Path, *args: str, code: int = 0) -> Result:
    result = run_in(folder, *args)
    assert result.exit_code == code, f"orgsync {' '.join(args)}: {result.exit_code}\n{result.output}"
    return result


def publication(object_name: str, more: str = "", connection: str = "dr") -> str:
    return f"version: 1\nkind: Publication\nconnection: {connection}\nobject: {object_name}\n{more}"


def make_orgs(folder: Path, *names: str) -> None:
    for name in names:
        run(folder, "org", "create", f"sqlite:orgs/{name}.db", "--name", name, "--admin", ADMINS[name])


def connect(folder: Path, connection: str = "", *publications: str, metadata: str = "") -> None:
    """Writes and applies manifests of one connection, `dr`, from acme to spare."""
    parts = [ORG.format(name=name, admin=ADMINS[name]) for name in ("acme", "spare")]
    parts.append(CONNECTION.format(name="dr", primary="acme", secondary="spare") + connection)
    parts += [f"version: 1\nkind: Metadata\nconnection: dr\n{metadata}"] if metadata else []
    parts += publications
    (folder / "manifests").mkdir(exist_ok=True)
    (folder / "manifests" / "all.yaml").write_text("---\n".join(parts), encoding="utf-8")
    run(folder, "apply", "--yes")
    assert plan(folder, "manifests") == ([], [])


def plan(folder: Path, manifests: str) -> tuple[list[str], list[str]]:
    """The addresses of planned actions, and drift."""
    document = json.loads(run(folder, "-m", manifests, "plan", "--format", "json").stdout)
    return [item["address"] for item in document["actions"]], [item["detail"] for item in document["drift"]]


def copied(folder: Path, to: Path) -> Path:
    return Path(shutil.copytree(folder, to))
