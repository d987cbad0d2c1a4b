"""The program's own commands on an org that lies on a PostgreSQL server (ORG-1, ORG-8, ORG-10, REC-11)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from postgres_server import Server

from orgsync_reconcile.cli.main import cli

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "real"
#: Published projects, with the plans of their records.
PROJECTS = {
    "dreamhouse": ("data/sample-data-plan.json",),
    "ebikes": ("data/sample-data-plan.json",),
    "easy-spaces": ("data/Plan1.json", "data/Plan2.json"),
    "coral-cloud": ("data/data-plan.json",),
    "npsp": (),
}
#: Differs from org to org; everything else is the same in every store.
OWN = ("org_id", "admin_id", "seconds")


@dataclass(frozen=True)
class Folder:
    """A working folder, and the server's address with a schema of its own."""

    path: Path
    url: str

    def run(self, *args: str, code: int = 0) -> Result:
        result = CliRunner().invoke(cli, ["-C", str(self.path), *args], catch_exceptions=False)
        assert result.exit_code == code, f"orgsync {' '.join(args)} ended with {result.exit_code}\n{result.output}"
        return result

    def json(self, *args: str, code: int = 0) -> Any:
        return without_own(json.loads(self.run("--format", "json", *args, code=code).stdout))


def without_own(document: Any) -> Any:
    if isinstance(document, dict):
        return {key: without_own(value) for key, value in document.items() if key not in OWN}
    return [without_own(item) for item in document] if isinstance(document, list) else document


@pytest.fixture(scope="module")
def database(postgres: Server) -> Iterator[str]:
    url = postgres.database()
    yield url
    postgres.drop(url)


@pytest.fixture
def folder(database: str, tmp_path: Path) -> Folder:
    return Folder(tmp_path, f"{database}?schema=s{abs(hash(tmp_path)):x}")


def test_an_org_from_making_to_renaming(folder: Folder) -> None:
    """ORG-1, ORG-8, ORG-10: made, switched on, filled, checked, described and renamed as a file would be."""
    file = "sqlite:acme.db"
    (folder.path / "Account.csv").write_text("Name,Phone,AnnualRevenue\nAcme,1,12.50\nGlobex,2,\n")
    (folder.path / "Bad.csv").write_text("Name\nx\n")
    fields = folder.path / "app" / "main" / "default" / "objects" / "Room__c"
    (fields / "fields").mkdir(parents=True)
    (folder.path / "app" / "sfdx-project.json").write_text('{"packageDirectories": [{"path": "main"}]}')
    (fields / "Room__c.object-meta.xml").write_text(
        '<CustomObject xmlns="http://soap.sforce.com/2006/04/metadata"><deploymentStatus>Deployed</deploymentStatus>'
        "<label>Room</label><pluralLabel>Rooms</pluralLabel><nameField><label>Name</label><type>Text</type></nameField>"
        "<sharingModel>ReadWrite</sharingModel></CustomObject>"
    )
    (fields / "fields" / "Size__c.field-meta.xml").write_text(
        '<CustomField xmlns="http://soap.sforce.com/2006/04/metadata"><fullName>Size__c</fullName><label>Size</label>'
        "<precision>8</precision><scale>2</scale><type>Number</type></CustomField>"
    )
    documents = []
    for url in (file, folder.url):
        folder.run("org", "create", url, "--name", "acme", "--enable", "audit-field-creation")
        folder.run("org", "enable", url, "feed-tracking")
        imported = folder.json("org", "import", url, str(folder.path / "app"))
        loaded = folder.json("org", "load", url, "Account.csv")
        folder.run("org", "load", url, "Bad.csv", code=1)
        folder.run("org", "rename", url, "Room__c.Size__c", "Area__c")
        folder.run("org", "rename", url, "Room__c", "Hall__c")
        seen = [folder.json("org", "describe", url, *name) for name in ((), ("Account",), ("Hall__c",))]
        documents.append([imported, loaded, seen, folder.json("org", "check", url)])
    assert documents[0] == documents[1]
    assert {item["name"]: item["records"] for item in documents[1][2][0]["objects"]}["Account"] == 2
    assert documents[1][2][0]["org"]["features"] == ["audit-field-creation", "feed-tracking"]


def test_an_address_in_a_secret(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """REC-11: the manifests name a variable; neither it nor a password is ever shown."""
    (folder.path / "manifests").mkdir()
    (folder.path / "manifests" / "acme.yaml").write_text(
        "version: 1\nkind: Org\nname: acme\nstore: {env: ACME_STORE}\nadmin: admin@acme.example\n"
    )
    (folder.path / "passwords").write_text("127.0.0.1:*:*:orgsync:hunter2\n")
    (folder.path / "passwords").chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(folder.path / "passwords"))
    folder.run("org", "create", folder.url, "--name", "acme")
    monkeypatch.setenv("ACME_STORE", folder.url)
    assert "acme (00D" in folder.run("org", "describe", "acme").stdout
    monkeypatch.setenv("ACME_STORE", folder.url.replace("orgsync@", "nobody:hunter2@"))
    refused = folder.run("org", "describe", "acme", code=1)
    assert 'role "nobody" does not exist' in refused.stderr
    assert "hunter2" not in refused.output
    assert "Traceback" not in refused.output
    monkeypatch.setenv("ACME_STORE", f"{folder.url}&sslmode=require")
    assert "server does not support SSL" in folder.run("org", "describe", "acme", code=1).stderr


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("postgresql://me:hunter2@127.0.0.1:1/x?schema=acme", 1),
        ("postgresql://127.0.0.1:1/x?schema=acme&user=me&password=hunter2", 1),
        ("postgresql://me:hunter2@127.0.0.1:port/x", 64),
        ("postgresql://me:hunter2@127.0.0.1/x?schema=A", 64),
        ("postgresq://me:hunter2@127.0.0.1/x", 64),
        ("salesforce://me:hunter2@acme", 64),
    ],
)
def test_a_password_on_the_command_line_is_not_repeated(folder: Folder, address: str, code: int) -> None:
    """REC-11: whatever is wrong with an address, logs that keep the message keep no password."""
    for command in (["describe", address], ["create", address, "--name", "acme"]):
        assert "hunter2" not in folder.run("org", *command, code=code).output


def test_a_role_of_its_own(folder: Folder, postgres: Server, database: str) -> None:
    """ORG-1: a role without special rights, with a schema that an administrator made for it, is enough."""
    schema = folder.url.rpartition("=")[2]
    role = f"keeper_{os.getpid()}"
    with psycopg.connect(database, autocommit=True) as db:
        db.execute(f"CREATE ROLE {role} LOGIN; CREATE SCHEMA {schema} AUTHORIZATION {role}")  # type: ignore[call-overload,unused-ignore]
    url = folder.url.replace("orgsync@", f"{role}@")
    folder.run("org", "create", url, "--name", "acme")
    (folder.path / "Account.csv").write_text("Name\nAcme\n")
    folder.run("org", "load", url, "Account.csv")
    assert folder.json("org", "check", url)
    with psycopg.connect(database, autocommit=True) as db:
        db.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")  # type: ignore[call-overload,unused-ignore]


def test_the_roles_of_the_page(folder: Folder, database: str) -> None:
    """ORG-2: the grants of docs/postgresql.md are enough for a clerk to write records, and for a reader to read them."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "postgresql.md").read_text()
    schema, clerk, reader = folder.url.rpartition("=")[2], f"clerk_{os.getpid()}", f"reader_{os.getpid()}"
    grants = " ".join(line for line in page.splitlines() if line.startswith("GRANT "))
    grants = grants.replace("acme", schema).replace("clerk", clerk).replace("reader", reader)
    folder.run("org", "create", folder.url, "--name", "acme")

    def login(role: str) -> psycopg.Connection:
        return psycopg.connect(
            folder.url.partition("?")[0].replace("orgsync@", f"{role}@"),
            autocommit=True,
            options=f"-c search_path={schema}",
        )

    with psycopg.connect(database, autocommit=True) as db:
        db.execute(f"CREATE ROLE {clerk} LOGIN; CREATE ROLE {reader} LOGIN; {grants}")  # type: ignore[call-overload,unused-ignore]
        with login(clerk) as client:
            client.execute("""INSERT INTO "Case" ("Subject") VALUES ('x')""")
            client.execute("""UPDATE "Case" SET "Subject" = 'y'""")
            client.execute('DELETE FROM "Case"')
            assert client.execute('SELECT "CaseNumber", "IsDeleted" FROM "Case"').fetchone() == ("00000001", True)
        with login(reader) as client:
            assert client.execute('SELECT count(*) FROM "Account"').fetchone() == (0,)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                client.execute("""INSERT INTO "Account" ("Name") VALUES ('x')""")
        for role in (clerk, reader):
            db.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")  # type: ignore[call-overload,unused-ignore]


@pytest.mark.skipif(not REAL.is_dir(), reason="the published projects are not beside the checkout")
@pytest.mark.parametrize("project", sorted(PROJECTS))
def test_a_published_project_goes_in_as_into_a_file(folder: Folder, project: str) -> None:
    """ORG-8, ORG-4: the same components, tables, records and findings in both stores."""
    documents = []
    for url in ("sqlite:acme.db", folder.url):
        folder.run("org", "create", url, "--name", "acme")
        found = [folder.json("org", "import", url, str(REAL / project))]
        if PROJECTS[project]:
            found.append(folder.json("org", "load", url, *(str(REAL / project / name) for name in PROJECTS[project])))
        found.append(folder.json("org", "describe", url))
        found += [folder.json("org", "describe", url, item["name"]) for item in found[-1]["objects"] if item["custom"]]
        documents.append(found)
    assert documents[0] == documents[1]
