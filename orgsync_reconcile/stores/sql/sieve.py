"""Rows on their way from one kind of store to another: values that the other one has no place for are set apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

Row = Sequence[object]


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubt:
    """What a store asks of values of another kind of store."""

    #: Says why a value cannot be held, as a part of a sentence; None: it can.
    why: Callable[[object], str | None]
    #: What stands for such a value where it is compared, and is never kept.
    instead: object


@dataclass(frozen=True, kw_only=True, slots=True)
class Unfit:
    """A value of a record that the other store cannot hold, as people are shown it. `why` is part of a sentence."""

    record: str
    field: str
    value: str
    why: str


class Sieve:
    """Passes rows on. `doubts` is what is asked of each column, in order.

    Of a row that bears an Id, in the column number `key`, something else passes for an unfit value, which is noted in
    `unfit`. Any other row, and one whose Id is unfit, does not pass: it makes no sense to anybody.
    """

    def __init__(self, fields: Sequence[str], doubts: Sequence[Doubt | None], key: int | None) -> None:
        self.unfit: list[Unfit] = []
        self._fields = fields
        self._doubts = [(place, doubt) for place, doubt in enumerate(doubts) if doubt is not None]
        self._asked = [(place, doubt.why) for place, doubt in self._doubts]
        self._key = key

    def __call__(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows that pass."""
        for row in rows:
            for place, why in self._asked:
                if (value := row[place]) is not None and why(value) is not None:
                    cleaned = self._cleaned(row)
                    if cleaned is not None:
                        yield cleaned
                    break
            else:
                yield row

    def _cleaned(self, row: Row) -> Row | None:
        values = list(row)
        found = []
        for place, doubt in self._doubts:
            value = row[place]
            why = None if value is None else doubt.why(value)
            if why is not None:
                if self._key is None or place == self._key:
                    return None
                values[place] = doubt.instead
                shown = str(value).encode(errors="replace").decode()
                found.append(Unfit(record=str(row[self._key]), field=self._fields[place], value=shown, why=why))
        self.unfit += found
        return values
