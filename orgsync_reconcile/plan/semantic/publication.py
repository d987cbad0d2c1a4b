"""Differences between two publications of one object: fields by name, and settings (REC-9)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from orgsync_reconcile.model.connection import Direction
from orgsync_reconcile.model.desired import DesiredConnection, DesiredPublication, FieldSelection
from orgsync_reconcile.model.wording import counted
from orgsync_reconcile.plan.draft import listed
from orgsync_reconcile.plan.semantic.difference import Difference
from orgsync_reconcile.plan.semantic.settings import Sheet, compare_settings, value
from orgsync_reconcile.plan.semantic.views import plain

#: Names in one message; the document has all of them.
_NAMES = 12


def compare_publications(
    sheet: Sheet,
    old: DesiredPublication,
    new: DesiredPublication,
    connections: tuple[DesiredConnection | None, DesiredConnection | None],
) -> Iterator[Difference]:
    """What the head's publication says otherwise. `connections` are those of the base and of the head."""
    yield from _fields(sheet, old.fields, new.fields)
    before, after = (_direction(*pair) for pair in zip((old, new), connections, strict=True))
    # Where neither says it, the connection's own difference does.
    if before != after and (old.direction or new.direction):
        yield sheet.difference("direction", before, after, f"direction: {value(before)} → {value(after)}")
    yield from compare_settings(sheet, settings(old), settings(new))


def settings(publication: DesiredPublication) -> dict[str, object]:
    """What a publication says beside its object, fields and direction."""
    known = ("connection", "object", "fields", "direction", "origin", "origins")
    names = (name for name in publication.__dataclass_fields__ if name not in known)
    return {name: plain(getattr(publication, name)) for name in names}


def described(publication: DesiredPublication, connection: DesiredConnection | None) -> str:
    """A publication in a few words: `all fields, two-way, matched on External_Id__c`."""
    words = [_selection(publication.fields)]
    direction = _direction(publication, connection)
    words += [direction] if direction else []
    words += [f"matched on {publication.match_on}"] if publication.match_on else []
    words += ["backfilled"] if publication.backfill else []
    return ", ".join(words)


def _direction(publication: DesiredPublication, connection: DesiredConnection | None) -> str | None:
    found: Direction | None = publication.direction or (connection.direction if connection else None)
    return found.value if found else None


def _selection(selection: FieldSelection) -> str:
    names = sorted(selection.names)
    match selection.mode:
        case "include":
            return f"{counted(len(names), 'field')} ({listed(names, _NAMES)})"
        case "exclude":
            return f"all fields but {listed(names, _NAMES)}"
        case _:
            return "all fields"


def _fields(sheet: Sheet, old: FieldSelection, new: FieldSelection) -> Iterator[Difference]:
    before, after = set(old.names), set(new.names)
    if old.mode == new.mode == "include" or {old.mode, new.mode} <= {"all", "exclude"}:
        # What an exclude list names is what is left out, and `all` leaves out nothing.
        left_out = new.mode != "include"
        came, went = (before - after, after - before) if left_out else (after - before, before - after)
        if came:
            phrase = "publishes {number} again: {names}" if left_out else "publishes {more}: {names}"
            yield _names(sheet, old, new, came, phrase, came=True)
        if went:
            yield _names(sheet, old, new, went, "no longer publishes {number}: {names}", came=False)
    else:
        message = f"publishes {_selection(new)} instead of {_selection(old)}"
        origin, gone = sheet.place("fields")
        yield sheet.difference("fields", _document(old), _document(new), message, origin=origin, gone=gone)


def _names(
    sheet: Sheet, old: FieldSelection, new: FieldSelection, names: Iterable[str], phrase: str, *, came: bool
) -> Difference:
    ordered = sorted(names)
    in_head = [name for name in ordered if name in new.names]
    places = new.names if in_head else old.names
    return sheet.difference(
        "fields.published" if came else "fields.unpublished",
        None if came else ordered,
        ordered if came else None,
        phrase.format(
            number=counted(len(ordered), "field"),
            more=counted(len(ordered), "more field"),
            names=listed(ordered, _NAMES),
        ),
        items=tuple((name, places[name]) for name in ordered),
        origin=places[ordered[0]],
        gone=not in_head,
    )


def _document(selection: FieldSelection) -> object:
    return "all" if selection.mode == "all" else {selection.mode: sorted(selection.names)}
