"""Data hygiene: blank required fields, lookups that point nowhere, duplicates (ORG-10). One pass per object and kind.

Duplicates go by simple rules: accounts with the same name and billing postal code, contacts and leads with the same
last name and email, and records with the same value of an external id that is not unique. Text ignores case.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from types import MappingProxyType

from orgsync_reconcile.errors import UsageError
from orgsync_reconcile.model.actual import HygieneFinding
from orgsync_reconcile.model.schema import ANY_OBJECT, COMPUTED, SCALED, FieldDef, FieldType, ObjectDef
from orgsync_reconcile.stores.sql.dialect import Dialect
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.schema import Objects
from orgsync_reconcile.stores.sql.text import EVERY, commas, literal, quote

#: Object -> fields that two records do not share unless they mean the same; the first must not be blank.
_MATCHING: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"Account": ("Name", "BillingPostalCode"), "Contact": ("Email", "LastName"), "Lead": ("Email", "LastName")}
)

#: Fields whose columns hold no text.
_NO_TEXT = SCALED | {
    FieldType.CHECKBOX,
    FieldType.DATE,
    FieldType.DATETIME,
    FieldType.TIME,
    FieldType.GEOLOCATION,
    FieldType.BASE64,
}


def check(org: Org, objects: Iterable[str] = ()) -> tuple[HygieneFinding, ...]:
    """The dirt in these objects' records, or in all; sorted by object, kind, field. `records` counts the bad ones.

    Deleted records are left out. Raises UsageError for an unknown object, StoreError and its kin.
    """
    with org.snapshot():
        known = Objects(org)
        names = sorted(set(objects)) or [name for name in known if known[name].kind == "object"]
        for name in names:
            if name not in known:
                raise UsageError(f"there is no object {name} in {org.label}", hint=nearest(name, known, org.label))
        prefixes = dict(org.db.execute("SELECT name, key_prefix FROM orgsync_object").fetchall())
        found = [item for name in names for item in _check_object(org, prefixes, known[name])]
    return tuple(sorted(found, key=lambda item: (item.object, item.kind, item.field)))


def nearest(name: str, known: Iterable[str], label: str) -> str:
    """A hint that names the nearest known object, or the command that lists the objects of the org `label`."""
    close = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else f"list them with: orgsync org describe {label}"


def _check_object(org: Org, prefixes: Mapping[str, str], obj: ObjectDef) -> Iterator[HygieneFinding]:
    tests: list[tuple[str, str, str]] = []
    for field in obj.fields.values():
        if field.required and field.type not in COMPUTED and field.type is not FieldType.CHECKBOX:
            tests.extend((field.name, "blank_required", blank(field, quote(c))) for c in field.columns)
        if field.is_reference and not field.read_only:
            tests.append((field.name, "invalid_lookup", _invalid(prefixes, field)))
    yield from _count(org, obj.name, tests)
    for key in matching_keys(obj):
        yield from _duplicates(org, obj, key)


def _count(org: Org, name: str, tests: list[tuple[str, str, str]]) -> Iterator[HygieneFinding]:
    """One pass over the table for all tests; (field, kind, condition of a bad record)."""
    if not tests:
        return
    marks = commas(f'CASE WHEN {test} THEN "Id" END AS t{place}' for place, (_, _, test) in enumerate(tests))
    totals = commas(f"count(t{place}), min(t{place})" for place in range(len(tests)))
    # The limit keeps the inner query apart, so that each test runs once per record.
    row = org.db.execute(
        f'SELECT {totals} FROM (SELECT {marks} FROM {quote(name)} AS r WHERE "IsDeleted" = FALSE LIMIT {EVERY}) AS t'
    ).fetchone()
    for place, (field, kind, _) in enumerate(tests):
        records, example = row[2 * place], row[2 * place + 1]
        if records:
            yield HygieneFinding(object=name, field=field, kind=kind, records=records, example=example)


def _invalid(prefixes: Mapping[str, str], field: FieldDef) -> str:
    """The condition of a lookup that points to no record of a right object, or, where required, to a deleted one.

    Which object is meant stands in the Id's first three characters. Objects that this org does not have cannot be
    looked into: a lookup that may point to one of those is judged only where its prefix is known here.
    """
    # Qualified: the object that is pointed to may have a field of the same name.
    column = f"r.{quote(field.name)}"
    anything = ANY_OBJECT in field.reference_to
    names = list(prefixes) if anything else [name for name in field.reference_to if name in prefixes]
    alive = ' AND t."IsDeleted" = FALSE' if field.required else ""
    cases = " ".join(
        f"WHEN {literal(prefixes[name])} THEN"
        f' NOT EXISTS (SELECT 1 FROM {quote(name)} AS t WHERE t."Id" = {column}{alive})'
        for name in names
    )
    foreign = anything or len(names) < len(field.reference_to)
    others = "FALSE" if foreign else "TRUE"
    if foreign and not anything:
        others = f"substr({column}, 1, 3) IN ({commas(map(literal, prefixes.values()))})"
    verdict = f"CASE substr({column}, 1, 3) {cases} ELSE {others} END" if cases else others
    return f"coalesce({column}, '') <> '' AND {verdict}"


def matching_keys(obj: ObjectDef) -> tuple[tuple[FieldDef, ...], ...]:
    """The rules for duplicates: fields that two records do not share; the first of each rule must not be blank."""
    names = [_MATCHING[obj.name]] if obj.name in _MATCHING else []
    names += [(f.name,) for f in obj.fields.values() if f.external_id and not f.unique and f.type not in COMPUTED]
    return tuple(tuple(obj.fields[name] for name in key) for key in names if all(name in obj.fields for name in key))


def blank(field: FieldDef, column: str) -> str:
    """The SQL condition of a column without a value; text may also be empty."""
    return f"{column} IS NULL" if field.type in _NO_TEXT else f"coalesce({column}, '') = ''"


def comparable(field: FieldDef, column: str, dialect: Dialect) -> str:
    """The SQL expression by which a column is compared with another record's: text ignores case and blanks are equal."""
    return column if field.type in SCALED or field.case_sensitive else dialect.fold(f"coalesce({column}, '')")


def _duplicates(org: Org, obj: ObjectDef, key: tuple[FieldDef, ...]) -> Iterator[HygieneFinding]:
    parts = commas(comparable(field, quote(field.name), org.db.dialect) for field in key)
    records, example = org.db.execute(
        'SELECT sum(n), min(example) FROM (SELECT count(*) AS n, min("Id") AS example'
        f' FROM {quote(obj.name)} WHERE "IsDeleted" = FALSE AND NOT ({blank(key[0], quote(key[0].name))})'
        f" GROUP BY {parts} HAVING count(*) > 1) AS t"
    ).fetchone()
    if records:
        yield HygieneFinding(object=obj.name, field=key[0].name, kind="duplicate", records=records, example=example)
