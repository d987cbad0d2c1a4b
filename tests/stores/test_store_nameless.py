"""Records that triggers complete while they are made (ORG-5, ORG-7)."""

from __future__ import annotations

from collections.abc import Callable

from org_stores import Client, insert
from store_helpers import changes, custom, make_object

from orgsync_reconcile.model.schema import FieldType
from orgsync_reconcile.stores.sql.org import Org


def test_a_record_without_name_is_captured(org: Org, client: Client, publish: Callable[..., None]) -> None:
    """ORG-5, ORG-7: a published object names its record by the Id, which is logged under that Id."""
    make_object(org, custom("Note__c", FieldType.TEXT, length=20))
    publish("Thing__c", "Name", "Note__c")
    record = insert(client, "Thing__c", Note__c="no name")
    assert client.execute('SELECT "Name" FROM "Thing__c"').fetchone() == (record,)
    assert {name for _, name, _ in changes(org)} == {record}
    assert ("I", record, ()) in changes(org)
