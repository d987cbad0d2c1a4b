"""Logins of the secondary: one-time links, passwords, lock-out, all of them that org's own (USR-8)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from mail_world import Postbox, set_up_mail, text_of
from two_orgs import must, run_in, sql

from orgsync_reconcile.errors import PermissionDeniedError, UsageError
from orgsync_reconcile.operations import logins
from orgsync_reconcile.stores.sql.logins import settle_link
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sqlite.handle import open_org

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ANN, BOB = "ann@acme.example.dr", "bob@acme.example.dr"
PASSWORD = "correct horse 7"


def at(moment: datetime = NOW) -> logins.Clock:
    return lambda: moment


def reset(folder: Path, *args: str) -> None:
    must(folder, "users", "reset-passwords", "--yes", *args, ORGSYNC_NOW=NOW.isoformat())


def token_in(post: Postbox, address: str) -> str:
    """The token of the newest link that was sent to an address."""
    (found,) = re.findall(r"https://\S+", text_of(post.to(address)[-1]))
    return parse_qs(urlsplit(found).query)["token"][0]


@pytest.fixture
def secondary(joined: Path) -> Iterator[Org]:
    with open_org(joined / "orgs" / "acme-dr.db", label="acme-dr") as org:
        yield org


def set_up(joined: Path, post: Postbox, secondary: Org, address: str = "ann@acme.example") -> None:
    """A user with a password."""
    reset(joined)
    logins.set_password(secondary, logins.open_link(secondary, token_in(post, address), at()), PASSWORD, at())


def test_every_active_synced_user_gets_a_link(joined: Path, post: Postbox) -> None:
    """USR-8: to the user's own address, with the name in the secondary; inactive and unlinked users get none."""
    sql(
        joined,
        "acme-dr",
        'UPDATE "User" SET "IsActive" = 0 WHERE "Username" = \'bob@acme.example.dr\'',
        'INSERT INTO "User" ("Username", "LastName", "Email", "Alias", "CommunityNickname", "ProfileId")'
        " SELECT 'own@acme.example', 'Own', 'own@acme.example', 'own', 'own', \"ProfileId\" FROM \"User\" LIMIT 1",
    )
    result = must(joined, "users", "reset-passwords", "--yes", "--format", "json")
    users = json.loads(result.stdout)["users"]
    assert [(item["username"], item["sent"]) for item in users] == [("admin@acme.example.dr", True), (ANN, True)]
    assert sorted(to for recipients, _ in post.received for to in recipients) == [
        "admin@acme.example",
        "ann@acme.example",
    ]
    (message,) = post.to("ann@acme.example")
    assert ANN in text_of(message)
    assert "https://dr.acme.example/set-password?token=" in text_of(message)


def test_named_users_and_unknown_ones(joined: Path, post: Postbox) -> None:
    """USR-8: by the name in either org; all unknown names at once, and then nobody gets anything."""
    reset(joined, "--user", "Bob@acme.example", "--user", ANN)
    assert sorted(to for recipients, _ in post.received for to in recipients) == [
        "ann@acme.example",
        "bob@home.example",
    ]
    result = run_in(joined, "users", "reset-passwords", "--yes", "--user", "x@y.z", "--user", ANN, "--user", "q@y.z")
    assert result.exit_code == 64
    assert "no active synced user: x@y.z, q@y.z" in result.stderr
    assert len(post.received) == 2


def test_it_asks_first(joined: Path, post: Postbox) -> None:
    """USR-8: without a terminal and --yes nothing happens."""
    result = run_in(joined, "users", "reset-passwords")
    assert result.exit_code == 64
    assert "run it with --yes" in result.stderr
    assert post.received == []


def test_a_link_works_once_and_sets_a_password_once(joined: Path, post: Postbox, secondary: Org) -> None:
    """USR-8: open, set, log in; the link and the ticket are spent."""
    reset(joined)
    token = token_in(post, "ann@acme.example")
    with pytest.raises(PermissionDeniedError, match="set your password first"):
        logins.log_in(secondary, ANN, PASSWORD, at())
    ticket = logins.open_link(secondary, token, at())
    with pytest.raises(UsageError, match="8 to 1024"):
        logins.set_password(secondary, ticket, "short1", at())
    with pytest.raises(UsageError, match="letters alone"):
        logins.set_password(secondary, ticket, "abcdefghij", at())
    with pytest.raises(UsageError, match="is the username"):
        logins.set_password(secondary, ticket, "ann@acme.example", at())
    assert logins.set_password(secondary, ticket, PASSWORD, at()) == ANN
    (user,) = sql(joined, "acme-dr", f'SELECT "Id" FROM "User" WHERE "Username" = \'{ANN}\'')
    assert logins.log_in(secondary, "ANN@acme.example.dr", PASSWORD, at()) == user[0]
    with pytest.raises(PermissionDeniedError, match="time to set the password is over"):
        logins.set_password(secondary, ticket, "another pass 8", at())
    with pytest.raises(PermissionDeniedError, match="opened before"):
        logins.open_link(secondary, token, at())
    with pytest.raises(PermissionDeniedError, match="nobody has this link"):
        logins.open_link(secondary, token[:-1], at())


def test_a_link_that_was_opened_without_setting_one_is_spent(joined: Path, post: Postbox, secondary: Org) -> None:
    """USR-8: after an hour the ticket is void; only another reset helps."""
    reset(joined)
    ticket = logins.open_link(secondary, token_in(post, "ann@acme.example"), at())
    with pytest.raises(PermissionDeniedError, match="reset-passwords"):
        logins.set_password(secondary, ticket, PASSWORD, at(NOW + timedelta(hours=1)))
    with pytest.raises(PermissionDeniedError, match="opened before"):
        logins.open_link(secondary, token_in(post, "ann@acme.example"), at(NOW + timedelta(hours=1)))
    reset(joined, "--user", ANN)
    again = logins.open_link(secondary, token_in(post, "ann@acme.example"), at())
    assert logins.set_password(secondary, again, PASSWORD, at()) == ANN


def test_links_last_six_months(joined: Path, post: Postbox, secondary: Org) -> None:
    """USR-8: 183 days, not a moment longer."""
    reset(joined)
    end = NOW + timedelta(days=183)
    with pytest.raises(PermissionDeniedError, match="expired"):
        logins.open_link(secondary, token_in(post, "ann@acme.example"), at(end))
    assert logins.open_link(secondary, token_in(post, "ann@acme.example"), at(end - timedelta(seconds=1)))
    assert "2026-08-31" in text_of(post.to("ann@acme.example")[0])


def test_two_readers_of_one_link(joined: Path, post: Postbox, secondary: Org) -> None:
    """USR-8: only one of many at once opens it."""
    reset(joined)
    token = token_in(post, "ann@acme.example")

    def attempt(_: int) -> bool:
        with open_org(secondary.path) as own:
            try:
                return bool(logins.open_link(own, token, at()))
            except PermissionDeniedError:
                return False

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(attempt, range(6))) == 1


def test_one_ticket_sets_one_password(joined: Path, post: Postbox, secondary: Org) -> None:
    """USR-8: of many at once one sets it, and that one is the password."""
    reset(joined)
    ticket = logins.open_link(secondary, token_in(post, "ann@acme.example"), at())

    def choose(number: int) -> bool:
        with open_org(secondary.path) as own:
            try:
                return bool(logins.set_password(own, ticket, f"{PASSWORD}{number}", at()))
            except PermissionDeniedError:
                return False

    with ThreadPoolExecutor(4) as pool:
        won = list(pool.map(choose, range(4)))
    assert sum(won) == 1
    assert logins.log_in(secondary, ANN, f"{PASSWORD}{won.index(True)}", at())


def test_a_link_that_is_used_before_all_emails_are_out(joined: Path, post: Postbox, secondary: Org) -> None:
    """USR-8: what the user has set by then stands."""
    reset(joined)
    first = sql(
        joined,
        "acme-dr",
        f'SELECT l.user_id, l.link FROM orgsync_login AS l JOIN "User" AS u ON u."Id" = l.user_id WHERE u."Username" = \'{ANN}\'',
    )
    logins.set_password(
        secondary, logins.open_link(secondary, token_in(post, "ann@acme.example"), at()), PASSWORD, at()
    )
    settle_link(secondary, *first[0], sent=True)
    assert logins.log_in(secondary, ANN, PASSWORD, at())


def test_a_reset_of_a_connection_that_ended_reaches_nobody(joined: Path, post: Postbox) -> None:
    """USR-8: users whose links are disconnected are no synced users."""
    must(joined, "deactivate", "--yes")
    assert must(joined, "users", "reset-passwords", "--yes").stdout == "acme-dr: 0 links sent\n"
    assert post.received == []


def test_ten_failures_lock_out_of_this_org_alone(joined: Path, post: Postbox, secondary: Org) -> None:
    """USR-8: the right password no longer helps; nothing of it reaches the other org; a reset unlocks."""
    set_up(joined, post, secondary)
    for _ in range(9):
        with pytest.raises(PermissionDeniedError, match="is wrong"):
            logins.log_in(secondary, ANN, "wrong", at())
    assert logins.log_in(secondary, ANN, PASSWORD, at())
    for _ in range(10):
        with pytest.raises(PermissionDeniedError, match="is wrong"):
            logins.log_in(secondary, ANN, "wrong", at())
    with pytest.raises(PermissionDeniedError, match="locked out after 10"):
        logins.log_in(secondary, ANN, PASSWORD, at())
    assert "Nothing waits to be sent." in must(joined, "queue", "list").stdout
    must(joined, "drain")
    assert sql(joined, "acme", "SELECT count(*) FROM orgsync_login") == [(0,)]
    assert sql(joined, "acme", 'SELECT "IsActive" FROM "User" WHERE "Username" = \'ann@acme.example\'') == [(1,)]
    reset(joined, "--user", ANN)
    ticket = logins.open_link(secondary, token_in(post, "ann@acme.example"), at())
    logins.set_password(secondary, ticket, "a new one 9", at())
    assert logins.log_in(secondary, ANN, "a new one 9", at())


def test_guesses_at_once_are_no_more_than_guesses_in_turn(joined: Path, post: Postbox, secondary: Org) -> None:
    """USR-8: an attempt is counted before it is checked."""
    set_up(joined, post, secondary)

    def guess(_: int) -> bool:
        with open_org(secondary.path) as own:
            try:
                logins.log_in(own, ANN, "wrong", at())
            except PermissionDeniedError as error:
                return "locked out" not in str(error)
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(guess, range(14))) == 10


def test_a_reset_voids_the_old_password(joined: Path, post: Postbox, secondary: Org) -> None:
    """USR-8: from the moment the email is on its way; an inactive user cannot log in either."""
    set_up(joined, post, secondary)
    assert logins.log_in(secondary, ANN, PASSWORD, at())
    reset(joined, "--user", ANN)
    with pytest.raises(PermissionDeniedError, match="is wrong"):
        logins.log_in(secondary, ANN, PASSWORD, at())
    token = token_in(post, "ann@acme.example")
    sql(joined, "acme-dr", f'UPDATE "User" SET "IsActive" = 0 WHERE "Username" = \'{ANN}\'')
    with pytest.raises(PermissionDeniedError, match="nobody has this link"):
        logins.open_link(secondary, token, at())


def test_an_email_that_is_not_sent_changes_nothing(joined: Path, post: Postbox, secondary: Org) -> None:
    """USR-8: that user keeps the password, the others get their link, exit code 5."""
    set_up(joined, post, secondary)
    sql(joined, "acme-dr", f'UPDATE "User" SET "Email" = \'nobody@acme.example\' WHERE "Username" = \'{ANN}\'')
    result = run_in(joined, "users", "reset-passwords", "--yes", "--format", "json")
    assert result.exit_code == 5
    users = {item["username"]: item for item in json.loads(result.stdout)["users"]}
    assert (users[ANN]["sent"], users[BOB]["sent"]) == (False, True)
    assert "550 there is no such mailbox" in users[ANN]["error"]
    assert logins.log_in(secondary, ANN, PASSWORD, at())


def test_without_mail_nothing_is_reset(joined: Path, post: Postbox, secondary: Org) -> None:
    """USR-8: the message says who would have got an email; passwords stand."""
    set_up(joined, post, secondary)
    (joined / "manifests" / "mail.yaml").unlink()
    result = run_in(joined, "users", "reset-passwords", "--yes")
    assert result.exit_code == 1
    assert (
        "no password was reset: 3 emails would have gone out, to admin@acme.example, ann@acme.example" in result.stderr
    )
    assert "no document of kind Mail" in result.stderr
    assert logins.log_in(secondary, ANN, PASSWORD, at())


def test_a_dead_mail_server_resets_nothing(joined: Path, post: Postbox, secondary: Org) -> None:
    """USR-8: exit code 1, and the login stands."""
    set_up(joined, post, secondary)
    set_up_mail(joined, 1)
    result = run_in(joined, "users", "reset-passwords", "--yes")
    assert result.exit_code == 1
    assert "error: no password was reset; mend the mail server's settings" in result.stderr
    assert logins.log_in(secondary, ANN, PASSWORD, at())


def test_where_the_links_lead(joined: Path, post: Postbox) -> None:
    """USR-8: a Failover document's secondary goes before the Mail document's login_url; one of them is needed."""
    (joined / "manifests" / "failover.yaml").write_text(
        "version: 1\nkind: Failover\nconnection: acme-link\nprimary_url: https://acme.example\n"
        "secondary_url: https://standby.acme.example/login\n"
    )
    reset(joined, "--user", ANN)
    assert "https://standby.acme.example/login/set-password?token=" in text_of(post.to("ann@acme.example")[0])
    (joined / "manifests" / "failover.yaml").unlink()
    text = (joined / "manifests" / "mail.yaml").read_text()
    (joined / "manifests" / "mail.yaml").write_text(re.sub("login_url.*\n", "", text))
    result = run_in(joined, "users", "reset-passwords", "--yes")
    assert result.exit_code == 1
    assert "set secondary_url in a document of kind Failover, or login_url in the one of kind Mail" in result.stderr


def test_the_administrator_needs_to_manage_users(joined: Path, post: Postbox) -> None:
    """USR-8: without Manage Users nothing is sent."""
    sql(joined, "acme-dr", "DELETE FROM orgsync_grant WHERE permission = 'ManageUsers'")
    result = run_in(joined, "users", "reset-passwords", "--yes")
    assert result.exit_code == 1
    assert "lacks ManageUsers" in result.stderr
    assert post.received == []


def test_secrets_stand_nowhere(joined: Path, post: Postbox, secondary: Org) -> None:
    """USR-8: neither token nor ticket nor password is in the org's file, its history, or what the program prints."""
    result = must(joined, "users", "reset-passwords", "--yes", "--format", "json", "-v")
    token = token_in(post, "ann@acme.example")
    ticket = logins.open_link(secondary, token, at())
    logins.set_password(secondary, ticket, PASSWORD, at())
    history = must(joined, "history", "--format", "json")
    assert "password links to 3 users" in history.stdout
    stored = "\n".join(secondary.db.iterdump())
    assert "scrypt$" in stored
    for secret in (token, ticket, PASSWORD):
        assert secret not in stored + result.output + history.output
    assert sql(joined, "acme-dr", "SELECT count(DISTINCT link) FROM orgsync_login") == [(3,)]
    assert len(token) >= 43
