"""The documents Mail, Report and Failover, which the operations around a connection read (LOG-4, RTE-1, USR-8)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from orgsync_reconcile.manifest.terms import (
    Duration,
    Email,
    Identifier,
    Name,
    SecretOnly,
    SideName,
    Strict,
    Text,
    WebAddress,
    WebAddressOrSecret,
    problem,
)


class Mail(Strict):
    """The server that sends email."""

    version: Literal[1] = Field(description="Version of the manifest format, 1")
    kind: Literal["Mail"] = Field(description="What this document describes")
    host: str = Field(pattern=r"^[A-Za-z0-9.:_-]{1,255}$", description="Name of the mail server")
    port: int = Field(default=587, ge=1, le=65535, description="Port of the mail server")
    tls: Literal["starttls", "implicit", "none"] = Field(
        default="starttls", description="How the connection to the mail server is encrypted"
    )
    sender: Email = Field(alias="from", description="Address that email comes from")
    user: Text | None = Field(default=None, description="User name at the mail server")
    password: SecretOnly | None = Field(default=None, description="Password, as {env: NAME} or {file: PATH}")

    timeout: Duration = Field(default=30, description="How long an answer of the mail server may take")
    login_url: WebAddress | None = Field(
        default=None,
        description="Where users of a secondary log in, for password links; a Failover document's secondary_url goes first",
    )

    @model_validator(mode="after")
    def _both_or_none(self) -> Mail:
        if (self.user is None) != (self.password is None):
            raise problem("user and password go together", "name both or none")
        if self.password is not None and self.tls == "none":
            raise problem("a password without encryption", "use tls: starttls or implicit")
        return self


class Report(Strict):
    """A report on the sync log of one org or both."""

    version: Literal[1] = Field(description="Version of the manifest format, 1")
    kind: Literal["Report"] = Field(description="What this document describes")
    name: Name = Field(description="Name of the report")
    connection: Name = Field(description="Name of the connection")
    org: SideName | Literal["both"] = Field(default="both", description="Whose log: primary, secondary or both")
    since: Duration = Field(default=7 * 86400, description="How far back, for example 7d")
    group_by: Literal["day", "object", "field_type", "status"] | None = Field(
        default=None, description="Counts entries by this instead of listing them"
    )
    related_to: Identifier | None = Field(
        default=None, description="Only entries of records that are related to this object"
    )
    where: Text | None = Field(default=None, max_length=2000, description="A filter, for example status = 'Failed'")
    format: Literal["table", "csv", "json", "html"] = Field(default="table", description="Form of the report")
    email: list[Email] = Field(default=[], max_length=100, description="Who gets it from a scheduled run")


class Check(Strict):
    """How often an org is asked whether it is up."""

    every: Duration = Field(default=30, description="Time between two questions")
    timeout: Duration = Field(default=5, description="How long an answer may take")
    failures: int = Field(default=3, ge=1, le=1000, description="Failures in a row after which the org is down")


class Notice(Strict):
    """The mass email about a failover."""

    subject: Text = Field(max_length=200, description="Subject of the email")
    body: Text = Field(description="Text of the email")
    ahead: Duration | None = Field(default=None, description="How long before a planned window it is sent")
    to: list[Email] = Field(default=[], description="Recipients; none: all active users of the primary")


class Integration(Strict):
    """A program that has to be pointed to the other org."""

    name: Text = Field(max_length=200, description="Name of the integration")
    owner: Email | None = Field(default=None, description="Who looks after it")
    note: Text | None = Field(default=None, description="What has to be changed")


class Failover(Strict):
    """How users are routed to the org that is up."""

    version: Literal[1] = Field(description="Version of the manifest format, 1")
    kind: Literal["Failover"] = Field(description="What this document describes")
    connection: Name = Field(description="Name of the connection")
    primary_url: WebAddress = Field(description="Where users log in to the primary")
    secondary_url: WebAddress = Field(description="Where users log in to the secondary")
    check: Check = Field(default=Check(), description="When an org counts as down")
    banner: Text | None = Field(default=None, max_length=500, description="Text that users see in the secondary")
    notice: Notice | None = Field(default=None, description="The mass email to users")
    sso_hook: WebAddressOrSecret | None = Field(
        default=None, description="Web address called at a switch, so that single sign-on can follow"
    )
    integrations: list[Integration] = Field(default=[], description="Programs that have to be repointed by hand")
