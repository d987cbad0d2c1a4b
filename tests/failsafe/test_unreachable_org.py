"""SUS-3: an org that cannot be reached suspends the connection by itself, and it resumes by itself when both are back."""

from __future__ import annotations

import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from failsafe_world import FailsafeWorld
from sync_world import CONNECTION, NAMES, P, S

from orgsync_reconcile.app import follow
from orgsync_reconcile.app.records import Moved
from orgsync_reconcile.app.workspace import Workspace
from orgsync_reconcile.errors import StoreError, UnreachableError
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.sql.connections import get_connection
from orgsync_reconcile.stores.urls import open_store


def reason(world: FailsafeWorld, side: Side) -> str:
    """Why the end has suspended itself."""
    with open_store(world.addresses[side], base=world.folder) as org:
        return get_connection(org, CONNECTION).suspended_reason


def _no_database(world: FailsafeWorld, side: Side) -> None:
    (world.folder / f"{NAMES[side]}.db").write_bytes(b"no database at all, but long enough to be looked at" * 20)


def _folder_in_its_place(world: FailsafeWorld, side: Side) -> None:
    (world.folder / f"{NAMES[side]}.db").mkdir()


def _empty(world: FailsafeWorld, side: Side) -> None:
    (world.folder / f"{NAMES[side]}.db").touch()


def _cut_off(world: FailsafeWorld, side: Side) -> None:
    """The first pages are there, the others are not."""
    whole = (world.folder / "away" / f"{NAMES[side]}.db").read_bytes()
    (world.folder / f"{NAMES[side]}.db").write_bytes(whole[: 8192 * 3])


WAYS: dict[str, tuple[Callable[[FailsafeWorld, Side], None], str]] = {
    "no database": (_no_database, "is not an SQLite database"),
    "a folder": (_folder_in_its_place, "there is no org at"),
    "empty": (_empty, "is a database, but not an org"),
    "cut off": (_cut_off, "or it is damaged"),
}


@pytest.mark.pairings
@pytest.mark.parametrize("side", [P, S], ids=str)
def test_suspended_and_resumed_by_itself(world: FailsafeWorld, side: Side) -> None:
    """SUS-3, CON-5: the org is gone; the other end says why, and goes on when it is back, without a loss."""
    goes_and_comes(world, side, "there is no org at")


@pytest.mark.files_only
@pytest.mark.parametrize("side", [P, S], ids=str)
@pytest.mark.parametrize("way", WAYS)
def test_whatever_stands_in_the_place_of_a_file(world: FailsafeWorld, way: str, side: Side) -> None:
    """SUS-3: what is no org there counts as none, with its own words, and is never written to."""
    spoil, message = WAYS[way]

    def mend() -> None:
        path = world.folder / f"{NAMES[side]}.db"
        if path.is_dir():
            path.rmdir()
        for rest in world.files(side):
            rest.unlink()

    goes_and_comes(world, side, message, spoil=lambda: spoil(world, side), mend=mend)


def goes_and_comes(
    world: FailsafeWorld,
    side: Side,
    message: str,
    *,
    spoil: Callable[[], None] = lambda: None,
    mend: Callable[[], None] = lambda: None,
) -> None:
    """An org is taken away, with something else in its place where `spoil` puts it, and brought back."""
    world.connect("Account")
    world.insert(side.other, "Account", Name="before")
    world.drain()
    world.insert(side.other, "Account", Name="meanwhile")
    world.close()
    world.take_away(side)
    spoil()
    first = world.program("drain", CONNECTION)
    assert first.exit_code == 1
    (line,) = first.stderr.strip().splitlines()
    assert line.startswith(f"error: {NAMES[side]}: the org cannot be reached: ")
    assert message in line
    assert f"{CONNECTION} has suspended itself in {NAMES[side.other]} and resumes by itself" in line
    assert message in reason(world, side.other)
    page = world.page()
    assert page["status"] == "Suspended"
    assert list(page["unreachable"]) == [str(side)]
    here = page[str(side.other)]
    assert (here["suspended_by"], here["published"]) == (None, None)
    assert message in here["suspended"]["reason"]
    assert here["queue"]["pending"] >= 1
    assert world.program("drain", CONNECTION).exit_code == 1
    mend()
    world.bring_back(side)
    back = world.program("drain", CONNECTION)
    assert back.exit_code == 0, back.output
    assert f"both orgs can be reached again: {CONNECTION} has resumed by itself in {NAMES[side.other]}" in back.stderr
    mine = [event for org, event in world.events(6) if org == NAMES[side.other]]
    assert mine[:2] == ["Connection Resumed", "Connection Suspended"]
    world.open()
    assert world.count(side, "Account") == 2
    world.assert_equal()


@pytest.mark.pairings("sqlite-sqlite", "postgres-postgres")
@pytest.mark.parametrize("command", [("bulk-sync",), ("verify",), ("users", "sync"), ("reconcile",)], ids=" ".join)
def test_every_command_that_needs_both_orgs_suspends_and_resumes(
    world: FailsafeWorld, command: tuple[str, ...]
) -> None:
    """SUS-3: whichever command meets the org that is away."""
    world.connect("Account")
    world.close()
    world.take_away(S)
    assert world.program(*command, CONNECTION).exit_code in (1, 5)
    assert reason(world, P)
    world.bring_back(S)
    world.program(*command, CONNECTION)
    assert reason(world, P) == ""


def test_a_person_suspends_and_nothing_else_resumes(world: FailsafeWorld) -> None:
    """SUS-3, SUS-4: a suspension by a person is neither taken for one of its own nor lifted when the org is back."""
    world.connect("Account")
    world.close()
    assert world.program("suspend", CONNECTION).exit_code == 0
    world.take_away(S)
    refused = world.program("drain", CONNECTION)
    assert refused.exit_code == 1
    assert "has suspended itself" not in refused.stderr
    assert "bring the org back and run this again" in refused.stderr
    world.bring_back(S)
    drained = world.program("drain", CONNECTION)
    assert "is Suspended in acme" in drained.stderr
    assert "resumed" not in drained.stderr
    assert world.page()["primary"]["suspended_by"] == "admin@acme.example"


def test_an_org_that_was_never_connected_suspends_nothing(world: FailsafeWorld) -> None:
    """SUS-3, ORG-1: without a connection there is nothing to suspend: the command that makes the org is named."""
    world.close()
    world.take_away(S)
    result = world.program("drain", CONNECTION)
    assert result.exit_code == 1
    assert "orgsync org create " in result.stderr
    with (
        open_store(world.addresses[P], base=world.folder) as org,
        pytest.raises(StoreError, match="there is no connection"),
    ):
        get_connection(org, CONNECTION)


@pytest.mark.files_only
def test_an_org_that_came_back_from_a_backup_does_not_resume(world: FailsafeWorld) -> None:
    """SUS-3, QUE-3: both can be reached, and yet nothing flows before resync has joined them."""
    world.connect("Account")
    backup = world.folder / "backup.db"
    world.orgs[S].db.execute("VACUUM INTO ?", [str(backup)])
    world.insert(P, "Account", Name="x")
    world.drain()
    world.close()
    world.take_away(S)
    assert world.program("drain", CONNECTION).exit_code == 1
    backup.rename(world.folder / "acme-dr.db")
    refused = world.program("drain", CONNECTION)
    assert refused.exit_code == 1
    assert f"orgsync resync {CONNECTION}" in refused.stderr
    assert reason(world, P)
    assert world.program("resync", CONNECTION).exit_code == 0
    assert world.program("drain", CONNECTION).exit_code == 0
    assert reason(world, P) == ""
    world.open()
    world.assert_equal()


def test_apply_goes_on_after_an_outage(world: FailsafeWorld) -> None:
    """SUS-3, REC-2: apply has both orgs open, so the connection resumes; the plan before it speaks of no suspension."""
    world.connect()
    world.close()
    world.take_away(S)
    assert world.program("drain", CONNECTION).exit_code == 1
    world.bring_back(S)
    planned = world.program("plan")
    assert "suspend" not in planned.stdout.lower()
    world.program("apply", "--yes")
    assert reason(world, P) == ""


class Listener(threading.Thread):
    """A drain that follows, in a thread; `rounds` is what it had to say."""

    def __init__(self, world: FailsafeWorld) -> None:
        super().__init__(daemon=True)
        world.program("status", CONNECTION)
        self.rounds: list[Moved] = []
        self.error: BaseException | None = None
        self._follow = follow.follow_queue(Workspace(directory=world.folder), CONNECTION, sides=(P, S))
        self._ended = False

    def run(self) -> None:
        try:
            for moved in self._follow:
                self.rounds.append(moved)
                if self._ended:
                    return
        except StoreError as error:
            self.error = error

    @property
    def said(self) -> list[str]:
        return [line for moved in self.rounds for line in moved.warnings]

    def end(self) -> None:
        self._ended = True


def eventually(what: Callable[[], object]) -> None:
    """Waits until it is so."""
    for _ in range(600):
        if what():
            return
        time.sleep(0.02)
    raise AssertionError("it never came to that")


@pytest.mark.pairings
@pytest.mark.parametrize("side", [P, S], ids=str)
def test_a_following_drain_waits_and_goes_on(world: FailsafeWorld, side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    """SUS-3: the org goes and comes under it: it says so once, suspends, waits, resumes and sends; nothing is lost."""
    monkeypatch.setattr(follow, "PATIENCE", (0.02, 0.05))
    monkeypatch.setattr(follow, "REST", 0.05)
    world.connect("Account")
    world.close()
    listener = Listener(world)
    listener.start()
    world.open()
    world.insert(P, "Account", Name="before")
    eventually(lambda: world.count(S, "Account") == 1)
    world.close()
    world.take_away(side)
    eventually(lambda: reason(world, side.other))
    world.open(side.other)
    world.insert(side.other, "Account", Name="meanwhile")
    time.sleep(0.3)
    waiting = [line for line in listener.said if "waiting" in line]
    assert len(waiting) == 1, "\n".join(waiting)
    world.clients[side.other].close()
    world.orgs[side.other].close()
    world.bring_back(side)
    world.open()
    eventually(lambda: world.count(side, "Account") == 2)
    eventually(lambda: any("both orgs can be reached again" in line for line in listener.said))
    listener.end()
    world.insert(P, "Account", Name="last")
    listener.join(timeout=20)
    assert not listener.is_alive()
    assert listener.error is None
    world.assert_equal()


def test_a_following_drain_of_what_was_never_there_ends(world: FailsafeWorld) -> None:
    """SUS-3: waiting would not help: it says so and ends."""
    world.program("status", CONNECTION)
    world.close()
    world.take_away(S)
    rounds = follow.follow_queue(Workspace(directory=world.folder), CONNECTION, sides=(P, S))
    with pytest.raises(UnreachableError, match="there is no org"):
        next(rounds)


@pytest.mark.files_only
def test_a_file_that_goes_between_two_batches(world: FailsafeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """SUS-3, QUE-3: what were written to a file that is gone would be lost; a drain under way stops before it."""
    world.connect("Account")
    world.insert(P, "Account", Name="x")
    world.drain()
    world.insert(P, "Account", Name="y")
    pair = world.pair
    world.take_away(S)
    with pytest.raises(UnreachableError, match=r"acme-dr: the file .*acme-dr.db is gone"):
        world.drain()
    world.bring_back(S)
    assert pair is world.pair
    world.drain()
    world.assert_equal()


@pytest.mark.files_only
def test_a_disk_error_while_writing(world: FailsafeWorld, tmp_path: Path) -> None:
    """SUS-3, QUE-3: the system refuses a write of the target: one line, nothing half done, and it goes on afterwards."""
    world.connect("Account")
    for number in range(300):
        world.insert(P, "Account", Name=f"{number:03d}", Description="x" * 3000)
    world.program("status", CONNECTION)
    world.close()
    size = max(path.stat().st_size for path in (*world.files(P), *world.files(S)))
    limited = subprocess.run(
        [sys.executable, "-m", "orgsync_reconcile", "-C", str(world.folder), "drain", CONNECTION],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size // 4, size // 4)),
    )
    assert limited.returncode == 1, limited.stderr
    assert len(limited.stderr.strip().splitlines()) == 1
    assert "mistake of the program" not in limited.stderr
    assert world.program("drain", CONNECTION).exit_code == 0
    world.open()
    assert world.count(S, "Account") == 300
    world.assert_equal()


def test_emails_go_out_from_the_org_that_is_left(world: FailsafeWorld) -> None:
    """SUS-2, SUS-3: without a mail server each half day has one line, beside the error."""
    world.connect("Account")
    world.close()
    world.take_away(S)
    start = "2026-03-02T06:00:00Z"
    assert "email" not in world.program("drain", CONNECTION, ORGSYNC_NOW=start).stderr
    later = world.program("drain", CONNECTION, ORGSYNC_NOW="2026-03-02T18:30:00Z")
    assert len(later.stderr.strip().splitlines()) == 2
    assert "email to admin@acme.example" in later.stderr
    assert "email" not in world.program("drain", CONNECTION, ORGSYNC_NOW="2026-03-02T19:00:00Z").stderr


def test_the_page_says_why_and_since_when(world: FailsafeWorld) -> None:
    """SUS-3, CON-12: status as text, with one org away; what is hidden while suspended is hidden."""
    world.connect("Account")
    world.close()
    world.take_away(S)
    world.program("drain", CONNECTION, ORGSYNC_NOW="2026-03-02T06:00:00Z")
    page = world.program("status", CONNECTION).stdout
    assert "acme (primary): Suspended by itself since 2026-03-02 06:00:00 UTC: acme-dr cannot be reached" in page
    assert "hidden while suspended" in page
    assert "secondary: cannot be reached: there is no org at " in page
    for command in (("queue", "list"), ("log", "list"), ("history",)):
        assert world.program(*command, CONNECTION).exit_code == 0
