"""`orgsync serve-redirect`."""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

import click

from orgsync_reconcile.app.redirect import redirect_service
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.options import connection_argument
from orgsync_reconcile.cli.session import Session, pass_session
from orgsync_reconcile.errors import ExitCode
from orgsync_reconcile.operations.stopping import on_signals


@leaf()
@connection_argument
@click.option("--host", default="127.0.0.1", show_default=True, metavar="HOST", help="Where to listen.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, metavar="N", help="0 takes a free port."
)
@pass_session
def command(session: Session, connection: str | None, host: str, port: int) -> ExitCode:
    """Serve an address that redirects users to the org that is up or chosen.

    GET and HEAD are redirected (302, never cached) with path and query; other methods get 405. Users go to the
    secondary after failover start, or while the primary is down by the checks of the document of kind Failover. A
    redirect leads to the document's two addresses and nowhere else. /healthz tells its state, /.orgsync/notice is a
    page for people. A line of JSON for each request goes to standard error, none with --quiet. SIGTERM ends it with 0.

    Examples:
      orgsync serve-redirect acme-dr
      orgsync serve-redirect acme-dr --host 0.0.0.0 --port 80
    """
    lock = threading.Lock()

    def log(line: dict[str, Any]) -> None:
        with lock:
            session.note(json.dumps(line, ensure_ascii=False))

    with (
        on_signals() as stop,
        redirect_service(session.workspace(), connection, host=host, port=port, log=log) as server,
    ):
        shown = f"[{host}]" if ":" in host else host
        session.show(f"Listening on http://{shown}:{server.server_port}/")
        sys.stdout.flush()
        while not stop.rest(60):
            pass
        return stop.exit_code
