"""How many of what is said the same way everywhere."""

from __future__ import annotations

import pytest

from orgsync_reconcile.model.wording import counted


@pytest.mark.parametrize(
    ("number", "noun", "said"),
    [
        (0, "record", "0 records"),
        (1, "entry", "1 entry"),
        (2, "entry", "2 entries"),
        (2, "day", "2 days"),
        (1, "address", "1 address"),
        (3, "address", "3 addresses"),
        (1204, "linked record", "1,204 linked records"),
    ],
)
def test_one_and_many(number: int, noun: str, said: str) -> None:
    assert counted(number, noun) == said
