"""What applying a plan does to the facts, in memory: for tests of plans that follow on plans."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from plan_facts import user

from orgsync_reconcile.model.actual import (
    Actual,
    ActualConnection,
    ActualOrg,
    ActualPublication,
    ActualSubscription,
    ContactInfo,
)
from orgsync_reconcile.model.component import ComponentKey
from orgsync_reconcile.model.connection import ConnectionStatus, Side
from orgsync_reconcile.model.plan import Action, Change, Op

FIRST_STATUS = ConnectionStatus.SENT


class Simulation:
    """Two orgs that actions change one after the other."""

    def __init__(self, facts: Actual) -> None:
        self.orgs = dict(facts.orgs)

    def run(self, actions: Iterable[Action]) -> Actual:
        """Do the actions in order; the facts afterwards."""
        for action in actions:
            getattr(self, "on_" + action.op.replace("-", "_"))(action, dict(action.after or {}))
        return Actual(orgs=dict(self.orgs))

    def change(self, org: str, **more: Any) -> None:
        self.orgs[org] = replace(self.orgs[org], **more)

    def live(self, org: str, action: Action) -> ActualConnection:
        return self.orgs[org].connections[action.connection]

    def keep(self, org: str, known: ActualConnection) -> None:
        self.change(org, connections={**self.orgs[org].connections, known.name: known})

    def other(self, org: str) -> str:
        return next(name for name in self.orgs if name != org)

    def on_enable_feature(self, action: Action, after: dict[str, Any]) -> None:
        info = self.orgs[action.org].info
        name = action.address.rpartition("/")[2]
        self.change(action.org, info=replace(info, features=info.features | {name}))

    def on_create_contact(self, action: Action, after: dict[str, Any]) -> None:
        name = f"{after['first_name']} {after['last_name']}"
        made = ContactInfo(id="003-new", name=name, email=after["email"], account=after["account"])
        self.change(action.org, contacts=(*self.orgs[action.org].contacts, made))

    def on_invite(self, action: Action, after: dict[str, Any]) -> None:
        self.keep(
            action.org,
            ActualConnection(
                name=action.connection,
                id="04P-new",
                side=Side.PRIMARY,
                status=FIRST_STATUS,
                owner=after["owner"],
                contact=next(item for item in self.orgs[action.org].contacts if item.name == after["contact"]["name"]),
                settings=after["settings"],
                **after["options"],
            ),
        )

    def on_accept(self, action: Action, after: dict[str, Any]) -> None:
        status = ConnectionStatus(after["status"])
        self.keep(
            action.org,
            ActualConnection(
                name=action.connection, id="04P-there", side=Side.SECONDARY, status=status, **after["options"]
            ),
        )
        self.move(action, status)

    def on_advance_connection(self, action: Action, after: dict[str, Any]) -> None:
        self.move(action, ConnectionStatus(after["status"]))

    def move(self, action: Action, status: ConnectionStatus) -> None:
        for org in self.orgs:
            partner = self.orgs[self.other(org)].info.org_id
            self.keep(org, replace(self.live(org, action), status=status, partner_org_id=partner))

    def on_suspend(self, action: Action, after: dict[str, Any]) -> None:
        self.keep(action.org, replace(self.live(action.org, action), status=ConnectionStatus(after["status"])))

    on_resume = on_suspend

    def on_update_connection(self, action: Action, after: dict[str, Any]) -> None:
        known = self.live(action.org, action)
        own = {key: value for key, value in after.items() if key in ("owner", "metadata", "users")}
        texts = {key: value for key, value in after.items() if key not in own}
        self.keep(action.org, replace(known, settings={**known.settings, **texts}, **own))

    def on_deploy_component(self, action: Action, after: dict[str, Any]) -> None:
        key = ComponentKey(*action.address.split("/", 2)[2].split(":", 1))
        source, target = self.orgs[self.other(action.org)], self.orgs[action.org]
        ours = source.components[key]
        self.change(
            action.org,
            components={**target.components, key: ours._replace(synced_hash=ours.hash)},
            component_texts={**target.component_texts, key: source.component_texts[key]},
        )
        self.schema(key, source, action.org)

    def schema(self, key: ComponentKey, source: ActualOrg, org: str) -> None:
        """What a component means for objects, fields and record types."""
        name, _, member = key.full_name.partition(".")
        target = self.orgs[org]
        if key.type == "CustomObject":
            fields = {field: item for field, item in source.objects[name].fields.items() if not item.custom}
            self.change(org, objects={**target.objects, name: replace(source.objects[name], fields=fields)})
        elif key.type == "CustomField":
            known = target.objects[name]
            fields = {**known.fields, member: source.objects[name].fields[member]}
            self.change(org, objects={**target.objects, name: replace(known, fields=fields)})
        elif key.type == "RecordType":
            types = target.record_types.get(name, frozenset()) | {member}
            self.change(org, record_types={**target.record_types, name: types})

    def on_sync_user(self, action: Action, after: dict[str, Any]) -> None:
        name = action.address.rpartition("/")[2]
        if action.change is Change.CREATE:
            self.change(action.org, users={**self.orgs[action.org].users, name: user(name)})

    def named(self, action: Action) -> tuple[str, str]:
        parts = action.address.split("/")
        return parts[2], parts[4] if len(parts) > 4 else ""

    def on_publish_object(self, action: Action, after: dict[str, Any]) -> None:
        name, _ = self.named(action)
        known = self.live(action.org, action)
        made = ActualPublication(
            object=name,
            fields=frozenset(after["fields"]),
            match_on=after["match_on"],
            record_types=frozenset(after["record_types"]),
        )
        self.keep(action.org, replace(known, published={**known.published, name: made}))

    def on_subscribe_object(self, action: Action, after: dict[str, Any]) -> None:
        name, _ = self.named(action)
        known = self.live(action.org, action)
        made = ActualSubscription(object=name, fields=frozenset(after["fields"]))
        self.keep(action.org, replace(known, subscribed={**known.subscribed, name: made}))

    def fields(self, action: Action, added: bool) -> None:
        name, field = self.named(action)
        known = self.live(action.org, action)
        if action.op in (Op.PUBLISH_FIELD, Op.UNPUBLISH_FIELD):
            offered = known.published[name]
            changed = offered.fields | {field} if added else offered.fields - {field}
            self.keep(action.org, replace(known, published={**known.published, name: replace(offered, fields=changed)}))
        else:
            accepted = known.subscribed[name]
            changed = accepted.fields | {field} if added else accepted.fields - {field}
            self.keep(
                action.org, replace(known, subscribed={**known.subscribed, name: replace(accepted, fields=changed)})
            )

    def on_publish_field(self, action: Action, after: dict[str, Any]) -> None:
        self.fields(action, added=True)

    def on_unpublish_field(self, action: Action, after: dict[str, Any]) -> None:
        self.fields(action, added=False)

    on_subscribe_field = on_publish_field
    on_unsubscribe_field = on_unpublish_field

    def on_unpublish_object(self, action: Action, after: dict[str, Any]) -> None:
        name, _ = self.named(action)
        known = self.live(action.org, action)
        self.keep(action.org, replace(known, published={k: v for k, v in known.published.items() if k != name}))

    def on_unsubscribe_object(self, action: Action, after: dict[str, Any]) -> None:
        name, _ = self.named(action)
        known = self.live(action.org, action)
        self.keep(action.org, replace(known, subscribed={k: v for k, v in known.subscribed.items() if k != name}))

    def on_bulk_sync(self, action: Action, after: dict[str, Any]) -> None:
        name, _ = self.named(action)
        source = self.other(action.org)
        known = self.live(source, action)
        self.keep(source, replace(known, bulk_synced={**known.bulk_synced, name: 1}))
