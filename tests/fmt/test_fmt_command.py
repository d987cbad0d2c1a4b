"""`orgsync fmt` on files: what it writes, what it leaves alone, what it says."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from orgsync_reconcile import manifest
from orgsync_reconcile.cli.main import cli
from orgsync_reconcile.manifest.canonical import canonical_text
from orgsync_reconcile.manifest.findings import Findings
from orgsync_reconcile.model.desired import Desired

ROOT = Path(__file__).resolve().parents[2]
MESSY = """\
# Who is connected
kind: 'Publication'
connection:   acme-dr   # the only one
version: 1
fields: {"exclude": [Website,
   Phone,   # never
   "Fax"]}

# the key of both orgs
match_on: "External_Id__c"
object: Account


---
kind: Org
version: 1
name: "no"
store:
    env: ACME_STORE
admin: admin@acme.example
...
"""
TIDY = """\
# Who is connected
version: 1
kind: Publication
connection: acme-dr     # the only one
object: Account
fields:
  exclude:
    - Fax
    - Phone  # never
    - Website

# the key of both orgs
match_on: External_Id__c
---
version: 1
kind: Org
name: "no"
store:
  env: ACME_STORE
admin: admin@acme.example
"""


def run(folder: Path, *args: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["-C", str(folder), *args], input=stdin)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "messy.yaml").write_text(MESSY, encoding="utf-8")
    (tmp_path / "manifests" / "tidy.yaml").write_text("version: 1\nkind: Org\n", encoding="utf-8")
    return tmp_path


def test_a_messy_file_becomes_tidy(folder: Path) -> None:
    """REC-8: keys in the order of the reference, sets sorted, quotes where needed; comments go with what they mean."""
    (folder / "manifests" / "messy.yaml").chmod(0o640)
    result = run(folder, "fmt")
    assert (result.exit_code, result.stdout) == (0, "manifests/messy.yaml\n")
    assert result.stderr == "1 of 2 files changed.\n"
    assert (folder / "manifests" / "messy.yaml").read_text(encoding="utf-8") == TIDY
    assert stat.S_IMODE((folder / "manifests" / "messy.yaml").stat().st_mode) == 0o640
    assert sorted(path.name for path in (folder / "manifests").iterdir()) == ["messy.yaml", "tidy.yaml"]
    again = run(folder, "fmt")
    assert (again.exit_code, again.stdout, again.stderr) == (0, "", "0 of 2 files changed.\n")


def test_check_and_diff_change_nothing(folder: Path) -> None:
    """REC-8: --check lists what would change and exits with 1, for a pipeline; --diff shows it."""
    result = run(folder, "fmt", "--check")
    assert (result.exit_code, result.stdout) == (1, "manifests/messy.yaml\n")
    shown = run(folder, "fmt", "--diff")
    assert shown.exit_code == 0
    assert "-kind: 'Publication'\n" in shown.stdout
    assert "+kind: Publication\n" in shown.stdout
    document = json.loads(run(folder, "fmt", "--check", "--format", "json").stdout)
    assert [(item["path"], item["changed"]) for item in document["files"]] == [
        ("manifests/messy.yaml", True),
        ("manifests/tidy.yaml", False),
    ]
    assert (folder / "manifests" / "messy.yaml").read_text(encoding="utf-8") == MESSY
    run(folder, "fmt")
    assert run(folder, "fmt", "--check").exit_code == 0


def test_line_ends_and_byte_order_marks_go(folder: Path) -> None:
    """REC-8: a file saved on Windows becomes the same file as everywhere."""
    path = folder / "manifests" / "messy.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + MESSY.replace("\n", "\r\n").encode())
    assert run(folder, "fmt").exit_code == 0
    assert path.read_bytes() == TIDY.encode()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version: 1\nfields: [a\nb: 1\n", "manifests/broken.yaml:3:2: error E101: broken YAML"),
        ("a: &x 1\nb: *x\n", "manifests/broken.yaml:1:4: error E105: anchors and aliases are not accepted"),
        ("a: !env X\n", "manifests/broken.yaml:1:4: error E106"),
        ("? [a]\n: 1\n", "manifests/broken.yaml:1:3: error E108"),
        ("a: \x07\n", "manifests/broken.yaml:1:4: error E101"),
        ("a: " + "[" * 40 + "]" * 40 + "\n", "error E104"),
    ],
)
def test_a_broken_file_stays_as_it_is(folder: Path, text: str, message: str) -> None:
    """REC-8: one line with the place; the broken file is untouched, the others are formatted."""
    path = folder / "manifests" / "broken.yaml"
    path.write_text(text, encoding="utf-8")
    result = run(folder, "fmt")
    assert result.exit_code == 1
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1 + text.count("&x") - ("&x" in text)
    assert path.read_text(encoding="utf-8") == text
    assert (folder / "manifests" / "messy.yaml").read_text(encoding="utf-8") == TIDY


def test_text_that_is_not_utf8_stays(folder: Path) -> None:
    """REC-8: bytes that are no UTF-8 are refused with their place."""
    path = folder / "manifests" / "latin.yaml"
    path.write_bytes(b"name: caf\xe9\n")
    result = run(folder, "fmt", "manifests/latin.yaml")
    assert result.exit_code == 1
    assert result.stderr.startswith("manifests/latin.yaml:1:10: error E102")
    assert path.read_bytes() == b"name: caf\xe9\n"


def test_links_are_not_followed_outside(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """REC-11: a link out of the folder is refused and what it points to stays; a link inside stays a link."""
    outside = tmp_path_factory.mktemp("outside") / "mine.yaml"
    outside.write_text("b:   1\n", encoding="utf-8")
    (folder / "manifests" / "out.yaml").symlink_to(outside)
    (folder / "manifests" / "zin.yaml").symlink_to("messy.yaml")
    result = run(folder, "fmt")
    assert result.exit_code == 1
    assert "manifests/out.yaml:1:1: error E109: a link that leads outside the manifest folder" in result.stderr
    assert outside.read_text(encoding="utf-8") == "b:   1\n"
    assert (folder / "manifests" / "zin.yaml").is_symlink()
    assert (folder / "manifests" / "zin.yaml").read_text(encoding="utf-8") == TIDY
    named = run(folder, "fmt", "manifests/zin.yaml")
    assert (named.exit_code, named.stderr) == (
        64,
        "error: manifests/zin.yaml: this is a link; name the file that it points to\n",
    )


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere", "nowhere: there is no such file or folder; name manifests, or a folder of them"),
        ("notes.txt", "notes.txt: this is no YAML file; name files that end in .yaml or .yml"),
    ],
)
def test_paths_that_are_no_manifests(folder: Path, path: str, message: str) -> None:
    """REC-8: nothing else is touched by mistake."""
    (folder / "notes.txt").write_text("b:   1", encoding="utf-8")
    result = run(folder, "fmt", path)
    assert (result.exit_code, result.stderr) == (64, f"error: {message}\n")
    assert (folder / "notes.txt").read_text(encoding="utf-8") == "b:   1"


def test_a_file_that_cannot_be_written(folder: Path) -> None:
    """REC-8: one line, nothing is left behind, and the file is whole."""
    name = f"{'a' * 250}.yaml"
    (folder / "manifests" / name).write_text(MESSY, encoding="utf-8")
    result = run(folder, "fmt", f"manifests/{name}")
    assert result.exit_code == 64
    assert "cannot be written: File name too long; check the folder and its permissions" in result.stderr
    assert (folder / "manifests" / name).read_text(encoding="utf-8") == MESSY
    assert len(list((folder / "manifests").iterdir())) == 3


def test_standard_input(folder: Path) -> None:
    """REC-8: - is a filter for editors; a broken text gives one line and no output."""
    assert run(folder, "fmt", "-", stdin=MESSY).stdout == TIDY
    broken = run(folder, "fmt", "-", stdin="a: [")
    assert (broken.exit_code, broken.stdout) == (1, "")
    assert broken.stderr.startswith("-:2:1: error E101")
    assert run(folder, "fmt", "-", "--check", stdin=MESSY).exit_code == 64


def test_what_is_too_wide_for_one_line() -> None:
    """REC-8: brackets stay where they fit into the width; text that looks like something else keeps its quotes."""
    names = ", ".join(f"Field_{number:02}__c" for number in range(12))
    text = f"a: [{names}]\nb: ['yes', \"12:30\", '0x1f', 'x']\n"
    findings = Findings()
    formatted = canonical_text("a.yaml", text.encode(), findings)
    assert formatted.startswith("a:\n  - Field_00__c\n")
    assert formatted.endswith('b: ["yes", "12:30", "0x1f", x]\n')


def test_what_is_shipped_is_canonical() -> None:
    """REC-8: the starter set and the examples are in canonical form."""
    shipped = [ROOT / "manifests", *(ROOT / "examples").glob("*/manifests")]
    assert len(shipped) > 3
    result = run(ROOT, "fmt", "--check", *(str(path.relative_to(ROOT)) for path in shipped))
    assert (result.exit_code, result.stdout) == (0, "")


FIELDS = st.lists(st.sampled_from(["Name", "Phone", "Fax", "Website", "Industry"]), min_size=1, unique=True)


@settings(max_examples=25, deadline=None)
@given(fields=FIELDS, keys=st.permutations(["version: 1", "kind: Publication", "connection: dr", "object: Account"]))
def test_desired_state_is_the_same(
    fields: list[str], keys: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """REC-8: what is loaded before and after formatting is equal but for the places."""
    folder = tmp_path_factory.mktemp("fmt")
    body = "\n".join([*keys, f"fields: {{include: [{', '.join(fields)}]}}"])
    (folder / "dr.yaml").write_text(CONNECTION + body, encoding="utf-8")
    before = said(manifest.load(folder, base=folder))
    assert run(folder, "-m", ".", "fmt").exit_code == 0
    assert said(manifest.load(folder, base=folder)) == before


CONNECTION = """\
{admin: "admin@acme.example", store: "sqlite:a.db", version: 1, kind: Org, name: a}
---
{admin: "admin@acme.example", store: "sqlite:b.db", version: 1, kind: Org, name: b}
---
owner: admin@acme.example
retry: [5m, 1m]
notify: [{email: [z@acme.example, owner], event: suspended}]
contact: {last_name: Medina, first_name: "", email: e@acme.example, account: "123"}
version: 1
kind: Connection
primary: a
secondary: b
name: dr
---
"""


def said(desired: Desired) -> object:
    """Everything but places and fingerprints."""
    connection = desired.connections["dr"]
    publication = desired.publications["dr", "Account"]
    return (
        {name: (org.store, org.admin) for name, org in desired.orgs.items()},
        (connection.retry, connection.notify, connection.contact, connection.owner),
        (publication.fields.mode, sorted(publication.fields.names), publication.match_on),
    )
