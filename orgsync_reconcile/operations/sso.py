"""The call that lets single sign-on follow a switch (RTE-1)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from orgsync_reconcile.clock import Clock
from orgsync_reconcile.errors import OrgsyncError
from orgsync_reconcile.model.desired import SecretRef
from orgsync_reconcile.operations.secrets import find_secret
from orgsync_reconcile.operations.webhook import post

_NAME = "the SSO hook"


def call_hook(hook: str | SecretRef, event: dict[str, Any], *, base: Path, clock: Clock) -> str:
    """Posts the event as JSON. Empty where the hook answered 2xx, else what went wrong, in one line without the address.

    `base` is the folder that a secret's path starts at.
    """
    try:
        url = hook if isinstance(hook, str) else find_secret(hook, base, what=f"the address of {_NAME}")
    except OrgsyncError as error:
        return error.message
    return post(url, json.dumps(event).encode(), {}, name=_NAME, clock=clock).error
