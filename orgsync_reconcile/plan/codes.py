"""The stable codes of what a plan reports: E… errors, W… warnings, I… notes, M… manual tasks."""

from __future__ import annotations

from typing import Final

TYPE_MISMATCH: Final = "E301"
EDITION_MISMATCH: Final = "E302"
ONE_ORG_TWICE: Final = "E303"
AUDIT_FIELDS_OFF: Final = "E304"
NO_ADMIN: Final = "E305"
NO_PERMISSION: Final = "E306"
UNKNOWN_OWNER: Final = "E307"
CONTACT_WITHOUT_EMAIL: Final = "E308"
OTHER_ROLE: Final = "E309"
OTHER_PARTNER: Final = "E310"
CONNECTION_SUSPENDED: Final = "E311"
UNKNOWN_OBJECT: Final = "E320"
NOT_PUBLISHABLE: Final = "E321"
UNKNOWN_FIELD: Final = "E322"
FIELD_NOT_PUBLISHABLE: Final = "E323"
REQUIRED_CYCLE: Final = "E324"
REQUIRED_PARENT: Final = "E325"
BAD_MATCH_FIELD: Final = "E326"
NO_OBJECT_IN_TARGET: Final = "E327"
BAD_AUTO_NUMBER: Final = "E328"
BAD_MIRROR: Final = "E329"

LIMITS_DIFFER: Final = "W301"
SETTINGS_DIFFER: Final = "W302"
DUPLICATE_MANAGEMENT: Final = "W303"
FEW_LICENSES: Final = "W304"
MISSING_FOR_USERS: Final = "W305"
TRIGGERS: Final = "W306"
TRIGGER_LOOP: Final = "W307"
PERSON_ACCOUNTS: Final = "W308"
DIRTY_DATA: Final = "W309"
FEEDS_INCOMPLETE: Final = "W310"
UNKNOWN_USERS: Final = "W311"
ONE_SIDE_SUSPENDED: Final = "W312"
NOTHING_TARGETED: Final = "W313"
FIELDS_WITHHELD: Final = "W314"
LOOKUP_WITHOUT_PARENT: Final = "W320"
OPTIONAL_CYCLE: Final = "W321"
MIXED_DIRECTIONS: Final = "W322"
FORMULA_INPUTS: Final = "W323"
FORMULA_MISSING: Final = "W324"
FIELD_DIFFERS: Final = "W325"
VALUES_BEFORE: Final = "W326"
REQUIRED_FIELD: Final = "W327"
PUBLISH_AGAIN: Final = "W328"
MIRROR_NOT_PUBLISHED: Final = "W329"
RENAMED: Final = "W330"

ORG_NOT_READ: Final = "I301"
USERS_LEFT_OUT: Final = "I302"
USERS_WITHOUT_SUFFIX: Final = "I303"
BULK_SYNC_NEXT: Final = "I304"

COMPONENT_DELETED: Final = "M301"
COMPONENT_ADDED: Final = "M302"
UNSUPPORTED_TYPE: Final = "M303"
METADATA_OFF: Final = "M304"
PACKAGE_MISSING: Final = "M305"
REPORT_MISSING: Final = "M306"
COMPONENT_FAILED: Final = "M307"
USER_FAILED: Final = "M308"
AUTO_NUMBER: Final = "M309"

#: What each code means, for `docs/diagnostics.md`.
MEANING: Final = {
    TYPE_MISMATCH: "The two orgs are of different types, for example production and sandbox.",
    EDITION_MISMATCH: "The two orgs are of different editions.",
    ONE_ORG_TWICE: "Both ends of a connection are one and the same org.",
    AUDIT_FIELDS_OFF: "Feeds and audit fields are to sync, but an org has audit-field creation switched off.",
    NO_ADMIN: "The user who acts in an org does not exist there, or is inactive.",
    NO_PERMISSION: "The user who acts in an org lacks a permission that the plan needs.",
    UNKNOWN_OWNER: "The owner of a connection is no active user of its primary org.",
    CONTACT_WITHOUT_EMAIL: "The contact of a connection has no email address.",
    OTHER_ROLE: "A connection of that name exists with primary and secondary exchanged.",
    OTHER_PARTNER: "A connection of that name leads to another org.",
    CONNECTION_SUSPENDED: "Objects cannot be published or unpublished while a connection is suspended.",
    UNKNOWN_OBJECT: "The primary has no object of that name.",
    NOT_PUBLISHABLE: "The object cannot be published.",
    UNKNOWN_FIELD: "The object has no field of that name.",
    FIELD_NOT_PUBLISHABLE: "The field is named in the manifest but cannot be published.",
    REQUIRED_CYCLE: "Required lookups or master-details form a cycle, so no record could be copied first.",
    REQUIRED_PARENT: "A required lookup or master-detail points at an object that is not published.",
    BAD_MATCH_FIELD: "Records can be matched only by a unique or external id field.",
    NO_OBJECT_IN_TARGET: "The other org has no such object and no action of the plan creates it.",
    BAD_AUTO_NUMBER: "The field to mirror is no auto-number of the primary.",
    BAD_MIRROR: "The field that is to mirror an auto-number cannot hold it, or is named twice.",
    LIMITS_DIFFER: "Limits of the two orgs differ.",
    SETTINGS_DIFFER: "Settings of the two orgs differ.",
    DUPLICATE_MANAGEMENT: "Duplicate management is on in the secondary and may refuse copied records.",
    FEW_LICENSES: "The secondary has fewer free licences than users to come.",
    MISSING_FOR_USERS: "Profiles, roles or permission sets of users to copy are missing in the secondary.",
    TRIGGERS: "Triggers stand on published objects; they are never copied.",
    TRIGGER_LOOP: "Triggers in both orgs stand on an object that syncs both ways, and could loop.",
    PERSON_ACCOUNTS: "With person accounts, Account and Contact belong together.",
    DIRTY_DATA: "Records that the secondary will refuse or cannot relate.",
    FEEDS_INCOMPLETE: "Feeds need the option, both feed objects, and feed tracking in both orgs.",
    UNKNOWN_USERS: "Users of the source have no counterpart; records that name them get a substitute.",
    ONE_SIDE_SUSPENDED: "A two-way connection is suspended at one end only.",
    NOTHING_TARGETED: "A target, or an exclude, names no action.",
    FIELDS_WITHHELD: "Field changes wait until a suspended connection is resumed.",
    LOOKUP_WITHOUT_PARENT: "A lookup is published though its parent object is not.",
    OPTIONAL_CYCLE: "Lookups form a cycle; a second pass fills them in.",
    MIXED_DIRECTIONS: "One-way and two-way publications share a connection.",
    FORMULA_INPUTS: "A formula or roll-up uses fields that are not published.",
    FORMULA_MISSING: "A formula or roll-up of the source is missing in the other org.",
    FIELD_DIFFERS: "A published field cannot be subscribed because the other org's differs or is missing.",
    VALUES_BEFORE: "Values that were set before a field was published, or while it was not subscribed, are not sent.",
    REQUIRED_FIELD: "A required field is not published, so the other org would refuse new records.",
    PUBLISH_AGAIN: "The object got its first record types after it was published.",
    MIRROR_NOT_PUBLISHED: "The mirror of an auto-number is not among the published fields.",
    RENAMED: "An object or field looks renamed; cloning is safer.",
    ORG_NOT_READ: "A connection is left out because one of its orgs was not read.",
    USERS_LEFT_OUT: "Users without a standard licence are not copied.",
    USERS_WITHOUT_SUFFIX: "Users of the secondary whose username lacks `.dr` are not copied.",
    BULK_SYNC_NEXT: "Publishing copies nothing; a bulk sync is the next step.",
    COMPONENT_DELETED: "A component is gone from the primary and still in the secondary.",
    COMPONENT_ADDED: "A component exists only in the secondary.",
    UNSUPPORTED_TYPE: "A component of a type that does not sync differs.",
    METADATA_OFF: "A component differs while metadata sync is off.",
    PACKAGE_MISSING: "A managed package of the primary is missing in the secondary.",
    REPORT_MISSING: "A page references a report that has no identical twin in the secondary.",
    COMPONENT_FAILED: "A component could not be deployed and has not changed since.",
    USER_FAILED: "A user could not be copied and has not changed since.",
    AUTO_NUMBER: "An auto-number to be mirrored is missing in the secondary.",
}
