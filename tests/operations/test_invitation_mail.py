"""The invitation at apply (CON-12) and the Map Update Email (PUB-8, QUE-2): sent, recorded, never in the way."""

from __future__ import annotations

import json
from pathlib import Path

from mail_world import Postbox, set_up_mail, text_of
from two_orgs import must, run_in, sql


def notifications(folder: Path) -> list[str]:
    """What the primary's history says of emails, newest first."""
    rows = sql(folder, "acme", "SELECT detail FROM orgsync_history WHERE event = 'Notification' ORDER BY number DESC")
    return [str(row[0]) for row in rows]


def resize(folder: Path, length: int) -> None:
    """Deploys Account.Rank__c with this length to the primary."""
    fields = folder / "project" / "objects" / "Account" / "fields"
    fields.mkdir(parents=True, exist_ok=True)
    (fields / "Rank__c.field-meta.xml").write_text(
        '<CustomField xmlns="http://soap.sforce.com/2006/04/metadata"><fullName>Rank__c</fullName>'
        f"<label>Rank</label><length>{length}</length><type>Text</type></CustomField>"
    )
    must(folder, "org", "import", "acme", "project")


def test_the_contact_is_invited_once(apart: Path, post: Postbox) -> None:
    """CON-12: to the contact's address, in the history, and not again by the next apply."""
    result = must(apart, "apply", "--yes")
    assert "email to elise@acme.example, 'acme invites you to the connection acme-link' was sent" in result.stderr
    (message,) = post.to("elise@acme.example")
    text = text_of(message)
    assert "Hello Elise Medina" in text
    assert "admin@acme.example has invited acme-dr to follow acme over the connection acme-link" in text
    assert "admin@acme.example.dr" in text_of(message, "html")
    assert notifications(apart) == ["Invitation to elise@acme.example"]
    must(apart, "apply", "--yes")
    assert len(post.received) == 1


def test_an_apply_does_not_depend_on_mail(apart: Path, post: Postbox) -> None:
    """CON-12: a mail server that is not there is one line; the orgs are connected, exit code 0, no history of it."""
    set_up_mail(apart, 1)
    result = must(apart, "apply", "--yes", "--format", "json")
    assert "was not sent: 127.0.0.1:1 cannot be reached: Connection refused" in result.stderr
    assert json.loads(result.stdout)["summary"]["failed"] == 0
    assert "No changes." in must(apart, "plan").stdout
    assert notifications(apart) == []


def test_without_mail_the_line_says_what_would_have_been_sent(apart: Path, post: Postbox) -> None:
    """CON-12: nothing is kept for later."""
    (apart / "manifests" / "mail.yaml").unlink()
    result = must(apart, "apply", "--yes")
    assert (
        "email to elise@acme.example, 'acme invites you to the connection acme-link' was not sent:"
        " the manifests have no document of kind Mail" in result.stderr
    )
    set_up_mail(apart, post.port)
    must(apart, "apply", "--yes")
    assert post.received == []


def test_a_contact_whose_mailbox_is_gone(apart: Path, post: Postbox) -> None:
    """CON-12: the server's refusal is said; a hostile answer cannot write to the terminal."""
    path = apart / "manifests" / "acme.yaml"
    path.write_text(path.read_text().replace("elise@acme.example", "nobody@acme.example"))
    result = must(apart, "apply", "--yes")
    assert "refused the recipient: 550 there is no such mailbox" in result.stderr


def test_a_drain_tells_of_fields_that_dropped_out(joined: Path, post: Postbox) -> None:
    """PUB-8, QUE-2: both administrators' address gets one Map Update Email with the field and the reason."""
    resize(joined, 10)
    must(joined, "apply", "--yes")
    assert post.received == []
    resize(joined, 20)
    result = must(joined, "drain")
    assert "Account.Rank__c is no longer subscribed" in result.stderr
    assert "email to" not in result.stderr
    (message,) = post.to("admin@acme.example")
    assert message["Subject"] == "Map Update: 1 field of acme-link no longer subscribed"
    assert "Account.Rank__c: changed in acme from text(10) to text(20)" in text_of(message)
    assert notifications(joined)[0] == "Map Update Email to admin@acme.example"
    must(joined, "drain")
    assert len(post.received) == 1


def test_a_drain_that_cannot_tell_goes_on(joined: Path, post: Postbox) -> None:
    """PUB-8, QUE-2: the line says so, and the records of the same drain arrive."""
    resize(joined, 10)
    must(joined, "apply", "--yes")
    resize(joined, 20)
    set_up_mail(joined, 1)
    sql(joined, "acme", 'UPDATE "Account" SET "Phone" = \'7\' WHERE "Name" = \'One\'')
    result = must(joined, "drain")
    assert "email to admin@acme.example, 'Map Update: 1 field" in result.stderr
    assert "cannot be reached" in result.stderr
    assert sql(joined, "acme-dr", 'SELECT "Phone" FROM "Account" WHERE "Name" = \'One\'') == [("7",)]


def test_an_apply_tells_of_fields_that_dropped_out(joined: Path, post: Postbox) -> None:
    """PUB-8, QUE-2: a field that the secondary resized by hand drops out when metadata is deployed."""
    resize(joined, 10)
    must(joined, "apply", "--yes")
    definition = joined / "project" / "objects" / "Account" / "fields" / "Rank__c.field-meta.xml"
    definition.write_text(definition.read_text().replace("<length>10<", "<length>15<"))
    must(joined, "org", "import", "acme-dr", "project")
    definition.unlink()
    other = definition.with_name("Other__c.field-meta.xml")
    other.write_text(
        '<CustomField xmlns="http://soap.sforce.com/2006/04/metadata"><fullName>Other__c</fullName>'
        "<label>Other</label><length>5</length><type>Text</type></CustomField>"
    )
    must(joined, "org", "import", "acme", "project")
    result = run_in(joined, "apply", "--yes", "--target", "acme-link/metadata/CustomField:Account.Other__c")
    assert result.exit_code == 0, result.output
    (message,) = post.to("admin@acme.example")
    assert "Account.Rank__c: changed in acme-dr to text(15), in acme it is text(10)" in text_of(message)
    assert (
        "email to admin@acme.example, 'Map Update: 1 field of acme-link no longer subscribed' was sent" in result.stderr
    )
