"""Loading good manifests: the whole contract example, defaults, places, order, and YAML 1.2 scalars."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Any

import pytest

from orgsync_reconcile import manifest
from orgsync_reconcile.errors import ManifestError
from orgsync_reconcile.model.connection import ConflictPolicy, ContactRef, Direction, SyncOptions
from orgsync_reconcile.model.desired import BulkSyncPlan, Desired, DesiredConnection, SecretRef
from orgsync_reconcile.model.diagnostic import Severity
from orgsync_reconcile.model.origin import Origin

ORGS = """\
version: 1
kind: Org
name: acme
store: sqlite:orgs/acme.db
admin: admin@acme.example
---
version: 1
kind: Org
name: spare
store: sqlite:orgs/spare.db
admin: admin@acme.example.dr
"""
CONNECTION = """\
version: 1
kind: Connection
name: acme-dr
primary: acme
secondary: spare
owner: admin@acme.example
contact: {first_name: Elise, last_name: Medina (secondary), email: elise@acme.example, account: Acme}
"""
EVERYTHING = """\
direction: one-way
state: suspended
sync:
  feeds_and_audit_fields: true
  metadata: {delete: true}
  users: {primary: true, secondary: false}
conflicts: latest-wins
retry: [1m, 5m, 2h]
bulk_sync: {auto: true, stages: [90d, 180d, 365d], max_age: none}
limits: {feed_file_bytes: 1000}
guards: {disconnect: 1, overwrite: 0.25}
drift: {metadata: report, settings: correct}
auto_numbers:
  - {object: Case, field: CaseNumber, mirror: Acme_Case_Number__c, secondary_format: "2-{00000000}"}
notify:
  - {event: log_entry, when: {more_than: 10, within: 24h}, email: [admin@acme.example], webhook: {env: HOOK}}
  - {event: suspended, every: 12h, email: [owner, suspender]}
"""


def load(folder: Path, environment: str | None = None, /, **texts: str) -> Desired:
    """Writes `name=text` as `name.yaml` below `folder` and loads them all."""
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return manifest.load(folder, base=folder, environment=environment)


def publication(object_name: str, rest: str = "") -> str:
    return f"version: 1\nkind: Publication\nconnection: acme-dr\nobject: {object_name}\n{rest}"


def test_minimal_connection_has_defaults(tmp_path: Path) -> None:
    """REC-8, CON-6: a minimal connection equals the model's defaults, which are the contract's."""
    desired = load(tmp_path, orgs=ORGS, connection=CONNECTION)
    connection = desired.connections["acme-dr"]
    assert connection == DesiredConnection(
        name="acme-dr",
        primary="acme",
        secondary="spare",
        owner="admin@acme.example",
        contact=ContactRef(
            first_name="Elise", last_name="Medina (secondary)", email="elise@acme.example", account="Acme"
        ),
        origin=Origin(file="connection.yaml"),
        origins=connection.origins,
    )
    assert desired.diagnostics == ()
    assert desired.environment is None


def test_every_connection_key(tmp_path: Path) -> None:
    """REC-8, CON-6, BLK-1, QUE-5, AUT-1, LOG-3, SUS-2, SUS-4, MET-4: each key reaches the desired state."""
    connection = load(tmp_path, orgs=ORGS, connection=CONNECTION + EVERYTHING).connections["acme-dr"]
    assert connection.direction is Direction.ONE_WAY
    assert connection.state == "suspended"
    assert connection.options == SyncOptions(
        feeds_and_audit_fields=True, metadata=True, users_primary=True, users_secondary=False
    )
    assert connection.metadata_delete
    assert connection.conflicts is ConflictPolicy.LATEST_WINS
    assert connection.retry == (60, 300, 7200)
    day = 86400
    assert connection.bulk_sync == BulkSyncPlan(auto=True, stages=(90 * day, 180 * day, 365 * day), max_age=None)
    assert connection.limits == {"feed_file_bytes": 1000}
    assert connection.guards == {"disconnect": 1.0, "overwrite": 0.25}
    assert connection.drift == {"metadata": "report", "settings": "correct"}
    mirror = connection.auto_numbers[0]
    assert (mirror.object, mirror.mirror, mirror.origin.line) == ("Case", "Acme_Case_Number__c", 21)
    assert connection.notify == (
        {
            "event": "log_entry",
            "when": {"more_than": 10, "within": day},
            "email": ["admin@acme.example"],
            "webhook": {"env": "HOOK"},
        },
        {"event": "suspended", "every": 43200, "email": ["owner", "suspender"]},
    )


@pytest.mark.parametrize(
    ("text", "metadata", "delete", "primary", "secondary"),
    [
        ("{metadata: false, users: false}", False, False, False, False),
        ("{metadata: true, users: true}", True, False, True, True),
        ("{metadata: {delete: false}, users: {primary: false}}", True, False, False, True),
    ],
)
def test_switches(tmp_path: Path, text: str, metadata: bool, delete: bool, primary: bool, secondary: bool) -> None:
    """CON-6, MET-4: metadata and users are switched as a whole or in detail."""
    connection = load(tmp_path, orgs=ORGS, connection=f"{CONNECTION}sync: {text}\n").connections["acme-dr"]
    assert connection.options == SyncOptions(metadata=metadata, users_primary=primary, users_secondary=secondary)
    assert connection.metadata_delete is delete


def test_places_of_keys(tmp_path: Path) -> None:
    """REC-8: a connection knows the place of each key, and its own for defaults."""
    connection = load(tmp_path, orgs=ORGS, connection=CONNECTION + EVERYTHING).connections["acme-dr"]
    assert str(connection.origin_of("owner")) == "connection.yaml:6:8"
    assert str(connection.origin_of("contact")) == "connection.yaml:7:1"
    assert str(connection.origin_of("contact.email")) == "connection.yaml:7:68"
    assert str(connection.origin_of("sync.feeds_and_audit_fields")) == "connection.yaml:11:27"
    assert str(connection.origin_of("limits.nothing")) == "connection.yaml:1:1"


def test_publication_fields(tmp_path: Path) -> None:
    """PUB-3, PUB-7, PUB-9, BLK-6, REC-8: which fields, in which direction, matched how, each name at its place."""
    desired = load(
        tmp_path,
        orgs=ORGS,
        connection=CONNECTION,
        account=publication("Account", "fields: {include: [Name, Phone]}\nmatch_on: Ext__c\nbackfill: true\n"),
        contact=publication("Contact", "fields:\n  exclude:\n    - Fax\ndirection: two-way\n"),
        lead=publication("Lead", "fields: all\n"),
    )
    account, contact, lead = desired.publications_of("acme-dr")
    assert (account.fields.mode, account.match_on, account.backfill) == ("include", "Ext__c", True)
    assert {name: str(place) for name, place in account.fields.names.items()} == {
        "Name": "account.yaml:5:20",
        "Phone": "account.yaml:5:26",
    }
    assert account.direction is None
    assert str(account.origins["match_on"]) == "account.yaml:6:11"
    assert (contact.fields.mode, contact.direction) == ("exclude", Direction.TWO_WAY)
    assert contact.fields.names == {"Fax": Origin(file="contact.yaml", line=7, column=7)}
    assert (lead.fields.mode, dict(lead.fields.names)) == ("all", {})


def test_mixed_directions_warn(tmp_path: Path) -> None:
    """PUB-7: a publication that goes another way than the others is a warning at its line, not an error."""
    desired = load(
        tmp_path,
        orgs=ORGS,
        connection=CONNECTION,
        account=publication("Account"),
        contact=publication("Contact", "direction: one-way\n"),
    )
    assert [item.one_line() for item in desired.diagnostics] == [
        "contact.yaml:5:12: warning W101: Contact goes one-way, while acme-dr is two-way; "
        "publish all objects of a connection in one direction"
    ]
    assert desired.diagnostics[0].severity is Severity.WARNING


def test_all_publications_in_another_direction_are_not_mixed(tmp_path: Path) -> None:
    """PUB-7: it is the mixture that is warned about."""
    desired = load(tmp_path, orgs=ORGS, connection=CONNECTION, account=publication("Account", "direction: one-way\n"))
    assert desired.diagnostics == ()


def test_metadata_and_further_kinds(tmp_path: Path) -> None:
    """MET-1, LOG-4, RTE-1: metadata patterns as tuples; mail, reports and failover as plain data with defaults."""
    desired = load(
        tmp_path,
        orgs=ORGS,
        connection=CONNECTION,
        metadata='version: 1\nkind: Metadata\nconnection: acme-dr\ninclude: [Role]\nexclude: ["Layout:A*"]\n',
        mail="version: 1\nkind: Mail\nhost: mail\nfrom: a@b.example\nuser: u\npassword: {file: pw}\n",
        report="version: 1\nkind: Report\nname: weekly\nconnection: acme-dr\nsince: 2w\n",
        failover="version: 1\nkind: Failover\nconnection: acme-dr\n"
        "primary_url: https://a.example\nsecondary_url: https://b.example\n",
    )
    assert desired.metadata["acme-dr"].include == ("Role",)
    assert desired.metadata["acme-dr"].exclude == ("Layout:A*",)
    mail = desired.others["Mail", "mail"]
    assert (mail["from"], mail["port"], mail["password"]) == ("a@b.example", 587, {"file": "pw"})
    assert desired.others["Report", "weekly"]["since"] == 14 * 86400
    assert desired.others["Failover", "acme-dr"]["check"] == {
        "primary": "/",
        "secondary": "/",
        "every": 30,
        "timeout": 5,
        "failures": 3,
        "successes": 2,
    }


def test_files_in_order_with_their_hashes(tmp_path: Path) -> None:
    """REC-1: the files that were read, by path, hidden files and other suffixes left out."""
    folder = tmp_path / "deep" / "manifests"
    (folder / "b" / "c").mkdir(parents=True)
    (folder / ".git").mkdir()
    (folder / "b" / "c" / "z.yml").write_text(ORGS, encoding="utf-8")
    (folder / "values.yaml").write_text("x: 1\n", encoding="utf-8")
    for name in (".hidden.yaml", ".git/a.yaml", "notes.txt"):
        (folder / name).write_text("[broken", encoding="utf-8")
    desired = manifest.load(folder, base=tmp_path)
    assert [item.path for item in desired.files] == ["deep/manifests/b/c/z.yml", "deep/manifests/values.yaml"]
    assert desired.files[0].sha256 == hashlib.sha256(ORGS.encode()).hexdigest()
    assert desired.orgs["acme"].origin == Origin(file="deep/manifests/b/c/z.yml")


def test_byte_order_mark_and_empty_documents(tmp_path: Path) -> None:
    """REC-8: what editors leave behind is no problem."""
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbf" + ORGS.encode() + b"---\n# nothing here\n---\n")
    (tmp_path / "empty.yaml").write_bytes(b"")
    assert sorted(manifest.load(tmp_path, base=tmp_path).orgs) == ["acme", "spare"]


SCALARS: list[tuple[str, Any]] = [
    ("no", "no"),
    ("On", "On"),
    ("12:30", "12:30"),
    ("0123", 123),
    ("0o17", 15),
    ("0x1F", 31),
    ("1_000", "1_000"),
    ("2026-01-01", "2026-01-01"),
    ("1e3", 1000.0),
    ("1e999", "1e999"),
    (".5", 0.5),
    (".inf", ".inf"),
    ("+7", 7),
    ("-", "-"),
    ("9" * 41, "9" * 41),
    ("TRUE", True),
    ("tRUE", "tRUE"),
    ("~", None),
    ("null", None),
    ('"true"', "true"),
    ("'5'", "5"),
    ("<<", "<<"),
    ("=", "="),
]


@pytest.mark.parametrize(("text", "value"), SCALARS, ids=lambda item: str(item)[:12])
def test_scalars_by_the_yaml_12_core_schema(tmp_path: Path, text: str, value: Any) -> None:
    """REC-8: only true, false, null and numbers are not text; shown through a value and a type error."""
    (tmp_path / "values.yaml").write_text(f"x: {text}\n", encoding="utf-8")
    (tmp_path / "a.yaml").write_text('version: 1\nkind: Org\nname: "{{ values.x }}"\n', encoding="utf-8")
    with pytest.raises(ManifestError) as caught:
        manifest.load(tmp_path, base=tmp_path)
    wrong_type = [item.message for item in caught.value.diagnostics if item.code == "E115"]
    words = {bool: "true or false", int: "a whole number", float: "a number", type(None): "nothing"}
    expected = [] if isinstance(value, str) else [f"`name` must be text, found {words[type(value)]}"]
    assert wrong_type == expected


def test_errors_of_several_files_come_together(tmp_path: Path) -> None:
    """REC-8: one broken file does not hide the problems of the others, nor make new ones."""
    with pytest.raises(ManifestError) as caught:
        load(
            tmp_path,
            a="version: 1\nkind: Org\nname: [\n",
            b=CONNECTION + "colour: red\n",
            c=publication("Account", "fields: {include: [Name], exclude: [Fax]}\n"),
        )
    assert [f"{item.origin} {item.code}" for item in caught.value.diagnostics] == [
        "a.yaml:4:1 E101",
        "b.yaml:8:1 E113",
        "c.yaml:5:9 E117",
    ]


def test_thousand_publications_load_quickly(tmp_path: Path) -> None:
    """REC-8: a thousand files take well below a second of processor time."""
    for number in range(1000):
        text = publication(f"Object_{number}__c", "fields:\n  exclude: [A__c, B__c]\nmatch_on: Ext__c\n")
        (tmp_path / f"{number}.yaml").write_text(text, encoding="utf-8")
    started = time.process_time()
    desired = load(tmp_path, orgs=ORGS, connection=CONNECTION)
    assert time.process_time() - started < 1.0
    assert len(desired.publications) == 1000


def test_store_references(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """REC-11: a secret stays a reference; the variable and the file it names are not read."""
    monkeypatch.setenv("ACME_STORE", "sqlite:leaked.db")
    (tmp_path / "secret").write_text("sqlite:leaked.db", encoding="utf-8")
    one = "version: 1\nkind: Org\nname: one\nstore: {env: ACME_STORE}\nadmin: a@b.example\n"
    two = "version: 1\nkind: Org\nname: two\nstore: {file: secret}\nadmin: a@b.example\nprotected: true\n"
    desired = load(tmp_path, one=one, two=two)
    assert desired.orgs["one"].store == SecretRef(source="env", name="ACME_STORE")
    assert desired.orgs["two"].store == SecretRef(source="file", name="secret")
    assert desired.orgs["two"].protected
    assert "leaked" not in repr(desired)
