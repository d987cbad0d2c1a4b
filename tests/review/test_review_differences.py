"""REC-9: the difference of two revisions is what their documents mean."""

from __future__ import annotations

from pathlib import Path

import pytest
from git_world import CONNECTION, MANIFESTS, ORGS, Repo, publication
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orgsync_reconcile.manifest import load
from orgsync_reconcile.plan.semantic import compare

SAFE, MOVES, DESTRUCTIVE = "safe", "moves-data", "destructive"


def connection(**keys: str) -> str:
    return CONNECTION + "".join(f"{key}: {value}\n" for key, value in keys.items())


def test_fields_objects_and_settings(repo: Repo) -> None:
    """REC-9: fields by name, an object that went, one that came, a guard that was loosened, each with its risk."""
    repo.branch(
        "topic",
        {
            "manifests/account.yaml": publication("Account", "{include: [Name, Fax, Website, Industry]}"),
            "manifests/case.yaml": None,
            "manifests/contact.yaml": publication("Contact", more="direction: one-way\n"),
            "manifests/connection.yaml": connection(guards="{disconnect: 0.9}"),
        },
    )
    assert repo.differences() == [
        ("connection", DESTRUCTIVE, "guards.disconnect: 0.3 → 0.9 (loosens a guard)"),
        ("Account", SAFE, "publishes 3 more fields: Fax, Industry, Website"),
        ("Account", SAFE, "no longer publishes 1 field: Phone"),
        ("Case", DESTRUCTIVE, "unpublished"),
        ("Contact", SAFE, "published: all fields, one-way"),
    ]


def test_places_are_those_of_the_side_that_says_it(repo: Repo) -> None:
    """REC-9: what came has its place in the head, what went its place in the base."""
    repo.branch(
        "topic",
        {
            "manifests/account.yaml": "# a comment\n" + publication("Account", "{include: [Fax, Name]}"),
            "manifests/case.yaml": None,
        },
    )
    found = {(item["subject"], item["key"]): item for item in repo.review("main", "--no-plan")["differences"]}
    came = found["Account", "fields.published"]
    assert came["source"] == {"file": "manifests/account.yaml", "line": 6, "column": 20, "side": "head"}
    assert came["items"] == [{"name": "Fax", "source": {"file": "manifests/account.yaml", "line": 6, "column": 20}}]
    went = found["Account", "fields.unpublished"]
    assert went["source"] == {"file": "manifests/account.yaml", "line": 5, "column": 26, "side": "base"}
    assert found["Case", ""]["source"] == {"file": "manifests/case.yaml", "line": 1, "column": 1, "side": "base"}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("all", "{exclude: [Fax]}", [("Account", SAFE, "no longer publishes 1 field: Fax")]),
        ("{exclude: [Fax, Phone]}", "{exclude: [Fax]}", [("Account", SAFE, "publishes 1 field again: Phone")]),
        (
            "all",
            "{include: [Name]}",
            [("Account", SAFE, "fields", "publishes 1 field (Name) instead of all fields")],
        ),
        ("{include: [Name, Fax]}", "{include: [Fax, Name]}", []),
        ("all", '"all"', []),
    ],
)
def test_selections(repo: Repo, before: str, after: str, expected: list[tuple[str, ...]]) -> None:
    """PUB-3, REC-9: lists of fields are compared as what they publish."""
    repo.commit({"manifests/account.yaml": publication("Account", before)})
    repo.branch("topic", {"manifests/account.yaml": publication("Account", after)})
    assert repo.differences() == [(item[0], item[1], item[-1]) for item in expected]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"state": "suspended"}, (SAFE, "state: active → suspended")),
        ({"state": "active"}, None),
        ({"limits": "{feed_file_bytes: 2147483648}"}, None),
        ({"retry": "[60s, 5m, 30m, 2h, 8h]"}, None),
        ({"retry": "[5m, 30m]"}, (SAFE, 'retry: ["1m", "5m", "30m", "2h", "8h"] → ["5m", "30m"]')),
        ({"conflicts": "latest-wins"}, (MOVES, "conflicts: primary-wins → latest-wins (other values win)")),
        ({"guards": "{disconnect: 0.1}"}, (SAFE, "guards.disconnect: 0.3 → 0.1")),
        (
            {"notify": "[{event: suspended, email: [owner, it@acme.example]}]"},
            (SAFE, 'notify: adds {"email": ["owner", "it@acme.example"], "event": "suspended"}'),
        ),
    ],
)
def test_settings_of_a_connection(repo: Repo, keys: dict[str, str], expected: tuple[str, str] | None) -> None:
    """REC-9: a setting that is written out at its default, or in another unit, is no difference."""
    repo.branch("topic", {"manifests/connection.yaml": connection(**keys)})
    assert repo.differences() == ([("connection", *expected)] if expected else [])


def test_one_way_and_back(repo: Repo) -> None:
    """PUB-7: a publication that says what its connection says anyway makes no difference; another direction does."""
    repo.branch("same", {"manifests/case.yaml": publication("Case", "{include: [Subject]}", "direction: two-way\n")})
    assert repo.differences() == []
    repo.branch("other", {"manifests/case.yaml": publication("Case", "{include: [Subject]}", "direction: one-way\n")})
    assert repo.differences() == [("Case", SAFE, "direction: two-way → one-way")]


def test_orgs(repo: Repo) -> None:
    """REC-9: another store is another org; another name for the same store is not."""
    repo.branch("moved", {"manifests/orgs.yaml": ORGS.replace("orgs/acme.db", "orgs/other.db")})
    assert repo.differences() == [
        ("acme", DESTRUCTIVE, "store: sqlite:orgs/acme.db → sqlite:orgs/other.db (another store is another org)")
    ]
    repo.git("checkout", "-q", "main")
    renamed = {name: text.replace("name: acme\n", "name: prod\n") for name, text in MANIFESTS.items()}
    renamed["manifests/connection.yaml"] = CONNECTION.replace("primary: acme\n", "primary: prod\n")
    repo.branch("renamed", renamed)
    assert repo.differences() == [("prod", SAFE, "renamed from acme")]


def test_a_connection_that_goes(repo: Repo) -> None:
    """CON-9, REC-9: it takes its objects along, and that is destructive."""
    repo.branch(
        "topic",
        {"manifests/connection.yaml": None, "manifests/account.yaml": None, "manifests/case.yaml": None},
    )
    assert [item[:2] for item in repo.differences()] == [
        ("connection", DESTRUCTIVE),
        ("Account", DESTRUCTIVE),
        ("Case", DESTRUCTIVE),
    ]


def test_further_documents(repo: Repo) -> None:
    """REC-9: metadata selections, mail and reports are compared too."""
    metadata = "version: 1\nkind: Metadata\nconnection: link\ninclude: [CustomField{}]\n"
    mail = "version: 1\nkind: Mail\nhost: {}\nfrom: org@acme.example\n"
    repo.commit(
        {"manifests/metadata.yaml": metadata.format(""), "manifests/mail.yaml": mail.format("mail.acme.example")}
    )
    repo.branch(
        "topic",
        {
            "manifests/metadata.yaml": metadata.format(", Layout, Role"),
            "manifests/mail.yaml": mail.format("smtp.acme.example"),
        },
    )
    assert repo.differences() == [
        ("metadata", SAFE, "include: adds Layout, Role"),
        ("Mail", SAFE, "host: mail.acme.example → smtp.acme.example"),
    ]


def test_files_order_and_comments_do_not_matter(repo: Repo) -> None:
    """REC-9: the same documents in one file, in another order, with comments, are no difference (exit code 0)."""
    together = "\n---\n# moved here\n".join(reversed([text.strip() for text in MANIFESTS.values()]))
    repo.branch("topic", {**dict.fromkeys(MANIFESTS, None), "manifests/deep/all.yml": together + "\n"})
    result = repo.run("review", "main", "--no-plan", "--detailed-exitcode")
    assert result.exit_code == 0
    assert result.stdout.rstrip().endswith("No semantic difference: the manifests mean the same.")


def test_values_of_an_environment(repo: Repo) -> None:
    """REC-9: expressions are compared by what they yield in the environment that was asked for."""
    templated = CONNECTION.replace("direction: two-way", 'direction: "{{ values.way }}"')
    values = {"manifests/values.yaml": "way: two-way\n", "manifests/values.stage.yaml": "way: two-way\n"}
    repo.commit({"manifests/connection.yaml": templated, **values})
    repo.branch("topic", {"manifests/values.stage.yaml": "way: one-way\n"})
    assert repo.differences() == []
    assert repo.differences("main", "--env", "stage") == [("connection", SAFE, "direction: two-way → one-way")]


_NAMES = st.sets(st.sampled_from(["Name", "Phone", "Fax", "Website", "Industry", "Type"]), min_size=1)
_SELECTION = st.one_of(
    st.just("all"),
    _NAMES.map(lambda names: f"{{include: [{', '.join(sorted(names))}]}}"),
    _NAMES.map(lambda names: f"{{exclude: [{', '.join(sorted(names))}]}}"),
)
_WORLD = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("Account", "Contact", "Case"), _SELECTION),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(old=_WORLD, new=_WORLD, way=st.sampled_from(["one-way", "two-way"]))
def test_equal_means_no_difference_and_the_reverse(
    tmp_path: Path, old: dict[str, str], new: dict[str, str], way: str
) -> None:
    """REC-9: two states differ exactly where they say something else, and swapping them swaps came and went."""

    def state(world: dict[str, str], direction: str) -> object:
        folder = tmp_path / "manifests"
        folder.mkdir(exist_ok=True)
        documents = [ORGS, CONNECTION.replace("two-way", direction)]
        documents += [publication(name, fields) for name, fields in world.items()]
        (folder / "all.yaml").write_text("---\n".join(documents))
        return load(folder, base=tmp_path)

    left, right = state(old, "two-way"), state(new, way)
    there, back = compare(left, right), compare(right, left)  # type: ignore[arg-type]
    assert bool(there) == bool(back) == (old != new or way != "two-way")
    assert len(there) == len(back)
    swap = {"create": "delete", "delete": "create", "update": "update"}
    whole = [(item.address, item.change) for item in there if not item.key]
    assert whole == [(item.address, swap[item.change]) for item in back if not item.key]


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_an_allowance_says_how_far_until_when_and_why(repo: Repo, form: str) -> None:
    """REC-5, REC-9: what lets a guard pass is shown with its last day, however long its reason."""
    why = "Leads move to the new org, CHG-1234, as the board has decided after long discussions about the costs of it"
    first = f"{{guard: disconnect, limit: 40%, reason: '{why}', until: 2026-12-01}}"
    second = f"{{guard: move, limit: 500, reason: '{why}', until: 2027-01-31}}"
    repo.commit({"manifests/connection.yaml": connection(allow=f"[{first}]")})
    repo.branch("topic", {"manifests/connection.yaml": connection(allow=f"[{second}]")})
    shown = " ".join(repo.run("review", "main", "--no-plan", "--format", form).stdout.replace("\\", "").split())
    assert f'allow: adds move up to 500 until 2027-01-31, "{why[:60]}' in shown
    assert f'drops disconnect up to 40.0% until 2026-12-01, "{why[:60]}' in shown
    assert "lets a guard pass" in shown
    ((_, risk, _),) = repo.differences()
    assert risk == DESTRUCTIVE
