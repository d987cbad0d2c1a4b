"""The standard objects with their true fields, read from package data when first asked for (ORG-3)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from orgsync_reconcile.model.schema import FieldDef, ObjectDef


@cache
def standard_objects() -> Mapping[str, ObjectDef]:
    """API name -> definition of every standard object, parents before children as far as that goes (ORG-3).

    System fields (Id, IsDeleted, audit fields, SystemModstamp) are implied and not among the fields.
    """
    text = files("orgsync_reconcile.catalog").joinpath("data", "standard_objects.json").read_text(encoding="utf-8")
    objects: dict[str, ObjectDef] = {}
    for name, data in json.loads(text).items():
        fields = (FieldDef.from_dict(item) for item in data["fields"])
        objects[name] = ObjectDef(
            name=name,
            key_prefix=data["key_prefix"],
            label=data["label"],
            kind=data["kind"],
            fields=MappingProxyType({field.name: field for field in fields}),
        )
    return MappingProxyType(objects)


@cache
def _prefixes() -> Mapping[str, str]:
    text = files("orgsync_reconcile.catalog").joinpath("data", "key_prefixes.json").read_text(encoding="utf-8")
    others: dict[str, str] = json.loads(text)
    return MappingProxyType({**others, **{item.name: item.key_prefix for item in standard_objects().values()}})


def key_prefix(object_name: str) -> str | None:
    """The three characters that begin the Ids of an object, or None where the org itself gives them out (ORG-5).

    Custom objects get theirs when they are made in an org.
    """
    return _prefixes().get(object_name)
