"""The rows of an org's metadata components: summaries, contents, hashes (MET-*)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from orgsync_reconcile.catalog import checksum18
from orgsync_reconcile.model.component import Component, ComponentKey, ComponentSummary, digest
from orgsync_reconcile.stores.sql.org import Org

#: Component types that other components name by Id -> key prefix (MET-3).
_WITH_ID = {"Report": "00O"}


class ComponentTexts(Mapping[ComponentKey, str]):
    """The contents of an org's components as canonical JSON, each read when it is asked for."""

    def __init__(self, org: Org) -> None:
        self._org = org

    def __getitem__(self, key: ComponentKey) -> str:
        row = self._org.db.execute(
            "SELECT content FROM orgsync_component WHERE type = ? AND full_name = ?", [key.type, key.full_name]
        ).fetchone()
        if row is None:
            raise KeyError(key)
        return str(row[0])

    def __iter__(self) -> Iterator[ComponentKey]:
        rows = self._org.db.execute("SELECT type, full_name FROM orgsync_component ORDER BY type, full_name")
        return (ComponentKey(*row) for row in rows.fetchall())

    def __len__(self) -> int:
        return int(self._org.db.execute("SELECT count(*) FROM orgsync_component").fetchone()[0])


def summaries(org: Org) -> dict[ComponentKey, ComponentSummary]:
    """Every component without its content, sorted by type and name; one query over a covering index."""
    rows = org.db.execute(
        "SELECT type, full_name, namespace, id, hash, synced_hash FROM orgsync_component ORDER BY type, full_name"
    )
    result: dict[ComponentKey, ComponentSummary] = {}
    for type_, name, namespace, id_, hash_, synced in rows:
        key = ComponentKey(type_, name)
        result[key] = ComponentSummary(key, hash_, id_, namespace, synced)
    return result


def read_component(org: Org, key: ComponentKey) -> Component | None:
    """A component with its content, or None where the org has none of that name."""
    row = org.db.execute(
        "SELECT content, namespace FROM orgsync_component WHERE type = ? AND full_name = ?", [key.type, key.full_name]
    ).fetchone()
    return None if row is None else Component(key=key, content=json.loads(row[0]), namespace=row[1])


def write_component(org: Org, component: Component, *, synced: bool) -> None:
    """Saves a component; `synced` also remembers this content as the last one that was synced (MET-5)."""
    key, text = component.key, component.text
    fingerprint = digest(text)
    org.db.execute(
        "INSERT INTO orgsync_component (type, full_name, namespace, hash, synced_hash, content)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (type, full_name) DO UPDATE SET namespace = ?3, hash = ?4,"
        " synced_hash = CASE ?5 WHEN '' THEN orgsync_component.synced_hash ELSE ?5 END, content = ?6",
        [key.type, key.full_name, component.namespace, fingerprint, fingerprint if synced else "", text],
    )
    if key.type in _WITH_ID:
        _give_id(org, key)


def _give_id(org: Org, key: ComponentKey) -> None:
    """Mints the component's Id where it has none; numbers are never given twice."""
    where = "type = ? AND full_name = ?"
    if org.db.execute(f"SELECT 1 FROM orgsync_component WHERE {where} AND id <> ''", key).fetchone():
        return
    org.db.execute("INSERT OR IGNORE INTO orgsync_autonumber VALUES (?, 'Id', 1)", [key.type])
    # Taken before it is used: who counts at the same time waits.
    org.db.execute("UPDATE orgsync_autonumber SET next = next + 1 WHERE object = ? AND field = 'Id'", [key.type])
    (number,) = org.db.execute(
        "SELECT next - 1 FROM orgsync_autonumber WHERE object = ? AND field = 'Id'", [key.type]
    ).fetchone()
    id15 = f"{_WITH_ID[key.type]}{org.code}{number:09x}"
    org.db.execute(f"UPDATE orgsync_component SET id = ? WHERE {where}", [id15 + checksum18(id15), *key])


def set_synced(org: Org, hashes: Mapping[ComponentKey, str]) -> None:
    """Remembers the hashes of the last successful sync, to tell drift from news (MET-5)."""
    with org.transaction() as db:
        db.executemany(
            "UPDATE orgsync_component SET synced_hash = ? WHERE type = ? AND full_name = ?",
            [(hash_, key.type, key.full_name) for key, hash_ in hashes.items()],
        )
        org.touch_revision()
