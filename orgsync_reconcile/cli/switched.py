"""What a switch of users did, as text or JSON."""

from __future__ import annotations

from typing import Any

from orgsync_reconcile.app.failover import Outcome
from orgsync_reconcile.cli.layout import shown_time, visible
from orgsync_reconcile.cli.session import Session
from orgsync_reconcile.errors import ExitCode
from orgsync_reconcile.model.wording import counted


def switch_document(outcome: Outcome) -> dict[str, Any]:
    """The JSON document of `failover announce`, `start` and `stop`."""
    switch, routing = outcome.switch, outcome.switch.routing
    return {
        "connection": routing.connection,
        "changed": switch.done,
        "target": routing.target.value,
        "since": routing.since or None,
        "by": routing.actor or None,
        "banner": routing.banner or None,
        "window": {"from": routing.window_from, "to": routing.window_to} if routing.window_from else None,
        "orgs": outcome.told,
        "mail": {
            "sent": sum(item.sent for item in switch.deliveries),
            "failed": [{"to": item.to, "error": item.error} for item in switch.deliveries if not item.sent],
        },
        "sso": {"called": switch.sso_called, "error": switch.sso_error or None} if outcome.settings.sso_hook else None,
        "integrations": [
            {"name": item.name, "owner": item.owner, "note": item.note} for item in outcome.settings.integrations
        ],
        "warnings": list(outcome.warnings),
    }


def show_switch(session: Session, outcome: Outcome, headline: str, *, checklist: bool = True) -> ExitCode:
    """Prints what was done and what is left for people; 5 where somebody who should know could not be told."""
    switch = outcome.switch
    if session.format == "json":
        session.show_json(switch_document(outcome))
    else:
        session.show(session.style("heading", visible(headline)))
        for name, text in _lines(outcome):
            session.show(f"  {name:<8} {visible(text)}")
        if checklist and outcome.settings.integrations:
            session.show("To be repointed by hand:")
            for item in outcome.settings.integrations:
                rest = ", ".join(part for part in (item.owner, item.note) if part)
                session.show(visible(f"  [ ] {item.name}" + (f": {rest}" if rest else "")))
    for text in outcome.warnings:
        session.note(f"{session.style_error('warning', 'warning:')} {visible(text)}")
    if switch.no_mail:
        session.note(f"{session.style_error('warning', 'warning:')} no email was sent: {switch.no_mail}")
    for delivery in switch.deliveries:
        if not delivery.sent:
            session.complain(f"{session.style_error('error', 'failed:')} {visible(delivery.line)}")
    if switch.sso_error:
        session.complain(f"{session.style_error('error', 'failed:')} {switch.sso_error}")
    if not switch.complete:
        session.note("Run the same command again to tell those who were missed.")
        return ExitCode.PARTIAL
    return ExitCode.OK


def _lines(outcome: Outcome) -> list[tuple[str, str]]:
    switch, routing = outcome.switch, outcome.switch.routing
    lines = []
    if routing.since:
        lines.append(("since", f"{shown_time(routing.since)} UTC, by {routing.actor}"))
    if routing.window_from:
        lines.append(("window", f"{shown_time(routing.window_from)} to {shown_time(routing.window_to)} UTC"))
    if routing.banner:
        lines.append(("banner", routing.banner))
    if switch.done:
        lines.append(("written", ", ".join(name for name, told in outcome.told.items() if told)))
    if switch.deliveries:
        failed = sum(not item.sent for item in switch.deliveries)
        lost = f", {failed:,} not sent" if failed else ""
        lines.append(("mail", f"{counted(len(switch.deliveries) - failed, 'email')} sent{lost}"))
    if switch.sso_called:
        lines.append(("sso", "called"))
    return lines
