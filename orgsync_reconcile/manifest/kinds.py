"""The documents Org, Publication and Metadata, and the list of all kinds (CONTRACT of the manifest)."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, Tag, model_validator

from orgsync_reconcile.manifest.findings import shown
from orgsync_reconcile.manifest.kind_connection import Connection
from orgsync_reconcile.manifest.kind_failover import Failover
from orgsync_reconcile.manifest.kind_mail import Mail
from orgsync_reconcile.manifest.kind_report import Report
from orgsync_reconcile.manifest.scalars import kind_of
from orgsync_reconcile.manifest.terms import (
    AS_SET,
    ComponentPattern,
    DirectionName,
    Identifier,
    Name,
    Store,
    Strict,
    Username,
    by_shape,
    problem,
    without_repetition,
)


class Org(Strict):
    """An org: where its store is and who acts in it."""

    version: Literal[1] = Field(description="Version of the manifest format, 1")
    kind: Literal["Org"] = Field(description="What this document describes")
    name: Name = Field(description="Name of the org in manifests, plans and messages")
    store: Store = Field(
        description="sqlite:PATH (relative to the working folder), postgresql://HOST/DATABASE or salesforce:ALIAS, "
        "or a secret reference that holds such a URL"
    )
    admin: Username = Field(description="Username of the user who acts in this org")
    protected: bool | None = Field(
        default=None,
        description="Whether nothing destructive may be done to this org; apply stores it in the org, where it stays "
        "until protected: false is applied",
    )


class FieldNames(Strict):
    """Some fields of an object: only these, or all but these."""

    include: list[Identifier] = Field(
        default=[], min_length=1, description="Only these fields, by API name", json_schema_extra=AS_SET
    )
    exclude: list[Identifier] = Field(
        default=[], min_length=1, description="All fields but these, by API name", json_schema_extra=AS_SET
    )

    @model_validator(mode="after")
    def _one_list(self) -> FieldNames:
        if len(self.model_fields_set) != 1:
            raise problem("fields takes either include or exclude", "write all, {include: [...]} or {exclude: [...]}")
        without_repetition(self.include, "include")
        without_repetition(self.exclude, "exclude")
        return self


def _all(value: object) -> object:
    if value != "all":
        found = shown(value) if isinstance(value, str) else kind_of(value)
        raise problem(f"fields does not take {found}", "write all, {include: [...]} or {exclude: [...]}")
    return value


class Publication(Strict):
    """One object that both orgs of a connection keep in step."""

    version: Literal[1] = Field(description="Version of the manifest format, 1")
    kind: Literal["Publication"] = Field(description="What this document describes")
    connection: Name = Field(description="Name of the connection")
    object: Identifier = Field(description="API name of the object, for example Account or Property__c")
    fields: Annotated[
        Annotated[FieldNames, Tag("[names]")] | Annotated[Literal["all"], BeforeValidator(_all), Tag("[all]")],
        by_shape(names=dict, all=str),
    ] = Field(default="all", description="all, {include: [...]} or {exclude: [...]}")
    direction: DirectionName | None = Field(default=None, description="Overrides the connection's direction")
    match_on: Identifier | None = Field(
        default=None, description="A unique field or external id by which records that are in both orgs are linked"
    )
    backfill: bool = Field(
        default=False, description="Whether values set before a field was published are sent for linked records"
    )


class Metadata(Strict):
    """Which metadata components of the primary the secondary follows."""

    version: Literal[1] = Field(description="Version of the manifest format, 1")
    kind: Literal["Metadata"] = Field(description="What this document describes")
    connection: Name = Field(description="Name of the connection")
    include: list[ComponentPattern] = Field(
        min_length=1, description="Component types, or Type:Name patterns with * and ?", json_schema_extra=AS_SET
    )
    exclude: list[ComponentPattern] = Field(
        default=[],
        description="Components left out of what include names, in the same form",
        json_schema_extra=AS_SET,
    )


#: kind -> its model, in the order in which documentation lists them.
KINDS: Final[dict[str, type[Strict]]] = {
    "Org": Org,
    "Connection": Connection,
    "Publication": Publication,
    "Metadata": Metadata,
    "Mail": Mail,
    "Report": Report,
    "Failover": Failover,
}
