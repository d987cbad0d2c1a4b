"""What a change of the schema means for what is published: events for the linked orgs (PUB-8, PUB-11, QUE-2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from orgsync_reconcile.model.events import QueueAction
from orgsync_reconcile.model.schema import FieldDef, ObjectDef
from orgsync_reconcile.stores.sql.events import tell
from orgsync_reconcile.stores.sql.org import Org

#: What the shape of a field is called that is no longer there.
DELETED = "deleted"


def tell_of_schema(org: Org, altered: Iterable[tuple[ObjectDef, ObjectDef]]) -> None:
    """Tells every connection that publishes these objects, (before, after), what changed. Inside the transaction."""
    for old, new in altered:
        offers = org.db.execute("SELECT connection FROM orgsync_published WHERE object = ?", [new.name]).fetchall()
        for (connection,) in offers:
            if replace(old, fields={}) != replace(new, fields={}):
                detail = {"label": new.label, "deployed": new.deployed}
                tell(org, connection, QueueAction.TYPE_MAP_UPDATE, object_name=new.name, detail=detail)
            fields = org.db.execute(
                "SELECT field FROM orgsync_published_field WHERE connection = ? AND object = ? ORDER BY field",
                [connection, new.name],
            ).fetchall()
            for (name,) in fields:
                _tell_of_field(org, connection, new.name, name, old.fields.get(name), new.fields.get(name))


def _tell_of_field(
    org: Org, connection: int, object_name: str, name: str, old: FieldDef | None, new: FieldDef | None
) -> None:
    if old == new:
        return
    gone = sorted(set(old.picklist if old else ()) - set(new.picklist)) if new else []
    if gone:
        tell(
            org,
            connection,
            QueueAction.VALUE_MAP_DELETE,
            object_name=object_name,
            field=name,
            detail={"values": gone},
        )
    if old is None or new is None or replace(old, picklist=()) != replace(new, picklist=()):
        detail = {"before": old.shape if old else DELETED, "after": new.shape if new else DELETED}
        tell(org, connection, QueueAction.FIELD_MAP_UPDATE, object_name=object_name, field=name, detail=detail)
