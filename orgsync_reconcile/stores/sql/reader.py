"""Reading an org for a plan: everything small at once, objects and contents when they are asked for (REC-1)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from orgsync_reconcile.model.actual import ActualOrg, OrgInfo
from orgsync_reconcile.stores.sql.check import check
from orgsync_reconcile.stores.sql.component_table import ComponentTexts, summaries
from orgsync_reconcile.stores.sql.connection_reader import read_connection, read_contacts
from orgsync_reconcile.stores.sql.connections import connection_names as all_connections
from orgsync_reconcile.stores.sql.mirrors import count_blank
from orgsync_reconcile.stores.sql.notified import OWN_SETTING
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.own_triggers import own_triggers
from orgsync_reconcile.stores.sql.people_reader import read_licenses, read_users
from orgsync_reconcile.stores.sql.protection import is_protected
from orgsync_reconcile.stores.sql.schema import Objects
from orgsync_reconcile.stores.sql.text import quote


def read_org(
    org: Org,
    *,
    publications: Iterable[str] = (),
    connection_names: Collection[str] | None = None,
    contacts: Iterable[tuple[str, str]] = (),
    with_hygiene: Iterable[str] = (),
    partners: Mapping[str, Org] | None = None,
    mirrors: Iterable[tuple[str, str, str]] = (),
) -> ActualOrg:
    """The org as a plan sees it.

    `publications` are the objects whose records are counted, `with_hygiene` those whose data is looked over (ORG-10);
    `connection_names` None means every connection; `contacts` are (full name, email) pairs to look for; `partners`
    are the other ends by connection name, which know the bulk syncs that went to them; `mirrors` are (object,
    auto-number field, mirror) triples whose blank mirrors are counted (AUT-1). Objects and component contents
    are read later, when asked for: whoever needs one moment for all holds `org.snapshot()` around the use. Raises
    StoreError and its kin.
    """
    with org.snapshot() as db:
        objects = Objects(org)
        users = read_users(org, objects["User"])
        present = all_connections(org)
        wanted = present if connection_names is None else [name for name in present if name in connection_names]
        others = partners or {}
        checked = tuple(with_hygiene)
        return ActualOrg(
            info=read_info(org),
            users=users,
            licenses=read_licenses(org, users),
            profiles=frozenset(row[0] for row in db.execute('SELECT "Name" FROM "Profile" WHERE "IsDeleted" = FALSE')),
            roles=frozenset(
                row[0] for row in db.execute('SELECT "DeveloperName" FROM "UserRole" WHERE "IsDeleted" = FALSE')
            )
            - {None},
            permission_sets=frozenset(
                row[0] for row in db.execute('SELECT "Name" FROM "PermissionSet" WHERE "IsDeleted" = FALSE')
            ),
            objects=objects,
            record_types=_record_types(org),
            components=summaries(org),
            component_texts=ComponentTexts(org),
            contacts=read_contacts(org, contacts),
            connections={name: read_connection(org, name, others.get(name)) for name in wanted},
            records={name: count_records(org, name) for name in publications if name in objects},
            triggers=own_triggers(org),
            hygiene=check(org, checked) if checked else (),
            blank_mirrors={item: count_blank(org, objects, *item) for item in mirrors},
        )


def read_info(org: Org) -> OrgInfo:
    """What the org is (ORG-1)."""
    db = org.db
    row = db.execute("SELECT org_type, edition, revision FROM orgsync_org").fetchone()
    admin = db.execute('SELECT "Username" FROM "User" WHERE "Id" = ?', [org.admin_id]).fetchone()
    return OrgInfo(
        org_id=org.org_id,
        code=org.code,
        name=org.name,
        org_type=row[0],
        edition=row[1],
        admin=admin[0] if admin else "",
        features=frozenset(item[0] for item in db.execute("SELECT name FROM orgsync_feature")),
        limits=dict(db.execute("SELECT name, value FROM orgsync_limit ORDER BY name").fetchall()),
        settings=_settings(org),
        namespace=org.namespace,
        protected=is_protected(org),
        revision=str(row[2]),
    )


def count_records(org: Org, name: str) -> int:
    """How many records of an object are not deleted: all of them by the narrowest index, less the deleted ones."""
    (count,) = org.db.execute(
        f'SELECT (SELECT count(*) FROM {quote(name)}) - (SELECT count(*) FROM {quote(name)} WHERE "IsDeleted" = TRUE)'
    ).fetchone()
    return int(count)


def _record_types(org: Org) -> dict[str, frozenset[str]]:
    """Object -> developer names of its active record types."""
    found: dict[str, set[str]] = {}
    for owner, name in org.db.execute(
        'SELECT "SobjectType", "DeveloperName" FROM "RecordType" WHERE "IsDeleted" = FALSE AND "IsActive" = TRUE'
        ' ORDER BY "SobjectType"'
    ):
        found.setdefault(owner, set()).add(name)
    return {owner: frozenset(names) for owner, names in found.items()}


def _settings(org: Org) -> dict[str, str]:
    """The org's own settings, without what we keep among them."""
    return dict(
        org.db.execute(
            f"SELECT name, value FROM orgsync_setting WHERE substr(name, 1, {len(OWN_SETTING)}) <> ? ORDER BY name",
            [OWN_SETTING],
        ).fetchall()
    )
