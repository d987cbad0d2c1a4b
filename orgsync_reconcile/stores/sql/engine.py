"""What each kind of store does in its own way: tables, their changes, triggers, and the counters beside them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

from orgsync_reconcile.model.schema import FieldDef, ObjectDef
from orgsync_reconcile.stores.sql.layout import Wanted


class Engine(ABC):
    """The tables of one open org. Everything here runs inside the caller's transaction; drivers' errors pass through."""

    @abstractmethod
    def create_table(self, obj: ObjectDef) -> None:
        """Makes an object's table, without its triggers."""

    @abstractmethod
    def alter_tables(self, pairs: Sequence[tuple[ObjectDef, ObjectDef]]) -> None:
        """Brings tables from their former to their new definition, with indexes; records stay as they are (ORG-4).

        Raises MetadataError where the records break a new uniqueness.
        """

    @abstractmethod
    def drop_derived(self, object_name: str) -> None:
        """Drops our triggers and indexes of a table: they hold names in their own text, and are made anew."""

    @abstractmethod
    def set_triggers(self, wanted: Sequence[tuple[ObjectDef, Wanted]]) -> None:
        """Makes the triggers of these objects' tables what is wanted; those that are right already stay."""

    @abstractmethod
    def own_triggers(self) -> Iterable[tuple[str, str]]:
        """(table, trigger) of the org's own triggers, which are not of our making (ORG-7, TRG-1)."""

    @abstractmethod
    def leaves_out_ours(self, object_name: str) -> bool:
        """Whether the table's capture leaves out what the engine writes."""

    @abstractmethod
    def computes(self, field: FieldDef, obj: ObjectDef) -> bool:
        """Whether the table computes a formula by itself."""

    @abstractmethod
    def mask_width(self) -> int:
        """How many mask words the org's tables have."""
