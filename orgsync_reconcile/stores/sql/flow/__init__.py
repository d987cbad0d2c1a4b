"""Moving records between two orgs in files, in sets that run inside the database.

The target is the main database of one connection and the source is attached to it read-only under the name `partner`,
so that one statement reads there and writes here, and only the target is locked.
"""

from orgsync_reconcile.stores.sql.flow.batch import BatchResult, send_batch
from orgsync_reconcile.stores.sql.flow.flow import Flow, flows_of, keep_up
from orgsync_reconcile.stores.sql.flow.pair import Pair

__all__ = ["BatchResult", "Flow", "Pair", "flows_of", "keep_up", "send_batch"]
