"""The rounds that stand open towards an org, as its tables hold them (QUE-3)."""

from __future__ import annotations

from orgsync_reconcile.stores.sql.database import Database


def forget_rounds(db: Database, connection: int) -> None:
    """Ends what round there is towards this org; what of it is not below the watermark is sent as any other."""
    for table in ("orgsync_round", "orgsync_round_lane"):
        db.execute(f"DELETE FROM main.{table} WHERE connection = ?", [connection])
