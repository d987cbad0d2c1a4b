"""What may be read: limits, encodings, links, pipes, values files and environments."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orgsync_reconcile import manifest
from orgsync_reconcile.errors import ManifestError

ORG = "version: 1\nkind: Org\nname: acme\nstore: sqlite:acme.db\nadmin: admin@acme.example\n"


def problems(folder: Path, environment: str | None = None) -> list[str]:
    with pytest.raises(ManifestError) as caught:
        manifest.load(folder, base=folder.parent, environment=environment)
    return str(caught.value).splitlines()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    result = tmp_path / "manifests"
    result.mkdir()
    (result / "org.yaml").write_text(ORG, encoding="utf-8")
    return result


def test_missing_and_empty_folder(tmp_path: Path) -> None:
    """REC-8: no manifests is an error and never an empty desired state, which would remove everything."""
    assert problems(tmp_path / "nowhere") == [
        "nowhere:1:1: error E125: there is no manifest folder here; run orgsync init, or name it with --manifests"
    ]
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "values.yaml").write_text("a: 1\n", encoding="utf-8")
    assert problems(tmp_path / "empty") == [
        "empty:1:1: error E125: the manifest folder holds no documents; run orgsync init for a starter set"
    ]


def test_not_utf8(folder: Path) -> None:
    """REC-8: another encoding is refused at the first byte that does not fit."""
    (folder / "a.yaml").write_bytes("version: 1\nname: é".encode("latin-1"))
    (folder / "b.yaml").write_bytes("version: 1\n".encode("utf-16"))
    assert problems(folder) == [
        "manifests/a.yaml:2:7: error E102: the file is not UTF-8; save it as UTF-8",
        "manifests/b.yaml:1:1: error E102: the file is not UTF-8; save it as UTF-8",
    ]


def test_control_character_in_the_file(folder: Path) -> None:
    """REC-8: a byte that YAML forbids is named with its place."""
    (folder / "a.yaml").write_bytes("version: 1\nname: é\x07".encode())
    (line,) = problems(folder)
    assert line.startswith("manifests/a.yaml:2:8: error E101: broken YAML: control characters are not allowed")


def test_large_files(folder: Path) -> None:
    """REC-11: neither one file nor all together may be large."""
    (folder / "a.yaml").write_bytes(b"#" * (1024 * 1024 + 1))
    assert problems(folder) == [
        "manifests/a.yaml:1:1: error E103: larger than 1048576 bytes; split it into several files"
    ]
    for number in range(17):
        (folder / f"b{number:02}.yaml").write_bytes(b"#" * 1024 * 1024)
    (folder / "a.yaml").unlink()
    assert problems(folder) == ["manifests/b16.yaml:1:1: error E103: the manifests exceed 16777216 bytes together"]


def test_links(folder: Path) -> None:
    """REC-11: links reach nothing outside the folder; those inside it work."""
    outside = folder.parent / "outside.yaml"
    outside.write_text("secret: hunter2\n", encoding="utf-8")
    (folder / "inside.yaml").symlink_to("org.yaml")
    (folder / "org.yaml").rename(folder / "org.txt")
    (folder / "inside.yaml").unlink()
    (folder / "inside.yaml").symlink_to("org.txt")
    assert list(manifest.load(folder, base=folder).orgs) == ["acme"]
    (folder / "leak.yaml").symlink_to(outside)
    (folder / "loop.yaml").symlink_to("loop.yaml")
    (folder / "gone.yaml").symlink_to("gone.txt")
    (folder / "up").symlink_to(folder.parent)
    found = problems(folder)
    assert [line.split(";")[0].split(": error ") for line in found] == [
        ["manifests/gone.yaml:1:1", "E109: cannot be read: No such file or directory"],
        ["manifests/leak.yaml:1:1", "E109: a link that leads outside the manifest folder"],
        ["manifests/loop.yaml:1:1", found[2].split(";")[0].split(": error ")[1]],
        ["manifests/up:1:1", "E109: a link that leads outside the manifest folder"],
    ]
    assert "E109: cannot be read" in found[2]
    assert "hunter2" not in "".join(found)


def test_pipe_does_not_hang(folder: Path) -> None:
    """REC-11: a named pipe is refused without waiting for a writer."""
    os.mkfifo(folder / "pipe.yaml")
    assert problems(folder) == [
        "manifests/pipe.yaml:1:1: error E109: not a regular file; remove it from the manifest folder"
    ]


def test_endless_errors_are_cut(folder: Path) -> None:
    """REC-11: hostile manifests with endless errors are cut off and said so."""
    (folder / "a.yaml").write_text("version: 1\nkind: Org\n" + "".join(f"k{n}: 1\n" for n in range(5000)), "utf-8")
    found = problems(folder)
    assert len(found) == 1001
    assert sum("E127" in line for line in found) == 1


def test_values_of_an_environment_are_laid_over_the_common_ones(folder: Path) -> None:
    """REC-8: mappings merge, everything else is replaced, other environments are not read."""
    (folder / "values.yaml").write_text("org: {name: common, db: common.db}\nusers: [a, b]\n", encoding="utf-8")
    (folder / "values.prod.yml").write_text("org: {name: prod}\nusers: [c]\n", encoding="utf-8")
    (folder / "values.broken.yaml").write_text("[", encoding="utf-8")
    (folder / "org.yaml").write_text(
        "version: 1\nkind: Org\nname: '{{ values.org.name }}'\nstore: 'sqlite:{{ values.org.db }}'\n"
        "admin: '{{ values.users | join(\"-\") }}@acme.example'\n",
        encoding="utf-8",
    )
    common = manifest.load(folder, base=folder).orgs["common"]
    assert (common.store, common.admin) == ("sqlite:common.db", "a-b@acme.example")
    prod = manifest.load(folder, base=folder, environment="prod")
    assert (prod.orgs["prod"].store, prod.orgs["prod"].admin) == ("sqlite:common.db", "c@acme.example")
    assert [item.path for item in prod.files] == ["org.yaml", "values.prod.yml", "values.yaml"]
    assert prod.environment == "prod"


def test_unknown_environment(folder: Path) -> None:
    """REC-8: an environment without values is an error with the nearest name, whatever the name holds."""
    (folder / "values.production.yaml").write_text("a: 1\n", encoding="utf-8")
    assert problems(folder, "prodution") == [
        'manifests:1:1: error E123: unknown environment "prodution"; did you mean "production"?'
    ]
    assert problems(folder, "../../etc")[0].startswith('manifests:1:1: error E123: unknown environment "../../etc"')


def test_bad_values_files(folder: Path) -> None:
    """REC-8: a values file is one mapping without expressions, and there is one."""
    (folder / "values.yaml").write_text("- a\n", encoding="utf-8")
    (folder / "values.yml").write_text("a: 1\n", encoding="utf-8")
    (folder / "values.x.yaml").write_text("a: '{{ values.b }}'\n---\nb: 2\n", encoding="utf-8")
    assert [line.split(";")[0] for line in problems(folder, "x")] == [
        "manifests/values.x.yaml:1:4: error E124: an expression in a values file",
        "manifests/values.x.yaml:3:1: error E124: a values file holds one mapping of names to values",
        "manifests/values.yaml:1:1: error E124: a values file holds one mapping of names to values",
        "manifests/values.yml:1:1: error E124: a second values file beside values.yaml",
    ]


#: Pieces from which YAML and expressions are made.
SNIPPETS = st.one_of(
    st.sampled_from(["version: 1", "kind: Org", "kind: Publication", "name: ", "fields: all", "---", "\n", "  ", "\t"]),
    st.sampled_from(["{{ values.x }}", "{{", "}}", "{%", "&a", "*a", "!t", "- ", "[", "]", "{", "}", ": ", "? ", "é"]),
    st.sampled_from([">", "|", "'", '"', "#"]),
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=200), st.lists(SNIPPETS, max_size=30).map(lambda parts: "".join(parts).encode())))
def test_any_bytes(tmp_path: Path, data: bytes) -> None:
    """REC-8, REC-11: whatever a file holds, it loads or is refused with diagnostics, one line each."""
    folder = tmp_path / "manifests"
    folder.mkdir(exist_ok=True)
    (folder / "a.yaml").write_bytes(data)
    (folder / "values.yaml").write_bytes(data)
    try:
        manifest.load(folder, base=tmp_path)
    except ManifestError as error:
        assert error.diagnostics
        assert len(str(error).splitlines()) == len(error.diagnostics)


def test_anchor_before_deep_nesting_does_not_hang(folder: Path) -> None:
    """REC-11: looking for anchors stops at the same depth as reading, since libyaml needs quadratic time beyond."""
    (folder / "a.yaml").write_text("&a " + "[" * 1_000_000, encoding="utf-8")
    (folder / "b.yaml").write_text('"&": ' + "[" * 1_000_000, encoding="utf-8")
    assert [line.split(": ")[1] for line in problems(folder)] == ["error E105", "error E104"]
