"""The commands that plan, connect and look, by the program, for a pair of orgs in either kind of store."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from postgres_server import Server

from orgsync_reconcile.cli.main import cli

MANIFESTS = """\
version: 1
kind: Org
name: acme
store: "{primary}"
admin: admin@acme.example
---
version: 1
kind: Org
name: acme-dr
store: "{secondary}"
admin: admin@acme.example.dr
---
version: 1
kind: Connection
name: link
primary: acme
secondary: acme-dr
owner: admin@acme.example
contact: {{first_name: Elise, last_name: Medina, email: elise@acme.example, account: Acme}}
direction: two-way
---
version: 1
kind: Publication
connection: link
object: Thing__c
"""
OBJECT = """<?xml version="1.0" encoding="UTF-8"?>
<CustomObject xmlns="http://soap.sforce.com/2006/04/metadata">
    <label>Thing</label><pluralLabel>Things</pluralLabel><deploymentStatus>Deployed</deploymentStatus>
    <nameField><label>Name</label><type>Text</type></nameField><sharingModel>ReadWrite</sharingModel>
    <fields><fullName>Rate__c</fullName><label>Rate</label><type>Number</type><precision>8</precision><scale>2</scale></fields>
    <fields><fullName>Code__c</fullName><label>Code</label><type>Text</type><length>20</length><externalId>true</externalId></fields>
</CustomObject>
"""


@pytest.fixture
def stores(store: str, request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """The addresses of two orgs that are not there yet."""
    if store == "sqlite":
        yield "sqlite:acme.db", "sqlite:acme-dr.db"
        return
    server: Server = request.getfixturevalue("postgres")
    url = server.database()
    yield f"{url}?schema=acme", f"{url}?schema=dr"
    server.drop(url)


def test_a_connection_from_plan_to_end(stores: tuple[str, str], tmp_path: Path) -> None:
    """CON-5, REC-1, REC-2, ORG-8, QUE-1: made, filled, planned, applied, looked at, suspended, resumed, ended."""
    primary, secondary = stores

    def run(*words: str) -> Result:
        result = CliRunner().invoke(cli, ["-C", str(tmp_path), *words])
        assert result.exit_code == 0, (words, result.output)
        return result

    def shown(*words: str) -> dict[str, object]:
        return dict(json.loads(run(*words, "--format", "json").stdout))

    run("org", "create", primary, "--name", "acme")
    run("org", "create", secondary, "--name", "acme-dr", "--admin", "admin@acme.example.dr")
    source = tmp_path / "project" / "objects"
    source.mkdir(parents=True)
    (source / "Thing__c.object").write_text(OBJECT)
    run("org", "import", primary, str(source.parent))
    (tmp_path / "Thing__c.csv").write_text("Name,Rate__c,Code__c\na,1.25,x\nb,2.5,X\n")
    run("org", "load", primary, str(tmp_path / "Thing__c.csv"))
    assert "Rate__c" in run("org", "describe", primary, "Thing__c").stdout
    assert "duplicate" in run("org", "check", primary).stdout
    shutil.rmtree(source.parent)
    manifests = tmp_path / "manifests"
    manifests.mkdir()
    (manifests / "all.yaml").write_text(MANIFESTS.format(primary=primary, secondary=secondary))
    assert "10 to create" in run("plan").stdout
    run("apply", "--yes")
    assert "No changes" in run("plan").stdout
    assert "Active" in run("status", "link").stdout
    run("suspend", "link")
    run("resume", "link")
    events = [row["event"] for row in shown("history", "link")["history"]]  # type: ignore[attr-defined]
    assert {"Connection Admin Suspended", "Connection Admin Resumed", "Publish", "Subscribe"} <= set(events)
    assert "Nothing waits" in run("queue", "list", "link").stdout
    assert "empty" in run("log", "list", "link").stdout
    assert "0 entries" in run("log", "report", "by-object").stdout
    run("drift")
    run("deactivate", "link", "--yes")
    assert "Inactive" in run("status", "link").stdout
