"""Where a connection's users are sent, as both orgs keep it (RTE-1)."""

from __future__ import annotations

from dataclasses import dataclass

from orgsync_reconcile.model.connection import Side


@dataclass(frozen=True, kw_only=True, slots=True)
class Unfinished:
    """What a switch still has to do: the email that some have not got yet, and the call for single sign-on."""

    #: announce, start or stop; empty where nobody waits for an email.
    letter: str = ""
    to: tuple[str, ...] = ()
    sso: bool = False

    def __bool__(self) -> bool:
        return bool(self.to) or self.sso


@dataclass(frozen=True, kw_only=True, slots=True)
class Routing:
    """Of the rows in both orgs the one with the higher `serial` counts. Moments are ISO 8601 text, empty for none.

    With the target secondary users are sent there, whatever is up; with the target primary nothing is chosen: they are
    sent to the primary, and to the secondary while the primary is down.
    """

    connection: str
    serial: int = 0
    target: Side = Side.PRIMARY
    #: What users of the secondary are to see; empty for nothing.
    banner: str = ""
    since: str = ""
    actor: str = ""
    #: The window that was announced.
    window_from: str = ""
    window_to: str = ""
    unfinished: Unfinished = Unfinished()

    @property
    def chosen(self) -> bool:
        """Whether somebody has chosen the secondary."""
        return self.target is Side.SECONDARY
