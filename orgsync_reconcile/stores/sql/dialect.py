"""The few places where stores have different words for one thing, as SQL text."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import ClassVar

from orgsync_reconcile.model.schema import COMPUTED, SCALED, FieldDef, FieldType
from orgsync_reconcile.stores.sql.sieve import Doubt
from orgsync_reconcile.stores.sql.text import literal


class Dialect(ABC):
    """How one kind of store writes it. Arguments and results are SQL expressions."""

    #: The moment of the statement, as records hold it.
    now: ClassVar[str]
    #: Milliseconds since 1970 by the org's own clock, at the start of the statement.
    now_ms: ClassVar[str]
    #: The column of orgsync_change that grows with every entry, also within one transaction.
    entry: ClassVar[str]
    #: How many values one query may name.
    most_values: ClassVar[int]
    #: Before which nine digits the numbers of each counter of Ids end.
    id_ends: ClassVar[Sequence[str]] = ("g",)
    #: What follows a query whose rows nobody else may change until the transaction ends.
    for_update: ClassVar[str] = ""
    #: The same against changes alone: several may hold it.
    for_share: ClassVar[str] = ""
    #: Whether a record's Id is minted from its row number, which a writer may then give.
    numbers_rows: ClassVar[bool]
    #: The type of a temporary table's first column that numbers its rows from 1 in the order of their coming.
    numbered: ClassVar[str]

    @abstractmethod
    def mint(self, key_prefix: str, code: str, row: str) -> str:
        """The Id that belongs to row number `row`.

        Key prefix, the org's three-character code, nine hexadecimal digits, checksum: lowercase but for the prefix, so
        the checksum is constant per object.
        """

    def auto_number_text(self, display_format: str, number: str) -> str:
        """`number` in a display format such as `A-{YYYY}-{0000}`."""
        parts: list[str] = []
        rest = display_format or "{0}"
        while rest:
            before, brace, after = rest.partition("{")
            if before:
                parts.append(literal(before))
            if not brace:
                break
            inside, _, rest = after.partition("}")
            date = inside in ("YYYY", "YY", "MM", "DD")
            parts.append(self.date_part(inside) if date else self.padded(number, max(len(inside), 1)))
        return " || ".join(parts)

    @abstractmethod
    def date_part(self, part: str) -> str:
        """`YYYY`, `YY`, `MM` or `DD` of the present day in UTC, as digits."""

    @abstractmethod
    def padded(self, number: str, width: int) -> str:
        """A number's text with zeros before it up to so many digits."""

    @abstractmethod
    def fold(self, text: str) -> str:
        """Text as it is compared where case does not count. Indexes of unique text hold the same expression."""

    @abstractmethod
    def greater(self, one: str, other: str) -> str:
        """The greater of two numbers, neither of which is NULL."""

    @abstractmethod
    def json_value(self, column: str, key: str) -> str:
        """The text or number that a column's JSON text holds under a key, as text; NULL where it has none."""

    @abstractmethod
    def doubt(self, kind: str) -> Doubt | None:
        """What is asked of values of another kind of store that come into a column of a type; None: nothing."""

    @abstractmethod
    def moment(self, text: str) -> str:
        """A moment as ISO text, to be compared with a record's."""

    @abstractmethod
    def milliseconds(self, moment: str) -> str:
        """A record's moment as milliseconds since 1970."""

    @abstractmethod
    def column_type(self, field: FieldDef) -> str:
        """The type of a column that holds the field's values, or a formula's results."""

    @abstractmethod
    def index(self, schema: str, table: str, columns: Sequence[str], *, unique: bool = False) -> str:
        """The statement that makes an index of a temporary table, whose name is quoted, over these expressions."""

    @abstractmethod
    def among(self, column: str, query: str) -> str:
        """The condition that an indexed column is one of the values that a query finds, which may be many."""

    @abstractmethod
    def only(self, table: str, column: str, query: str) -> str:
        """A table to be joined by an indexed column, which is one of the values that a query finds."""

    def one_of(self, column: str, mark: str, values: Sequence[object]) -> tuple[str, list[object]]:
        """(the condition that a column is one of these values, its parameters); `mark` stands for each of them."""
        return f"{column} IN ({', '.join([mark] * len(values))})", list(values)

    def default_of(self, field: FieldDef) -> str | None:
        """The field's literal default, or None."""
        if field.type is FieldType.CHECKBOX:
            return self.flag((field.default or "").lower() == "true")
        if field.default is None or field.type in COMPUTED:
            return None
        if field.type in SCALED:
            try:
                return self.number(Decimal(field.default), field.scale or 0)
            except InvalidOperation:
                return None
        return literal(field.default)

    @abstractmethod
    def flag(self, value: bool) -> str:
        """A checkbox's value."""

    @abstractmethod
    def number(self, value: Decimal, scale: int) -> str:
        """A number as a column with so many digits after the point holds it."""

    @abstractmethod
    def whole(self, text: str) -> str:
        """The whole number that a text shows; any other text is 0."""

    @abstractmethod
    def find(self, text: str, part: str) -> str:
        """The place of one text in another, from 1; 0 where it is not there."""

    @abstractmethod
    def given(self, field: FieldDef) -> str:
        """The mark of a parameter that is written to a field, or compared with it: Python has numbers scaled."""
