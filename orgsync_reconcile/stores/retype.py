"""What becomes of stored values when a field gets another type, or another number of digits (ORG-4)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from orgsync_reconcile.errors import RecordError
from orgsync_reconcile.importers import coerce
from orgsync_reconcile.model.schema import COMPUTED, SCALED, TEXTUAL, FieldDef, FieldType

#: Hold any text; what is longer than the field or not in its list stays until somebody changes it.
ANY_TEXT = TEXTUAL | {FieldType.PICKLIST, FieldType.MULTI_SELECT_PICKLIST, FieldType.EXTERNAL_LOOKUP}


def needs_conversion(old: FieldDef, new: FieldDef) -> bool:
    """Whether values that are stored for `old` mean something else, or nothing, to `new`."""
    return (old.type, old.scale) != (new.type, new.scale) and old.columns == new.columns and new.type not in COMPUTED


def converter(old: FieldDef, new: FieldDef) -> Callable[[Any], Any]:
    """The function from a stored value of `old` to one of `new`."""

    def convert(value: Any) -> Any:
        plain = _plain(value, old)
        if new.type in ANY_TEXT:
            return plain
        if new.type is FieldType.DATE and old.type is FieldType.DATETIME:
            plain = str(plain)[:10]
        try:
            result = coerce(plain, new)
        except RecordError:
            result = None
        return 0 if result is None and new.type is FieldType.CHECKBOX else result

    return convert


def _plain(value: Any, field: FieldDef) -> Any:
    """The value as a person would write it."""
    kind = field.result_type if field.type in COMPUTED and field.result_type else field.type
    if kind in SCALED and isinstance(value, int):
        return str(Decimal(value).scaleb(-(field.scale or 0)))
    if kind is FieldType.CHECKBOX:
        return "true" if value else "false"
    return value
