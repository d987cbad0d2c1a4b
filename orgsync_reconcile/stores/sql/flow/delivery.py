"""Writing what is staged into the target, object by object, with what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orgsync_reconcile.model.records import ObjectCounts
from orgsync_reconcile.stores.sql.flow import cascades, outcomes, staging, stamps
from orgsync_reconcile.stores.sql.flow.flow import Flow
from orgsync_reconcile.stores.sql.flow.guard import last_entry
from orgsync_reconcile.stores.sql.flow.paths import Path
from orgsync_reconcile.stores.sql.flow.refusals import Refusal
from orgsync_reconcile.stores.sql.flow.writer import Writer
from orgsync_reconcile.stores.sql.flow.writes import Target
from orgsync_reconcile.stores.sql.layout import MAX_HOPS


def write_staged(
    flow: Flow, facts: Target, kinds: Sequence[staging.Kind] = (), *, looping: bool = False
) -> dict[str, ObjectCounts]:
    """Writes temp.stage into the target: deletes children first, then the rest parents first. Counts per object.

    `kinds` is what it holds, if known. Its records were brought, and the writes of the transaction are marked.
    """
    writer = Writer(flow.db, flow.partner, flow.words, facts)
    links_before, entries_before = flow.last_link(), last_entry(flow.db)
    kinds = kinds or staging.kinds(flow.db, flow.words)
    of = {path.object: [kind for kind in kinds if kind.object == path.source] for path in flow.paths.values()}
    ordered = [path for path in flow.paths.values() if of[path.object]]
    if looping:
        return _cut_loop(flow, ordered, writer)
    counts = {path.object: ObjectCounts(object=path.object) for path in ordered}
    just_changed = {path.object for path in ordered if all(kind.just_changed for kind in of[path.object])}
    deleting = len(just_changed) < len(ordered)
    if deleting:
        cascades.prepare(flow.db)
    for path in ordered:
        writer.refusals.refuse_unfit(path)
    for path in reversed(ordered):
        if path.object not in just_changed:
            with flow.guard.writing(path.target):
                counts[path.object].deleted += writer.delete(path)
    again = any(kind.ins and kind.linked for kind in kinds)
    for path in ordered:
        found = counts[path.object]
        with flow.guard.writing(path.target):
            if path.object in just_changed:
                found.updated += writer.update_linked(path, kinds)
                continue
            found.copied += writer.insert_new(path)
            if again:
                found.copied += writer.insert_lost(path)
            found.updated += writer.update_linked(path)
            found.updated += writer.undelete(path)
    if deleting:
        cascades.after_deletes(flow.db, flow.partner, flow.paths, facts, flow.guard.writing)
    write_outcomes(flow, writer.refusals.items, ordered, counts)
    if any(kind.held for kind in kinds):
        outcomes.note_arrived(flow.db, flow.numbers[1], writer.refusals.items)
    if flow.stamped:
        bring_stamps(flow, links_before)
        stamps.keep_moments(flow.db, flow.numbers[1], entries_before)
    return counts


def _cut_loop(flow: Flow, ordered: Sequence[Path], writer: Writer) -> dict[str, ObjectCounts]:
    """Two orgs' triggers answer one another: what goes on after a few rounds is refused and logged (ORG-7)."""
    counts = {path.object: ObjectCounts(object=path.object) for path in ordered}
    for path in ordered:
        writer.refusals.refuse_all(
            path, "LOOP_DETECTED", f"triggers in both orgs have answered one another {MAX_HOPS} times"
        )
    write_outcomes(flow, writer.refusals.items, ordered, counts)
    return counts


def write_outcomes(
    flow: Flow, refused: Sequence[Refusal], paths: Sequence[Path], counts: Mapping[str, ObjectCounts]
) -> None:
    """Notes and counts what was refused of these paths' records, in the transaction of the data."""
    names = {path.source: path.object for path in paths}
    for item in refused:
        counts[names[item.object]].failed += 1
    outcomes.note_refused(flow.db, flow.words, flow.numbers[1], refused)


def bring_stamps(flow: Flow, links_after: int) -> None:
    """Gives what was just written from the stage the stamps of the source; links made before are of known records."""
    if flow.stamped:
        batch = outcomes.this_batch(flow.db, flow.numbers[1])
        stamps.bring(flow.db, flow.words, flow.numbers[1], flow.target.org_id, links_after, batch)
