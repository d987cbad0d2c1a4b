"""The record sets of the NPSP project: SQL dumps, turned into sObject trees that the program's own loader reads.

The dumps hold records of objects and fields that belong to the packages which NPSP extends (npe01, npo02, …) and to the
org that was dumped. Their definitions are not in the project, so they are written here from the dump's columns, as two
further projects: `packages`, which an admin installs in both orgs, and `local`, what the dumped org added itself.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import yaml
from real_world import REAL, World

from orgsync_reconcile.catalog import standard_objects
from orgsync_reconcile.importers import read_sfdx

NPSP = REAL / "npsp"
#: Standard objects that the sync never had and that embedded orgs therefore do not hold: their records stay out.
ABSENT_OBJECTS = frozenset({"Campaign", "CampaignMember", "CampaignMemberStatus", "Event", "OpportunityContactRole"})
#: Fields that an org fills by itself; the dump says that no lead is converted, which is so for new leads.
_FILLED = frozenset({"Lead.IsConverted"})
_XML = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="http://soap.sforce.com/2006/04/metadata">{body}</{root}>\n'
)


@dataclass(kw_only=True)
class Table:
    """One table of a dump: object, field -> column, lookup -> (column, object that it points to)."""

    object: str
    table: str
    fields: dict[str, str]
    lookups: dict[str, tuple[str, str]] = field(default_factory=dict)


def unprefixed(name: str) -> str:
    """A name as the project's source has it: without the namespace that the packaged project gets."""
    return name.removeprefix("npsp__")


def open_dump(name: str) -> sqlite3.Connection:
    db = sqlite3.connect(":memory:")
    db.executescript((NPSP / "datasets" / name / "test_data.sql").read_text(encoding="utf-8"))
    return db


def tables(db: sqlite3.Connection, name: str) -> list[Table]:
    """What the dump's mapping says of its tables; the objects that orgs do not hold are left out."""
    mapping = yaml.safe_load((NPSP / "datasets" / name / "mapping.yml").read_text(encoding="utf-8"))
    found = []
    for item in mapping.values():
        if item["sf_object"] in ABSENT_OBJECTS:
            continue
        columns = {row[1].lower(): row[1] for row in db.execute(f'PRAGMA table_info("{item["table"]}")')}
        table = Table(object=unprefixed(item["sf_object"]), table=item["table"], fields={})
        for name_, column in item["fields"].items():
            if name_ != "Id" and f"{table.object}.{name_}" not in _FILLED:
                table.fields[unprefixed(name_)] = columns[column.lower()]
        for name_, lookup in (item.get("lookups") or {}).items():
            column = columns[lookup.get("key_field", _column(name_, columns)).lower()]
            table.lookups[unprefixed(name_)] = (column, unprefixed(lookup["table"]))
        found.append(table)
    return found


def _column(lookup: str, columns: Mapping[str, str]) -> str:
    """A lookup's column: its own name, or in snake case without `Id` or with it set apart."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", lookup).lower()
    plain = lookup.lower()
    return next(item for item in (plain, snake, re.sub(r"_+", "_", snake)) if item in columns)


def values(db: sqlite3.Connection, table: Table, column: str) -> list[str]:
    rows = db.execute(f'SELECT DISTINCT "{column}" FROM "{table.table}" WHERE coalesce("{column}", \'\') <> \'\'')
    return [row[0] for row in rows]


def write_projects(db: sqlite3.Connection, found: list[Table], folder: Path) -> None:
    """The projects `packages` and `local` for all that the dump has and neither NPSP nor an org's standard objects."""
    known = {
        item.key.full_name for item in read_sfdx(NPSP).components if item.key.type in ("CustomField", "CustomObject")
    }
    standard = standard_objects()
    for table in found:
        if table.object not in standard and table.object not in known:
            _write_object(folder / "packages", table)
        for name in (*table.fields, *table.lookups):
            owned = f"{table.object}.{name}" in known or not name.endswith("__c")
            if owned or (table.object in standard and name in standard[table.object].fields):
                continue
            home = folder / ("packages" if name.count("__") > 1 else "local")
            body = _field(name, table, db)
            if body:
                _write(home / "objects" / table.object / "fields" / f"{name}.field-meta.xml", "CustomField", body)
    for item in found:
        mapping = f"{item.table}_rt_mapping"
        if db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", [mapping]).fetchone():
            for (name,) in db.execute(f'SELECT developer_name FROM "{mapping}"'):
                path = folder / "local" / "objects" / item.object / "recordTypes" / f"{name}.recordType-meta.xml"
                _write(path, "RecordType", f"<fullName>{name}</fullName><active>true</active><label>{name}</label>")


def _write(path: Path, root: str, body: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_XML.format(root=root, body=body), encoding="utf-8")


def _write_object(home: Path, table: Table) -> None:
    name = (
        "<type>Text</type>"
        if "Name" in table.fields
        else "<displayFormat>N-{0000}</displayFormat><type>AutoNumber</type>"
    )
    label = escape(table.object)
    body = (
        f"<deploymentStatus>Deployed</deploymentStatus><label>{label}</label><pluralLabel>{label}</pluralLabel>"
        f"<nameField><label>Name</label>{name}</nameField><sharingModel>ReadWrite</sharingModel>"
    )
    _write(home / "objects" / table.object / f"{table.object}.object-meta.xml", "CustomObject", body)


def _field(name: str, table: Table, db: sqlite3.Connection) -> str:
    """A definition that fits every value of the column; none for a lookup to an object that orgs do not hold."""
    head = f"<fullName>{name}</fullName><label>{name}</label>"
    if name in table.lookups:
        parent = table.lookups[name][1]
        if parent in ABSENT_OBJECTS:
            return ""
        return (
            f"{head}<referenceTo>{parent}</referenceTo><relationshipName>{name}_r</relationshipName><type>Lookup</type>"
        )
    found = values(db, table, table.fields[name])
    if found and all(item.lower() in ("true", "false") for item in found):
        return f"{head}<defaultValue>false</defaultValue><type>Checkbox</type>"
    if found and all(re.fullmatch(r"\d{4}-\d\d-\d\d", item) for item in found):
        return f"{head}<type>Date</type>"
    if found and all(re.fullmatch(r"-?\d+\.\d+", item) for item in found):
        return f"{head}<precision>16</precision><scale>2</scale><type>Currency</type>"
    return f"{head}<length>255</length><type>Text</type>"


def write_trees(db: sqlite3.Connection, found: list[Table], folder: Path) -> list[Path]:
    """One sObject tree per object, with references among them."""
    folder.mkdir()
    paths = []
    ids = {item.object: _key(db, item) for item in found}
    for table in found:
        records = list(_records(db, table, ids))
        if records:
            path = folder / f"{table.object}.json"
            path.write_text(json.dumps({"records": records}), encoding="utf-8")
            paths.append(path)
    return paths


def _key(db: sqlite3.Connection, table: Table) -> str:
    return str(db.execute(f'PRAGMA table_info("{table.table}")').fetchone()[1])


def _records(db: sqlite3.Connection, table: Table, ids: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    types = {}
    if "RecordTypeId" in table.fields:
        types = dict(db.execute(f'SELECT record_type_id, developer_name FROM "{table.table}_rt_mapping"').fetchall())
    db.row_factory = sqlite3.Row
    for row in db.execute(f'SELECT * FROM "{table.table}"').fetchall():
        record: dict[str, Any] = {
            "attributes": {"type": table.object, "referenceId": f"{table.object}-{row[ids[table.object]]}"}
        }
        for name, column in table.fields.items():
            if row[column] not in ("", None):
                record[name] = types[row[column]] if name == "RecordTypeId" else row[column]
        for name, (column, parent) in table.lookups.items():
            if parent in ids and row[column] not in ("", None):
                record[name] = f"@{parent}-{row[column]}"
        yield record


def fill_from_dump(world: World, name: str) -> World:
    """Gives both orgs the packages, and the first one NPSP with what the dumped org added and its records."""
    folder = world.folder
    with closing(open_dump(name)) as db:
        found = tables(db, name)
        write_projects(db, found, folder)
        files = write_trees(db, found, folder / "trees")
    if (folder / "packages").is_dir():
        for org in ("acme", "acme-secondary"):
            world.run("org", "import", world.store(org), "packages")
    world.run("org", "import", world.store("acme"), str(NPSP))
    if (folder / "local").is_dir():
        world.run("org", "import", world.store("acme"), "local")
    world.run("org", "load", world.store("acme"), *map(str, files))
    return world
