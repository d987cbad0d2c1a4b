"""Exit codes: what a caller can rely on, for every code of the contract."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from program import process, publication
from two_orgs import run_in, sql

from orgsync_reconcile.clock import system_clock
from orgsync_reconcile.stores.sql.leases import acquire, apply_lease
from orgsync_reconcile.stores.urls import open_store


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["pln"], "there is no command 'pln', did you mean plan"),
        (["plan", "--nope"], "no such option"),
        (["bulk-sync", "--limit", "0"], "--limit"),
        (["bulk-sync", "--since", "yesterday"], "neither a date such as 2026-01-31 nor an age such as 90d"),
        (["apply", "--allow", "everything"], "there is no guard 'everything'"),
        (["plan", "--allow", "disconnect=lots"], "neither a share"),
        (["schema", "--format", "text"], "json"),
        (["--format", "markdown", "lock", "show"], "this command has no markdown format; choose one of: text, json"),
        (["drain", "acme-lnk"], "did you mean acme-link?"),
        (["drain", "--follow", "--max", "3"], "choose one of them"),
        (["apply", "plan.json", "--target", "a"], "a saved plan has its own"),
        (["org", "create", "redis:x", "--name", "x"], "not a store's address"),
        (["org", "create", "sqlite:x.db", "--name", "x", "--license", "many"], "not a licence and a number"),
        (["org", "create", "sqlite:x.db", "--name", "x", "--edition", "gold"], "unknown edition 'gold'"),
        (["org", "describe", "acme", "Acount"], "did you mean Account?"),
        (["org", "load", "acme", "missing.csv"], "missing.csv"),
        (["org", "import", "acme", "missing"], "no such folder"),
        (["show", "missing.json"], "the plan cannot be read"),
    ],
)
def test_usage_errors_exit_64_with_one_line(two_orgs: Path, args: list[str], message: str) -> None:
    """REC-8: a command line that cannot be carried out is one line on standard error and exit code 64."""
    result = run_in(two_orgs, *args)
    assert result.exit_code == 64, result.output
    assert message in result.stderr
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_no_arguments_show_the_help_as_a_usage_error() -> None:
    """REC-8: the bare program shows its help on standard error and exits with 64."""
    result = subprocess.run([sys.executable, "-m", "orgsync_reconcile"], capture_output=True, text=True, check=False)
    assert result.returncode == 64
    assert result.stdout == ""
    assert "orgsync demo" in result.stderr


def test_dir_must_exist(tmp_path: Path) -> None:
    """REC-8: --dir names a folder that exists."""
    result = run_in(tmp_path / "nowhere", "plan")
    assert result.exit_code == 64
    assert "name an existing folder" in result.stderr


def test_manifest_errors_exit_1_all_at_once(tmp_path: Path) -> None:
    """REC-8: every problem with its place, nothing on standard output, before any org is looked for."""
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "a.yaml").write_text("version: 1\nkind: Orgg\nname: a\n")
    (tmp_path / "manifests" / "b.yaml").write_text("version: 1\nkind: Org\nname: a\nstoer: sqlite:a.db\n")
    for command in ("validate", "plan", "apply"):
        result = run_in(tmp_path, command)
        assert result.exit_code == 1
        assert result.stdout == ""
        assert "manifests/a.yaml:2:7: error" in result.stderr
        assert "manifests/b.yaml:4:" in result.stderr
        assert "problems in the manifests; no org was touched" in result.stderr


def test_missing_orgs_exit_1_with_the_commands_that_make_them(tmp_path: Path) -> None:
    """REC-1: planning without orgs is one clear line for all of them, and makes none; what it names makes them."""
    assert run_in(tmp_path, "init").exit_code == 0
    result = run_in(tmp_path, "plan")
    assert result.exit_code == 1
    first = "orgsync org create sqlite:orgs/acme.db --name acme --admin admin@acme.example"
    second = "orgsync org create sqlite:orgs/acme-secondary.db --name acme-secondary --admin admin@acme.example.dr"
    assert result.stderr == (
        "error: acme, acme-secondary: there is no org at orgs/acme.db or orgs/acme-secondary.db;"
        f" make them with: {first} && {second}\n"
    )
    assert run_in(tmp_path, "org", "describe", "acme").stderr == (
        f"error: acme: there is no org at orgs/acme.db; make it with: {first}\n"
    )
    assert not (tmp_path / "orgs").exists()
    assert run_in(tmp_path, *first.split()[1:]).exit_code == 0
    assert run_in(tmp_path, "plan").stderr == (
        f"error: acme-secondary: there is no org at orgs/acme-secondary.db; make it with: {second}\n"
    )
    assert run_in(tmp_path, *second.split()[1:]).exit_code == 0
    assert run_in(tmp_path, "plan").exit_code == 0


def test_detailed_exit_code_2_on_changes_and_0_without(fresh: Path) -> None:
    """REC-1, REC-2: plan --detailed-exitcode is 2 before apply and 0 after it."""
    assert run_in(fresh, "plan").exit_code == 0
    assert run_in(fresh, "plan", "--detailed-exitcode").exit_code == 2
    assert run_in(fresh, "apply", "--yes").exit_code == 0
    assert run_in(fresh, "plan", "--detailed-exitcode").exit_code == 0


def test_detailed_exit_code_2_on_a_difference(connected: Path) -> None:
    """VER-1: verify exits with 2 on a difference, when asked to."""
    assert run_in(connected, "verify", "--detailed-exitcode").exit_code == 0
    sql(connected, "acme", 'UPDATE "Account" SET "Phone" = \'1\' WHERE "Name" = \'Two\'')
    assert run_in(connected, "verify").exit_code == 0
    result = run_in(connected, "verify", "--detailed-exitcode")
    assert result.exit_code == 2
    assert "Phone" in result.stdout


def test_a_guard_refuses_with_3_until_it_is_allowed(connected: Path) -> None:
    """REC-5, PUB-10: unpublishing an object with linked records needs an allowance."""
    (connected / "manifests" / "account.yaml").unlink()
    (connected / "manifests" / "contact.yaml").unlink()
    (connected / "manifests" / "case.yaml").write_text(publication("Case"))
    result = run_in(connected, "apply", "--yes")
    assert result.exit_code == 3
    assert "--allow disconnect" in result.stderr
    assert "Account" in run_in(connected, "status", "--format", "json").stdout
    assert run_in(connected, "apply", "--yes", "--allow", "disconnect").exit_code == 0
    assert '"Account"' not in run_in(connected, "status", "--format", "json").stdout


def test_what_is_destructive_is_refused_below_the_share_too(connected: Path) -> None:
    """REC-5, PUB-10: few disconnected records need the allowance as well, and no message speaks of an excess."""
    accounts = ", ".join(f"('A{number}')" for number in range(20))
    sql(connected, "acme", f'INSERT INTO "Account" ("Name") VALUES {accounts}')
    sql(connected, "acme", 'INSERT INTO "Contact" ("LastName") VALUES (\'C\')')
    assert run_in(connected, "drain").exit_code == 0
    (connected / "manifests" / "contact.yaml").unlink()
    result = run_in(connected, "apply", "--yes")
    assert result.exit_code == 3
    assert "disconnect is not allowed (acme-link: " in result.stderr
    assert "above" not in result.stderr
    assert "destructive, so --allow disconnect lets it pass" in " ".join(result.stdout.split())


def test_a_stale_plan_exits_4_and_says_what_moved(fresh: Path) -> None:
    """REC-2: a saved plan whose actions have changed is refused; show says so too."""
    assert run_in(fresh, "plan", "--out", "plan.json").exit_code == 0
    assert run_in(fresh, "show", "plan.json").exit_code == 0
    (fresh / "manifests" / "case.yaml").write_text(publication("Case"))
    shown = run_in(fresh, "show", "plan.json")
    assert shown.exit_code == 4
    assert "acme-link/publication/Case: publish-object is new" in shown.stderr
    result = run_in(fresh, "apply", "plan.json", "--yes")
    assert result.exit_code == 4
    assert "acme-link/publication/Case" in result.stderr
    assert "Not connected" in run_in(fresh, "status").stdout


def test_a_saved_plan_of_a_part_is_applied_as_it_is(fresh: Path) -> None:
    """REC-2: the choice that a plan was made with belongs to the plan."""
    target = ("--target", "acme-link/publication/Account")
    assert run_in(fresh, "plan", "--out", "plan.json", *target).exit_code == 0
    assert run_in(fresh, "apply", "plan.json", "--yes").exit_code == 0
    left = run_in(fresh, "plan")
    assert "acme-link/publication/Contact" in left.stdout
    assert "acme-link/publication/Account " not in left.stdout


def _refuse_accounts(folder: Path) -> None:
    sql(
        folder,
        "acme-dr",
        'CREATE TRIGGER no_bad_accounts BEFORE INSERT ON "Account" WHEN NEW."Name" = \'Bad\''
        " BEGIN SELECT RAISE(ABORT, 'not here'); END",
    )
    sql(folder, "acme", "INSERT INTO \"Account\" (\"Name\") VALUES ('Bad'), ('Good')")


def test_a_refused_record_exits_5_and_is_in_queue_and_log(connected: Path) -> None:
    """QUE-1, LOG-1: a drain that leaves a record behind is partly done; queue and log say why, and in which org."""
    _refuse_accounts(connected)
    result = run_in(connected, "drain")
    assert result.exit_code == 5
    assert "orgsync log list acme-link" in result.stderr
    queue = run_in(connected, "queue", "list").stdout
    assert "Generic Insert" in queue
    assert "not here" in queue
    assert "Retrying" in run_in(connected, "log", "list", "--status", "retrying").stdout
    assert "not here" in run_in(connected, "log", "show", "1").stdout
    assert [row[0] for row in sql(connected, "acme-dr", 'SELECT "Name" FROM "Account" WHERE "Name" = \'Good\'')] == [
        "Good"
    ]


def test_a_record_left_behind_by_a_bulk_sync_exits_5(connected: Path) -> None:
    """BLK-3: the good records are copied, the exit code says that one was not."""
    _refuse_accounts(connected)
    assert run_in(connected, "bulk-sync", "--object", "Account").exit_code == 5
    assert len(sql(connected, "acme-dr", 'SELECT 1 FROM "Account" WHERE "Name" = \'Good\'')) == 1


def test_a_held_lock_exits_6_and_can_be_released(fresh: Path) -> None:
    """REC-4: apply says who holds the lock; a living holder is only overruled by --force."""
    with open_store("sqlite:orgs/acme.db", base=fresh) as org:
        acquire(org, apply_lease("acme-link"), "eve", system_clock)
        result = run_in(fresh, "apply", "--yes")
        assert result.exit_code == 6
        assert "eve holds the lock" in result.stderr
        table = run_in(fresh, "lock", "show").stdout.splitlines()
        assert table[0].split()[-1] == "STATE"
        assert "eve" in table[1]
        assert table[1].endswith(" held")
        assert run_in(fresh, "lock", "release").exit_code == 6
        assert run_in(fresh, "lock", "release", "--force").exit_code == 0
        assert "Nobody" in run_in(fresh, "lock", "show").stdout
        assert run_in(fresh, "apply", "--yes").exit_code == 0


def test_a_lock_of_a_dead_process_is_released_without_force(fresh: Path) -> None:
    """REC-4: a lock that a dead process left can be released."""
    gone = subprocess.Popen([sys.executable, "-c", "pass"])
    gone.wait()
    sql(
        fresh,
        "acme",
        f"INSERT INTO orgsync_lease VALUES ('apply/acme-link', 'eve', '{socket.gethostname()}', {gone.pid}, '')",
    )
    assert "gone" in run_in(fresh, "lock", "show").stdout
    assert run_in(fresh, "lock", "release").exit_code == 0


def test_apply_without_terminal_or_yes_is_a_usage_error(fresh: Path) -> None:
    """REC-1: apply never hangs and never assumes a yes."""
    result = process(fresh, "apply")
    assert result.returncode == 64
    assert "--yes" in result.stderr
    assert "Plan: " in result.stdout
    assert "Not connected" in run_in(fresh, "status").stdout


@pytest.mark.parametrize(("answer", "code", "state"), [(b"n\n", 7, "Not connected"), (b"y\n", 0, "Active")])
def test_apply_asks_at_a_terminal(fresh: Path, answer: bytes, code: int, state: str) -> None:
    """REC-1: no at the question exits with 7 and changes nothing; yes applies."""
    import pty

    leader, follower = pty.openpty()
    program = subprocess.Popen(
        [sys.executable, "-m", "orgsync_reconcile", "-C", str(fresh), "apply"],
        stdin=follower,
        stderr=follower,
        stdout=subprocess.DEVNULL,
    )
    os.close(follower)
    seen = b""
    while b"[y/N]" not in seen:
        seen += os.read(leader, 4096)
    os.write(leader, answer)
    assert program.wait(timeout=60) == code
    os.close(leader)
    assert state in run_in(fresh, "status").stdout


def test_ctrl_c_exits_130_without_a_traceback(connected: Path) -> None:
    """QUE-3: an interrupted drain ends with 130; what was sent stays sent."""
    program = subprocess.Popen(
        [sys.executable, "-m", "orgsync_reconcile", "-C", str(connected), "drain", "--follow"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A test run in the background ignores interrupts, and its children would inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert program.stderr is not None
    assert "Sending changes" in program.stderr.readline()
    sql(connected, "acme", 'UPDATE "Account" SET "Phone" = \'77\' WHERE "Name" = \'One\'')
    deadline = time.monotonic() + 30
    while not sql(connected, "acme-dr", 'SELECT 1 FROM "Account" WHERE "Phone" = \'77\''):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    program.send_signal(signal.SIGINT)
    _, errors = program.communicate(timeout=30)
    assert program.returncode == 130
    assert "interrupted" in errors
    assert "Traceback" not in errors
