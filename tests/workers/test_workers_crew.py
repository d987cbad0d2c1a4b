"""Crews: every part is done, failed parts are tried again, lost workers lose nothing."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import worker_tasks as tasks

from orgsync_reconcile import errors
from orgsync_reconcile.errors import ManifestError, OrgsyncError, StoreError, UsageError
from orgsync_reconcile.model.diagnostic import Diagnostic, Severity
from orgsync_reconcile.workers.crew import Crew
from orgsync_reconcile.workers.processes import LocalCrew

QUICK = (0.01, 0.01, 0.01)


@pytest.fixture(scope="module")
def crew() -> Iterator[Crew]:
    with LocalCrew(2) as found:
        yield found


def results(crew: Crew, work: object, parts: list[object], **options: object) -> list[object]:
    return [done.value() for done in crew.run(work, parts, pauses=QUICK, **options)]  # type: ignore[arg-type]


def test_every_part_is_done_once(crew: Crew) -> None:
    done = list(crew.run(tasks.double, range(50)))
    assert sorted(item.part for item in done) == list(range(50))
    assert all(item.value() == 2 * item.part for item in done)
    assert list(crew.run(tasks.double, [])) == []


def test_parts_are_done_beside_this_process(crew: Crew) -> None:
    found = set(results(crew, tasks.pid, list(range(12))))
    assert len(found) == 2
    assert os.getpid() not in found


def test_a_failed_part_is_tried_again(crew: Crew, tmp_path: Path) -> None:
    assert results(crew, tasks.fail_twice, [tmp_path / "one", tmp_path / "two"]) == [3, 3]


def test_a_part_that_goes_on_failing_is_reported_and_the_others_are_done(crew: Crew, tmp_path: Path) -> None:
    """Three further tries, then its last error, as it was."""
    done = list(crew.run(tasks.fail_always, [tmp_path / "bad"], pauses=QUICK))
    with pytest.raises(StoreError, match="try 4"):
        done[0].value()
    assert len(done) == 1
    mixed = list(crew.run(tasks.fail_twice, [tmp_path / "good"], pauses=QUICK[:1]))
    assert (mixed[0].error.message, mixed[0].error.where, mixed[0].error.hint) == (  # type: ignore[union-attr]
        "the store is busy",
        "acme",
        "wait",
    )


def test_pauses_grow_between_tries(crew: Crew, tmp_path: Path) -> None:
    started = time.monotonic()
    list(crew.run(tasks.fail_always, [tmp_path / "bad"], pauses=(0.1, 0.3)))
    assert time.monotonic() - started >= 0.4


def test_what_another_try_does_not_change_is_reported_at_once(crew: Crew, tmp_path: Path) -> None:
    path = tmp_path / "tries"
    (done,) = crew.run(tasks.misuse, [path])
    assert isinstance(done.error, UsageError)
    assert path.read_text() == "."


def test_a_killed_worker_loses_nothing(tmp_path: Path) -> None:
    """The part that it had is done again, and so are those of the workers that go down with it."""
    parts = [tmp_path / str(number) for number in range(4)]
    with LocalCrew(2) as own:
        assert len(results(own, tasks.die_once, list(parts))) == 4
    assert all(path.exists() for path in parts)


def test_a_part_that_kills_every_worker_is_given_up(tmp_path: Path) -> None:
    with LocalCrew(1) as own:
        done = list(own.run(tasks.die, [tmp_path], pauses=QUICK[:1]))
    assert [str(item.error) for item in done] == ["its worker was lost; it was killed, or had no memory left"]


def test_no_more_at_once_than_asked(crew: Crew, tmp_path: Path) -> None:
    assert set(results(crew, tasks.overlap, [tmp_path] * 6, at_once=1)) == {1}


def test_closing_ends_what_is_under_way(tmp_path: Path) -> None:
    own = LocalCrew(1)
    path = tmp_path / "pid"
    own.executor().submit(tasks.sleep_long, path)
    worker = wait_for_pid(path)
    own.close()
    assert not alive(worker)


def test_workers_end_with_a_process_that_is_killed(tmp_path: Path) -> None:
    """A first process that cannot say goodbye leaves nobody behind."""
    path = tmp_path / "pid"
    program = (
        "import worker_tasks, pathlib, sys\n"
        "from orgsync_reconcile.workers.processes import LocalCrew\n"
        "if __name__ == '__main__':\n"
        "    list(LocalCrew(1).run(worker_tasks.sleep_long, [pathlib.Path(sys.argv[1])]))\n"
    )
    (tmp_path / "program.py").write_text(program)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    first = subprocess.Popen([sys.executable, str(tmp_path / "program.py"), str(path)], env=environment)
    worker = wait_for_pid(path)
    first.send_signal(signal.SIGKILL)
    first.wait()
    end = time.monotonic() + 10
    while alive(worker):
        assert time.monotonic() < end, "the worker goes on without anybody"
        time.sleep(0.02)


def wait_for_pid(path: Path) -> int:
    end = time.monotonic() + 30
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return int(path.read_text())


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize(
    "kind", [item for item in vars(errors).values() if isinstance(item, type) and issubclass(item, OrgsyncError)]
)
def test_errors_come_back_whole(kind: type[OrgsyncError]) -> None:
    """Every kind of error travels between processes with what, where and what to do next."""
    if kind is ManifestError:
        problem = Diagnostic(severity=Severity.ERROR, code="E101", message="no such key", hint="look")
        error: OrgsyncError = ManifestError([problem])
    else:
        error = kind("what", where="where", hint="next")
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is kind
    assert (str(back), back.exit_code, vars(back)) == (str(error), error.exit_code, vars(error))
