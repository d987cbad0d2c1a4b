"""Two orgs in any two stores, with a client session beside each: what the sync tests do, in SQL that every store takes."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sync_world import CONNECTION, NAMES, World

from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.urls import open_store


class PairWorld(World):
    """The orgs at two addresses. Clients are sessions of the store's own kind, which the engine knows nothing of."""

    def __init__(self, urls: dict[Side, str], folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.stack = stack
        self.connection = CONNECTION
        self.now = datetime.now(UTC)
        self.orgs: dict[Side, Org] = {}
        self.clients: dict[Side, Any] = {}
        self.numbers: dict[Side, int] = {}
        for side, url in urls.items():
            self.orgs[side] = stack.enter_context(open_store(url, base=folder, label=NAMES[side], busy_seconds=10))
            self.clients[side] = stack.enter_context(open_store(url, base=folder, busy_seconds=10)).db
        self._pair = None

    def insert(self, side: Side, table: str, **values: object) -> str:
        names = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join("?" * len(values))
        (record,) = (
            self.clients[side]
            .execute(f'INSERT INTO "{table}" ({names}) VALUES ({marks}) RETURNING orgsync_row', list(values.values()))
            .fetchall()
        )
        return str(self.one(side, f'SELECT "Id" FROM "{table}" WHERE orgsync_row = ?', record[0]))

    def update(self, side: Side, table: str, record: str, **values: object) -> None:
        sets = ", ".join(f'"{name}" = ?' for name in values)
        self.clients[side].execute(f'UPDATE "{table}" SET {sets} WHERE "Id" = ?', [*values.values(), record])

    def count(self, side: Side, table: str) -> int:
        return int(self.one(side, f'SELECT count(*) FROM "{table}" WHERE "IsDeleted" = FALSE'))
