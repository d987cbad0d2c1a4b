"""What any test may ask for: a PostgreSQL server, and orgs in every kind of store and in every pairing of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from org_stores import FILES_ONLY, PAIRINGS, STORES, Maker, Templates
from postgres_server import Server, server

from orgsync_reconcile.errors import OrgsyncError


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the option to look further than the conformance suite."""
    parser.addoption(
        "--every-pairing", action="store_true", help="run unmarked tests of several orgs on all pairings of stores too"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests of one org run on each kind of store, tests of several on pairings of them."""
    here = metafunc.definition
    in_files = here.get_closest_marker("files_only")
    files_only = in_files is not None and not in_files.args
    if "store" in metafunc.fixturenames:
        metafunc.parametrize("store", ["sqlite"] if files_only else list(STORES))
    if "pairing" in metafunc.fixturenames and not files_only:
        chosen = here.get_closest_marker("pairings")
        every = metafunc.config.getoption("every_pairing")
        if every or chosen is not None:
            wanted = PAIRINGS
            # `alone`: the test is about these, whatever else is asked for.
            if chosen is not None and chosen.args and (not every or chosen.kwargs.get("alone")):
                wanted = list(chosen.args)
            ends = in_files.args if in_files is not None else ()
            metafunc.parametrize("pairing", [pairing for pairing in wanted if _lie_in_files(pairing, ends)])


def _lie_in_files(pairing: str, ends: Sequence[str]) -> bool:
    """Whether these ends of a pairing, `primary` and `secondary`, are files."""
    stores = dict(zip(("primary", "secondary"), pairing.split("-"), strict=True))
    return all(stores[end] == "sqlite" for end in ends)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What runs on several kinds of store is the conformance suite."""
    for item in items:
        called = getattr(item, "callspec", None)
        if called is not None and not called.params.keys().isdisjoint({"store", "pairing"}):
            item.add_marker("conformance")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A server, started when it is first asked for; tests are skipped where there is none."""
    with ExitStack() as stack:
        try:
            found = stack.enter_context(server())
        except OrgsyncError as error:
            pytest.skip(f"no PostgreSQL: {error}")
        yield found


@pytest.fixture(scope="session")
def templates(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """Orgs that are made once and copied."""
    return Templates(request, tmp_path_factory)


@pytest.fixture
def pairing() -> str:
    """The stores of the primary and of the secondary: `sqlite-postgres`. Files, unless a test runs on several pairings."""
    return FILES_ONLY


class Placing:
    """Gives a test orgs of its own, in the stores of its pairing."""

    def __init__(self, templates: Templates, pairing: str, folder: Path) -> None:
        self.templates = templates
        self.pairing = pairing
        self.folder = folder
        self.stack = ExitStack()

    def __call__(self, make: Maker, *names: str, joined: bool = False, folder: str = "") -> dict[str, str]:
        """Name -> address of copies of the orgs that `make` makes; `joined`: they know of each other.

        Files go into the test's folder, or into a `folder` there.
        """
        where = self.folder / folder
        return self.stack.enter_context(self.templates.copied(self.pairing, make, names, where, joined=joined))


@pytest.fixture
def place(templates: Templates, pairing: str, tmp_path: Path) -> Iterator[Placing]:
    """Puts orgs into the stores of the pairing, files into the test's folder; they go when the test ends."""
    placing = Placing(templates, pairing, tmp_path)
    with placing.stack:
        yield placing
