"""Publications and subscriptions that a person changed in an org, told apart from what Git changed (REC-6)."""

from __future__ import annotations

from dataclasses import replace

from orgsync_reconcile.model.applied import ConnectionState, OfferedObject
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.plan import Change, Op, Reason
from orgsync_reconcile.plan.draft import Draft, Sheet
from orgsync_reconcile.plan.scope import Scope
from orgsync_reconcile.plan.three_way import ChangedBy, who

_PUBLICATION_OPS = frozenset({Op.PUBLISH_OBJECT, Op.PUBLISH_FIELD, Op.UNPUBLISH_OBJECT, Op.UNPUBLISH_FIELD})
_SUBSCRIPTION_OPS = frozenset({Op.SUBSCRIBE_OBJECT, Op.SUBSCRIBE_FIELD, Op.UNSUBSCRIBE_OBJECT, Op.UNSUBSCRIBE_FIELD})


def tell_apart(scope: Scope, work: Sheet) -> None:
    """Give the drafts that undo what a person did the reason drift, and list what was done.

    A connection that is only now made, or was ended by hand, has nothing to compare. Fields that unsubscribed
    themselves are nobody's doing (PUB-8).
    """
    if scope.applied is None or scope.new:
        return
    for place, draft in enumerate(work.drafts):
        if draft.op not in _PUBLICATION_OPS | _SUBSCRIPTION_OPS:
            continue
        if draft.op is Op.PUBLISH_OBJECT and draft.change is Change.UPDATE:
            work.drafts[place] = _match_key(scope, scope.applied, draft, work)
        elif _by_hand(scope.applied, draft):
            work.drafts[place] = replace(draft, reason=Reason.DRIFT)
            _say(scope, draft, work)


def _parts(draft: Draft) -> tuple[Side, str, str]:
    """(publishing side, object, field) of `CONN/publication[-back]/OBJECT[/field/FIELD]`; field may be empty."""
    parts = draft.address.split("/")
    return Side.SECONDARY if parts[1].endswith("-back") else Side.PRIMARY, parts[2], parts[4] if len(parts) > 4 else ""


def _by_hand(applied: ConnectionState, draft: Draft) -> bool:
    """Whether an apply had left it as the manifests still want it.

    What is created was there after the last apply; what is deleted was not.
    """
    if draft.before and "dropped" in draft.before:
        return False
    side, name, field = _parts(draft)
    if draft.op in _PUBLICATION_OPS:
        offered = applied.published.get((side, name))
        there, fields = offered is not None, offered.fields if offered else frozenset()
    else:
        there, fields = (side, name) in applied.subscribed, applied.subscribed.get((side, name), frozenset())
    if draft.change is Change.CREATE:
        return field in fields if field else there
    # A field of an object that was never applied is as unknown as the object.
    return there and field not in fields if field else not there


def _say(scope: Scope, draft: Draft, work: Sheet) -> None:
    _, name, field = _parts(draft)
    kind, verb = ("publication", "published") if draft.op in _PUBLICATION_OPS else ("subscription", "subscribed")
    made = draft.change is Change.DELETE
    work.drifted(
        draft.address,
        draft.org,
        kind,
        f"{name}{'.' if field else ''}{field} was {'' if made else 'un'}{verb} in {draft.org}",
        key=field,
        applied=not made,
        live=made,
        wanted=not made,
        policy=scope.policy("settings"),
    )


def _match_key(scope: Scope, applied: ConnectionState, draft: Draft, work: Sheet) -> Draft:
    """An object that is published again: by hand where only its match key was changed, in the org."""
    side, name, _ = _parts(draft)
    before, after = dict(draft.before or {}), dict(draft.after or {})
    known = applied.published.get((side, name), OfferedObject())
    if "match_on" not in before or (side, name) not in applied.published:
        return draft
    changed_by = who(known.match_on, before["match_on"], after["match_on"])
    if changed_by is ChangedBy.GIT:
        return draft
    work.drifted(
        draft.address,
        draft.org,
        "publication",
        f"match_on of {name} was changed in {draft.org}: {known.match_on or 'none'} → {before['match_on'] or 'none'}",
        key="match_on",
        applied=known.match_on,
        live=before["match_on"],
        wanted=after["match_on"],
        changed_by=changed_by.value,
        policy=scope.policy("settings"),
    )
    only = changed_by is ChangedBy.PERSON and before.keys() == {"match_on"}
    return replace(draft, reason=Reason.DRIFT) if only else draft
