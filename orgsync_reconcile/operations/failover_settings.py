"""The document Failover as the operations use it (RTE-1, RTE-2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orgsync_reconcile.errors import UsageError
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.desired import Desired, SecretRef


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckSettings:
    """How the orgs are asked whether they are up; times in seconds."""

    paths: Mapping[Side, str]
    every: float
    timeout: float
    failures: int
    successes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Mailing:
    """Who gets the mass email: all active users, those with certain profiles, or none; and further addresses."""

    everybody: bool
    profiles: tuple[str, ...]
    to: tuple[str, ...]
    #: announce, start, stop -> (subject, body) that go before the ones of the program
    own: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Integration:
    """A program that has to be pointed to the other org by hand."""

    name: str
    owner: str
    note: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FailoverSettings:
    """How users of a connection are routed. `behind` is in seconds."""

    connection: str
    doors: Mapping[Side, str]
    check: CheckSettings
    banner: str
    reminder_page: bool
    mail: Mailing | None
    sso_hook: str | SecretRef | None
    integrations: tuple[Integration, ...]
    behind: float


def failover_settings(desired: Desired, connection: str) -> FailoverSettings:
    """The settings of a connection. Raises UsageError where the manifests have none."""
    data = desired.others.get(("Failover", connection))
    if data is None:
        raise UsageError(
            f"the manifests have no document of kind Failover for {connection}",
            hint="add one, with primary_url and secondary_url",
        )
    check = data["check"]
    return FailoverSettings(
        connection=connection,
        doors={Side.PRIMARY: data["primary_url"], Side.SECONDARY: data["secondary_url"]},
        check=CheckSettings(
            paths={side: check[side.value] for side in Side},
            every=check["every"],
            timeout=check["timeout"],
            failures=check["failures"],
            successes=check["successes"],
        ),
        banner=data.get("banner") or "",
        reminder_page=data["reminder_page"],
        mail=_mailing(data["mail"]) if "mail" in data else None,
        sso_hook=_hook(data.get("sso_hook")),
        integrations=tuple(
            Integration(name=item["name"], owner=item.get("owner") or "", note=item.get("note") or "")
            for item in data["integrations"]
        ),
        behind=data["behind"],
    )


def _mailing(data: Mapping[str, Any]) -> Mailing:
    users = data["users"]
    return Mailing(
        everybody=users == "all",
        profiles=tuple(users["profiles"]) if isinstance(users, Mapping) else (),
        to=tuple(data["to"]),
        own={
            name: (data[name]["subject"], data[name]["body"])
            for name in ("announce", "start", "stop")
            if data.get(name)
        },
    )


def _hook(value: object) -> str | SecretRef | None:
    if isinstance(value, Mapping):
        env = value.get("env")
        return SecretRef(source="env" if env else "file", name=str(env or value.get("file")))
    return None if value is None else str(value)
