"""Expressions in scalars: values of their own type, joined texts, filters, and all that is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orgsync_reconcile import manifest
from orgsync_reconcile.errors import ManifestError
from orgsync_reconcile.model.desired import SecretRef

VALUES = """\
name: Acme
padded: "  x  "
number: 7
text_number: "42"
flag: true
nothing: null
stages: [90d, 180d]
names: [a, b, c]
store: {env: STORE}
secret: hunter2
deep: {er: {still: found}}
"dashed-key": dashed
"""
REST = "version: 1\nkind: Org\nstore: sqlite:a.db\nadmin: a@b.example\nname: "


def named(folder: Path, expression: str) -> str:
    """The name of an org that is written as `expression` in single quotes."""
    (folder / "values.yaml").write_text(VALUES, encoding="utf-8")
    (folder / "a.yaml").write_text(REST + "'" + expression.replace("'", "''") + "'\n", encoding="utf-8")
    (name,) = manifest.load(folder, base=folder).orgs
    return name


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("{{ values.name }}", "Acme"),
        ("{{values['name']}}-{{ values.number }}", "Acme-7"),
        ("{{ values.name ~ '-' ~ values.number ~ values.flag }}", "Acme-7true"),
        ("{{ values.deep.er['still'] }}", "found"),
        ("{{ values['dashed-key'] }}", "dashed"),
        ("{{ values.names[1] }}", "b"),
        ("{{ values.names | join('-') }}", "a-b-c"),
        ("{{ values.name | lower }}{{ values.name | upper }}", "acmeACME"),
        ("{{ values.padded | trim }}", "x"),
        ("{{ values.name | replace('cm', '-') }}", "A-e"),
        ("{{ values.missing | default('spare') }}", "spare"),
        ("{{ values.nothing | default(values.name) | lower }}", "acme"),
        ("{{ values.name | default('spare') }}", "Acme"),
        ("{{ values.number | string }}", "7"),
        ("v{{ values.text_number | int }}", "v42"),
        ("{{ 'constant' }}", "constant"),
    ],
)
def test_accepted(tmp_path: Path, expression: str, result: str) -> None:
    """REC-8: lookups, constants, joining and the listed filters."""
    assert named(tmp_path, expression) == result


def test_whole_expressions_keep_their_type(tmp_path: Path) -> None:
    """REC-8, REC-11: true stays true, a list a list, a mapping a secret reference that is not resolved."""
    (tmp_path / "values.yaml").write_text(VALUES, encoding="utf-8")
    (tmp_path / "a.yaml").write_text(
        "version: 1\nkind: Org\nname: a\nstore: '{{ values.store }}'\nadmin: a@b.example\n"
        "protected: '{{ values.flag }}'\n---\n"
        "version: 1\nkind: Org\nname: b\nstore: sqlite:b.db\nadmin: a@b.example\n---\n"
        "version: 1\nkind: Connection\nname: c\nprimary: a\nsecondary: b\nowner: a@b.example\n"
        "contact: {first_name: A, last_name: B, email: a@b.example, account: C}\n"
        "bulk_sync: {stages: '{{ values.stages }}'}\nlimits: {feed_file_bytes: '{{ values.text_number | int }}'}\n",
        encoding="utf-8",
    )
    desired = manifest.load(tmp_path, base=tmp_path)
    assert desired.orgs["a"].store == SecretRef(source="env", name="STORE")
    assert desired.orgs["a"].protected is True
    assert desired.connections["c"].bulk_sync.stages == (90 * 86400, 180 * 86400)
    assert desired.connections["c"].limits == {"feed_file_bytes": 42}


@pytest.mark.parametrize(
    ("expression", "code", "message"),
    [
        ("{{ ''.__class__ }}", "E121", '"__class__" is looked up in text'),
        ("{{ values.name.upper() }}", "E120", "a call is not accepted"),
        ("{{ values.keys }}", "E121", 'unknown value "keys"'),
        ("{{ 'x'*300000000 }}", "E120", "arithmetic"),
        ("{{ 10**5000000 }}", "E120", "arithmetic"),
        ("{{ -1 }}", "E120", "arithmetic"),
        ("{% for x in values.names %}x{% endfor %}", "E120", "a Jinja statement"),
        ("{% include 'x' %}", "E120", "a Jinja statement"),
        ("{{ values.names | map('upper') }}", "E120", 'the filter "map" is not accepted'),
        ("{{ values.name | lwer }}", "E120", 'did you mean "lower"?'),
        ("{{ values.name | default('x', boolean=true) }}", "E120", "named or unpacked"),
        ("{{ values.name | lower(1) }}", "E120", "the filter lower with 1 arguments"),
        ("{{ values.name | int }}", "E120", '"Acme" is not a whole number'),
        ("{{ values.names[values.number] }}", "E120", "a computed key"),
        ("{{ values.names[7] }}", "E121", "this list has 3 items, not an item 7"),
        ("{{ values.names[-1] }}", "E120", "a computed key"),
        ("x{{ values.names }}", "E120", "a list cannot be part of a text"),
        ("x{{ values.nothing }}", "E120", "nothing cannot be part of a text"),
        ("{{ values.nmae }}", "E121", 'did you mean "name"?'),
        ("{{ name }}", "E120", "write values.name"),
        ("{{ values.name == 'x' }}", "E120", "a test or condition"),
        ("{{ [1, 2] }}", "E120", "a list or mapping written out"),
        ("{{ " + "(" * 900 + "1" + ")" * 900 + " }}", "E120", "broken expression"),
        ("{{ " + "9" * 1900 + " }}", "E115", "`name` must be text"),
        ("{{ values.name }}" * 200, "E122", "longer than 2000 characters"),
        ("{{ 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' | replace('a', '" + "b" * 900 + "') }}", "E122", "more than 10000"),
        ("{{ values.names | join('" + "b" * 1500 + "') | replace('b', 'bbbbbbbbbb') }}", "E122", "more than 10000"),
    ],
)
def test_refused(tmp_path: Path, expression: str, code: str, message: str) -> None:
    """REC-11: everything else is an error at the scalar's place, at once, and no message repeats a value."""
    with pytest.raises(ManifestError) as caught:
        named(tmp_path, expression)
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"a.yaml:5:7: error {code}: ")
    assert message in line
    assert "hunter2" not in line


def test_output_of_a_load_is_limited(tmp_path: Path) -> None:
    """REC-11: many small expressions over one large value do not fill the memory."""
    (tmp_path / "values.yaml").write_text("big: [" + "x, " * 50_000 + "]\nlong: " + "x" * 9_000, encoding="utf-8")
    items = "- '{{ values.big }}'\n" * 100
    (tmp_path / "a.yaml").write_text(f"version: 1\nkind: Org\nname:\n{items}", encoding="utf-8")
    with pytest.raises(ManifestError) as caught:
        manifest.load(tmp_path, base=tmp_path)
    assert {item.code for item in caught.value.diagnostics if item.origin and item.origin.line > 4} == {"E122"}
    assert sum(item.code == "E122" for item in caught.value.diagnostics) == 21


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet="{}%#()[]|~.'\" valuesnmjoi019*-+=,", max_size=60))
def test_any_expression(tmp_path: Path, text: str) -> None:
    """REC-11: any text in braces is evaluated or refused with diagnostics, never a traceback."""
    try:
        named(tmp_path, "{{ " + text + " }}")
    except ManifestError as error:
        assert error.diagnostics
