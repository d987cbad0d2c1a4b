"""Builders of facts for planner tests: two orgs and a connection, as manifests want them and as stores hold them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from orgsync_reconcile.model.actual import (
    Actual,
    ActualConnection,
    ActualOrg,
    ActualPublication,
    ActualSubscription,
    ContactInfo,
    OrgInfo,
    UserInfo,
)
from orgsync_reconcile.model.applied import Applied
from orgsync_reconcile.model.component import ComponentKey, ComponentSummary, canonical, digest
from orgsync_reconcile.model.connection import ConnectionStatus, ContactRef, Side
from orgsync_reconcile.model.desired import (
    Desired,
    DesiredConnection,
    DesiredMetadata,
    DesiredOrg,
    DesiredPublication,
    FieldSelection,
    ManifestFile,
)
from orgsync_reconcile.model.origin import Origin
from orgsync_reconcile.model.plan import Action, Plan
from orgsync_reconcile.model.schema import FieldDef, FieldType, ObjectDef
from orgsync_reconcile.plan import connection_settings
from orgsync_reconcile.plan.three_way import live_state, wanted_settings

S2S = "salesforce-to-salesforce"
ALL_PERMISSIONS = frozenset({"ManageConnections", "CustomizeApplication", "CreateContact", "ReadContact"})


def at(line: int, file: str = "manifests/acme.yaml") -> Origin:
    return Origin(file=file, line=line)


def text(name: str, **more: Any) -> FieldDef:
    return FieldDef(name=name, type=FieldType.TEXT, length=80, custom=name.endswith("__c"), **more)


def lookup(name: str, *targets: str, **more: Any) -> FieldDef:
    return FieldDef(name=name, type=FieldType.LOOKUP, reference_to=targets, custom=name.endswith("__c"), **more)


def obj(name: str, *fields: FieldDef, **more: Any) -> ObjectDef:
    return ObjectDef(
        name=name,
        key_prefix=f"a{len(name):02d}"[:3],
        custom=name.endswith("__c"),
        fields={item.name: item for item in fields},
        **more,
    )


def objects(*items: ObjectDef) -> dict[str, ObjectDef]:
    return {item.name: item for item in items}


ACCOUNT = obj(
    "Account", text("Name", required=True), text("Phone"), lookup("ParentId", "Account"), lookup("OwnerId", "User")
)
CONTACT = obj("Contact", text("LastName"), lookup("AccountId", "Account"))


def user(username: str, **more: Any) -> UserInfo:
    more.setdefault("profile", "Admin")
    return UserInfo(id=f"005-{username}", username=username, hash=f"h-{username}", **more)


def org(name: str, *, admin: str, items: Iterable[ObjectDef] = (ACCOUNT, CONTACT), **more: Any) -> ActualOrg:
    info = OrgInfo(
        org_id=f"00D-{name}",
        code=name[-3:],
        name=name,
        org_type="production",
        edition="enterprise",
        admin=admin,
        features=frozenset({S2S}),
        revision="r1",
    )
    facts: dict[str, Any] = {
        "users": {admin: user(admin, permissions=ALL_PERMISSIONS)},
        "licenses": {"Salesforce": (100, 1)},
        "profiles": frozenset({"Admin"}),
        "objects": objects(*items),
    }
    return ActualOrg(info=info, **{**facts, **more})


def primary(**more: Any) -> ActualOrg:
    more.setdefault("contacts", (ELISE,))
    return org("acme", admin="admin@acme.example", **more)


def secondary(**more: Any) -> ActualOrg:
    return org("acme-secondary", admin="admin@acme.example.dr", **more)


ELISE = ContactInfo(id="003-1", name="Elise Medina", email="elise@acme.example", account="Acme")


def with_info(item: ActualOrg, **more: Any) -> ActualOrg:
    return replace(item, info=replace(item.info, **more))


def publication(name: str, line: int = 30, **more: Any) -> DesiredPublication:
    return DesiredPublication(connection="acme-dr", object=name, origin=at(line), **more)


def include(*names: str, line: int = 40) -> FieldSelection:
    return FieldSelection(mode="include", names={name: at(line + index) for index, name in enumerate(names)})


def exclude(*names: str, line: int = 40) -> FieldSelection:
    return FieldSelection(mode="exclude", names={name: at(line + index) for index, name in enumerate(names)})


def connection(**more: Any) -> DesiredConnection:
    facts: dict[str, Any] = {
        "name": "acme-dr",
        "primary": "acme",
        "secondary": "acme-secondary",
        "owner": "admin@acme.example",
        "contact": ContactRef(first_name="Elise", last_name="Medina", email="elise@acme.example", account="Acme"),
        "origin": at(10),
    }
    return DesiredConnection(**{**facts, **more})


def desired(
    *publications: DesiredPublication,
    metadata: DesiredMetadata | None = None,
    connections: Iterable[DesiredConnection] | None = None,
    **more: Any,
) -> Desired:
    wanted = [connection(**more)] if connections is None else list(connections)
    return Desired(
        orgs={
            name: DesiredOrg(name=name, store=f"sqlite:{name}.db", admin=admin, origin=at(line))
            for name, admin, line in (
                ("acme", "admin@acme.example", 1),
                ("acme-secondary", "admin@acme.example.dr", 5),
            )
        },
        connections={item.name: item for item in wanted},
        publications={(item.connection, item.object): item for item in publications},
        metadata={metadata.connection: metadata} if metadata else {},
        files=(ManifestFile(path="manifests/acme.yaml", sha256="ab" * 32),),
    )


def actual(first: ActualOrg | None = None, second: ActualOrg | None = None) -> Actual:
    return Actual(orgs={"acme": first or primary(), "acme-secondary": second or secondary()})


def published(name: str, *fields: str, **more: Any) -> dict[str, ActualPublication]:
    return {name: ActualPublication(object=name, fields=frozenset(fields), **more)}


def subscribed(name: str, *fields: str, **more: Any) -> dict[str, ActualSubscription]:
    return {name: ActualSubscription(object=name, fields=frozenset(fields), **more)}


def side(end: Side, wanted: DesiredConnection | None = None, **more: Any) -> ActualConnection:
    """The connection as one org holds it after `wanted` was applied."""
    wanted = wanted or connection()
    partner = "acme-secondary" if end is Side.PRIMARY else "acme"
    options = wanted.options
    facts: dict[str, Any] = {
        "name": wanted.name,
        "id": f"04P-{end}",
        "side": end,
        "status": ConnectionStatus.ACCEPTED,
        "owner": wanted.owner,
        "contact": ELISE,
        "partner_org_id": f"00D-{partner}",
        "feeds_and_audit_fields": options.feeds_and_audit_fields,
        "metadata": options.metadata,
        "users": options.users_primary if end is Side.PRIMARY else options.users_secondary,
        "settings": connection_settings(wanted),
    }
    return ActualConnection(**{**facts, **more})


def connected(
    first: Mapping[str, Any] | None = None,
    second: Mapping[str, Any] | None = None,
    *,
    wanted: DesiredConnection | None = None,
    here: ActualOrg | None = None,
    there: ActualOrg | None = None,
) -> Actual:
    """Both orgs with the connection active; `first` and `second` are what each side's connection has besides.

    Settings were applied as `wanted` says, publications as they stand.
    """
    here, there = here or primary(), there or secondary()
    ours = side(Side.PRIMARY, wanted, **(first or {}))
    theirs = side(Side.SECONDARY, wanted, **(second or {}))
    if "applied" not in (first or {}):
        applied = replace(live_state(ours, theirs), settings=wanted_settings(wanted or connection()))
        ours = replace(ours, applied=Applied(state=applied))
    return actual(replace(here, connections={ours.name: ours}), replace(there, connections={theirs.name: theirs}))


def components(*items: tuple[str, str, Mapping[str, Any]], **more: Any) -> dict[str, Any]:
    """`components` and `component_texts` of an org from (type, full name, content)."""
    summaries, texts = {}, {}
    for component_type, full_name, content in items:
        key = ComponentKey(component_type, full_name)
        texts[key] = canonical(content)
        summaries[key] = ComponentSummary(key=key, hash=digest(texts[key]), **more)
    return {"components": summaries, "component_texts": texts}


def synced(facts: dict[str, Any]) -> dict[str, Any]:
    """The same components as they stand after a sync."""
    items = {key: item._replace(synced_hash=item.hash) for key, item in facts["components"].items()}
    return {**facts, "components": items}


def by_address(plan: Plan) -> dict[str, Action]:
    return {action.address: action for action in plan.actions}


def addresses(plan: Plan) -> list[str]:
    return [action.address for action in plan.actions]


def messages(plan: Plan, code: str) -> list[str]:
    return [item.message for item in plan.diagnostics if item.code == code]


def dump(plan: Plan) -> str:
    return json.dumps([item.one_line() for item in plan.diagnostics], indent=1)
