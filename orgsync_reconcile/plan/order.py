"""From drafts to numbered actions: dependencies first, otherwise by phase, rank and address (REC-1)."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable

from orgsync_reconcile.model.plan import Action
from orgsync_reconcile.plan.address import within
from orgsync_reconcile.plan.draft import Draft


def run_order(drafts: Iterable[Draft]) -> list[Draft]:
    """Drafts in the order in which they run: stable, and each behind all that it needs."""
    by_address = {draft.address: draft for draft in sorted(drafts, key=lambda item: item.key)}
    waiting: dict[str, set[str]] = {}
    users: dict[str, list[str]] = {}
    for address, draft in by_address.items():
        waiting[address] = {need for need in draft.needs if need in by_address and need != address}
        for need in waiting[address]:
            users.setdefault(need, []).append(address)
    ready = [(by_address[address].key, address) for address, needs in waiting.items() if not needs]
    heapq.heapify(ready)
    result: list[Draft] = []
    while len(result) < len(by_address):
        if not ready:
            # Only a cycle of optional references can end here: the earliest by key goes on.
            address = min((address for address, needs in waiting.items() if needs), key=lambda a: by_address[a].key)
            waiting[address] = set()
            heapq.heappush(ready, (by_address[address].key, address))
        address = heapq.heappop(ready)[1]
        result.append(by_address[address])
        for user in users.get(address, ()):
            if address in waiting[user]:
                waiting[user].discard(address)
                if not waiting[user]:
                    heapq.heappush(ready, (by_address[user].key, user))
    return result


def numbered(drafts: Collection[Draft]) -> tuple[Action, ...]:
    """The actions a1, a2, … with their dependencies by number; what is not planned is already true."""
    ids = {draft.address: f"a{index}" for index, draft in enumerate(drafts, start=1)}
    place = {draft.address: index for index, draft in enumerate(drafts)}
    return tuple(
        Action(
            id=ids[draft.address],
            address=draft.address,
            op=draft.op,
            org=draft.org,
            connection=draft.connection,
            change=draft.change,
            risk=draft.risk,
            reason=draft.reason,
            before=draft.before,
            after=draft.after,
            source=draft.source,
            depends_on=tuple(
                ids[need]
                for need in sorted({*draft.needs} & ids.keys(), key=place.__getitem__)
                if place[need] < place[draft.address]
            ),
            effects=draft.effects,
        )
        for draft in drafts
    )


def targeted(drafts: list[Draft], targets: Collection[str], excludes: Collection[str]) -> list[Draft]:
    """The drafts at or below `targets` with all that they need, less those at or below `excludes` and their users."""
    by_address = {draft.address: draft for draft in drafts}
    keep = set(by_address)
    if targets:
        todo = [address for address in by_address if any(within(address, target) for target in targets)]
        keep = set()
        while todo:
            address = todo.pop()
            if address not in keep:
                keep.add(address)
                todo.extend(need for need in by_address[address].needs if need in by_address)
    kept = [draft for draft in drafts if draft.address in keep]
    if not excludes:
        return kept
    return without(kept, {draft.address for draft in kept if any(within(draft.address, item) for item in excludes)})


def without(drafts: Collection[Draft], dropped: Collection[str]) -> list[Draft]:
    """The drafts less those at the addresses `dropped`, and less all that need one of them."""
    gone = set(dropped)
    users: dict[str, list[str]] = {}
    for draft in drafts:
        for need in draft.needs:
            users.setdefault(need, []).append(draft.address)
    todo = list(gone)
    while todo:
        for user in users.get(todo.pop(), ()):
            if user not in gone:
                gone.add(user)
                todo.append(user)
    return [draft for draft in drafts if draft.address not in gone]
