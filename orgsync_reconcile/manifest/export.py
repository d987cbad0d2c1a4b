"""The desired state as manifest files: one for each publication, only what differs from the defaults (REC-7)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel

from orgsync_reconcile.manifest.canonical import arrange
from orgsync_reconcile.manifest.kind_connection import Connection
from orgsync_reconcile.manifest.kinds import KINDS
from orgsync_reconcile.manifest.page_writer import write_pages
from orgsync_reconcile.manifest.template import is_template
from orgsync_reconcile.manifest.terms import duration_text, is_duration, model_in, written_name
from orgsync_reconcile.manifest.tree import Collection, Entry, Page, Scalar, Tree
from orgsync_reconcile.manifest.validate import VERSION
from orgsync_reconcile.model.desired import (
    Desired,
    DesiredConnection,
    DesiredMetadata,
    DesiredOrg,
    DesiredPublication,
    SecretRef,
)

#: Lists of names, a line each, so that a review shows which one came or went.
_LINES: Final = frozenset({"include", "exclude", "auto_numbers", "notify"})

#: Keys of which also a default counts once it was written out.
_EXPLICIT: Final = frozenset({"limits"})


def manifest_files(
    desired: Desired, *, with_orgs: bool = True, notes: Mapping[str, Sequence[str]] | None = None
) -> dict[str, str]:
    """Path, relative to the manifest folder, -> text, in canonical form. Several connections get a folder each.

    `notes` are lines of comment over what a connection's metadata leaves out. Defaults are not written out.
    """
    files: dict[str, str] = {}
    if with_orgs:
        pages = [_page("Org", _org(item)) for _, item in sorted(desired.orgs.items())]
        pages[0].above = ["# The orgs that are connected. A store is where an org lives."]
        files["orgs.yaml"] = write_pages(pages)
    for name, connection in sorted(desired.connections.items()):
        folder = f"{name}/" if len(desired.connections) > 1 else ""
        page = _page("Connection", _connection(connection))
        page.above = ["# What is left out has its default: see the reference of manifests."]
        files[f"{folder}connection.yaml"] = write_pages([page])
        if name in desired.metadata:
            files[f"{folder}metadata.yaml"] = write_pages(
                [_metadata(desired.metadata[name], (notes or {}).get(name, ()))]
            )
        for item in desired.publications_of(name):
            files[_free(f"{folder}{_file_name(item.object)}", files)] = write_pages(
                [_page("Publication", _publication(item))]
            )
    return files


def _file_name(object_name: str) -> str:
    """`CaseComment` -> `case_comment`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", object_name).lower()


def _free(stem: str, taken: Mapping[str, str]) -> str:
    """A file of that name, or with a number where two objects differ in underscores only."""
    names = (f"{stem}{number}.yaml" for number in ("", *(f"-{count}" for count in range(2, len(taken) + 3))))
    return next(name for name in names if name not in taken)


def _page(kind: str, data: dict[str, Any]) -> Page:
    model = KINDS[kind]
    page = Page(tree=_tree("", _without_defaults(model, {"version": VERSION, "kind": kind, **data})))
    arrange(page)
    return page


def _org(org: DesiredOrg) -> dict[str, Any]:
    store = {org.store.source: org.store.name} if isinstance(org.store, SecretRef) else org.store
    return {"name": org.name, "store": store, "admin": org.admin, "protected": org.protected}


def _connection(item: DesiredConnection) -> dict[str, Any]:
    options, bulk, contact = item.options, item.bulk_sync, item.contact
    users: Any = {"primary": options.users_primary, "secondary": options.users_secondary}
    return {
        "name": item.name,
        "primary": item.primary,
        "secondary": item.secondary,
        "owner": item.owner,
        "contact": {key: getattr(contact, key) for key in ("first_name", "last_name", "email", "account")},
        "direction": item.direction.value,
        "state": item.state,
        "sync": {
            "feeds_and_audit_fields": options.feeds_and_audit_fields,
            "metadata": {"delete": True} if item.metadata_delete and options.metadata else options.metadata,
            "users": options.users_primary if options.users_primary is options.users_secondary else users,
        },
        "conflicts": item.conflicts.value,
        "retry": [duration_text(seconds) for seconds in item.retry],
        "bulk_sync": {
            "auto": bulk.auto,
            "stages": [duration_text(seconds) for seconds in bulk.stages],
            "max_age": "none" if bulk.max_age is None else duration_text(bulk.max_age),
        },
        "limits": dict(item.limits),
        "guards": dict(item.guards),
        "drift": dict(item.drift),
        "auto_numbers": [
            {key: getattr(mirror, key) for key in ("object", "field", "mirror", "secondary_format")}
            for mirror in item.auto_numbers
        ],
        "notify": [_as_written(model_in(Connection.model_fields["notify"].annotation), rule) for rule in item.notify],
    }


def _as_written(model: type[BaseModel] | None, data: Mapping[str, Any]) -> dict[str, Any]:
    """Plain data of a model with its durations as manifests write them; empty lists that say nothing are left out."""
    result: dict[str, Any] = {}
    fields = {} if model is None else {written_name(name, field): field for name, field in model.model_fields.items()}
    for key, value in data.items():
        field = fields.get(key)
        if field is not None and is_duration(field) and isinstance(value, int):
            result[key] = duration_text(value)
        elif isinstance(value, Mapping):
            result[key] = _as_written(model_in(field.annotation) if field is not None else None, value)
        else:
            result[key] = value
    if not result.get("email", True) and len(result) > len({"event", "email"}):
        # An empty list of addresses says something only where nobody else is told.
        del result["email"]
    return result


def _publication(item: DesiredPublication) -> dict[str, Any]:
    fields: Any = item.fields.mode
    return {
        "connection": item.connection,
        "object": item.object,
        "fields": fields if fields == "all" else {fields: sorted(item.fields.names)},
        "direction": item.direction.value if item.direction is not None else None,
        "match_on": item.match_on,
        "backfill": item.backfill,
    }


def _metadata(item: DesiredMetadata, notes: Sequence[str]) -> Page:
    data = {"connection": item.connection, "include": list(item.include), "exclude": list(item.exclude)}
    page = _page("Metadata", data)
    page.above = ["# Which components the secondary follows."]
    if isinstance(page.tree, Collection):
        for entry in page.tree.entries:
            if entry.key is not None and entry.key.text == "exclude":
                entry.above = [f"# {line}" for line in notes]
    return page


def _without_defaults(model: type[BaseModel], data: Mapping[str, Any]) -> dict[str, Any]:
    """`data` without the keys that say what stands without them."""
    checked = model.model_validate(dict(data))
    result: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        key = written_name(name, field)
        if key not in data:
            continue
        value, inner = data[key], getattr(checked, name)
        if key in _EXPLICIT:
            result.update({key: value} if value else {})
        elif field.is_required() or inner != field.get_default():
            nested = isinstance(value, Mapping) and isinstance(inner, BaseModel)
            result[key] = _without_defaults(type(inner), value) if nested else value
    return result


def _tree(key: str, value: Any) -> Tree:
    if isinstance(value, Mapping):
        entries = [Entry(key=Scalar(text=name), value=_tree(name, item)) for name, item in value.items()]
        return Collection(entries=entries, mapping=True, flow=key != "" and _is_small(value))
    if isinstance(value, (list, tuple)):
        return Collection(
            entries=[Entry(value=_tree("item", item)) for item in value], mapping=False, flow=key not in _LINES
        )
    if isinstance(value, str):
        return Scalar(text=_said(value))
    if isinstance(value, bool):
        return Scalar(text="true" if value else "false", plain=True)
    whole = isinstance(value, float) and value.is_integer()
    return Scalar(text=str(int(value) if whole else value), plain=True)


def _is_small(value: Mapping[str, Any]) -> bool:
    """Whether a mapping stands on one line: it holds no list that takes a line for each of its items."""
    return not _LINES & value.keys() and all(
        not isinstance(item, Mapping) or _is_small(item) for item in value.values()
    )


def _said(text: str) -> str:
    """A text that would be evaluated as an expression becomes one that yields it."""
    if not is_template(text):
        return text
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    # What begins an expression or a statement may not stand in a constant either, so it is put together from two.
    apart = re.sub(r"\{(?=[{%#])", "{' ~ '", escaped)
    return f"{{{{ '{apart}' }}}}"


def manifest_names(names: Sequence[str]) -> Iterator[str]:
    """Names as manifests take them, each once: what is no letter, digit, dot, dash or underscore becomes a dash."""
    taken: set[str] = set()
    for name in names:
        base = re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-._")[:70] or "org"
        chosen = next(item for item in (base, *(f"{base}-{count}" for count in range(2, 10**6))) if item not in taken)
        taken.add(chosen)
        yield chosen
