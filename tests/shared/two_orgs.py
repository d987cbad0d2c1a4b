"""What most tests stand on: the manifests of two orgs, the program in a folder, and plain SQL in an org's file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from org_stores import Client, client_of

from orgsync_reconcile.cli.main import cli

ORGS = """\
version: 1
kind: Org
name: acme
store: sqlite:orgs/acme.db
admin: admin@acme.example
---
version: 1
kind: Org
name: acme-dr
store: sqlite:orgs/acme-dr.db
admin: admin@acme.example.dr
"""


#: Schema of a server's database -> (the org in it, its administrator).
SCHEMAS = {"acme": ("acme", "admin@acme.example"), "dr": ("acme-dr", "admin@acme.example.dr")}


def server_orgs(url: str) -> str:
    """Their manifests where they lie in schemas of a server's database."""
    text = ORGS
    for schema, (name, _) in SCHEMAS.items():
        text = text.replace(f"sqlite:orgs/{name}.db", f'"{url}?schema={schema}"')
    return text


def at_addresses(text: str, addresses: Mapping[str, str]) -> str:
    """Manifests with each org at its address; an org in a file stays where they say that it is."""
    for name, address in addresses.items():
        if not address.startswith("sqlite:"):
            text = re.sub(rf"sqlite:\S*{re.escape(name)}\.db", lambda _, place=address: f'"{place}"', text)
    return text


def make_on_server(folder: Path, url: str) -> None:
    """Makes both in such schemas, ready to be connected."""
    for schema, (name, admin) in SCHEMAS.items():
        must(folder, "org", "create", f"{url}?schema={schema}", "--name", name, "--admin", admin)
        must(folder, "org", "enable", f"{url}?schema={schema}", "salesforce-to-salesforce")


def publication(connection_name: str, name: str, *fields: str) -> str:
    """A manifest that publishes these fields of an object."""
    included = ", ".join(fields)
    return f"version: 1\nkind: Publication\nconnection: {connection_name}\nobject: {name}\nfields: {{include: [{included}]}}\n"


def write_documents(folder: Path, *texts: str) -> None:
    """Writes a folder of manifests with one file."""
    (folder / "manifests").mkdir()
    (folder / "manifests" / "dr.yaml").write_text(documents(*texts))


def connection(name: str, more: str = "direction: two-way\n") -> str:
    """A manifest that connects the two; `more` are lines of its own."""
    return (
        f"version: 1\nkind: Connection\nname: {name}\nprimary: acme\nsecondary: acme-dr\nowner: admin@acme.example\n"
        f"contact: {{first_name: Elise, last_name: Medina, email: elise@acme.example, account: Acme}}\n{more}"
    )


def documents(*texts: str) -> str:
    """One file of several documents."""
    return "---\n".join(texts)


def run_in(folder: Path, *args: str, **environment: str) -> Result:
    """Runs the program in `folder`; with its exit code, standard output and standard error."""
    return CliRunner().invoke(cli, ["-C", str(folder), *args], env=environment)


def must(folder: Path, *args: str, **environment: str) -> Result:
    """Runs the program, which ends well."""
    result = run_in(folder, *args, **environment)
    assert result.exit_code == 0, result.output
    return result


def sql(folder: Path, store: str, *statements: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Runs statements in an org, as any client would; the rows of the last one. `values` are bound in each."""
    rows: list[tuple[Any, ...]] = []
    with closing(client_in(folder, store)) as db:
        for statement in statements:
            done = db.execute(statement, values)
            rows = done.fetchall() if done.description else []
    return rows


def client_in(folder: Path, store: str) -> Client:
    """A session of any other program on an org: in its file, or where the manifests say that it is."""
    path = folder / "orgs" / f"{store}.db"
    if path.exists():
        return client_of(f"sqlite:{path}")
    texts = [item.read_text() for item in (folder / "manifests").glob("*.yaml")]
    (address,) = re.findall(rf'^name: {store}\nstore: "([^"]+)"$', "\n".join(texts), re.MULTILINE)
    return client_of(address)
