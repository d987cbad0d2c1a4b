"""The addresses of actions: what people type after --target and read in a plan."""

from __future__ import annotations

from orgsync_reconcile.model.component import ComponentKey
from orgsync_reconcile.model.connection import ConnectionStatus, Side


def feature(org: str, name: str) -> str:
    """A feature of an org, for example `acme/feature/salesforce-to-salesforce`."""
    return f"{org}/feature/{name}"


def protection(org: str) -> str:
    """The protection that an org keeps of itself."""
    return f"{org}/protection"


def contact(connection: str) -> str:
    """The connection's contact in the primary."""
    return f"{connection}/contact"


def end(connection: str, side: Side) -> str:
    """The connection as one of its orgs holds it: `CONN/connection`, or `CONN/connection/secondary`."""
    return f"{connection}/connection" if side is Side.PRIMARY else f"{connection}/connection/secondary"


def status(connection: str, reached: ConnectionStatus, side: Side = Side.PRIMARY) -> str:
    """The step that brings a connection, or one end of it, to a status."""
    return f"{end(connection, side)}/status/{reached}"


def component(connection: str, key: ComponentKey) -> str:
    """A component in the secondary."""
    return f"{connection}/metadata/{key}"


def user(connection: str, username: str, side: Side) -> str:
    """A user made at `side`, by the username there."""
    return f"{connection}/{'user' if side is Side.PRIMARY else 'user-back'}/{username}"


def publication(connection: str, name: str, source: Side, field: str = "") -> str:
    """An object, or one of its fields, offered by `source`."""
    kind = "publication" if source is Side.PRIMARY else "publication-back"
    return f"{connection}/{kind}/{name}" + (f"/field/{field}" if field else "")


def subscription(connection: str, name: str, source: Side, field: str = "") -> str:
    """An object, or one of its fields, accepted from `source` by the other org."""
    kind = "subscription" if source is Side.PRIMARY else "subscription-back"
    return f"{connection}/{kind}/{name}" + (f"/field/{field}" if field else "")


def mirror(connection: str, name: str, mirror: str, side: Side | None = None, step: str = "") -> str:
    """A mirror of an auto-number, or one step towards it in one org: `CONN/auto-number/OBJECT.MIRROR/SIDE/STEP`."""
    where = f"{connection}/auto-number/{name}.{mirror}"
    return f"{where}/{side}/{step}" if side else where


def bulk_sync(connection: str, name: str) -> str:
    """The bulk sync of one object from the primary."""
    return f"{connection}/bulk-sync/{name}"


def within(address: str, prefix: str) -> bool:
    """Whether `address` is `prefix` or stands below it."""
    return address == prefix or address.startswith(prefix.rstrip("/") + "/")
