"""Two new orgs, made once."""

from __future__ import annotations

from pathlib import Path

import pytest
from export_world import connect, copied, make_orgs, publication


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pristine")
    make_orgs(folder, "acme", "spare")
    return folder


@pytest.fixture(scope="session")
def plain_pair(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copied(pristine, tmp_path_factory.mktemp("plain") / "work")
    connect(
        folder,
        "",
        publication("Account", "fields: {exclude: [Jigsaw, Fax]}\n"),
        publication("CaseComment"),
        publication("Case"),
    )
    return folder


@pytest.fixture
def fresh(pristine: Path, tmp_path: Path) -> Path:
    return copied(pristine, tmp_path / "work")


@pytest.fixture
def connected(plain_pair: Path, tmp_path: Path) -> Path:
    return copied(plain_pair, tmp_path / "work")
