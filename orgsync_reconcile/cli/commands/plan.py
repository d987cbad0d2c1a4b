"""`orgsync plan`."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from orgsync_reconcile.app.planning import Choice, plan, save_plan
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.findings import ANNOTATIONS, FINDING_FORMATS, show_findings
from orgsync_reconcile.cli.options import allowance
from orgsync_reconcile.cli.plans import plan_findings, plan_text
from orgsync_reconcile.cli.session import Session, pass_session
from orgsync_reconcile.errors import ExitCode, ManifestError
from orgsync_reconcile.plan import refused


@leaf(formats=FINDING_FORMATS)
@click.option("-o", "--out", metavar="FILE", help="Save the plan as well, for: orgsync apply FILE.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 where there is something to do or drift.")
@click.option("--target", "targets", multiple=True, metavar="ADDRESS", help="Only this and what it needs; repeatable.")
@click.option("--exclude", "excludes", multiple=True, metavar="ADDRESS", help="All but this; repeatable.")
@click.option(
    "--allow", "allow", multiple=True, type=allowance, metavar="GUARD[=N]", help="As if apply were given this."
)
@click.option(
    "--trust-base", metavar="REV", help="Refuse stores, secrets and administrators that this Git revision lacks."
)
@click.option("--full", is_flag=True, help="In text, every attribute of every action, and none cut.")
@pass_session
def command(
    session: Session,
    out: str | None,
    detailed_exitcode: bool,
    targets: tuple[str, ...],
    excludes: tuple[str, ...],
    allow: tuple[tuple[str, float | None], ...],
    trust_base: str | None,
    full: bool,
) -> ExitCode:
    """Show what apply would do; change nothing.

    Each line is an action at an address: + creates, ~ changes, - deletes, > runs; ? marks what was changed by hand in
    an org, ! what is blocked. The same manifests and orgs give the same plan, byte for byte. Exits with 1 where the
    plan cannot be applied.

    Examples:
      orgsync plan
      orgsync plan --out plan.json && orgsync apply plan.json
      orgsync plan --target acme-dr/publication/Account
      orgsync plan --format markdown > comment.md
      orgsync plan --format github
      orgsync plan --trust-base origin/main
    """
    try:
        choice = Choice(targets=targets, excludes=excludes, allow=dict(allow))
        made = plan(session.workspace(), choice, trust_base=trust_base)
    except ManifestError as error:
        if session.format not in ANNOTATIONS:
            raise
        show_findings(session, error.diagnostics)
        return error.exit_code
    if session.format in ANNOTATIONS:
        show_findings(session, plan_findings(made))
    else:
        session.show(plan_text(session, made, full=full))
    if out is not None:
        save_plan(session.workspace(), made, Path(out))
        session.note(f"Saved to {out}; apply it with: orgsync apply {out}")
    elif made.actions and made.applyable and not refused(made):
        session.note(f"Nothing was changed. Carry it out with: {_apply(session, targets, excludes, allow)}")
    if not made.applyable:
        return ExitCode.ERROR
    return ExitCode.CHANGES if detailed_exitcode and (made.actions or made.drift) else ExitCode.OK


def _apply(
    session: Session, targets: Sequence[str], excludes: Sequence[str], allow: Sequence[tuple[str, float | None]]
) -> str:
    """The command that carries out this plan and no other: with the same environment, part and allowances."""
    words = ["orgsync", "apply"]
    words += ["--env", session.env] if session.env else []
    words += ["--manifests", session.manifests] if session.manifests != Session.manifests else []
    words += [word for address in targets for word in ("--target", address)]
    words += [word for address in excludes for word in ("--exclude", address)]
    words += [word for name, most in allow for word in ("--allow", name if most is None else f"{name}={most}")]
    return shlex.join(words)
