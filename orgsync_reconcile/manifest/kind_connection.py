"""The document Connection with its options (CON-2, CON-6, BLK-1, QUE-5, AUT-1, LOG-3, SUS-2, SUS-4)."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, Tag, WithJsonSchema, model_validator

from orgsync_reconcile.manifest.findings import shown
from orgsync_reconcile.manifest.kind_notification import Notification
from orgsync_reconcile.manifest.terms import (
    Day,
    DirectionName,
    Duration,
    DurationOrNone,
    Email,
    Identifier,
    Limit,
    Name,
    Strict,
    Text,
    Username,
    by_shape,
    problem,
)
from orgsync_reconcile.model.desired import BulkSyncPlan

_DAY = 86400


class Contact(Strict):
    """The connection's contact, a Contact record of the primary."""

    first_name: str = Field(max_length=40, description="First name of the contact")
    last_name: Text = Field(max_length=80, description="Last name of the contact")
    email: Email = Field(description="Address that the invitation goes to")
    account: Text = Field(max_length=255, description="Name of the contact's account")


class MetadataSwitch(Strict):
    """Metadata sync with its option."""

    delete: bool = Field(description="Whether a component that is gone from the primary is deleted in the secondary")


class UserSwitches(Strict):
    """Each org's own switch for users."""

    primary: bool = Field(default=True, description="Whether users of the primary are copied to the secondary")
    secondary: bool = Field(default=True, description="Whether users of the secondary are copied to the primary")


class Sync(Strict):
    """What is synced besides records."""

    feeds_and_audit_fields: bool = Field(default=False, description="Whether feed posts and audit fields travel too")
    metadata: Annotated[
        Annotated[MetadataSwitch, Tag("[options]")] | Annotated[bool, Tag("[switch]")],
        by_shape(options=dict, switch=bool),
    ] = Field(default=True, description="Whether the secondary follows the primary's metadata, or {delete: true}")
    users: Annotated[
        Annotated[UserSwitches, Tag("[sides]")] | Annotated[bool, Tag("[switch]")], by_shape(sides=dict, switch=bool)
    ] = Field(default=True, description="Whether users are copied, for both orgs or {primary: …, secondary: …}")


class BulkSync(Strict):
    """How existing records are copied."""

    auto: bool = Field(default=False, description="Whether a newly subscribed object is bulk-synced by apply")
    stages: list[Duration] = Field(
        default=[], max_length=50, description="Ages of the records to copy, in steps, for example [90d, 180d, 365d]"
    )
    max_age: DurationOrNone = Field(
        default=BulkSyncPlan().max_age, description="The earliest cutoff that a bulk sync accepts, or none"
    )

    @model_validator(mode="after")
    def _stages_in_order(self) -> BulkSync:
        if any(after <= before for before, after in zip(self.stages, self.stages[1:], strict=False)):
            raise problem("the stages are not in order", "write the shortest first, for example [90d, 180d, 365d]")
        if self.max_age is not None and self.stages and self.stages[-1] > self.max_age:
            raise problem(
                f"a stage reaches back further than max_age ({self.max_age // _DAY}d)",
                "raise max_age or drop the stage",
            )
        return self


class Limits(Strict):
    """Limits of a connection."""

    feed_file_bytes: int = Field(
        default=2_147_483_648, ge=1, le=2**53, description="Largest file in a feed post that is copied, in bytes"
    )


class Guards(Strict):
    """The most that a plan may do: a share such as 0.3 or 30%, or a count such as 200.

    Disconnecting, deleting and deactivating need to be allowed by name below the limit, too.
    """

    disconnect: Limit = Field(default=0.3, description="Linked records that are disconnected or deleted")
    unpublish: Limit | None = Field(default=None, description="Published fields that are unpublished; 0.5 by default")
    overwrite: Limit = Field(default=0.3, description="Components of the secondary that are overwritten")
    delete: Limit | None = Field(default=None, description="Components of the secondary that are deleted")
    move: Limit | None = Field(
        default=None, description="Records that bulk syncs and backfills send; no limit by default"
    )


class Allow(Strict):
    """An allowance beyond a guard's limit, for a reason and until a day."""

    guard: Literal["disconnect", "unpublish", "overwrite", "delete", "move"] = Field(description="Name of the guard")
    limit: Limit = Field(description="The most that is let through: a share such as 0.4 or 40%, or a count such as 200")
    reason: Text = Field(max_length=500, description="Why, for whoever reads the plan")
    until: Day = Field(description="The last day that it holds, in UTC, for example 2026-12-01")


class Drift(Strict):
    """What happens to changes made by hand."""

    metadata: Literal["correct", "report"] = Field(default="correct", description="Components of the secondary")
    settings: Literal["correct", "report"] = Field(default="report", description="Options and publications")


def _display_format(value: str) -> str:
    if len(re.findall(r"\{0+\}", value)) != 1 or value.count("{") != 1 or len(value) > 30:
        raise problem(f"{shown(value)} is no display format", "write one number part, for example 2-{00000000}")
    return value


class AutoNumber(Strict):
    """A custom text field that carries an auto-number to the other org."""

    object: Identifier = Field(description="API name of the object")
    field: Identifier = Field(description="API name of its auto-number field")
    mirror: Identifier = Field(description="API name of the custom text field that holds the number in both orgs")
    secondary_format: Annotated[
        str, AfterValidator(_display_format), WithJsonSchema({"type": "string", "pattern": r"^[^{}]*\{0+\}[^{}]*$"})
    ] = Field(description="Display format of the secondary's own numbers, for example 2-{00000000}")

    @model_validator(mode="after")
    def _custom_mirror(self) -> AutoNumber:
        if not self.mirror.endswith("__c") or self.mirror == self.field:
            raise problem(f"the mirror {shown(self.mirror)} is no custom field", "name a field that ends in __c")
        return self


class Connection(Strict):
    """A replication connection of two orgs."""

    version: Literal[1] = Field(description="Version of the manifest format, 1")
    kind: Literal["Connection"] = Field(description="What this document describes")
    name: Name = Field(description="Name of the connection")
    primary: Name = Field(description="Name of the primary org")
    secondary: Name = Field(description="Name of the secondary org")
    owner: Username = Field(description="Username of the connection's owner, a user of the primary")
    contact: Contact = Field(description="The connection's contact, a Contact record of the primary")
    direction: DirectionName = Field(
        default="two-way", description="two-way, or one-way from the primary to the secondary"
    )
    state: Literal["active", "suspended"] = Field(default="active", description="active or suspended")
    sync: Sync = Field(default=Sync(), description="What is synced besides records")
    conflicts: Literal["primary-wins", "latest-wins", "secondary-wins"] = Field(
        default="primary-wins", description="Who wins where both orgs changed one field"
    )
    retry: list[Duration] = Field(
        default=[60, 300, 1800, 7200, 28800],
        min_length=1,
        max_length=50,
        description="Time before each retry of a record that was refused, for example [1m, 5m, 30m]",
    )
    bulk_sync: BulkSync = Field(default=BulkSync(), description="How existing records are copied")
    limits: Limits = Field(default=Limits(), description="Limits of the connection")
    guards: Guards = Field(default=Guards(), description="The most that a plan may do without being allowed to")
    allow: list[Allow] = Field(
        default=[], max_length=50, description="Allowances beyond the guards, each with a reason and a last day"
    )
    drift: Drift = Field(default=Drift(), description="What happens to changes made by hand")
    auto_numbers: list[AutoNumber] = Field(default=[], description="Auto-numbers carried by a custom text field")
    notify: list[Notification] = Field(default=[], description="Notification rules")
