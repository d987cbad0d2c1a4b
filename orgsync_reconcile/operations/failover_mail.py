"""The mass email about a failover: whom it goes to, and what it says (RTE-1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.routing import Routing
from orgsync_reconcile.operations.failover_settings import FailoverSettings
from orgsync_reconcile.operations.letters import Letter
from orgsync_reconcile.operations.notices import distinct
from orgsync_reconcile.plan.users import SUFFIX
from orgsync_reconcile.stores.sql.audience import active_emails
from orgsync_reconcile.stores.sql.org import Org


def audience(settings: FailoverSettings, orgs: Mapping[Side, Org | None]) -> tuple[str, ...]:
    """The addresses, each once: of the users of every org that can be read, and those that the manifest adds."""
    mail = settings.mail
    if mail is None:
        return ()
    users: list[str] = []
    if mail.everybody or mail.profiles:
        # Somebody who is in one org only has to know all the more.
        users = [address for org in orgs.values() if org is not None for address in active_emails(org, mail.profiles)]
    return distinct([*users, *mail.to])


def letters(
    settings: FailoverSettings, routing: Routing, names: Mapping[Side, str], to: tuple[str, ...], *, two_way: bool
) -> list[Letter]:
    """The letters of what a routing leaves unfinished, to these addresses; `names` is how people call the orgs.

    `two_way`: whether what is done in the secondary is brought back.
    """
    kind = routing.unfinished.letter
    values: dict[str, Any] = {
        "connection": settings.connection,
        "primary": names[Side.PRIMARY],
        "secondary": names[Side.SECONDARY],
        "primary_url": settings.doors[Side.PRIMARY],
        "secondary_url": settings.doors[Side.SECONDARY],
        "from": shown_moment(routing.window_from),
        "to": shown_moment(routing.window_to),
        "banner": settings.banner,
        "suffix": SUFFIX,
        "two_way": two_way,
    }
    template = f"failover_{kind}"
    own = settings.mail.own.get(kind) if settings.mail else None
    if own is not None:
        template = "failover_own"
        subject, body = (_filled(text, values) for text in own)
        values = {"connection": settings.connection, "subject": subject, "lines": body.rstrip().split("\n")}
    return [Letter(template=template, to=address, values=values) for address in to]


def shown_moment(text: str) -> str:
    """A stored moment as people read it; empty for none."""
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M} UTC" if text else ""


def _filled(text: str, values: Mapping[str, Any]) -> str:
    """The text with its placeholders filled in, in one go: what is filled in is not looked at again."""
    return re.sub(r"\{(\w+)\}", lambda found: str(values.get(found[1], found[0])), text)
