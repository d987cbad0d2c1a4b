"""The order of objects, and the cycles between them (PUB-6, LKP-1)."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from plan_facts import lookup, obj, objects, text

from orgsync_reconcile.model.graph import is_required_parent, optional_cycles, parents_first, required_cycles
from orgsync_reconcile.model.schema import FieldDef, FieldType, ObjectDef


def master(name: str, parent: str) -> FieldDef:
    return FieldDef(name=name, type=FieldType.MASTER_DETAIL, reference_to=(parent,))


def test_parents_come_first_at_every_level() -> None:
    """LKP-1: whatever the names; unknown names are left out, references outside the names do not count."""
    items = objects(obj("A", lookup("F", "B")), obj("B", lookup("F", "C")), obj("C", lookup("F", "D")), obj("D"))
    assert parents_first(items, ["A", "B", "C"]) == ("C", "B", "A")
    assert parents_first(items, ["A", "D", "Nobody"]) == ("A", "D")


def test_required_references_win_over_optional_ones() -> None:
    """PUB-6: inside a cycle the optional reference gives way."""
    items = objects(obj("A", lookup("F", "B", required=True)), obj("B", lookup("F", "A")))
    assert parents_first(items, items) == ("B", "A")
    other = objects(obj("A", lookup("F", "B")), obj("B", lookup("F", "A", required=True)))
    assert parents_first(other, other) == ("A", "B")


def test_objects_that_hang_on_anything_come_late() -> None:
    """PUB-6, LKP-6: a reference to any object orders without making cycles."""
    items = objects(
        obj("Attachment", lookup("ParentId", "Account", "*")),
        obj("Account"),
        obj("Zebra__c"),
        obj("Task", lookup("WhatId", "*")),
    )
    assert parents_first(items, items) == ("Account", "Zebra__c", "Attachment", "Task")
    assert optional_cycles(items, items) == ()


def test_self_lookups_are_no_cycles() -> None:
    """LKP-3: an object may point at itself, even if it must."""
    items = objects(obj("Account", lookup("ParentId", "Account", required=True)))
    assert required_cycles(items, items) == () and optional_cycles(items, items) == ()


def test_cycles_are_told_apart() -> None:
    """PUB-6: with every step, once each, from the smallest name."""
    items = objects(
        obj("C", master("Up", "A")),
        obj("A", lookup("Up", "B", required=True)),
        obj("B", master("Up", "C")),
        obj("X", lookup("F", "Y")),
        obj("Y", lookup("F", "X", required=True)),
    )
    assert required_cycles(items, items) == ((("A", "Up"), ("B", "Up"), ("C", "Up")),)
    assert optional_cycles(items, items) == ((("X", "F"), ("Y", "F")),)


def test_polymorphic_references_are_never_required_parents() -> None:
    """PUB-6: only a reference to one named object can be."""
    assert is_required_parent(lookup("F", "A", required=True))
    assert not is_required_parent(lookup("F", "A"))
    assert not is_required_parent(lookup("F", "A", "B", required=True))
    assert not is_required_parent(lookup("F", "*", required=True))
    assert not is_required_parent(text("F", required=True))


def test_long_chains_need_no_recursion() -> None:
    """LKP-1: thousands of levels are ordered as well."""
    items = objects(*[obj(f"O{index:05d}", lookup("F", f"O{index + 1:05d}")) for index in range(5000)])
    order = parents_first(items, items)
    assert order[0] == "O04999" and order[-1] == "O00000"


NAMES = [f"N{index}" for index in range(6)]


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, ObjectDef]:
    edges = draw(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), st.booleans()), max_size=14))
    references: dict[str, list[FieldDef]] = {name: [] for name in NAMES}
    for index, (child, parent, required) in enumerate(edges):
        references[child].append(lookup(f"F{index}", parent, required=required))
    return objects(*[obj(name, *references[name]) for name in draw(st.permutations(NAMES))])


@settings(max_examples=150, deadline=None)
@given(graphs())
def test_order_respects_every_reference_that_it_can(items: dict[str, ObjectDef]) -> None:
    """PUB-6: all references hold without cycles, required ones without required cycles; order of input is nothing."""
    order = parents_first(items, items)
    place = {name: index for index, name in enumerate(order)}
    assert sorted(order) == NAMES
    assert order == parents_first(dict(sorted(items.items())), NAMES[::-1])
    no_required, no_cycle = not required_cycles(items, items), not optional_cycles(items, items)
    for child, item in items.items():
        for field in item.references():
            parent = field.reference_to[0]
            if parent != child and no_required and (no_cycle or is_required_parent(field)):
                assert place[parent] < place[child]
