"""`python -m orgsync_reconcile` is the program."""

from orgsync_reconcile.cli.main import run

run()
