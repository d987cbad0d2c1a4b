"""What `org import` does with a project that is not sound: one line per file, and nothing changed unless asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from two_orgs import run_in, sql

_XMLNS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
_BROKEN = "<CustomField"
_ENTITY = (
    '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    f"<CustomField {_XMLNS}><fullName>Bad__c</fullName><label>&e;</label><type>Date</type></CustomField>"
)
_UNKNOWN_TYPE = f"<CustomField {_XMLNS}><fullName>Bad__c</fullName><label>B</label><type>Quux</type></CustomField>"
_NO_PARENT = (
    f"<CustomField {_XMLNS}><fullName>Bad__c</fullName><label>B</label><type>Lookup</type>"
    "<referenceTo>Nope__c</referenceTo></CustomField>"
)


@pytest.fixture
def fields(fresh: Path) -> Path:
    """The folder of a project's Account fields, with a sound one in it."""
    folder = fresh / "project" / "objects" / "Account" / "fields"
    folder.mkdir(parents=True)
    (folder / "Fine__c.field-meta.xml").write_text(
        f"<CustomField {_XMLNS}><fullName>Fine__c</fullName><label>Fine</label><type>Date</type></CustomField>"
    )
    return folder


def contents(folder: Path) -> list[tuple[object, ...]]:
    """All that an import can change in the primary: its revision, schema and components."""
    return [
        *sql(folder, "acme", "SELECT revision FROM orgsync_org"),
        *sql(folder, "acme", "SELECT name, sql FROM sqlite_master ORDER BY name"),
        *sql(folder, "acme", "SELECT type, full_name, hash FROM orgsync_component ORDER BY 1, 2"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (_BROKEN, "objects/Account/fields/Bad__c.field-meta.xml:1: malformed XML"),
        (_ENTITY, "objects/Account/fields/Bad__c.field-meta.xml:1: document type and entity declarations are refused"),
        (_UNKNOWN_TYPE, "CustomField:Account.Bad__c: unknown field type Quux"),
        (_NO_PARENT, "the org has no object Nope__c"),
    ],
)
def test_a_bad_file_keeps_the_project_out(fresh: Path, fields: Path, text: str, message: str) -> None:
    """ORG-8: malformed XML, entities, and fields that no org can have: one line each, exit code 1, nothing changed."""
    (fields / "Bad__c.field-meta.xml").write_text(text)
    before = contents(fresh)
    result = run_in(fresh, "org", "import", "acme", "project")
    assert result.exit_code == 1
    assert [line for line in result.stderr.splitlines() if message in line] == [
        line for line in result.stderr.splitlines() if line.startswith("error: ")
    ]
    assert "root:" not in result.output
    assert contents(fresh) == before


def test_a_link_out_of_the_project_keeps_it_out(fresh: Path, fields: Path) -> None:
    """ORG-8: a file outside of the folder is never read."""
    (fresh / "elsewhere.xml").write_text((fields / "Fine__c.field-meta.xml").read_text().replace("Fine__c", "Far__c"))
    (fields / "Far__c.field-meta.xml").symlink_to(fresh / "elsewhere.xml")
    before = contents(fresh)
    result = run_in(fresh, "org", "import", "acme", "project")
    assert result.exit_code == 1
    assert "Far__c.field-meta.xml: the link leads out of the project's folder" in result.stderr
    assert contents(fresh) == before


def test_the_rest_of_a_project_on_request(fresh: Path, fields: Path) -> None:
    """ORG-8: with --keep-going all bad parts are named and the others deployed, exit code 5."""
    (fields / "Bad__c.field-meta.xml").write_text(_UNKNOWN_TYPE)
    (fields / "Broken__c.field-meta.xml").write_text(_BROKEN)
    result = run_in(fresh, "org", "import", "acme", "project", "--keep-going", "--format", "json")
    assert result.exit_code == 5
    document = json.loads(result.stdout)
    assert document["deployed"] == {"CustomField": 1}
    assert [item["component"] for item in document["failures"]] == ["CustomField:Account.Bad__c"]
    assert [item["line"] for item in document["problems"]] == [1]
    assert "Fine__c" in run_in(fresh, "org", "describe", "acme", "Account").stdout
    (fields / "Bad__c.field-meta.xml").unlink()
    (fields / "Broken__c.field-meta.xml").unlink()
    assert run_in(fresh, "org", "import", "acme", "project").exit_code == 0
