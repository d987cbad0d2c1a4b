"""What tables and triggers have in common in every store: the row's number, masks, what is captured and cascades."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orgsync_reconcile.model.schema import FieldDef, FieldType, ObjectDef
from orgsync_reconcile.stores.sql.text import quote

#: The column that numbers the rows; Ids are minted from it, so it is never reused.
ROW = "orgsync_row"
#: Columns per word of a change's mask; two bits of the 64 stay free.
WORD = 62
#: Engine writes that lead to one another are cut off here (ORG-7).
MAX_HOPS = 5


@dataclass(frozen=True, kw_only=True)
class Capture:
    """What of an object is captured: its permanent number, and column -> permanent number of the published fields.

    `suppress` leaves out what the engine itself writes: right where one connection alone publishes the object and the
    org has no triggers of its own on it; otherwise engine writes are captured with their origin.
    """

    number: int
    columns: Mapping[str, int]
    suppress: bool = True


@dataclass(frozen=True, kw_only=True)
class Mirror:
    """A text field that takes the auto-number `field` of a record that was made here (AUT-1).

    `number` is the object's permanent number, by which an engine write is known.
    """

    field: str
    mirror: str
    number: int


@dataclass(frozen=True, kw_only=True)
class Child:
    """A reference of another object that cascades deletes from this one."""

    object: str
    field: str


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the triggers of one object's table are to do, beyond what all do.

    `children` are the references that cascade from this object; `capture` is None while nobody publishes the object;
    `mirrors` are its fields that mirror an auto-number.
    """

    children: Sequence[Child] = ()
    capture: Capture | None = None
    mirrors: Sequence[Mirror] = ()


def system_field(name: str) -> FieldDef:
    """The definition of a field that every record has, as far as its values go."""
    kind = FieldType.ID if name.endswith("Id") else FieldType.CHECKBOX if name == "IsDeleted" else FieldType.DATETIME
    return FieldDef(name=name, type=kind)


def fits_mirror(obj: ObjectDef, mirror: Mirror) -> str:
    """The condition on a row of the object's table: its mirror is blank and has room for the number."""
    number, text = quote(mirror.field), quote(mirror.mirror)
    return f"coalesce({text}, '') = '' AND length({number}) <= {obj.fields[mirror.mirror].length or 255}"
