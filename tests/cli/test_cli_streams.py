"""The two streams, colour, formats, and what the program imports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from two_orgs import run_in, sql

_JSON = [
    ["validate"],
    ["lint"],
    ["schema"],
    ["plan"],
    ["status"],
    ["queue", "list"],
    ["log", "list"],
    ["history"],
    ["verify"],
    ["drain"],
    ["bulk-sync"],
    ["users", "sync"],
    ["lock", "show"],
    ["org", "describe", "acme"],
    ["org", "describe", "acme", "Account"],
    ["org", "check", "acme"],
    ["apply", "--yes"],
]


@pytest.mark.parametrize("args", _JSON, ids=" ".join)
def test_json_is_all_there_is_on_standard_output(connected: Path, args: list[str]) -> None:
    """CON-12: with --format json standard output is one JSON document, whatever is said besides."""
    result = run_in(connected, *args, "--format", "json")
    assert result.exit_code == 0, result.stderr
    assert isinstance(json.loads(result.stdout), dict)


def test_the_schema_needs_no_format(tmp_path: Path) -> None:
    """REC-8: a command with one format prints it unasked."""
    assert json.loads(run_in(tmp_path, "schema").stdout)["$schema"]


def test_global_options_work_before_and_after_the_command(connected: Path) -> None:
    """CON-12: --format may stand on either side of the command's name."""
    before = run_in(connected, "--format", "json", "status")
    after = run_in(connected, "status", "--format", "json")
    assert before.stdout == after.stdout
    assert json.loads(after.stdout)["connections"][0]["name"] == "acme-link"


def test_other_manifest_folder_and_environment(fresh: Path) -> None:
    """REC-8: --manifests and --env choose what is read."""
    (fresh / "manifests").rename(fresh / "config")
    (fresh / "config" / "values.yaml").write_text("way: two-way\n")
    (fresh / "config" / "values.blue.yaml").write_text("way: one-way\n")
    connection = fresh / "config" / "connection.yaml"
    connection.write_text(connection.read_text().replace("direction: two-way", 'direction: "{{ values.way }}"'))
    assert run_in(fresh, "validate").exit_code == 1
    both = run_in(fresh, "plan", "-m", "config")
    one = run_in(fresh, "plan", "-m", "config", "-e", "blue")
    assert "publication-back" in both.stdout
    assert "publication-back" not in one.stdout
    assert one.exit_code == 0


def test_quiet_leaves_only_the_document(connected: Path) -> None:
    """CON-12: --quiet takes the notes away, not the document."""
    loud, quiet = run_in(connected, "plan"), run_in(connected, "plan", "-q", "--out", "p.json")
    assert quiet.stdout == loud.stdout
    assert quiet.stderr == ""


def test_planning_changes_no_byte_and_repeats_itself(fresh: Path) -> None:
    """REC-1: the same plan byte for byte, and the orgs as they were."""

    def state() -> dict[str, str]:
        return {
            path.name: sha256(path.read_bytes()).hexdigest()
            for path in sorted((fresh / "orgs").iterdir())
            if path.suffix == ".db"
        }

    before = state()
    first, second = (run_in(fresh, "plan", "--format", "json").stdout_bytes for _ in range(2))
    assert first == second
    assert run_in(fresh, "plan", "--out", "plan.json").exit_code == 0
    assert (fresh / "plan.json").read_bytes() == first
    assert state() == before


@pytest.mark.parametrize(
    ("args", "environment", "colored"),
    [
        ((), {}, False),
        ((), {"FORCE_COLOR": "1"}, True),
        ((), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (("--color", "always"), {"NO_COLOR": "1"}, True),
        (("--color", "never"), {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colour_only_where_it_is_wanted(
    connected_orgs: Path,
    monkeypatch: pytest.MonkeyPatch,
    args: tuple[str, ...],
    environment: dict[str, str],
    colored: bool,
) -> None:
    """CON-12: no colour into a pipe; FORCE_COLOR, NO_COLOR and --color are honoured, --color most."""
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert ("\x1b[" in run_in(connected_orgs, "verify", *args).stdout) is colored


def test_a_traceback_only_with_vv(tmp_path: Path) -> None:
    """REC-8: one line for a user, the traceback for who asks for it."""
    assert "Traceback" not in run_in(tmp_path, "plan").stderr
    assert "Traceback" not in run_in(tmp_path, "-v", "plan").stderr
    assert "Traceback" in run_in(tmp_path, "plan", "-vv").stderr


def test_values_of_orgs_cannot_steer_the_terminal(connected: Path) -> None:
    """REC-11: control characters of names and values are shown, not obeyed."""
    sql(connected, "acme", "UPDATE \"Account\" SET \"Phone\" = '1' || char(27) || '[2J' WHERE \"Name\" = 'One'")
    result = run_in(connected, "verify")
    assert "\x1b" not in result.stdout
    assert "\\u001b[2J" in result.stdout


def test_a_closed_pipe_is_no_complaint(connected: Path) -> None:
    """CON-12: a reader that has had enough ends the program quietly."""
    program = subprocess.Popen(
        [sys.executable, "-m", "orgsync_reconcile", "-C", str(connected), "schema"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert program.stdout is not None
    program.stdout.close()
    assert program.stderr is not None
    assert program.stderr.read() == b""
    assert program.wait(timeout=30) == 1
    program.stderr.close()


def test_help_imports_nothing_heavy() -> None:
    """CON-12: the help is there at once: neither commands nor what they need are imported for it."""
    code = (
        "import sys\nfrom orgsync_reconcile.cli.main import cli\n"
        "try:\n    cli(['--help'])\nexcept SystemExit:\n    pass\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)\n"
        "print(sorted(name for name in sys.modules if name.startswith('orgsync_reconcile.')), file=sys.stderr)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules, ours = result.stderr.strip().splitlines()
    heavy = ("rich", "pydantic", "jinja2", "yaml", "sqlite3", "filelock", "defusedxml")
    assert not [name for name in heavy if f"'{name}'" in modules]
    assert "orgsync_reconcile.app" not in ours
    assert "cli.commands" not in ours


def test_a_narrow_terminal_shows_every_column(connected: Path) -> None:
    """QUE-1: at 60 columns a row goes on below itself: why a record was refused is not cut off."""
    import fcntl
    import pty
    import struct
    import termios

    refuse = (
        "CREATE TRIGGER refuse BEFORE INSERT ON \"Account\" BEGIN SELECT RAISE(ABORT, 'no more accounts here'); END"
    )
    sql(connected, "acme-dr", refuse)
    sql(connected, "acme", 'INSERT INTO "Account" ("Name") VALUES (\'C\')')
    assert run_in(connected, "drain").exit_code == 5
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    command = [sys.executable, "-m", "orgsync_reconcile", "-C", str(connected), "--color", "never", "queue", "list"]
    with subprocess.Popen(command, stdout=follower) as program:
        assert program.wait(timeout=60) == 0
    lines = os.read(leader, 65536).decode().splitlines()
    os.close(follower)
    os.close(leader)
    assert all(len(line) <= 60 for line in lines)
    said = " ".join(" ".join(lines).split())
    wide = run_in(connected, "queue", "list").stdout
    assert said == " ".join(wide.split())
    assert lines[0].startswith("ORG ")
    assert lines[1].startswith("    ")
