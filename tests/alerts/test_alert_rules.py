"""Rules on new log entries: what is told, to whom, how often, and what is flagged (LOG-3)."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path

import pytest
from mail_world import Postbox, set_up_mail, text_of
from two_orgs import must, run_in, sql
from web_world import Receiver, fail, refuse_nines, rules


def drain(folder: Path, now: str = "") -> str:
    result = run_in(folder, "drain", **({"ORGSYNC_NOW": now} if now else {}))
    assert result.exit_code in (0, 5), result.output
    return result.stderr


def notices(folder: Path, org: str = "acme") -> list[tuple[object, ...]]:
    return sql(folder, org, "SELECT channel, attempts, next_try IS NULL, error FROM orgsync_notice ORDER BY number")


@pytest.fixture
def failing(world: Path, post: Postbox) -> Path:
    """Two orgs, the secondary refuses some accounts, and there is mail."""
    refuse_nines(world)
    set_up_mail(world, post.port)
    return world


def test_a_new_entry_is_told_once_by_email_and_webhook(failing: Path, post: Postbox, hooks: Receiver) -> None:
    """LOG-3: with object, record, code and description; a further drain tells nothing; the history says whom it went to."""
    fail(failing, "old")
    drain(failing)
    rules(failing, f"event: log_entry, email: [ops@acme.example, owner, OPS@acme.example], webhook: '{hooks.url}'")
    drain(failing)
    assert (post.received, hooks.got) == ([], [])
    fail(failing, "Nine")
    for _ in range(3):
        drain(failing)
    assert sorted(to for to_all, _ in post.received for to in to_all) == ["admin@acme.example", "ops@acme.example"]
    (letter,) = post.to("ops@acme.example")
    assert letter["Subject"] == "acme-link: 1 new entry in the sync log of acme"
    assert "no nines here" in text_of(letter)
    assert "See: orgsync log list acme-link" in text_of(letter)
    ((path, headers, _),) = hooks.got
    (document,) = hooks.documents
    (entry,) = document["entries"]
    assert path == "/hook?token=hush"
    assert headers["Idempotency-Key"] == document["key"]
    assert (document["event"], document["org"], document["count"]) == ("log_entry", "acme", 1)
    assert (entry["object"], entry["status"]) == ("Account", "Retrying")
    assert "no nines here" in entry["description"]
    fail(failing, "Ten")
    drain(failing)
    assert [document["count"] for document in hooks.documents] == [1, 1]
    history = must(failing, "history").stdout
    assert "Notices to ops@acme.example, admin@acme.example, webhook of the rule log_entry-" in history


def test_a_threshold_counts_within_its_period_and_is_then_quiet(failing: Path, post: Postbox) -> None:
    """LOG-3: the guide's example: more than N new entries in 24 hours is one email, the next one a period later."""
    rules(failing, "event: log_entry, when: {more_than: 2, within: 24h}, email: [ops@acme.example]")
    drain(failing)
    fail(failing, "a", "b")
    drain(failing)
    assert post.received == []
    fail(failing, "c")
    drain(failing)
    fail(failing, "d", "e", "f", "g")
    drain(failing)
    assert [message["Subject"] for _, message in post.received] == ["acme-link: 3 new entries in the sync log of acme"]
    sql(failing, "acme", "UPDATE orgsync_rule SET told_at = told_at - 86400001")
    drain(failing)
    assert post.received[1][1]["Subject"] == "acme-link: 4 new entries in the sync log of acme"


def test_entries_of_an_earlier_period_do_not_count(failing: Path, post: Postbox) -> None:
    """LOG-3: what is older than the period is no longer new."""
    rules(failing, "event: log_entry, when: {more_than: 2, within: 1h}, email: [ops@acme.example]")
    drain(failing)
    fail(failing, "a", "b")
    drain(failing)
    sql(failing, "acme", 'UPDATE "PartnerNetworkSyncLog" SET "CreatedDate" = \'2020-01-01T00:00:00.000Z\'')
    fail(failing, "c", "d")
    drain(failing)
    assert post.received == []
    fail(failing, "e")
    drain(failing)
    assert [message["Subject"] for _, message in post.received] == ["acme-link: 3 new entries in the sync log of acme"]


def test_filters_choose_entries(failing: Path, hooks: Receiver) -> None:
    """LOG-3: by org, object, status and code, all of which must fit."""
    hook = f"webhook: '{hooks.url}'"
    rules(
        failing,
        f"name: yes, event: log_entry, where: {{org: primary, object: [Account], status: [Retrying]}}, {hook}",
        f"name: org, event: log_entry, where: {{org: secondary}}, {hook}",
        f"name: object, event: log_entry, where: {{object: [Contact]}}, {hook}",
        f"name: status, event: log_entry, where: {{status: [Failed, Warning]}}, {hook}",
        f"name: code, event: log_entry, where: {{code: [DUPLICATE_VALUE]}}, {hook}",
    )
    drain(failing)
    fail(failing, "Nine")
    drain(failing)
    assert [document["rule"] for document in hooks.documents] == ["yes"]


def test_texts_look_up_the_alert_and_the_values(failing: Path, post: Postbox, hooks: Receiver) -> None:
    """LOG-3: expressions as elsewhere, with the facts of the alert; a chat gets a text and no more."""
    (failing / "manifests" / "values.yaml").write_text("team: Harbour\n")
    rules(
        failing,
        "event: log_entry, email: [ops@acme.example], subject: '{{ values.team }}: {{ alert.count }} {{ alert.object | upper }}',"
        f" text: 'At {{{{ alert.org ~ \"!\" }}}}: {{{{ alert.description }}}}', webhook: {{url: '{hooks.url}', style: chat}}",
    )
    drain(failing)
    fail(failing, "Nine")
    drain(failing)
    (letter,) = post.to("ops@acme.example")
    assert letter["Subject"] == "Harbour: 1 ACCOUNT"
    assert text_of(letter).startswith("At acme!: ")
    (document,) = hooks.documents
    assert document.keys() == {"text"}
    assert document["text"].startswith("Harbour: 1 ACCOUNT\nAt acme!: ")


def test_hostile_values_stay_text(failing: Path, post: Postbox) -> None:
    """LOG-3: what stands in the log is neither evaluated nor markup nor a header."""
    rules(failing, "event: log_entry, email: [ops@acme.example], subject: '{{ alert.description }}'")
    drain(failing)
    sql(
        failing,
        "acme-dr",
        'CREATE TRIGGER evil BEFORE INSERT ON "Account" WHEN new."Phone" = \'999\' BEGIN'
        " SELECT raise(ABORT, '{{ 7*7 }}<script>\nBcc: spy@evil.example'); END",
    )
    fail(failing, "x")
    drain(failing)
    (letter,) = post.to("ops@acme.example")
    assert "{{ 7*7 }}" in letter["Subject"]
    assert letter["Bcc"] is None
    assert "<script>" not in text_of(letter, "html")


def test_a_webhook_is_signed_and_its_address_may_be_a_secret(
    failing: Path, hooks: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LOG-3: HMAC-SHA256 of the body in a header of choice; neither secret stands in the org."""
    rules(
        failing,
        "event: log_entry, webhook: {url: {env: ALERT_URL}, secret: {file: key.txt}, header: X-Hub-Signature-256}",
    )
    drain(failing)
    fail(failing, "Nine")
    assert "the environment variable ALERT_URL, which is not there" in drain(failing)
    monkeypatch.setenv("ALERT_URL", hooks.url)
    (failing / "key.txt").write_text("s3cret\n")
    sql(failing, "acme", "UPDATE orgsync_notice SET next_try = 0")
    assert "was not sent" not in drain(failing)
    ((_, headers, body),) = hooks.got
    assert headers["X-Hub-Signature-256"] == f"sha256={hmac.new(b's3cret', body, hashlib.sha256).hexdigest()}"
    stored = json.dumps(sql(failing, "acme", "SELECT * FROM orgsync_notice"))
    assert "hush" not in stored
    assert "s3cret" not in stored


def test_a_record_is_flagged_and_the_flag_travels_as_an_edit(failing: Path) -> None:
    """LOG-3: the guide's workflow: an ordinary write of the org, of the records concerned, once."""
    rules(failing, "event: log_entry, flag: {object: Account, field: Site, value: Needs review}")
    drain(failing)
    fail(failing, "Nine")
    sql(failing, "acme", 'INSERT INTO "Account" ("Name") VALUES (\'Fine\')')
    assert "was not set" not in drain(failing)
    flagged = 'SELECT "Name", "Site" FROM "Account" WHERE "Site" IS NOT NULL'
    assert sql(failing, "acme", flagged) == [("Nine", "Needs review")]
    sql(failing, "acme-dr", "DROP TRIGGER no_nines_INSERT")
    drain(failing, "2099-01-01T00:00:00Z")
    assert sql(failing, "acme-dr", flagged) == [("Nine", "Needs review")]


@pytest.mark.parametrize(
    ("flag", "why"),
    [
        ("object: Account, field: Nope__c", "there is no field Account.Nope__c"),
        ("object: Account, field: Site", "Account.Site is of type text and does not take True"),
        ("object: Account, field: NumberOfEmployees, value: many", "of type number and does not take"),
    ],
)
def test_a_flag_that_cannot_be_set_is_one_line(failing: Path, hooks: Receiver, flag: str, why: str) -> None:
    """LOG-3: the rest of the rule is carried out."""
    rules(failing, f"event: log_entry, flag: {{{flag}}}, webhook: '{hooks.url}'")
    drain(failing)
    fail(failing, "Nine")
    result = run_in(failing, "drain")
    assert why in result.stderr
    assert len(hooks.got) == 1


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("event: log_entry", "a notification that tells nobody"),
        ("event: drift, email: [a@b.example], when: {more_than: 1, within: 1h}", "when belong to the event log_entry"),
        ("event: log_entry, email: [suspender]", "suspender belongs to the event suspended"),
        ("event: log_entry, email: [a@b.example], text: '{{ alert.cuont }}'", "there is no alert.cuont"),
        ("event: log_entry, email: [a@b.example], text: '{{ alert.count() }}'", "is not accepted in an expression"),
        ("event: log_entry, email: [a@b.example], text: '{{ values.team }}'", "unknown value"),
        ("event: log_entry, webhook: 'ftp://acme.example/x'", "this is no web address"),
        ("event: log_entry, webhook: {style: chat}", "lacks the key `url`"),
        ("event: log_entry, webhook: {url: 'https://acme.example/', secret: plain}", "a secret in plain text"),
        ("event: log_entry, flag: {object: Account, field: Site, value: '{{ alert.code }}'}", "a flag's value"),
        ("event: log_entry, email: [a@b.example], where: {status: [Broken]}", "does not take"),
    ],
)
def test_rules_are_checked_with_their_place(world: Path, rule: str, why: str) -> None:
    """LOG-3, REC-8: before any org is touched."""
    rules(world, rule)
    result = run_in(world, "validate", "--format", "text")
    assert result.exit_code == 1
    assert why in result.stdout + result.stderr
