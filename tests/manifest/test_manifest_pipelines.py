"""`orgsync init` with names of one's own and a pipeline (REC-8)."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from orgsync_reconcile import manifest
from orgsync_reconcile.cli.main import cli

NAMES = ("--primary", "harbour", "--secondary", "standby", "--connection", "dr", "--admin", "ann@harbour.example")
SCHEMAS = {"github": "vendor.github-workflows", "gitlab": "vendor.gitlab-ci"}
PATHS = {"github": ".github/workflows/orgsync.yml", "gitlab": ".gitlab-ci.yml"}


def run(folder: Path, *args: str) -> Result:
    return CliRunner().invoke(cli, ["-C", str(folder), *args])


def test_names_are_put_in_everywhere(tmp_path: Path) -> None:
    """REC-8: the set loads with one's own names, is canonical, and lint has nothing to say."""
    result = run(tmp_path, "init", *NAMES)
    assert result.exit_code == 0
    assert result.stderr == "Edit these, then check them: orgsync validate\n"
    desired = manifest.load(tmp_path / "manifests", base=tmp_path)
    assert {name: (org.store, org.admin) for name, org in desired.orgs.items()} == {
        "harbour": ("sqlite:orgs/harbour.db", "ann@harbour.example"),
        "standby": ("sqlite:orgs/standby.db", "ann@harbour.example.dr"),
    }
    assert desired.connections["dr"].owner == "ann@harbour.example"
    assert len(desired.publications_of("dr")) == 5
    assert run(tmp_path, "lint").stdout == "No advice.\n"
    assert run(tmp_path, "fmt", "--check").exit_code == 0


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--primary", "a b"), '--primary does not take "a b"; write something like acme'),
        (("--admin", "ann"), '--admin does not take "ann"; write something like admin@acme.example'),
        (("--secondary", "acme"), "--primary and --secondary are the same; name two orgs"),
    ],
)
def test_names_that_manifests_do_not_take(tmp_path: Path, args: tuple[str, ...], message: str) -> None:
    """REC-8: refused before anything is written."""
    result = run(tmp_path, "init", *args)
    assert (result.exit_code, result.stderr) == (64, f"error: {message}\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ci", ["github", "gitlab"])
@pytest.mark.parametrize("folder", ["manifests", "config"])
def test_pipelines(tmp_path: Path, ci: str, folder: str) -> None:
    """REC-8: the file is valid for its service, runs commands that exist, and is never overwritten."""
    result = run(tmp_path, "-m", folder, "init", "--ci", ci)
    assert result.stdout.splitlines()[-1] == PATHS[ci]
    path = tmp_path / PATHS[ci]
    tool = Path(sys.executable).with_name("check-jsonschema")
    checked = subprocess.run(
        [tool, "--builtin-schema", SCHEMAS[ci], path], capture_output=True, text=True, timeout=60, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    text = path.read_text(encoding="utf-8")
    assert f"{folder}/**" in text
    for command in ("fmt --check", "validate", "lint"):
        assert f"orgsync {command}" in text or f"orgsync -m {folder} {command}" in text
        assert run(tmp_path, "-m", folder, *command.split()).exit_code == 0
    assert yaml.safe_load(text)
    shutil.rmtree(tmp_path / folder)
    again = run(tmp_path, "-m", folder, "init", "--ci", ci)
    assert (again.exit_code, again.stdout) == (64, "")
    assert f"{PATHS[ci]} would be overwritten" in again.stderr
    assert not (tmp_path / folder).exists()
