"""The actual state: what was read from an org's store, as far as a plan needs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orgsync_reconcile.model.applied import Applied
from orgsync_reconcile.model.component import ComponentKey, ComponentSummary
from orgsync_reconcile.model.connection import ConnectionStatus, Side
from orgsync_reconcile.model.schema import ObjectDef

#: The licences whose users are copied (USR-1).
STANDARD_LICENSES = frozenset({"Salesforce", "Salesforce Platform"})


@dataclass(frozen=True, kw_only=True, slots=True)
class OrgInfo:
    """What an org is (ORG-1). `code` are the three characters that its minted Ids carry."""

    org_id: str
    code: str
    name: str
    org_type: str
    edition: str
    admin: str
    features: frozenset[str] = frozenset()
    limits: Mapping[str, int] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    namespace: str = ""
    #: Set by apply and kept in the org itself: nothing destructive is done to it (REC-5).
    protected: bool = False
    #: A short text that changes whenever metadata, settings or connections of the org change.
    revision: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class UserInfo:
    """A user. Profile, role and permission sets by name; `hash` covers all synced user fields."""

    id: str
    username: str
    name: str = ""
    email: str = ""
    license: str = "Salesforce"
    profile: str = ""
    role: str = ""
    permission_sets: frozenset[str] = frozenset()
    #: System permissions, from the profile and the permission sets, for example ManageConnections.
    permissions: frozenset[str] = frozenset()
    active: bool = True
    hash: str = ""
    #: Under which Ids, each behind that of its org, this org and its partners know the person (CON-10).
    known_as: frozenset[str] = frozenset()

    @property
    def standard(self) -> bool:
        """Whether user sync copies this user (USR-1)."""
        return self.license in STANDARD_LICENSES


@dataclass(frozen=True, kw_only=True, slots=True)
class ContactInfo:
    """A Contact record that could be the connection's contact."""

    id: str
    name: str
    email: str
    account: str
    last_name: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ActualPublication:
    """An object that this org offers over a connection, with the fields that it offers."""

    object: str
    fields: frozenset[str]
    match_on: str | None = None
    #: The developer names of the object's record types when it was published (MET-10).
    record_types: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class ActualSubscription:
    """An object that this org accepts over a connection."""

    object: str
    fields: frozenset[str]
    #: Fields that unsubscribed themselves, with the reason (PUB-8).
    dropped: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class ActualConnection:
    """A replication connection as one of its orgs knows it. Options are that org's own copy."""

    name: str
    id: str
    side: Side
    status: ConnectionStatus
    owner: str = ""
    contact: ContactInfo | None = None
    partner_org_id: str = ""
    feeds_and_audit_fields: bool = False
    metadata: bool = True
    users: bool = True
    suspended_by: str = ""
    #: (object, auto-number field, mirror) of the mirrors that this org's triggers fill for the connection (AUT-1).
    mirrors: frozenset[tuple[str, str, str]] = frozenset()
    #: Other settings that apply writes, for example {"conflicts": "primary-wins", "retry": "60,300"}.
    settings: Mapping[str, str] = field(default_factory=dict)
    published: Mapping[str, ActualPublication] = field(default_factory=dict)
    subscribed: Mapping[str, ActualSubscription] = field(default_factory=dict)
    #: object -> how many records are linked
    linked: Mapping[str, int] = field(default_factory=dict)
    #: object -> how many records were linked until their object was unpublished; publishing again revives them
    disconnected: Mapping[str, int] = field(default_factory=dict)
    #: object -> how many bulk syncs have run from this org
    bulk_synced: Mapping[str, int] = field(default_factory=dict)
    #: Components that could not be deployed: key -> (hash that failed, error); not planned again until they change.
    failed_components: Mapping[ComponentKey, tuple[str, str]] = field(default_factory=dict)
    #: Users of this org that could not be copied: username -> (hash that failed, error).
    failed_users: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    #: What was applied last, which the primary remembers; None in the secondary and where nothing was.
    applied: Applied | None = None

    @property
    def linked_records(self) -> int:
        """How many records are linked. Users are not records here: no publication disconnects them."""
        return sum(number for name, number in self.linked.items() if name != "User")


@dataclass(frozen=True, kw_only=True, slots=True)
class HygieneFinding:
    """Dirt in the data (ORG-10). `kind`: blank_required, invalid_lookup, duplicate."""

    object: str
    field: str
    kind: str
    records: int
    example: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ActualOrg:
    """One org, read in one snapshot. Mappings may be lazy; they never change while a plan is made."""

    info: OrgInfo
    users: Mapping[str, UserInfo] = field(default_factory=dict)
    #: licence -> (total, used)
    licenses: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    profiles: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    permission_sets: frozenset[str] = frozenset()
    objects: Mapping[str, ObjectDef] = field(default_factory=dict)
    #: object -> developer names of its active record types
    record_types: Mapping[str, frozenset[str]] = field(default_factory=dict)
    components: Mapping[ComponentKey, ComponentSummary] = field(default_factory=dict)
    #: Content as canonical JSON, read when asked for.
    component_texts: Mapping[ComponentKey, str] = field(default_factory=dict)
    contacts: tuple[ContactInfo, ...] = ()
    connections: Mapping[str, ActualConnection] = field(default_factory=dict)
    #: object -> number of records that are not deleted, for the objects asked for
    records: Mapping[str, int] = field(default_factory=dict)
    #: object -> names of triggers (component type ApexTrigger or triggers in the store) on it
    triggers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hygiene: tuple[HygieneFinding, ...] = ()
    #: (object, auto-number field, mirror) -> records made here whose mirror is blank, of the mirrors asked for (AUT-1).
    blank_mirrors: Mapping[tuple[str, str, str], int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Actual:
    """All orgs that the manifests name, by their manifest name. A missing key: that org was not asked for."""

    orgs: Mapping[str, ActualOrg] = field(default_factory=dict)
