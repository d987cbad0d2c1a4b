"""The rules below `notify` of a connection: what happens on new log entries and other events (LOG-3, SUS-2)."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from orgsync_reconcile.manifest.findings import shown, suggestion
from orgsync_reconcile.manifest.terms import (
    Duration,
    Identifier,
    Name,
    Secret,
    SecretOnly,
    SideName,
    Strict,
    WebAddress,
    WebAddressOrSecret,
    by_shape,
    problem,
)
from orgsync_reconcile.model.notification import FACTS, template_names

_HEADER: Final = r"^[A-Za-z][A-Za-z0-9-]{0,79}$"
#: What only entries of the log have.
_OF_ENTRIES: Final = ("where", "when", "flag")


class Threshold(Strict):
    """When a notification is due: more than so many entries within a period."""

    more_than: int = Field(ge=0, le=10**9, description="Number of new entries that is still quiet")
    within: Duration = Field(description="Period in which they are counted, for example 24h")


class EntryFilter(Strict):
    """Which entries of the log count; every key that is set must fit."""

    org: SideName | None = Field(default=None, description="Only the log of this org: primary or secondary")
    object: list[Identifier] = Field(default=[], max_length=100, description="Only entries about these objects")
    status: list[Literal["Retrying", "Failed", "Resolved", "Warning"]] = Field(
        default=[], description="Only entries with these statuses"
    )
    code: list[Identifier] = Field(
        default=[], max_length=100, description="Only entries with these error codes, for example DUPLICATE_VALUE"
    )


class Webhook(Strict):
    """A web address that is told, with its details."""

    url: WebAddressOrSecret = Field(description="Web address, or a secret reference that holds it")
    style: Literal["json", "chat"] = Field(
        default="json", description="json: the event with its entries; chat: a text, as chat programs take it"
    )
    secret: SecretOnly | None = Field(
        default=None, description="Key that signs the body (HMAC-SHA256), as {env: NAME} or {file: PATH}"
    )
    header: Annotated[str, Field(pattern=_HEADER)] = Field(
        default="X-Orgsync-Signature", description="Header that carries the signature as sha256=HEX"
    )


def _constant(value: str) -> str:
    if "{{" in value:
        raise problem("a flag's value that looks up an alert", "write the value itself")
    return value


class Flag(Strict):
    """A field that is set on the records concerned, as anybody in that org would set it."""

    object: Identifier = Field(description="API name of the object whose records are flagged")
    field: Identifier = Field(description="API name of a checkbox, text or picklist field")
    value: Annotated[
        Annotated[bool, Tag("[checkbox]")]
        | Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_constant), Tag("[text]")],
        by_shape(checkbox=bool, text=str),
    ] = Field(default=True, description="true or false for a checkbox, else a text")


def _recipient(value: str) -> str:
    if value not in ("owner", "suspender") and not re.fullmatch(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+", value):
        raise problem(f"{shown(value)} is no recipient", "write an email address, owner or suspender")
    return value


def _template(value: str) -> str:
    for name in template_names(value):
        if name not in FACTS:
            raise problem(f"there is no alert.{name}", suggestion(name, FACTS, "known facts of an alert"))
    return value


def _hook_shape(value: Any) -> str:
    """A mapping with details, a secret reference, or an address."""
    if isinstance(value, Secret) or (isinstance(value, dict) and value and value.keys() <= {"env", "file"}):
        return "[reference]"
    return "[options]" if isinstance(value, (dict, Webhook)) else "[url]"


Template = Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(_template)]
HookOrAddress = Annotated[
    Annotated[Webhook, Tag("[options]")] | Annotated[Secret, Tag("[reference]")] | Annotated[WebAddress, Tag("[url]")],
    Discriminator(_hook_shape),
]


class Notification(Strict):
    """One notification rule."""

    name: Name | None = Field(
        default=None, description="Name of the rule; a rule with a name keeps its place when it is changed"
    )
    event: Literal["log_entry", "suspended", "drift", "difference", "reconcile_failed"] = Field(
        description="New entries of the sync log; a suspension; or of an unattended run: what was changed by hand, "
        "linked records that differ, a step that failed"
    )
    where: EntryFilter | None = Field(default=None, description="Which entries of the log count; by default all")
    when: Threshold | None = Field(default=None, description="Threshold, for example {more_than: 10, within: 24h}")
    every: Duration | None = Field(
        default=None, description="How often at most, or for a state that lasts how often again"
    )
    email: list[Annotated[str, AfterValidator(_recipient)]] = Field(
        default=[],
        max_length=100,
        description="Addresses; owner and suspender stand for those users; an empty list switches off a suspension's emails",
    )
    webhook: HookOrAddress | None = Field(
        default=None,
        description="Web address that is told, a secret reference that holds it, or a mapping with details",
    )
    flag: Flag | None = Field(default=None, description="Field that is set on the records concerned")
    subject: Template | None = Field(default=None, description="Subject of the email; may look up alert.NAME")
    text: Template | None = Field(
        default=None, description="Text of the email and of a chat message; may look up alert.NAME"
    )

    @model_validator(mode="after")
    def _does_something(self) -> Notification:
        # An empty list switches off the emails about a suspension, which are sent by default (SUS-2).
        off = self.event == "suspended" and "email" in self.model_fields_set
        if not self.email and self.webhook is None and self.flag is None and not off:
            raise problem("a notification that tells nobody", "add email, webhook or flag")
        extra = [key for key in _OF_ENTRIES if getattr(self, key) is not None]
        if extra and self.event != "log_entry":
            raise problem(f"{' and '.join(extra)} belong to the event log_entry", "remove them, or use every")
        if "suspender" in self.email and self.event != "suspended":
            raise problem("suspender belongs to the event suspended", "write an email address, or owner")
        return self
