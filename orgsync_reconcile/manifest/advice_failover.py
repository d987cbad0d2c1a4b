"""Advice on how users are sent to another org (RTE-1)."""

from __future__ import annotations

from collections.abc import Iterator

from orgsync_reconcile.manifest import codes
from orgsync_reconcile.manifest.findings import shown
from orgsync_reconcile.model.desired import Desired
from orgsync_reconcile.model.diagnostic import Diagnostic, Severity
from orgsync_reconcile.model.origin import Origin

_HERE = ("http://127.0.0.1", "http://[::1]", "http://localhost")


def failover_advice(desired: Desired) -> Iterator[Diagnostic]:
    """What is risky in the documents of kind Failover."""
    for (kind, name), data in desired.others.items():
        if kind != "Failover":
            continue
        places = desired.other_origins[kind, name]
        where = places[""]
        for key in ("primary_url", "secondary_url"):
            if data[key].startswith("http://") and not data[key].startswith(_HERE):
                yield _advice(
                    codes.OPEN_DOOR,
                    places.get(key, where),
                    f"users of {shown(name)} are sent to an address without encryption",
                    "write https://",
                )
        if "mail" in data and ("Mail", "mail") not in desired.others:
            yield _advice(
                codes.MAIL_WITHOUT_SERVER,
                places.get("mail", where),
                "there is a mass email and no document of kind Mail, so it goes to nobody",
                "add one, with the mail server's host",
            )
        if "mail" not in data and "banner" not in data:
            yield _advice(
                codes.SILENT_FAILOVER,
                where,
                f"users of {shown(name)} are sent to the secondary without a word",
                "add a banner, or mail",
            )


def _advice(code: str, origin: Origin, message: str, hint: str) -> Diagnostic:
    return Diagnostic(severity=Severity.WARNING, code=code, message=message, hint=hint, origin=origin)
