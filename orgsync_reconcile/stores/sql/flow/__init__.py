"""Moving records between two orgs, in sets that run inside the target's database.

Statements run in the target's session and see the source as `partner`: attached read-only, or as copies of the rows that
they need (`stores.sql.partner`). So one statement reads there and writes here, and only the target is locked.
"""

from orgsync_reconcile.stores.sql.flow.batch import BatchResult, send_batch
from orgsync_reconcile.stores.sql.flow.flow import Flow, flows_of, keep_up
from orgsync_reconcile.stores.sql.flow.pair import Pair

__all__ = ["BatchResult", "Flow", "Pair", "flows_of", "keep_up", "send_batch"]
