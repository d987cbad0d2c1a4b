"""Which objects come before which: parents first, and the cycles that lookups make (PUB-6, LKP-1, MET-9)."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Collection, Iterable, Mapping

from orgsync_reconcile.model.schema import ANY_OBJECT, FieldDef, FieldType, ObjectDef

#: A cycle as (object, field) steps: each field points at the next step's object, the last one at the first's.
Cycle = tuple[tuple[str, str], ...]
#: child -> parent -> the first field that points there
_Edges = dict[str, dict[str, str]]


def is_required_parent(item: FieldDef) -> bool:
    """Whether a record cannot exist without the one parent that this field names. Polymorphic references never are."""
    if len(item.reference_to) != 1 or ANY_OBJECT in item.reference_to:
        return False
    return item.type is FieldType.MASTER_DETAIL or (item.is_reference and item.required)


def _edges(objects: Mapping[str, ObjectDef], names: Collection[str], *, required_only: bool) -> _Edges:
    """The references between the named objects; self lookups and references to any object make no edge."""
    wanted = {name for name in names if name in objects}
    edges: _Edges = {name: {} for name in sorted(wanted)}
    for child, parents in edges.items():
        for item in objects[child].references():
            if required_only and not is_required_parent(item):
                continue
            for parent in item.reference_to:
                if parent in wanted and parent != child:
                    parents.setdefault(parent, item.name)
    return edges


def _components(edges: _Edges) -> list[list[str]]:
    """Strongly connected components, each sorted (Tarjan, without recursion: chains may be thousands long)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    result: list[list[str]] = []
    for root in edges:
        if root in index:
            continue
        work: list[tuple[str, list[str]]] = []
        _enter(root, edges, index, low, stack, on_stack, work)
        while work:
            node, rest = work[-1]
            if rest:
                parent = rest.pop()
                if parent not in index:
                    _enter(parent, edges, index, low, stack, on_stack, work)
                elif parent in on_stack:
                    low[node] = min(low[node], index[parent])
                continue
            work.pop()
            if work:
                below = work[-1][0]
                low[below] = min(low[below], low[node])
            if low[node] == index[node]:
                start = stack.index(node)
                members = stack[start:]
                del stack[start:]
                on_stack.difference_update(members)
                result.append(sorted(members))
    return result


def _enter(
    node: str,
    edges: _Edges,
    index: dict[str, int],
    low: dict[str, int],
    stack: list[str],
    on_stack: set[str],
    work: list[tuple[str, list[str]]],
) -> None:
    """Visit a node for the first time."""
    index[node] = low[node] = len(index)
    stack.append(node)
    on_stack.add(node)
    work.append((node, sorted(edges[node], reverse=True)))


def _sorted_by_need(nodes: Iterable[str], needs: Mapping[str, Collection[str]], last: Collection[str]) -> list[str]:
    """Kahn's order, by name where it is free, with `last` as late as possible; a cycle breaks at its smallest name."""
    missing = {node: set(needs[node]) for node in nodes}
    users: dict[str, list[str]] = {}
    for node, wanted in missing.items():
        for need in wanted:
            users.setdefault(need, []).append(node)
    heap = [(node in last, node) for node, wanted in missing.items() if not wanted]
    heapq.heapify(heap)
    result: list[str] = []
    done: set[str] = set()
    while len(result) < len(missing):
        if heap:
            node = heapq.heappop(heap)[1]
        else:
            node = min((len(missing[item]), item) for item in missing if item not in done)[1]
        if node in done:
            continue
        done.add(node)
        result.append(node)
        for user in users.get(node, ()):
            missing[user].discard(node)
            if not missing[user] and user not in done:
                heapq.heappush(heap, (user in last, user))
    return result


def parents_first(objects: Mapping[str, ObjectDef], names: Collection[str]) -> tuple[str, ...]:
    """The named objects in an order in which parents stand before their children (PUB-6, LKP-1).

    Names that `objects` lacks are left out. Optional references give way inside a cycle, required ones do not unless
    they form a cycle themselves. Objects that may hang on any other come as late as they can. The same input in any
    order gives the same result.
    """
    edges = _edges(objects, names, required_only=False)
    required = _edges(objects, names, required_only=True)
    floating = {name for name in edges if any(ANY_OBJECT in item.reference_to for item in objects[name].references())}
    groups = {members[0]: members for members in _components(edges)}
    group_of = {name: head for head, members in groups.items() for name in members}
    needs = {
        head: {group_of[parent] for name in members for parent in edges[name]} - {head}
        for head, members in groups.items()
    }
    late = {head for head, members in groups.items() if floating.intersection(members)}
    result: list[str] = []
    for head in _sorted_by_need(groups, needs, late):
        inside = set(groups[head])
        result.extend(
            _sorted_by_need(groups[head], {name: inside.intersection(required[name]) for name in inside}, floating)
        )
    return tuple(result)


def _one_cycle(edges: _Edges, members: Collection[str]) -> Cycle:
    """The shortest way from the smallest member back to itself."""
    start = min(members)
    inside = set(members)
    came: dict[str, str] = {}
    queue = deque([start])
    while queue:
        node = queue.popleft()
        for parent in sorted(edges[node]):
            if parent == start:
                path = [node]
                while path[-1] != start:
                    path.append(came[path[-1]])
                path.reverse()
                following = [*path[1:], start]
                return tuple((name, edges[name][after]) for name, after in zip(path, following, strict=True))
            if parent in inside and parent not in came:
                came[parent] = node
                queue.append(parent)
    return ()


def required_cycles(objects: Mapping[str, ObjectDef], names: Collection[str]) -> tuple[Cycle, ...]:
    """Cycles of required lookups and master-details: no record of them could ever be copied first (PUB-6)."""
    edges = _edges(objects, names, required_only=True)
    return tuple(sorted(_one_cycle(edges, members) for members in _components(edges) if len(members) > 1))


def optional_cycles(objects: Mapping[str, ObjectDef], names: Collection[str]) -> tuple[Cycle, ...]:
    """Cycles that a second pass can fill in, one for each knot of objects without a required cycle (PUB-6)."""
    edges = _edges(objects, names, required_only=False)
    stuck = {name for cycle in required_cycles(objects, names) for name, _ in cycle}
    return tuple(
        sorted(
            _one_cycle(edges, members)
            for members in _components(edges)
            if len(members) > 1 and not stuck.intersection(members)
        )
    )
