"""Connected orgs of several shapes with generated schemas, as the model drives them."""

from __future__ import annotations

import random
import shutil
import sqlite3
import tempfile
from collections.abc import Collection, Sequence
from contextlib import ExitStack, closing
from functools import cache
from pathlib import Path

from model_manifests import admin, apply_all, write_orgs, write_way
from net_world import Net

from orgsync_reconcile.model.schema import FieldDef, FieldType, ObjectDef
from orgsync_reconcile.stores.sql.create import NewOrg
from orgsync_reconcile.stores.sql.flow import Pair
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.schema import deploy_objects
from orgsync_reconcile.stores.sqlite.create import create_org

#: Shape -> the orgs, and the connections by the names of their ends.
SHAPES = {
    "pair": ("ab", ("ab",)),
    "chain": ("abc", ("ab", "bc")),
    "hub": ("abc", ("ab", "ac")),
    "ring": ("abc", ("ab", "bc", "ca")),
    "diamond": ("abcd", ("ab", "ac", "bd", "cd")),
}
POLICIES = ("primary-wins", "secondary-wins", "latest-wins")
#: Object -> its references; the detail cascades.
REFERENCES = {
    "Node__c": {"Parent__c": "Node__c", "Leaf__c": "Leaf__c"},
    "Leaf__c": {"Node__c": "Node__c"},
    "Detail__c": {"Node__c": "Node__c"},
}
OBJECTS = tuple(REFERENCES)
#: The last name of the administrator of every org: one person.
ADMIN = "Administrator"
#: The object whose records have owners.
OWNED = "Node__c"
#: Kinds of plain fields, with values of each.
KINDS: dict[str, tuple[dict[str, object], Sequence[object]]] = {
    "text": ({"type": FieldType.TEXT, "length": 20}, ("x", "y", "Zoë", None)),
    "number": ({"type": FieldType.NUMBER, "precision": 8, "scale": 0}, (1, 2, -3, None)),
    "checkbox": ({"type": FieldType.CHECKBOX}, (0, 1)),
    "date": ({"type": FieldType.DATE}, ("2026-01-01", "2026-02-03", None)),
    "picklist": ({"type": FieldType.PICKLIST, "picklist": ("One", "Two"), "restricted": True}, ("One", "Two", None)),
    "scaled": ({"type": FieldType.NUMBER, "precision": 12, "scale": 2}, (100, 99999, -1, None)),
    "currency": ({"type": FieldType.CURRENCY, "precision": 18, "scale": 4}, (123456789012345678, 5, None)),
    "datetime": ({"type": FieldType.DATETIME}, ("2026-01-01T10:00:00.000Z", "2026-06-30T23:59:59.999Z", None)),
    "multi": (
        {"type": FieldType.MULTI_SELECT_PICKLIST, "picklist": ("One", "Two"), "restricted": True},
        ("One", "One;Two", "Two", None),
    ),
    "exact": ({"type": FieldType.TEXT, "length": 20, "default": "new"}, ("X", "x", "", None)),
    "long": ({"type": FieldType.LONG_TEXT_AREA, "length": 500}, ("a\nb", "c", None)),
}


@cache
def plain_fields(seed: int) -> dict[str, dict[str, str]]:
    """Object -> its plain fields -> their kinds, for a schema."""
    pick = random.Random(seed)
    return {
        name: {f"{kind.title()}_{number}__c": kind for number, kind in enumerate(pick.sample(list(KINDS), 3))}
        for name in OBJECTS
    }


def policy_of(seed: int) -> str:
    """Whose value stays where both ends of a connection changed one."""
    return POLICIES[seed % len(POLICIES)]


def only(org: str) -> str:
    """The stage that this org alone takes."""
    return f"Only {org}"


def _schema(seed: int, stages: Collection[str]) -> list[ObjectDef]:
    """The objects with fields of kinds that `seed` draws; `stages`: the orgs whose own stage is taken."""
    found = []
    stage = {"type": FieldType.PICKLIST, "restricted": True, "picklist": ("Open", *map(only, sorted(stages)))}
    for place, (name, references) in enumerate(REFERENCES.items()):
        fields: list[dict[str, object]] = [
            {"name": "Name", "type": FieldType.TEXT, "length": 80, "name_field": True, "custom": False},
            {"name": "Key__c", "type": FieldType.TEXT, "length": 10, "unique": True},
            {"name": "Stage__c", **stage},
        ]
        if name == OWNED:
            owner = {"type": FieldType.LOOKUP, "reference_to": ("User",), "length": 18}
            fields.append({"name": "OwnerId", "custom": False, **owner})
        fields += [{"name": item, **KINDS[kind][0]} for item, kind in plain_fields(seed)[name].items()]
        for column, parent in references.items():
            if name == "Detail__c":
                detail = {"type": FieldType.MASTER_DETAIL, "required": True, "cascade_delete": True}
                fields.append({"name": column, "reference_to": (parent,), **detail})
            else:
                fields.append({"name": column, "reference_to": (parent,), "type": FieldType.LOOKUP})
        parsed = [FieldDef.from_dict({"custom": True, **item}) for item in fields]
        found.append(
            ObjectDef(
                name=name, key_prefix=f"a0{place}", label=name, custom=True, fields={item.name: item for item in parsed}
            )
        )
    return found


def accept_stage(org: Org, seed: int, stages: Collection[str]) -> None:
    """The org takes the stages of these orgs from now on."""
    deploy_objects(org, _schema(seed, stages))


def population(shape: str, seed: int) -> dict[str, tuple[str, str, dict[str, object]]]:
    """Name -> (org that makes it, object, values), of the records that every run begins with. Parents stand first."""
    found: dict[str, tuple[str, str, dict[str, object]]] = {}
    for org in SHAPES[shape][0]:
        for kind in OBJECTS:
            plain = {item: KINDS[what][1][0] for item, what in plain_fields(seed)[kind].items()}
            owner = f"{org}-Node__c" if kind != "Node__c" else None
            column = next(iter(REFERENCES[kind]))
            found[f"{org}-{kind}"] = (org, kind, {**plain, column: owner})
    return found


def _id(net: Net, org: str, node: object) -> str | None:
    return next(iter(net.all(org, 'SELECT "Id" FROM "Node__c" WHERE "Name" = ?', node)), None)


def _populate(folder: Path, shape: str, seed: int) -> None:
    """Makes these records and sends them everywhere."""
    with ExitStack() as stack:
        net = _net(folder, shape, stack)
        for name, (org, kind, values) in population(shape, seed).items():
            found = {
                item: _id(net, org, value) if item in REFERENCES[kind] else value for item, value in values.items()
            }
            columns = {"Name": name, **found}
            net.clients[org].execute(
                f'INSERT INTO "{kind}" ({", ".join(columns)}) VALUES ({", ".join("?" * len(columns))})',
                [*columns.values()],
            )
        net.settle()


def make_template(base: Path, shape: str, seed: int) -> Path:
    """A folder with connected orgs of that shape and schema; made once."""
    folder = base / f"{shape}-{seed}"
    if folder.exists():
        return folder
    building = Path(tempfile.mkdtemp(dir=base))
    names, ways = SHAPES[shape]
    for place, name in enumerate(names):
        with create_org(building / f"{name}.db", NewOrg(name=name, admin=admin(shape, name))) as org:
            objects = _schema(seed, name)
            if place % 2:
                # Other numbers for the same fields.
                alone = FieldDef.from_dict({"name": "Own__c", "type": FieldType.TEXT, "length": 9, "custom": True})
                deploy_objects(
                    org,
                    [
                        ObjectDef(name=o.name, key_prefix=o.key_prefix, label=o.name, custom=True,
                                  fields={"Name": o.fields["Name"], "Own__c": alone})
                        for o in objects
                    ],
                )  # fmt: skip
            deploy_objects(org, objects)
    write_orgs(building, shape)
    for way in ways:
        write_way(building, shape, way, policy_of(seed), dict.fromkeys(OBJECTS, ()))
    apply_all(building)
    _populate(building, shape, seed)
    for name in names:
        # An org that another one has attached keeps its last commits beside the file.
        with closing(sqlite3.connect(building / f"{name}.db")) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    building.rename(folder)
    return folder


def open_net(template: Path, shape: str, folder: Path, stack: ExitStack) -> Net:
    """A copy of the template, opened."""
    for name in SHAPES[shape][0]:
        shutil.copyfile(template / f"{name}.db", folder / f"{name}.db")
    shutil.copytree(template / "manifests", folder / "manifests")
    return _net(folder, shape, stack)


def _net(folder: Path, shape: str, stack: ExitStack) -> Net:
    names, ways = SHAPES[shape]
    net = Net(folder, names, stack)
    for way in ways:
        net.pairs[way] = Pair(net.orgs[way[0]], net.orgs[way[1]], way)
    return net
