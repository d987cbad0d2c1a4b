"""Random edits of all published objects by a plain SQL client: the same records in both orgs, at will."""

from __future__ import annotations

import random
from contextlib import suppress

from org_stores import Client
from real_compare import REFERENCES, Facts, facts, opened, rows_of
from real_edits import KEPT, copy_record, is_ours, new_values, update
from real_world import World

from orgsync_reconcile.stores.faults import refusals

#: How many records of each object one round touches.
RECORDS_PER_ROUND = 12


def edit_at_random(world: World, org: str, dice: random.Random) -> None:
    """Updates, new parents, deletes (for good, too), undeletes and new records; what the org refuses is left."""
    with opened(world, org) as db:
        found = facts(db)
        for name in found.fields:
            ids = sorted(record for record, row in rows_of(db, name).items() if not is_ours(name, row))
            for record in dice.sample(ids, min(len(ids), RECORDS_PER_ROUND)):
                with suppress(*refusals()):
                    _edit(db, found, name, record, dice)


def _edit(db: Client, found: Facts, name: str, record: str, dice: random.Random) -> None:
    row = rows_of(db, name).get(record)
    if row is None:
        return
    fields = {key: item for key, item in found.fields[name].items() if key not in KEPT}
    match dice.choice(["update"] * 4 + ["parent"] * 2 + ["delete"] * 2 + ["undelete", "copy", "end"]):
        case "update":
            plain = sorted(key for key, item in fields.items() if item["type"] not in REFERENCES)
            some = dice.sample(plain, min(len(plain), 3))
            mark = f"{record[-6:-3]}.{dice.randint(10, 99)}"
            update(db, name, record, new_values(row, {key: fields[key] for key in some}, mark))
        case "parent":
            _move(db, found, name, record, dice)
        case "delete":
            db.execute(f'DELETE FROM "{name}" WHERE "Id" = ? AND "IsDeleted" = FALSE', [record])
        case "undelete":
            db.execute(f'UPDATE "{name}" SET "IsDeleted" = FALSE WHERE "Id" = ? AND "IsDeleted" = TRUE', [record])
        case "end":
            db.execute(f'DELETE FROM "{name}" WHERE "Id" = ? AND "IsDeleted" = TRUE', [record])
        case _:
            copy_record(db, name, row, found.fields[name], f"{dice.randint(10, 99)}")


def _move(db: Client, found: Facts, name: str, record: str, dice: random.Random) -> None:
    """Another living parent, or none, for one of the record's lookups."""
    lookups = [
        (key, item["reference_to"][0], bool(item.get("required")))
        for key, item in found.fields[name].items()
        if key not in KEPT and item["type"] in REFERENCES and item["reference_to"][0] in found.fields
    ]
    if not lookups:
        return
    field, parent, required = dice.choice(sorted(lookups))
    living = [row[0] for row in db.execute(f'SELECT "Id" FROM "{parent}" WHERE "IsDeleted" = FALSE ORDER BY "Id"')]
    choices = living if required else [*living, None]
    if choices:
        db.execute(f'UPDATE "{name}" SET "{field}" = ? WHERE "Id" = ?', [dice.choice(choices), record])
