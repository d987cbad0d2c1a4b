"""What can be published: objects (PUB-1) and fields (PUB-3), with the reason and the workaround where not."""

from __future__ import annotations

from types import MappingProxyType

from orgsync_reconcile.model.schema import SYSTEM_FIELDS, FieldDef, FieldType, ObjectDef

#: The standard objects that can be published (PUB-1).
PUBLISHABLE_STANDARD: frozenset[str] = frozenset(
    {
        "Account",
        "Attachment",
        "Case",
        "CaseComment",
        "CaseTeamMember",
        "Contact",
        "EmailMessage",
        "FeedComment",
        "FeedItem",
        "Lead",
        "Opportunity",
        "Product2",
        "Task",
    }
)

_KIND_REASONS = MappingProxyType(
    {
        "setting": "is a custom setting",
        "metadata_type": "is a custom metadata type (__mdt)",
        "event": "is a platform event (__e)",
        "external": "is an external object (__x)",
    }
)

_TYPE_REASONS = MappingProxyType(
    {
        FieldType.RICH_TEXT_AREA: (
            "rich text areas do not sync",
            "keep the text in a long text area, or fill the field in the other org by a trigger",
        ),
        FieldType.FORMULA: (
            "formulas do not sync",
            "publish the fields that the formula reads and keep the same formula field in both orgs",
        ),
        FieldType.ROLL_UP_SUMMARY: (
            "roll-up summaries do not sync",
            "publish the summarised child fields and keep the same roll-up summary in both orgs",
        ),
        FieldType.AUTO_NUMBER: (
            "auto-numbers do not sync, each org counts by itself",
            "declare a mirror field for it under auto_numbers of the connection",
        ),
        FieldType.GEOLOCATION: (
            "geolocations do not sync",
            "keep latitude and longitude in two number fields and publish these",
        ),
        FieldType.ID: (
            "record Ids are each org's own",
            "leave it out; the link between the two records keeps the pair",
        ),
    }
)


def publishable_object(definition: ObjectDef) -> str | None:
    """None where the object can be published, else the reason as text that follows the object's name (PUB-1)."""
    reason = _KIND_REASONS.get(definition.kind)
    if reason is not None:
        return reason
    if not definition.custom:
        return (
            None
            if definition.name in PUBLISHABLE_STANDARD
            else "is not among the standard objects that can be published"
        )
    return None if definition.deployed else "is not deployed (its status is In Development)"


def unpublishable_field(definition: FieldDef) -> tuple[str, str] | None:
    """None where the field can be published, else (reason, workaround) (PUB-3).

    OwnerId and RecordTypeId can be published (LKP-6), and so can the bodies of files. An external lookup can: its
    value is the external system's own key, which means the same in both orgs.
    """
    if definition.name in SYSTEM_FIELDS:
        return (
            "audit and system fields are not published",
            "set sync.feeds_and_audit_fields on the connection, which carries them with the first copy of a record",
        )
    if definition.type in _TYPE_REASONS:
        return _TYPE_REASONS[definition.type]
    if definition.read_only:
        return "the platform maintains it in each org", "leave it out; the other org works it out by itself"
    return None
