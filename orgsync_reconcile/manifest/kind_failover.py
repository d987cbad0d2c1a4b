"""The document Failover: how users are routed to the org that is up, and who is told of it (RTE-1, RTE-2)."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, Tag, WithJsonSchema, model_validator

from orgsync_reconcile.manifest.findings import shown, suggestion
from orgsync_reconcile.manifest.terms import (
    Duration,
    Email,
    Name,
    Strict,
    Text,
    WebAddress,
    WebAddressOrSecret,
    by_shape,
    problem,
    without_repetition,
)

#: What stands for itself in the texts of emails: `{secondary_url}` and so on.
PLACEHOLDERS: Final = ("connection", "primary", "secondary", "primary_url", "secondary_url", "from", "to", "banner")
_PATH_PATTERN: Final = r"^/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]{0,500}$"


def _front_door(url: str) -> str:
    if "?" in url or "#" in url or "\\" in url:
        raise problem("a front door has no query and no fragment", "write https://HOST or https://HOST/PATH")
    if not re.fullmatch(r"https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?(/\S*)?", url, re.ASCII):
        raise problem("this is no front door", "write https://HOST or https://HOST/PATH")
    return url


FrontDoor = Annotated[WebAddress, AfterValidator(_front_door)]


def _path(value: str) -> str:
    if not re.fullmatch(_PATH_PATTERN, value) or value.startswith("//"):
        raise problem(f"{shown(value)} is no path", "write a path such as /health")
    return value


HealthPath = Annotated[str, AfterValidator(_path), WithJsonSchema({"type": "string", "pattern": _PATH_PATTERN})]


class Check(Strict):
    """How the orgs are asked whether they are up."""

    primary: HealthPath = Field(default="/", description="Path that the primary's front door is asked for")
    secondary: HealthPath = Field(default="/", description="Path that the secondary's front door is asked for")
    every: Duration = Field(default=30, description="Time between two questions")
    timeout: Duration = Field(default=5, description="How long an answer may take")
    failures: int = Field(default=3, ge=1, le=1000, description="Failures in a row after which the org is down")
    successes: int = Field(default=2, ge=1, le=1000, description="Answers in a row after which the org is up again")


def _template(text: str) -> str:
    for name in re.findall(r"\{(\w*)\}", text):
        if name not in PLACEHOLDERS:
            raise problem(f"unknown placeholder {{{name}}}", suggestion(name, PLACEHOLDERS, "known placeholders"))
    return text


_Template = Annotated[Text, AfterValidator(_template)]


class Letter(Strict):
    """The text of one email, in place of the one that orgsync has."""

    subject: _Template = Field(max_length=200, description="Subject of the email; {connection} and so on are filled in")
    body: _Template = Field(description="Text of the email; {secondary_url}, {from}, {to} and so on are filled in")


class Profiles(Strict):
    """Users by their profiles."""

    profiles: list[Text] = Field(min_length=1, description="Active users with one of these profiles, by name")

    @model_validator(mode="after")
    def _once(self) -> Profiles:
        without_repetition(self.profiles, "profiles")
        return self


def _users_word(value: Any) -> Any:
    if value not in ("all", "none"):
        found = shown(value) if isinstance(value, str) else "this"
        raise problem(f"users does not take {found}", "write all, none or {profiles: [...]}")
    return value


class Mailing(Strict):
    """Who gets the mass email, and what it says."""

    users: Annotated[
        Annotated[Profiles, Tag("[profiles]")]
        | Annotated[Literal["all", "none"], BeforeValidator(_users_word), Tag("[word]")],
        by_shape(profiles=(dict, Profiles), word=str),
    ] = Field(default="all", description="all active users, none, or {profiles: [...]}")
    to: list[Email] = Field(default=[], max_length=1000, description="Further addresses")
    announce: Letter | None = Field(default=None, description="Text of the notice of a window")
    start: Letter | None = Field(default=None, description="Text of the email when users are sent to the secondary")
    stop: Letter | None = Field(default=None, description="Text of the email when they are sent back")


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
    primary_url: FrontDoor = Field(description="Where users log in to the primary")
    secondary_url: FrontDoor = Field(description="Where users log in to the secondary")
    check: Check = Field(default=Check(), description="When an org counts as down")
    banner: Text | None = Field(default=None, max_length=500, description="Text that users see in the secondary")
    reminder_page: bool = Field(
        default=False,
        description="Whether serve-redirect shows the banner first, to browsers that ask for / during a failover",
    )
    mail: Mailing | None = Field(default=None, description="The mass email; without it nobody is written to")
    sso_hook: WebAddressOrSecret | None = Field(
        default=None, description="Web address called at a switch, so that single sign-on can follow"
    )
    integrations: list[Integration] = Field(default=[], description="Programs that have to be repointed by hand")
    behind: Duration = Field(default=300, description="How old an unsent change may be before a drill says not ready")

    @model_validator(mode="after")
    def _two_doors(self) -> Failover:
        if self.primary_url.rstrip("/").casefold() == self.secondary_url.rstrip("/").casefold():
            raise problem("both front doors are the same", "give each org its own address")
        return self
