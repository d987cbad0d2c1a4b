"""Positions of the change log: the transaction that logs, counted on where its server's own count is behind (QUE-3).

A server counts transactions by itself, so an org that was restored on another one, or to a moment of before, meets lower
numbers than it had. Then an offset is added to them. Whoever logs takes it from a function, which is the same for all
from the moment of its change on; whoever reads takes it from a row, which belongs to what the reading sees: so a reader
never counts transactions that it does not see yet. Both change together, while nobody writes to the log.
"""

from __future__ import annotations

from orgsync_reconcile.stores.postgres.names import quote_ours

#: The function that gives the offset; `schema` before it where the caller may look anywhere.
FUNCTION = "orgsync_offset"
#: The row with the same number.
SETTING = "orgsync.offset"
_OFFSET = f"coalesce((SELECT value::bigint FROM main.orgsync_setting WHERE name = '{SETTING}'), 0)"
#: Until which position all transactions have ended, in what the statement sees: what they logged is complete.
LOG_END = f"SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1 + {_OFFSET}"
#: The highest position that the org itself shows to have been given: by its log, and by what it has sent of it.
GIVEN = (
    "SELECT greatest((SELECT max(seq) FROM main.orgsync_change), (SELECT max(seq) FROM main.orgsync_outbox),"
    " (SELECT max(seq) FROM main.orgsync_stamped))"
)
#: That position and the last one that the server can have given by its own count.
COUNTS = f"SELECT coalesce(({GIVEN}), 0), pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1 + {_OFFSET}"
#: What was logged since an org came to a server that has not counted as far as it had: the log's own numbers go on.
STRAYS = (
    "UPDATE main.orgsync_change SET seq = DEFAULT WHERE seq <= ?1"
    " AND n > coalesce((SELECT max(n) FROM main.orgsync_change WHERE seq > ?1), 0)"
)


def position(schema: str) -> str:
    """The position of what the transaction logs, as SQL for any session."""
    return f"pg_current_xact_id()::text::bigint + {quote_ours(schema)}.{FUNCTION}()"


def by_others_since(schema: str) -> str:
    """The condition that another transaction, which has logged the entry `c`, was under way or to come at the snapshot ?1."""
    offset = f"{quote_ours(schema)}.{FUNCTION}()"
    # The first one is there for the index: what is older had ended before.
    return (
        f"c.seq >= pg_snapshot_xmin(CAST(?1 AS pg_snapshot))::text::bigint + {offset} AND c.seq <> {position(schema)}"
        f" AND NOT pg_visible_in_snapshot(greatest(c.seq - {offset}, 3)::text::xid8, CAST(?1 AS pg_snapshot))"
    )


def offset_function(offset: int) -> str:
    """The statement that makes the function, or gives it another number."""
    # Planned into each statement as the number that it is, and planned anew once it is another one.
    return f"CREATE OR REPLACE FUNCTION {FUNCTION}() RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT {offset}::bigint'"


def offset_for(given: int) -> str:
    """The query for the offset with which every transaction that still runs, or comes, stands beyond a position."""
    return f"SELECT greatest({_OFFSET}, {given} + 1 - pg_snapshot_xmin(pg_current_snapshot())::text::bigint)"
