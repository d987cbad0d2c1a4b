"""The starter set, the shipped manifests and examples, and the advice on manifests."""

from __future__ import annotations

from pathlib import Path

import pytest

from orgsync_reconcile import manifest
from orgsync_reconcile.errors import UsageError
from orgsync_reconcile.manifest import scaffolding
from orgsync_reconcile.model.desired import Desired

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = [
    ("kubernetes", None),
    ("minimal", None),
    ("one-way", None),
    ("two-environments", "staging"),
    ("two-environments", "production"),
    ("large-org", None),
]
ORGS = "".join(
    f"version: 1\nkind: Org\nname: {name}\nstore: sqlite:{name}.db\nadmin: admin@acme.example\n---\n"
    for name in ("acme", "spare")
)
CONNECTION = (
    "version: 1\nkind: Connection\nname: acme-dr\nprimary: acme\nsecondary: spare\nowner: admin@acme.example\n"
    "contact: {first_name: Elise, last_name: Medina, email: elise@acme.example, account: Acme}\n"
)
PUBLICATION = "---\nversion: 1\nkind: Publication\nconnection: acme-dr\nobject: {}\n"
FAILOVER = "---\nversion: 1\nkind: Failover\nconnection: acme-dr\nprimary_url: https://a.example\nsecondary_url: "
STAGES = "bulk_sync: {stages: [90d]}\n"


def advice(folder: Path, text: str) -> list[str]:
    (folder / "all.yaml").write_text(ORGS + text, encoding="utf-8")
    desired = manifest.load(folder, base=folder)
    found = [item for item in manifest.lint(desired) if item.code != "W215"]
    return [f"{item.code}@{item.origin.line if item.origin else 0}" for item in found]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_scaffold_writes_what_is_shipped(tmp_path: Path) -> None:
    """REC-8: the starter set is the repository's own, it loads without a remark, and its schema is beside it."""
    written = scaffolding.scaffold(tmp_path / "manifests")
    assert contents(tmp_path / "manifests") == contents(ROOT / "manifests")
    schema = tmp_path / "schemas" / "orgsync.schema.json"
    assert written == [*sorted((tmp_path / "manifests").iterdir()), schema]
    assert schema.read_text(encoding="utf-8") == scaffolding.schema_text()
    desired = manifest.load(tmp_path / "manifests", base=tmp_path)
    assert (desired.diagnostics, manifest.lint(desired)) == ((), ())
    published = [item.object for item in desired.publications_of("acme-dr")]
    assert published == ["Account", "Case", "CaseComment", "Contact", "Opportunity"]
    assert [item.store for item in desired.orgs.values()] == ["sqlite:orgs/acme.db", "sqlite:orgs/acme-secondary.db"]


def test_scaffold_does_not_mix_with_manifests_of_other_names(tmp_path: Path) -> None:
    """REC-8: a folder with manifests of one's own stays valid: nothing is added to it."""
    folder = tmp_path / "manifests"
    folder.mkdir()
    (folder / "README.md").write_text("mine", encoding="utf-8")
    (folder / "acme.yml").write_text(ORGS, encoding="utf-8")
    with pytest.raises(UsageError, match=r"manifests: there are manifests already, such as acme\.yml"):
        scaffolding.scaffold(folder)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["README.md", "acme.yml", "manifests"]


def test_scaffold_never_overwrites(tmp_path: Path) -> None:
    """REC-8: one file in the way, or a dangling link, and nothing is written; a schema that is there stays."""
    folder = tmp_path / "manifests"
    folder.mkdir()
    (folder / "orgs.yaml").write_text("mine", encoding="utf-8")
    (folder / "case.yaml").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match=r"manifests: case\.yaml, orgs\.yaml would be overwritten; choose"):
        scaffolding.scaffold(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["case.yaml", "orgs.yaml"]
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "orgsync.schema.json").write_text("mine", encoding="utf-8")
    assert len(scaffolding.scaffold(tmp_path / "other")) == 8
    assert (tmp_path / "schemas" / "orgsync.schema.json").read_text(encoding="utf-8") == "mine"


def test_scaffold_on_a_file(tmp_path: Path) -> None:
    """REC-8: a folder that cannot be made is explained in one line."""
    (tmp_path / "manifests").write_text("a file", encoding="utf-8")
    with pytest.raises(UsageError, match="cannot be written"):
        scaffolding.scaffold(tmp_path / "manifests")


@pytest.mark.parametrize(("name", "environment"), EXAMPLES)
def test_examples_load(name: str, environment: str | None) -> None:
    """REC-8: every worked example loads without a warning and explains itself."""
    folder = ROOT / "examples" / name
    desired: Desired = manifest.load(folder / "manifests", base=folder, environment=environment)
    assert desired.diagnostics == ()
    assert all(desired.publications_of(connection) for connection in desired.connections)
    assert (folder / "README.md").read_text(encoding="utf-8").startswith("# ")


def test_all_examples_are_tested() -> None:
    """REC-8: no example is forgotten."""
    assert {path.parent.name for path in (ROOT / "examples").glob("*/manifests")} == {name for name, _ in EXAMPLES}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (CONNECTION + STAGES + PUBLICATION.format("Case"), []),
        (CONNECTION + STAGES, ["W201@13"]),
        (CONNECTION + PUBLICATION.format("Case"), ["W204@13"]),
        (CONNECTION + STAGES + PUBLICATION.format("Account") + "fields: all\n", ["W202@26"]),
        (CONNECTION + STAGES + PUBLICATION.format("Account") + "fields: {exclude: [Jigsaw]}\n", []),
        (CONNECTION + STAGES + "sync: {metadata: false}\n" + PUBLICATION.format("Case"), ["W203@21"]),
        (CONNECTION + STAGES + "sync: {metadata: false, users: false}\n" + PUBLICATION.format("Case"), []),
        (CONNECTION + STAGES + "sync: {metadata: {delete: true}}\n" + PUBLICATION.format("Case"), ["W208@21"]),
        (CONNECTION + STAGES + "guards:\n  overwrite: 0.95\n" + PUBLICATION.format("Case"), ["W205@22"]),
        (CONNECTION + STAGES + PUBLICATION.format("Case") + FAILOVER + "http://b.example\n", ["W223@27", "W221@31"]),
        (CONNECTION + STAGES + PUBLICATION.format("Case") + FAILOVER + "http://[::1]\nmail: {}\n", ["W222@32"]),
        (CONNECTION + STAGES + PUBLICATION.format("Case") + FAILOVER + "https://b.example\nbanner: B\n", []),
        (CONNECTION.replace("elise@", "Admin@") + STAGES + PUBLICATION.format("Case"), ["W206@19"]),
        (ORGS.replace("name: ", "name: un").replace("acme.db", "u.db").replace("spare.db", "v.db")[:-4], None),
        (CONNECTION + STAGES + "".join(PUBLICATION.format(f"O{n}__c") for n in range(10)), []),
        (CONNECTION + STAGES + "".join(PUBLICATION.format(f"O{n}__c") for n in range(11)), ["W209@1"]),
    ],
)
def test_advice(tmp_path: Path, text: str, expected: list[str] | None) -> None:
    """REC-8, USR-6, REC-5: each rule speaks where it should and is quiet otherwise."""
    found = advice(tmp_path, text)
    assert found == (["W207@1", "W207@7", "W207@13", "W207@19"] if expected is None else expected)
