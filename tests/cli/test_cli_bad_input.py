"""Bad input at the terminal: one clear line for each fault, exit code 1, and neither org is changed."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

import pytest
from program import CONNECTION, publication
from two_orgs import run_in, sql

_PROJECT = {
    "Loop__c": ("Back__c", "Other__c", "<required>true</required>"),
    "Other__c": ("Loop__c", "Loop__c", "<required>true</required>"),
}
_FIELDS = {
    "Rich__c": "<type>Html</type><length>1000</length>",
    "Sum__c": "<type>Number</type><precision>9</precision><scale>0</scale><formula>NumberOfEmployees + 1</formula>",
    "Number__c": "<type>AutoNumber</type><displayFormat>N-{0}</displayFormat>",
    "Place__c": "<type>Location</type><scale>5</scale>",
}


def digest(folder: Path) -> list[str]:
    """What stands in every table of both orgs."""
    found = []
    for store in ("acme", "acme-dr"):
        db = sqlite3.connect(folder / "orgs" / f"{store}.db")
        found.append(hashlib.sha256("\n".join(db.iterdump()).encode()).hexdigest())
        db.close()
    return found


def custom_field(name: str, body: str) -> str:
    """The source of a custom field."""
    return (
        f'<CustomField xmlns="http://soap.sforce.com/2006/04/metadata"><fullName>{name}</fullName>'
        f"<label>{name}</label>{body}</CustomField>"
    )


def custom_object(folder: Path, name: str, extra: str = "<deploymentStatus>Deployed</deploymentStatus>") -> Path:
    """Writes a custom object into a project; returns the folder of its fields."""
    fields = folder / "project" / "objects" / name / "fields"
    fields.mkdir(parents=True)
    (fields.parent / f"{name}.object-meta.xml").write_text(
        f'<CustomObject xmlns="http://soap.sforce.com/2006/04/metadata"><label>{name}</label>'
        f"<pluralLabel>{name}</pluralLabel><nameField><label>Name</label><type>Text</type></nameField>{extra}</CustomObject>"
    )
    return fields


def refused(folder: Path, *messages: str) -> None:
    """`plan` and `apply` say each of these once, as an error, and change nothing."""
    before = digest(folder)
    result = run_in(folder, "apply", "--yes")
    assert result.exit_code == 1, result.output
    for message in messages:
        assert len([line for line in result.stderr.splitlines() if message in line]) == 1, result.stderr
    assert len(result.stderr.splitlines()) == len(messages)
    assert "Traceback" not in result.output
    assert run_in(folder, "plan").exit_code == 1
    assert digest(folder) == before


def test_objects_that_do_not_exist_or_cannot_be_published(fresh: Path) -> None:
    """PUB-1, REC-8: each at its own line of the manifests."""
    (fresh / "manifests" / "account.yaml").write_text(publication("Acount"))
    (fresh / "manifests" / "contact.yaml").write_text(publication("User"))
    refused(
        fresh,
        "manifests/account.yaml:4:9: error E320: the primary has no object Acount; did you mean Account?",
        "manifests/contact.yaml:4:9: error E321: User cannot be published",
    )


@pytest.mark.parametrize(
    ("name", "extra", "reason"),
    [
        ("Draft__c", "<deploymentStatus>InDevelopment</deploymentStatus>", "is not deployed"),
        ("Option__c", "<customSettingsType>Hierarchy</customSettingsType>", "is a custom setting"),
        ("Type__mdt", "", "is a custom metadata type"),
        ("Event__e", "<deploymentStatus>Deployed</deploymentStatus>", "is a platform event"),
        ("Outside__x", "<externalDataSource>S</externalDataSource>", "is an external object"),
    ],
)
def test_custom_objects_that_cannot_be_published(fresh: Path, name: str, extra: str, reason: str) -> None:
    """PUB-1: only deployed custom objects that hold records of the org itself."""
    custom_object(fresh, name, extra)
    assert run_in(fresh, "org", "import", "acme", "project").exit_code == 0
    (fresh / "manifests" / "account.yaml").write_text(publication(name))
    refused(fresh, f"E321: {name} cannot be published: it {reason}")


def test_parents_that_are_missing_or_circular(fresh: Path) -> None:
    """PUB-6: a required parent that is not published, and required lookups in a circle, which is printed."""
    for name, (field, parent, extra) in _PROJECT.items():
        body = f"<type>Lookup</type><referenceTo>{parent}</referenceTo>{extra}"
        (custom_object(fresh, name) / f"{field}.field-meta.xml").write_text(custom_field(field, body))
    assert run_in(fresh, "org", "import", "acme", "project").exit_code == 0
    (fresh / "manifests" / "account.yaml").write_text(publication("Loop__c"))
    (fresh / "manifests" / "contact.yaml").write_text(publication("CaseComment"))
    refused(
        fresh,
        "E325: CaseComment.ParentId is required and points at Case, which is not published",
        "E325: Loop__c.Back__c is required and points at Other__c, which is not published",
    )
    (fresh / "manifests" / "contact.yaml").write_text(publication("Other__c"))
    refused(fresh, "Loop__c.Back__c → Other__c.Loop__c → Loop__c")


def test_fields_that_cannot_be_published(fresh: Path) -> None:
    """PUB-3: by type, each with what to do instead."""
    folder = fresh / "project" / "objects" / "Account" / "fields"
    folder.mkdir(parents=True)
    for name, body in _FIELDS.items():
        (folder / f"{name}.field-meta.xml").write_text(custom_field(name, body))
    assert run_in(fresh, "org", "import", "acme", "project").exit_code == 0
    names = ["Name", "CreatedDate", *_FIELDS]
    manifest = publication("Account").replace("fields: all", f"fields: {{include: [{', '.join(names)}]}}")
    (fresh / "manifests" / "account.yaml").write_text(manifest)
    refused(
        fresh,
        "Account.CreatedDate cannot be published: it is a system field; remove it; audit fields travel by themselves",
        "Account.Rich__c cannot be published: rich text areas do not sync; keep the text in a long text area",
        "Account.Sum__c cannot be published: formulas do not sync; publish the fields that the formula reads",
        "Account.Number__c cannot be published: auto-numbers do not sync, each org counts by itself; declare a mirror",
        "Account.Place__c cannot be published: geolocations do not sync; keep latitude and longitude in two number",
    )


def test_an_acting_user_without_permission(fresh: Path) -> None:
    """CON-4, CON-11: in either org, before anything is changed in the other."""
    sql(fresh, "acme-dr", "DELETE FROM orgsync_grant WHERE permission = 'ManageConnections'")
    refused(fresh, "E306: admin@acme.example.dr lacks ManageConnections in acme-dr")


def test_a_contact_without_email(fresh: Path) -> None:
    """CON-2: refused before an org is looked at."""
    (fresh / "manifests" / "connection.yaml").write_text(CONNECTION.replace("email: elise@acme.example, ", ""))
    before = digest(fresh)
    result = run_in(fresh, "apply", "--yes")
    assert result.exit_code == 1
    assert "error E126: the contact has no email" in result.stderr
    assert digest(fresh) == before


def test_orgs_of_different_edition_and_type(fresh: Path) -> None:
    """CON-8: both are said at once."""
    for path in (fresh / "orgs").glob("acme-dr.db*"):
        path.unlink()
    other = ("--edition", "unlimited", "--type", "sandbox", "--admin", "admin@acme.example.dr")
    assert run_in(fresh, "org", "create", "sqlite:orgs/acme-dr.db", "--name", "acme-dr", *other).exit_code == 0
    refused(fresh, "differ in org type: production and sandbox", "differ in edition: enterprise and unlimited")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no database at all, but long enough to be looked at" * 20, "is not an SQLite database"),
        (b"", "is a database, but not an org"),
    ],
)
@pytest.mark.parametrize("command", [("plan",), ("apply", "--yes"), ("drain",), ("status",), ("verify",)])
def test_stores_that_are_no_orgs(fresh: Path, command: tuple[str, ...], content: bytes, message: str) -> None:
    """ORG-1: every command says so in one line and leaves the file as it is."""
    for path in (fresh / "orgs").glob("acme-dr.db*"):
        path.unlink()
    (fresh / "orgs" / "acme-dr.db").write_bytes(content)
    result = run_in(fresh, *command)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: acme-dr: ")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert (fresh / "orgs" / "acme-dr.db").read_bytes() == content


def test_a_store_of_a_newer_version(fresh: Path) -> None:
    """ORG-1: a store that a newer program made is not touched."""
    sql(fresh, "acme-dr", "UPDATE orgsync_org SET store_version = 99")
    before = digest(fresh)
    result = run_in(fresh, "apply", "--yes")
    assert result.exit_code == 1
    assert result.stderr == "error: acme-dr: the store has version 99, this orgsync knows 1; upgrade orgsync\n"
    assert digest(fresh) == before


def records(*values: str) -> str:
    """An sObject tree of accounts with these further values."""
    rows = [
        f'{{"attributes": {{"type": "Account", "referenceId": "r{place}"}}, "Name": "N"{value}}}'
        for place, value in enumerate(values, 1)
    ]
    return f'{{"records": [{", ".join(rows)}]}}'


@pytest.mark.parametrize(
    ("tree", "messages"),
    [
        (records("", ', "ParentId": "@nobody"'), ["record 2 (r2): ParentId refers to @nobody"]),
        (records("", f', "Phone": "{"1" * 41}"'), ["record 2 (r2): STRING_TOO_LONG: Phone: 41 characters, at most 40"]),
        (
            records(', "Tier__c": "Gold"', ', "Tier__c": "Tin"'),
            ["record 2 (r2): INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST: Tier__c: 'Tin'"],
        ),
        (records(', "Key__c": "k"', ', "Key__c": "K"'), ["record 2 (r2): DUPLICATE_VALUE: Key__c"]),
    ],
)
def test_records_that_an_org_refuses(fresh: Path, tree: str, messages: list[str]) -> None:
    """ORG-4, ORG-8: which record, which field, why; the good ones stay out with it."""
    folder = fresh / "project" / "objects" / "Account" / "fields"
    folder.mkdir(parents=True)
    values = "".join(
        f"<value><fullName>{item}</fullName><default>false</default><label>{item}</label></value>"
        for item in ("Gold", "Silver")
    )
    tier = (
        "<type>Picklist</type><valueSet><restricted>true</restricted><valueSetDefinition><sorted>false</sorted>"
        f"{values}</valueSetDefinition></valueSet>"
    )
    (folder / "Tier__c.field-meta.xml").write_text(custom_field("Tier__c", tier))
    key = "<type>Text</type><length>10</length><unique>true</unique>"
    (folder / "Key__c.field-meta.xml").write_text(custom_field("Key__c", key))
    assert run_in(fresh, "org", "import", "acme", "project").exit_code == 0
    (fresh / "tree.json").write_text(tree)
    before = digest(fresh)
    result = run_in(fresh, "org", "load", "acme", "tree.json")
    assert result.exit_code == 1
    assert [line for line in result.stderr.splitlines() if line.startswith("error: tree.json: ")] == [
        line for line in result.stderr.splitlines() if any(message in line for message in messages)
    ]
    assert all(message in result.stderr for message in messages)
    assert digest(fresh) == before
