"""The semantic difference of two desired states: documents that came, went, or say something else (REC-9).

Documents are found by what they are about, so moving them between files, reordering them and commenting on them makes
no difference; and an org that only got another name is one org.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from orgsync_reconcile.model.desired import (
    Desired,
    DesiredConnection,
    DesiredMetadata,
    DesiredOrg,
    DesiredPublication,
)
from orgsync_reconcile.model.origin import Origin
from orgsync_reconcile.model.plan import Change, Risk
from orgsync_reconcile.model.wording import counted
from orgsync_reconcile.plan.semantic.difference import OPERATIONS, ORGS, Difference
from orgsync_reconcile.plan.semantic.publication import compare_publications, described
from orgsync_reconcile.plan.semantic.settings import Sheet, compare_settings, value
from orgsync_reconcile.plan.semantic.views import connection_view, flat, org_view, reference


def compare(old: Desired, new: Desired) -> tuple[Difference, ...]:
    """Every difference from `old` to `new`: orgs, then each connection with its objects and metadata, then the rest."""
    renamed = _renamed_orgs(old, new)
    found = [*_orgs(old, new, renamed)]
    for name in sorted(old.connections.keys() | new.connections.keys()):
        found.extend(_connection(name, old, new, renamed))
        found.extend(_publications(name, old, new))
        found.extend(_metadata(name, old, new))
    found.extend(_others(old, new))
    return tuple(found)


def _whole(sheet: Sheet, change: Change, risk: Risk, message: str, document: Any = None) -> Difference:
    """A document that came or went."""
    places = sheet.new_places if change is Change.CREATE else sheet.old_places
    return Difference(
        group=sheet.group,
        subject=sheet.subject,
        address=sheet.address,
        key="",
        change=change,
        risk=risk,
        message=message,
        before=document if change is Change.DELETE else None,
        after=document if change is Change.CREATE else None,
        origin=places[""],
        gone=change is Change.DELETE,
        object=sheet.object,
    )


def _places(item: DesiredConnection | DesiredPublication | None) -> Mapping[str, Origin]:
    return {} if item is None else {**item.origins, "": item.origin}


def _renamed_orgs(old: Desired, new: Desired) -> dict[str, str]:
    """Old name -> new name of the orgs whose store goes on under another name."""
    gone = {name: org for name, org in old.orgs.items() if name not in new.orgs}
    came = {reference(org.store): name for name, org in new.orgs.items() if name not in old.orgs}
    return {name: came[reference(org.store)] for name, org in sorted(gone.items()) if reference(org.store) in came}


def _orgs(old: Desired, new: Desired, renamed: Mapping[str, str]) -> Iterator[Difference]:
    old_names = {new_name: old_name for old_name, new_name in renamed.items()}
    for name in sorted((old.orgs.keys() - renamed.keys()) | new.orgs.keys()):
        before, after = old.orgs.get(old_names.get(name, name)), new.orgs.get(name)
        sheet = Sheet(
            kind="Org",
            group=ORGS,
            subject=name,
            address=f"{name}/org",
            old_places=_kept_places(old, "Org", old_names.get(name, name), before),
            new_places=_kept_places(new, "Org", name, after),
        )
        if before is None and after is not None:
            yield _whole(sheet, Change.CREATE, Risk.SAFE, f"new org at {reference(after.store)}", org_view(after))
        elif after is None and before is not None:
            message = f"no longer declared ({reference(before.store)})"
            yield _whole(sheet, Change.DELETE, Risk.SAFE, message, org_view(before))
        elif before is not None and after is not None:
            if name in old_names:
                yield sheet.difference("name", old_names[name], name, f"renamed from {old_names[name]}")
            yield from compare_settings(sheet, org_view(before), org_view(after))


def _kept_places(
    desired: Desired, kind: str, name: str, item: DesiredOrg | DesiredMetadata | None
) -> Mapping[str, Origin]:
    found = desired.other_origins.get((kind, name), {})
    return found if found or item is None else {"": item.origin}


def _connection(name: str, old: Desired, new: Desired, renamed: Mapping[str, str]) -> Iterator[Difference]:
    before, after = old.connections.get(name), new.connections.get(name)
    sheet = Sheet(
        kind="Connection",
        group=name,
        subject="connection",
        address=f"{name}/connection",
        old_places=_places(before),
        new_places=_places(after),
    )
    if before is None and after is not None:
        message = f"new connection {after.primary} → {after.secondary}, {after.direction}"
        yield _whole(sheet, Change.CREATE, Risk.SAFE, message, connection_view(after))
    elif after is None and before is not None:
        number = counted(len(old.publications_of(name)), "object")
        message = f"removed with {number}: it would be deactivated"
        yield _whole(sheet, Change.DELETE, Risk.DESTRUCTIVE, message, connection_view(before))
    elif before is not None and after is not None:
        before = replace(
            before,
            primary=renamed.get(before.primary, before.primary),
            secondary=renamed.get(before.secondary, before.secondary),
        )
        yield from compare_settings(sheet, connection_view(before), connection_view(after))


def _publications(name: str, old: Desired, new: Desired) -> Iterator[Difference]:
    olds = {item.object: item for item in old.publications_of(name)}
    news = {item.object: item for item in new.publications_of(name)}
    connections = old.connections.get(name), new.connections.get(name)
    for item in sorted(olds.keys() | news.keys()):
        before, after = olds.get(item), news.get(item)
        sheet = Sheet(
            kind="Publication",
            group=name,
            subject=item,
            address=f"{name}/publication/{item}",
            old_places=_places(before),
            new_places=_places(after),
            object=item,
        )
        if before is None and after is not None:
            connection = connections[1]
            auto = connection is not None and connection.bulk_sync.auto
            message = f"published: {described(after, connection)}"
            yield _whole(sheet, Change.CREATE, Risk.MOVES_DATA if auto else Risk.SAFE, message)
        elif after is None and before is not None:
            yield _whole(sheet, Change.DELETE, Risk.DESTRUCTIVE, "unpublished")
        elif before is not None and after is not None:
            yield from compare_publications(sheet, before, after, connections)


def _metadata(name: str, old: Desired, new: Desired) -> Iterator[Difference]:
    before, after = old.metadata.get(name), new.metadata.get(name)
    if before is None and after is None:
        return
    sheet = Sheet(
        kind="Metadata",
        group=name,
        subject="metadata",
        address=f"{name}/metadata",
        old_places=_kept_places(old, "Metadata", name, before),
        new_places=_kept_places(new, "Metadata", name, after),
    )
    if before is None and after is not None:
        message = f"selects {', '.join(after.include)}" + (
            f" but {value(list(after.exclude))}" if after.exclude else ""
        )
        yield _whole(sheet, Change.CREATE, Risk.SAFE, message)
    elif after is None:
        yield _whole(sheet, Change.DELETE, Risk.MOVES_DATA, "no selection any more: every supported component follows")
    elif before is not None:
        yield from compare_settings(sheet, _selected(before), _selected(after))


def _selected(metadata: DesiredMetadata) -> dict[str, Any]:
    return {"include": sorted(set(metadata.include)), "exclude": sorted(set(metadata.exclude))}


#: How documents of further kinds are called.
_MAIL = "Mail"


def _others(old: Desired, new: Desired) -> Iterator[Difference]:
    for kind, name in sorted(old.others.keys() | new.others.keys()):
        before, after = old.others.get((kind, name)), new.others.get((kind, name))
        sheet = Sheet(
            kind=kind,
            group=OPERATIONS,
            subject=kind if kind == _MAIL else f"{kind} {name}",
            address="mail" if kind == _MAIL else f"{name}/{kind.lower()}",
            old_places=old.other_origins.get((kind, name), {}),
            new_places=new.other_origins.get((kind, name), {}),
        )
        if before is None and after is not None:
            yield _whole(sheet, Change.CREATE, Risk.SAFE, "added", _without_kind(after))
        elif after is None and before is not None:
            yield _whole(sheet, Change.DELETE, Risk.SAFE, "removed", _without_kind(before))
        elif before is not None and after is not None:
            yield from compare_settings(sheet, _without_kind(before), _without_kind(after))


def _without_kind(data: Mapping[str, Any]) -> dict[str, Any]:
    return flat({key: item for key, item in data.items() if key not in ("version", "kind")})
