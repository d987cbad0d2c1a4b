"""`orgsync drift`: its documents and exit codes (REC-6, MET-5, SUS-4)."""

from __future__ import annotations

import json

from drifting_orgs import CONNECTION, Drifting, publication

SETTINGS = "UPDATE orgsync_connection SET settings = json_set(settings, '$.conflicts', 'latest-wins')"
ROLE = (
    "INSERT INTO orgsync_component (type, full_name, hash, synced_hash, content)"
    " VALUES ('Role', '{name}', '{hash}', '{synced}', '{{\"name\": \"{text}\"}}')"
)


def test_nothing_changed_by_hand(pair: Drifting) -> None:
    """REC-6: without drift the exit code is 0, also where Git has changes that nobody applied."""
    pair.write("contact.yaml", publication("Contact", "LastName, AccountId, Phone"))
    result = pair.run("drift", "--detailed-exitcode")
    assert result.exit_code == 0
    assert "Changed by Git, not applied yet:" in result.stdout
    assert result.stdout.splitlines()[-1] == (
        "No drift: nobody changed the orgs by hand. Apart from that, 4 changes by Git wait to be applied."
    )


def test_every_document(pair: Drifting) -> None:
    """REC-6, SUS-4, MET-5: text, JSON and Markdown tell the same; exit code 2 when asked; nothing is written."""
    pair.sql("acme", SETTINGS, ROLE.format(name="Sales", hash="old", synced="", text="ours"))
    pair.sql(
        "acme-dr",
        ROLE.format(name="Sales", hash="new", synced="old", text="theirs @team <!-- -->"),
        ROLE.format(name="Extra", hash="x", synced="", text="extra"),
    )
    pair.must("suspend", "--org", "secondary")
    pair.write("connection.yaml", CONNECTION + "retry: [5m]\n")
    before = [pair.sql(org, "SELECT revision FROM orgsync_org") for org in ("acme", "acme-dr")]
    text = pair.run("drift", "link", "--detailed-exitcode")
    assert text.exit_code == 2
    for part in (
        "put right by the next unattended run:\n  ? link/metadata/Role:Sales  Role:Sales was changed in acme-dr",
        '+ "name": "theirs @team <!-- -->"',
        "? link/connection  conflicts was changed in acme: primary-wins → latest-wins",
        "? link/connection/secondary  suspended by admin@acme.example.dr",
        "? link/metadata/Role:Extra",
        "~ link/connection  update-connection in acme (changed)  manifests/connection.yaml:9",
    ):
        assert part in text.stdout, part
    document = json.loads(pair.run("drift", "--format", "json").stdout)
    assert document["summary"] == {"by_hand": 3, "corrected": 1, "reported": 2, "added": 1, "by_git": 1}
    assert [item["address"] for item in document["added"]] == ["link/metadata/Role:Extra"]
    assert document["changes"][0]["source"]["file"] == "manifests/connection.yaml"
    comment = pair.run("drift", "--format", "markdown").stdout
    assert comment.startswith("<!-- orgsync:drift -->\n")
    assert comment.count("<!--") == 1
    assert [pair.sql(org, "SELECT revision FROM orgsync_org") for org in ("acme", "acme-dr")] == before


def test_a_huge_drift_fits_a_comment(pair: Drifting) -> None:
    """REC-9: below 65,536 bytes, with the number of what was left out."""
    pair.sql("acme-dr", *(ROLE.format(name=f"R{n}{'x' * 200}", hash="x", synced="", text="x") for n in range(400)))
    comment = pair.run("drift", "--format", "markdown").stdout
    assert len(comment.encode()) < 65_536
    assert "more: run `orgsync drift`" in comment and "400 made in the secondary" in comment


def test_an_unknown_connection(pair: Drifting) -> None:
    """REC-6: a usage error with the nearest name."""
    result = pair.run("drift", "lnk")
    assert result.exit_code == 64 and "did you mean link" in result.stderr
