"""Setting one field of records as any client of the org would: captured, and on its way like other edits (LOG-3)."""

from __future__ import annotations

from collections.abc import Sequence

from orgsync_reconcile.errors import StoreError
from orgsync_reconcile.model.schema import TEXTUAL, FieldType
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.savepoint import savepoint
from orgsync_reconcile.stores.sql.schema import Objects
from orgsync_reconcile.stores.sql.text import quote

_CHOICES = frozenset({*TEXTUAL, FieldType.PICKLIST})


def set_field(org: Org, object_name: str, field: str, value: bool | str, records: Sequence[str]) -> int:
    """Sets a checkbox, text or picklist field of live records where it has another value; returns of how many.

    Inside a transaction; where a record is refused, none is set. Raises StoreError for an object or field that cannot
    take the value, and SQLite's errors.
    """
    objects = Objects(org)
    known = objects[object_name].fields.get(field) if object_name in objects else None
    if known is None:
        raise StoreError(f"there is no field {object_name}.{field}", where=org.label, hint="correct the rule's flag")
    fits = known.type is FieldType.CHECKBOX if isinstance(value, bool) else known.type in _CHOICES
    if not fits:
        raise StoreError(
            f"{object_name}.{field} is of type {known.type.value} and does not take {value!r}",
            where=org.label,
            hint="flags are checkboxes with true or false, or text and picklist fields with a text",
        )
    stored = int(value) if isinstance(value, bool) else value
    done = 0
    with savepoint(org):
        for record in records:
            cursor = org.db.execute(
                f'UPDATE main.{quote(object_name)} SET {quote(field)} = ?1 WHERE "Id" = ?2 AND "IsDeleted" = FALSE'
                f" AND {quote(field)} IS NOT ?1",
                [stored, record],
            )
            done += cursor.rowcount
    return done
