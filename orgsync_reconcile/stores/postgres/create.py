"""Making an org on a PostgreSQL server (ORG-1)."""

from __future__ import annotations

import psycopg

from orgsync_reconcile.errors import StoreError
from orgsync_reconcile.stores.address import Address
from orgsync_reconcile.stores.postgres.handle import PostgresOrg
from orgsync_reconcile.stores.postgres.names import quote_ours
from orgsync_reconcile.stores.postgres.refusals import explain
from orgsync_reconcile.stores.postgres.session import connect
from orgsync_reconcile.stores.postgres.system import statements
from orgsync_reconcile.stores.sql.create import NewOrg, enter, furnish
from orgsync_reconcile.stores.sql.org import BUSY_SECONDS


def create_org(address: Address, new: NewOrg) -> PostgresOrg:
    """Makes an org in a new or an empty schema and opens it, all or nothing.

    Raises UnreachableError where the server does not answer, StoreError where the schema holds something.
    """
    db = connect(address, new.name, busy_seconds=BUSY_SECONDS)
    try:
        db.run("BEGIN")
        found = db.execute(
            "SELECT count(*) FROM pg_class AS c JOIN pg_namespace AS s ON s.oid = c.relnamespace WHERE s.nspname = ?",
            [address.schema],
        ).fetchone()
        if found is not None and found[0]:
            raise StoreError(
                f"the schema {address.schema} holds something already",
                where=new.name,
                hint="choose another schema, or drop this one first",
            )
        # Where an administrator made the schema, the role need not be allowed to make one.
        if not db.execute("SELECT 1 FROM pg_namespace WHERE nspname = ?", [address.schema]).fetchone():
            db.run(f"CREATE SCHEMA {quote_ours(address.schema)}")
        for statement in statements():
            db.run(statement)
        enter(db, new)
        org = PostgresOrg(db, address, new.name)
        furnish(org, new)
        db.run("COMMIT")
        return org
    except psycopg.Error as error:
        db.close()
        raise explain(error, new.name) from error
    except BaseException:
        db.close()
        raise
