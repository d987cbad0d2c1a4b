"""Sending users to the secondary and back: target, banner, email, hook, history (RTE-1)."""

from __future__ import annotations

from pathlib import Path

import pytest
from failover_world import Door, Postbox, document, set_up, text_of
from two_orgs import must, run_in, sql

NOON = "2026-03-10T12:00:00Z"
LATER = "2026-03-10T15:00:00Z"
EVERYBODY = ["admin@acme.example", "ann@acme.example", "bob@acme.example"]


def routing(folder: Path, store: str) -> list[tuple[object, ...]]:
    return sql(folder, store, "SELECT serial, target, banner, unfinished FROM orgsync_failover")


def events(folder: Path, store: str) -> list[str]:
    rows = sql(folder, store, "SELECT event FROM orgsync_history WHERE event LIKE 'Failover%' ORDER BY number")
    return [str(row[0]) for row in rows]


def test_start_and_stop_are_known_in_both_orgs(work: Path) -> None:
    """RTE-1: the target, the banner in a table that the org's own programs can read, history with who did it."""
    set_up(work, "banner: You are in the secondary.\nintegrations: [{name: Web form, owner: web@acme.example}]\n")
    result = must(work, "failover", "start", "--yes", ORGSYNC_NOW=NOON)
    assert "Users are sent to acme-dr." in result.stdout
    assert "[ ] Web form: web@acme.example" in result.stdout
    for store in ("acme", "acme-dr"):
        assert [row[:3] for row in routing(work, store)] == [(1, "secondary", "You are in the secondary.")]
        assert events(work, store) == ["Failover Started"]
    status = document(work, "failover", "status")
    assert (status["target"], status["chosen"], status["since"]) == ("secondary", True, "2026-03-10T12:00:00.000Z")
    must(work, "failover", "stop", "--yes", ORGSYNC_NOW=LATER)
    for store in ("acme", "acme-dr"):
        assert [row[:3] for row in routing(work, store)] == [(2, "primary", "")]
        assert events(work, store) == ["Failover Started", "Failover Stopped"]
    assert document(work, "failover", "status")["target"] == "primary"


def test_again_changes_nothing(work: Path) -> None:
    """RTE-1: a switch that stands is said to stand."""
    must(work, "failover", "start", "--yes")
    assert "already sent to acme-dr" in must(work, "failover", "start", "--yes").stdout
    assert events(work, "acme") == ["Failover Started"]
    must(work, "failover", "stop", "--yes")
    assert "already sent to acme." in must(work, "failover", "stop", "--yes").stdout
    assert events(work, "acme-dr") == ["Failover Started", "Failover Stopped"]


@pytest.mark.parametrize("away", ["missing", "broken"])
def test_start_needs_only_the_secondary(work: Path, away: str) -> None:
    """RTE-1: the primary is away, which is what this is for; it learns of the switch with the next one."""
    path = work / "orgs" / "acme.db"
    kept = path.read_bytes()
    path.unlink() if away == "missing" else path.write_bytes(b"no database" * 500)
    result = must(work, "failover", "start", "--yes")
    assert "warning: acme: " in result.stderr
    assert "it was not told" in result.stderr
    status = document(work, "failover", "status")
    assert (status["target"], status["primary"]["behind"], status["secondary"]["behind"]) == ("secondary", None, 0)
    stopped = run_in(work, "failover", "stop", "--yes")
    assert (stopped.exit_code, "--force" in stopped.stderr) == (1, True)
    path.write_bytes(kept)
    assert routing(work, "acme") == []
    assert document(work, "failover", "status")["target"] == "secondary"
    must(work, "failover", "stop", "--yes")
    assert [row[:2] for row in routing(work, "acme")] == [(2, "primary")]
    kept = path.read_bytes()
    path.unlink()
    must(work, "failover", "start", "--yes")
    path.write_bytes(kept)
    assert [row[:2] for row in routing(work, "acme")] == [(2, "primary")]
    assert document(work, "failover", "status")["target"] == "secondary"


def test_nobody_is_sent_to_an_org_that_is_away(work: Path) -> None:
    """RTE-1: without the secondary there is nothing to start."""
    (work / "orgs" / "acme-dr.db").unlink()
    result = run_in(work, "failover", "start", "--yes")
    assert (result.exit_code, "users cannot be sent to an org that is away" in result.stderr) == (1, True)
    assert routing(work, "acme") == []


def test_stop_brings_the_changes_back_first(work: Path) -> None:
    """RTE-1: what users did in the secondary is in the primary before they are."""
    must(work, "failover", "start", "--yes")
    sql(work, "acme-dr", 'INSERT INTO "Account" ("Name") VALUES (\'Made there\')')
    must(work, "failover", "stop", "--yes")
    assert sql(work, "acme", 'SELECT count(*) FROM "Account" WHERE "Name" = \'Made there\'') == [(1,)]


def test_stop_refuses_while_changes_are_left(work: Path) -> None:
    """RTE-1: nothing is switched, the number is said, and --force goes on with a note in the history."""
    must(work, "failover", "start", "--yes")
    sql(work, "acme-dr", "INSERT INTO \"Account\" (\"Name\") VALUES ('Made there'), ('And this')")
    must(work, "suspend")
    result = run_in(work, "failover", "stop", "--yes")
    assert result.exit_code == 3
    assert "2 changes made in acme-dr have not arrived in acme" in result.stderr
    assert document(work, "failover", "status")["target"] == "secondary"
    must(work, "failover", "stop", "--yes", "--force")
    (detail,) = sql(work, "acme", "SELECT detail FROM orgsync_history WHERE event = 'Failover Stopped'")
    assert "while 2 changes of acme-dr had not arrived there" in detail[0]


def test_a_failure_from_before_does_not_hold_up_the_return(work: Path) -> None:
    """RTE-1: only what failed during the failover counts."""
    number = sql(work, "acme-dr", "SELECT number FROM orgsync_connection")[0][0]
    held = (
        "INSERT INTO orgsync_held (connection, record, object, op, queued_at, attempts, error_code, error)"
        " SELECT ?, ?, number, 'U', ?, 5, 'STRING_TOO_LONG', 'x' FROM orgsync_object WHERE name = 'Account'"
    )
    sql(work, "acme-dr", held, values=(number, "001xx0000000001AAA", 1_000_000_000_000))
    must(work, "failover", "start", "--yes", ORGSYNC_NOW=NOON)
    sql(work, "acme-dr", held, values=(number, "001xx0000000002AAA", 1_773_150_000_000))
    result = run_in(work, "failover", "stop", "--yes")
    assert (result.exit_code, "1 change made in acme-dr has" in result.stderr or "1 change made" in result.stderr) == (
        3,
        True,
    )
    sql(work, "acme-dr", "DELETE FROM orgsync_held WHERE record = '001xx0000000002AAA'")
    must(work, "failover", "stop", "--yes")


def test_one_way_is_warned_about(work: Path) -> None:
    """RTE-1: what is done in the secondary of a one-way connection stays there."""
    path = work / "manifests" / "acme.yaml"
    path.write_text(path.read_text().replace("direction: two-way", "direction: one-way"))
    must(work, "apply", "--yes", "--allow", "disconnect")
    must(work, "failover", "start", "--yes")
    assert (
        "acme-link is one-way: what users changed in acme-dr stays there"
        in must(work, "failover", "stop", "--yes").stderr
    )


def test_the_mass_email(work: Path, post: Postbox) -> None:
    """RTE-1: every active user of either org and the further addresses, once each; that logins differ is said."""
    set_up(work, "mail: {to: [ops@acme.example, ANN@acme.example]}\n", mail=post.port)
    result = must(work, "failover", "start", "--yes")
    assert post.recipients == sorted([*EVERYBODY, "ops@acme.example"])
    assert "4 emails sent" in result.stdout
    _, message = post.received[0]
    assert message["Subject"] == "Please work in acme-dr now"
    assert "https://dr.acme.example" in text_of(message)
    assert "your username ends in .dr" in text_of(message)
    assert "start of a failover to 4 addresses" in must(work, "history").stdout
    post.received.clear()
    must(work, "failover", "stop", "--yes")
    assert post.received[0][1]["Subject"] == "acme is back"
    assert len(post.received) == 4
    post.received.clear()
    must(work, "failover", "start", "--yes", "--no-mail")
    assert post.received == []


def test_users_by_profile_and_texts_of_ones_own(work: Path, post: Postbox) -> None:
    """RTE-1: a group by profile; the manifest's text with its placeholders, whose values are not looked at again."""
    set_up(
        work,
        "banner: '{to}'\nmail:\n  users: {profiles: [Standard User]}\n"
        '  start: {subject: "{primary} is away", body: "Go to {secondary_url}.\\nBanner: {banner}"}\n',
        mail=post.port,
    )
    must(work, "failover", "start", "--yes")
    ((address, message),) = post.received
    assert (address, message["Subject"]) == ("ann@acme.example", "acme is away")
    assert text_of(message).splitlines()[:2] == ["Go to https://dr.acme.example.", "Banner: {to}"]


def test_who_was_missed_is_told_by_the_next_run(work: Path, post: Postbox) -> None:
    """RTE-1: the switch stands whatever becomes of the email; again, it writes only to those who were missed."""
    set_up(work, "mail: {users: none, to: [ann@acme.example, nobody@acme.example]}\n", mail=post.port)
    result = run_in(work, "failover", "start", "--yes")
    assert result.exit_code == 5
    assert "there is no such mailbox" in result.stderr
    assert document(work, "failover", "status")["unfinished"]["mail"] == 1
    set_up(work, "mail: {users: none, to: [ann@acme.example]}\n", mail=1)
    assert run_in(work, "failover", "start", "--yes").exit_code == 5
    assert post.recipients == ["ann@acme.example"]
    sql(work, "acme-dr", "UPDATE orgsync_failover SET unfinished = replace(unfinished, 'nobody@', 'bob@')")
    sql(work, "acme", "DELETE FROM orgsync_failover")
    set_up(work, mail=post.port)
    must(work, "failover", "start", "--yes")
    assert post.recipients == ["ann@acme.example", "bob@acme.example"]
    assert document(work, "failover", "status")["unfinished"]["mail"] == 0


def test_without_mail_it_is_said_once(work: Path) -> None:
    """RTE-1: no Mail document, no email, and nobody waits for one."""
    set_up(work, "mail: {}\n")
    assert (
        "no email was sent: the manifests have no document of kind Mail"
        in must(work, "failover", "start", "--yes").stderr
    )
    assert "no email" not in must(work, "failover", "start", "--yes").stderr


def test_a_window_is_announced(work: Path, post: Postbox) -> None:
    """RTE-1: advance notice with the window and that logins differ; the same window again writes to nobody twice."""
    set_up(work, "mail: {users: none, to: [ann@acme.example]}\n", mail=post.port)
    window = ("--from", "2026-03-12T22:00", "--to", "2026-03-13T02:00+01:00")
    must(work, "failover", "announce", *window, "--yes", ORGSYNC_NOW=NOON)
    ((_, message),) = post.received
    assert message["Subject"] == "Please work in acme-dr from 2026-03-12 22:00 UTC"
    assert "from 2026-03-12 22:00 UTC to 2026-03-13 01:00 UTC" in text_of(message)
    assert "username ends in .dr" in text_of(message)
    status = document(work, "failover", "status")
    assert status["window"] == {"from": "2026-03-12T22:00:00.000Z", "to": "2026-03-13T01:00:00.000Z"}
    assert status["target"] == "primary"
    assert "announced before" in must(work, "failover", "announce", *window, "--yes", ORGSYNC_NOW=NOON).stdout
    assert len(post.received) == 1
    for bad in (("2026-03-12T22:00", "2026-03-12T21:00"), ("2026-03-01", "2026-03-02"), ("soon", "2026-03-20")):
        args = ("--from", bad[0], "--to", bad[1], "--yes")
        assert run_in(work, "failover", "announce", *args, ORGSYNC_NOW=NOON).exit_code == 64


def test_the_hook_of_single_sign_on(work: Path, primary_door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """RTE-1: it is told of both switches; its address is a secret that no message repeats."""
    monkeypatch.setenv("SSO_HOOK", f"{primary_door.url}/hook?token=hunter2")
    set_up(work, "sso_hook: {env: SSO_HOOK}\n")
    primary_door.status = 503
    result = run_in(work, "failover", "start", "--yes")
    assert result.exit_code == 5
    assert "failed: the SSO hook answered 503" in result.stderr
    assert "hunter2" not in result.output
    primary_door.status = 302
    assert "the SSO hook answered 302" in run_in(work, "failover", "start", "--yes").stderr
    primary_door.status = 204
    must(work, "failover", "start", "--yes")
    must(work, "failover", "start", "--yes")
    must(work, "failover", "stop", "--yes")
    assert [item["event"] for item in primary_door.posted] == ["failover-started"] * 3 + ["failover-stopped"]
    assert primary_door.posted[-1]["url"] == "https://login.acme.example"
    assert primary_door.paths == []
    monkeypatch.delenv("SSO_HOOK")
    assert "environment variable SSO_HOOK, which is not there" in run_in(work, "failover", "start", "--yes").stderr


def test_who_may_switch(work: Path) -> None:
    """RTE-1, CON-11: the acting user needs Manage Connections; without it nothing is changed anywhere."""
    sql(work, "acme", "DELETE FROM orgsync_grant WHERE permission = 'ManageConnections'")
    result = run_in(work, "failover", "start", "--yes")
    assert (result.exit_code, "lacks ManageConnections" in result.stderr) == (1, True)
    assert routing(work, "acme-dr") == []


def test_what_cannot_be_carried_out(work: Path) -> None:
    """RTE-1: nobody to ask, no document; a row that somebody has broken counts as none."""
    assert run_in(work, "failover", "start").exit_code == 64
    (work / "manifests" / "failover.yaml").unlink()
    result = run_in(work, "failover", "start", "--yes")
    assert (result.exit_code, "no document of kind Failover for acme-link" in result.stderr) == (64, True)
    set_up(work)
    sql(work, "acme", "INSERT INTO orgsync_failover VALUES ('acme-link', 7, 'moon', '', '', '', '', '', 'x')")
    assert document(work, "failover", "status")["target"] == "primary"
    must(work, "failover", "start", "--yes")
    assert document(work, "failover", "status")["target"] == "secondary"
