"""What the statements of a batch read of the source, brought to them: staged records and what the source knows of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from orgsync_reconcile.stores.sql.flow import settling, staging
from orgsync_reconcile.stores.sql.flow.flow import Flow
from orgsync_reconcile.stores.sql.flow.paths import Path
from orgsync_reconcile.stores.sql.flow.staging import Staged
from orgsync_reconcile.stores.sql.text import quote


def bring_held(flow: Flow) -> bool:
    """Brings what the source holds for the target; whether it holds anything."""
    (held,) = flow.partner.row(
        "SELECT EXISTS (SELECT 1 FROM partner.orgsync_held WHERE connection = ?)", [flow.numbers[0]]
    )
    if held:
        flow.partner.bring("orgsync_held", "s.connection = ?", [flow.numbers[0]])
    return bool(held)


def bring_staged(flow: Flow) -> Staged:
    """Brings the records of temp.stage, and what the source knows of them: links, stamps, lookups that wait."""
    staged = _look_at_stage(flow)
    for path in staged.paths:
        flow.partner.bring_by(path.object, 's."Id"', "SELECT record FROM temp.stage WHERE object = ?", [path.source])
    _bring_what_is_known(flow, staged)
    return staged


def bring_logged(flow: Flow, window: tuple[int, int]) -> Staged:
    """The same for records that are staged from entries of the log, which were brought, or because they were held.

    `window` holds the entries: low < seq <= high. Where the source changed them `alone`, just the changed columns come.
    """
    partner = flow.partner
    staged = _look_at_stage(flow)
    alone = all(kind.just_changed for kind in staged.kinds) and all(path.narrows for path in staged.paths)
    alone = alone and not (flow.stamped or staged.source_waits)
    alone = alone and not settling.may_conflict(flow, window)
    for path in staged.paths:
        mine = [kind for kind in staged.kinds if kind.object == path.source]
        if alone:
            partner.narrow(path, path.changed([kind.masks for kind in mine]))
        partner.bring_changed(path)
        if any(kind.held for kind in mine):
            held = "SELECT record FROM temp.stage WHERE object = ? AND held = 1"
            partner.bring_by(path.object, 's."Id"', held, [path.source])
    if alone:
        return replace(staged, alone=True)
    _bring_what_is_known(flow, staged)
    return staged


def _look_at_stage(flow: Flow) -> Staged:
    kinds = staging.kinds(flow.db, flow.words)
    objects = {kind.object for kind in kinds}
    paths = [path for path in flow.paths.values() if path.source in objects]
    (waits,) = flow.partner.row("SELECT EXISTS (SELECT 1 FROM partner.orgsync_waiting)")
    return Staged(kinds=kinds, paths=paths, source_waits=bool(waits))


def _bring_what_is_known(flow: Flow, staged: Staged) -> None:
    records = "SELECT record FROM temp.stage"
    make_plain(flow, staged.paths, f's."Id" IN ({records})', [])
    if flow.stamped:
        bring_knowledge(flow, records)
    else:
        flow.partner.bring_by("orgsync_waiting", "s.record", records)


def make_plain(flow: Flow, paths: Iterable[Path], where: str, parameters: Sequence[object]) -> None:
    """Makes the mentions plain in the source's records `s` that satisfy a condition."""
    flow.mentions.clear()
    for path in paths:
        for column in path.columns:
            if column.mentions:
                flow.mentions.stage(f"partner.{quote(path.object)}", column.name, where, parameters)


def bring_knowledge(flow: Flow, records: str) -> None:
    """Brings what the source knows of its records that the query finds: links, roots, stamps, lookups that wait."""
    partner = flow.partner
    partner.bring("orgsync_connection")
    partner.bring_by("orgsync_link", "s.local", records)
    for table in ("orgsync_root", "orgsync_waiting", *(["orgsync_stamp"] if flow.stamped else [])):
        partner.bring_by(table, "s.record", records)
