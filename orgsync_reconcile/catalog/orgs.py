"""Facts about orgs: editions, types, features, licences, limits and permissions (ORG-1, CON-8, CON-11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from orgsync_reconcile.model.actual import STANDARD_LICENSES

#: The editions in which the sync is available.
EDITIONS: tuple[str, ...] = ("enterprise", "performance", "unlimited", "developer")

ORG_TYPES: tuple[str, ...] = ("production", "sandbox")

#: The feature without which an org has no connections (CON-1).
SALESFORCE_TO_SALESFORCE = "salesforce-to-salesforce"

#: Features that an org may have switched on -> what each is for.
FEATURES: Mapping[str, str] = MappingProxyType(
    {
        SALESFORCE_TO_SALESFORCE: "connections to other orgs; every connection needs it in both orgs",
        "audit-field-creation": "audit fields may be set when a record is created",
        "duplicate-management": "duplicate rules refuse records with DUPLICATES_DETECTED",
        "feed-tracking": "records have feeds",
        "person-accounts": "accounts may be persons",
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class License:
    """A user licence. `key` is its definition key; users of `standard` licences are copied (USR-1)."""

    name: str
    key: str
    standard: bool


#: Licence name -> licence.
LICENSES: Mapping[str, License] = MappingProxyType(
    {
        name: License(name=name, key=key, standard=name in STANDARD_LICENSES)
        for name, key in (
            ("Salesforce", "SFDC"),
            ("Salesforce Platform", "AUL"),
            ("Chatter Free", "CSN_User"),
            ("Chatter External", "CSN_External"),
            ("Customer Community", "PID_Customer_Community"),
            ("Customer Community Login", "PID_Customer_Community_Login"),
            ("Partner Community", "PID_Partner_Community"),
            ("Identity", "PID_Identity"),
            ("External Identity", "PID_External_Identity"),
            ("Guest User License", "PID_Guest_User"),
            ("Analytics Cloud Integration User", "PID_Insights_Integration"),
        )
    }
)

_COMMON_LIMITS = {
    "apex_code_characters": 6_000_000,
    "external_id_fields_per_object": 25,
    "lookup_relationships_per_object": 40,
    "master_detail_relationships_per_object": 2,
    "roll_up_summary_fields_per_object": 25,
    "sharing_rules_per_object": 300,
}
_LARGE = {
    **_COMMON_LIMITS,
    "active_validation_rules_per_object": 500,
    "custom_fields_per_object": 800,
    "custom_objects": 2000,
    "daily_api_requests": 100_000,
    "data_storage_mb": 10_240,
    "file_storage_mb": 10_240,
}

#: Edition -> name of the limit -> its size; storage in megabytes (CON-8).
DEFAULT_LIMITS: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        "enterprise": MappingProxyType(
            {
                **_LARGE,
                "active_validation_rules_per_object": 100,
                "custom_fields_per_object": 500,
                "custom_objects": 200,
            }
        ),
        "performance": MappingProxyType(_LARGE),
        "unlimited": MappingProxyType(_LARGE),
        "developer": MappingProxyType(
            {
                **_LARGE,
                "active_validation_rules_per_object": 100,
                "custom_fields_per_object": 500,
                "custom_objects": 400,
                "daily_api_requests": 15_000,
                "data_storage_mb": 5,
                "file_storage_mb": 20,
            }
        ),
    }
)

#: Permission name -> what it allows. Object permissions are named verb + object, for example CreateContact.
PERMISSIONS: Mapping[str, str] = MappingProxyType(
    {
        "ManageConnections": "connect, publish, subscribe, bulk sync, suspend and resume",
        "CustomizeApplication": "change fields, layouts and other metadata",
        "CreateContact": "create contacts",
        "ReadContact": "read contacts",
        "ManageUsers": "create and change users, reset passwords",
        "AssignPermissionSets": "assign permission sets",
        "ModifyAllData": "change every record",
        "ViewAllData": "read every record",
        "ViewSetup": "read the setup",
        "AuthorApex": "deploy Apex",
        "ApiEnabled": "use the interfaces for programs",
    }
)

#: Profiles that every org has: name as users see it -> (licence, permissions).
STANDARD_PROFILES: Mapping[str, tuple[str, frozenset[str]]] = MappingProxyType(
    {
        "System Administrator": ("Salesforce", frozenset(PERMISSIONS)),
        "Standard User": ("Salesforce", frozenset({"CreateContact", "ReadContact", "ViewSetup", "ApiEnabled"})),
        "Read Only": ("Salesforce", frozenset({"ReadContact", "ViewSetup", "ApiEnabled"})),
        "Standard Platform User": ("Salesforce Platform", frozenset({"CreateContact", "ReadContact", "ApiEnabled"})),
        "Chatter Free User": ("Chatter Free", frozenset()),
    }
)
