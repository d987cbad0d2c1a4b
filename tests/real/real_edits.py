"""Edits of every published object by a plain SQL client, as people and integrations make them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from org_stores import Client, insert
from org_stores import update as write
from real_compare import ORGS, REFERENCES, Facts, facts, opened, rows_of
from real_world import World

#: People and record types are not among what is edited here.
KEPT = ("OwnerId", "RecordTypeId")
#: The connection's own contact and its account: a plan makes them again where they are gone.
OURS = {"Contact": ("Email", "elise@acme.example"), "Account": ("Name", "Acme")}


def edit_both(world: World, step: int, orgs: Sequence[str] = ORGS) -> None:
    """Updates, deletes, undeletes, new records and new parents in both orgs, all before anything is sent.

    Records are dealt out by their place in the order of the first org's Ids, so that each edit meets another record in
    each org; every tenth record is edited in both, on different fields. `step` makes values differ between rounds.
    """
    with opened(world, "acme") as first, opened(world, "acme-secondary") as second:
        here, there = facts(first), facts(second)
        for name in here.fields:
            places = {
                local: place
                for place, (local, row) in enumerate(sorted(rows_of(first, name).items()))
                if not row["IsDeleted"] and not is_ours(name, row)
            }
            mapped = {here.links[local][0]: place for local, place in places.items() if local in here.links}
            if ORGS[0] in orgs:
                _edit(first, name, here, places, role=0, step=step)
            if ORGS[1] in orgs:
                _edit(second, name, there, mapped, role=1, step=step)


def is_ours(name: str, row: Mapping[str, Any]) -> bool:
    """Whether the record is the connection's own contact, or its account."""
    return name in OURS and row[OURS[name][0]] == OURS[name][1]


def _edit(db: Client, name: str, found: Facts, places: Mapping[str, int], *, role: int, step: int) -> None:
    db.execute("BEGIN")
    rows = rows_of(db, name)
    fields = {key: item for key, item in found.fields[name].items() if key not in KEPT}
    plain = {key: item for key, item in fields.items() if item["type"] not in REFERENCES}
    halves = [dict(list(plain.items())[role::2]), plain]
    for local, place in places.items():
        turn = (place + step) % 10
        if turn == role:
            update(db, name, local, new_values(rows[local], halves[1], f"{place}.{step}{role}"))
        elif turn == 4:
            update(db, name, local, new_values(rows[local], halves[0], f"{place}.{step}{role}"))
        elif turn == 5 + role:
            for field, definition in fields.items():
                if definition["type"] in REFERENCES:
                    _reparent(db, name, local, field, definition, found)
        elif turn == 7 + role:
            db.execute(f'DELETE FROM "{name}" WHERE "Id" = ?', [local])
            if place % 4 < 2:
                db.execute(f'UPDATE "{name}" SET "IsDeleted" = FALSE WHERE "Id" = ?', [local])
    template = next(iter(sorted(places)), None)
    if template is not None:
        copy_record(db, name, rows[template], found.fields[name], f"{step}{role}")
    db.execute("COMMIT")


def update(db: Client, name: str, record: str, values: Mapping[str, Any]) -> None:
    """A few fields per statement, as forms do."""
    for chunk in _chunks(list(values.items()), 3):
        write(db, name, record, dict(chunk))


def _chunks(items: Sequence[tuple[str, Any]], size: int) -> Iterator[Sequence[tuple[str, Any]]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _reparent(db: Client, name: str, record: str, field: str, definition: Mapping[str, Any], found: Facts) -> None:
    """Another parent of the same object; none where the object refers to itself and only it is left."""
    parents = definition["reference_to"]
    if len(parents) != 1 or parents[0] not in found.objects:
        return
    other = db.execute(
        f'SELECT max("Id") FROM "{parents[0]}" WHERE "IsDeleted" = FALSE AND "Id" NOT IN (?, coalesce((SELECT "{field}"'
        f' FROM "{name}" WHERE "Id" = ?), \'\'))',
        [record, record],
    ).fetchone()[0]
    if other is not None:
        db.execute(f'UPDATE "{name}" SET "{field}" = ? WHERE "Id" = ?', [other, record])


def copy_record(db: Client, name: str, row: Mapping[str, Any], fields: Mapping[str, Any], mark: str) -> None:
    """A new record like another one, under an Id that the org mints."""
    values = {field: row[field] for field in fields if row[field] is not None}
    for field, item in fields.items():
        if item.get("unique") and field in values:
            values |= new_values({field: values[field]}, {field: item}, f"copy.{mark}")
    insert(db, name, **values)


def new_values(row: Any, fields: Mapping[str, Mapping[str, Any]], mark: str) -> dict[str, Any]:
    """Another value for each of the fields, of its type and within its size."""
    found = {}
    for field, item in fields.items():
        value = _new_value(row[field], item, mark)
        if value != row[field]:
            found[field] = value
    return found


def _new_value(old: Any, item: Mapping[str, Any], mark: str) -> Any:
    match item["type"]:
        case "checkbox":
            return 1 - (old or 0)
        case "number" | "currency" | "percent":
            return int(mark[-2:]) + 1 if item["precision"] > 1 else 1
        case "date":
            return f"20{mark[-2:]}-02-28"
        case "datetime":
            return f"20{mark[-2:]}-02-28T10:20:30.456Z"
        case "time":
            return f"{mark[-2:]}:20:30.456Z"
        case "picklist" | "multi_select_picklist":
            values = [value for value in item.get("picklist", ()) if value != old]
            return values[int(mark[-2:]) % len(values)] if values else old
        case "email":
            return f"edit{mark}@example.com"
        case "url":
            return f"https://example.com/{mark}"
        case "phone":
            return f"+1 (555) {mark}"
        case _:
            return f"{mark} Zürich 東京 {old or ''}"[: item.get("length") or 80].strip()
