"""Connected orgs of several shapes with generated schemas, as the model drives them."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from model_manifests import admin, apply_all, write_orgs, write_way
from net_world import Net
from org_stores import Maker, Templates, insert

from orgsync_reconcile.model.schema import FieldDef, FieldType, ObjectDef
from orgsync_reconcile.stores.sql.create import NewOrg
from orgsync_reconcile.stores.sql.flow import Pair
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.schema import deploy_objects
from orgsync_reconcile.stores.urls import create_store

#: Shape -> the orgs, and the connections by the names of their ends.
SHAPES = {
    "pair": ("ab", ("ab",)),
    "chain": ("abc", ("ab", "bc")),
    "hub": ("abc", ("ab", "ac")),
    "ring": ("abc", ("ab", "bc", "ca")),
    "diamond": ("abcd", ("ab", "ac", "bd", "cd")),
}
POLICIES = ("primary-wins", "secondary-wins", "latest-wins")
OBJECTS = ("Node__c", "Leaf__c", "Detail__c")
#: The details' master, with which they go and come.
MASTER = "Node__c"
#: Object -> its lookups in every schema, and the object that each leads to.
_LOOKUPS = {
    "Node__c": {"Parent__c": "Node__c", "Leaf__c": "Leaf__c"},
    "Leaf__c": {MASTER: MASTER},
    "Detail__c": {MASTER: MASTER},
}
#: (object, lookup, the object that it leads to) of which a schema has some.
_MORE_LOOKUPS = (
    ("Node__c", "Other__c", "Node__c"),
    ("Node__c", "Detail__c", "Detail__c"),
    ("Leaf__c", "Twin__c", "Leaf__c"),
    ("Leaf__c", "Detail__c", "Detail__c"),
    ("Detail__c", "Leaf__c", "Leaf__c"),
    ("Detail__c", "Before__c", "Detail__c"),
)
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


@cache
def lookups(seed: int) -> dict[str, dict[str, str]]:
    """Object -> its lookups, the detail's master among them -> the object that each leads to, for a schema."""
    found = {name: dict(known) for name, known in _LOOKUPS.items()}
    for name, column, other in random.Random(f"lookups of {seed}").sample(_MORE_LOOKUPS, 3):
        found[name][column] = other
    return found


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
    for place, (name, references) in enumerate(lookups(seed).items()):
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
            if (name, column) == ("Detail__c", MASTER):
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
            column = next(iter(lookups(seed)[kind]))
            found[f"{org}-{kind}"] = (org, kind, {**plain, column: owner})
    return found


def _id(net: Net, org: str, node: object) -> str | None:
    return next(iter(net.all(org, 'SELECT "Id" FROM "Node__c" WHERE "Name" = ?', node)), None)


def _populate(folder: Path, shape: str, seed: int, address: Callable[[str], str]) -> None:
    """Makes these records and sends them everywhere."""
    with ExitStack() as stack:
        net = _net(folder, shape, {name: address(name) for name in SHAPES[shape][0]}, stack)
        for name, (org, kind, values) in population(shape, seed).items():
            found = {item: _id(net, org, value) if item in _LOOKUPS[kind] else value for item, value in values.items()}
            insert(net.clients[org], kind, Name=name, **found)
        net.settle()


@cache
def maker(shape: str, seed: int) -> Maker:
    """Makes connected orgs of that shape and schema."""

    def make(address: Callable[[str], str]) -> None:
        for place, name in enumerate(SHAPES[shape][0]):
            _make_org(address(name), NewOrg(name=name, admin=admin(shape, name)), _schema(seed, name), place)
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            _write_manifests(folder, shape, seed, address)
            apply_all(folder)
            _populate(folder, shape, seed, address)

    return make


def _make_org(address: str, new: NewOrg, objects: Sequence[ObjectDef], place: int) -> None:
    with create_store(address, new, base=Path()) as org:
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


def _write_manifests(folder: Path, shape: str, seed: int, address: Callable[[str], str]) -> None:
    write_orgs(folder, shape, address)
    for way in SHAPES[shape][1]:
        write_way(folder, shape, way, policy_of(seed), dict.fromkeys(OBJECTS, ()))


def open_net(templates: Templates, pairing: str, shape: str, seed: int, folder: Path, stack: ExitStack) -> Net:
    """Copies of the orgs that `maker` makes, opened; they go with the stack."""
    copied = templates.copied(pairing, maker(shape, seed), SHAPES[shape][0], folder, joined=True)
    addresses = stack.enter_context(copied)
    _write_manifests(folder, shape, seed, addresses.__getitem__)
    return _net(folder, shape, addresses, stack)


def _net(folder: Path, shape: str, addresses: Mapping[str, str], stack: ExitStack) -> Net:
    names, ways = SHAPES[shape]
    net = Net(folder, names, stack, addresses)
    for way in ways:
        net.pairs[way] = Pair(net.orgs[way[0]], net.orgs[way[1]], way)
    return net
