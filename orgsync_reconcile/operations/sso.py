"""The call that lets single sign-on follow a switch (RTE-1)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from orgsync_reconcile.clock import Clock
from orgsync_reconcile.model.desired import SecretRef
from orgsync_reconcile.operations.webhook import post

_NAME = "the SSO hook"


def call_hook(hook: str | SecretRef, event: dict[str, Any], *, base: Path, clock: Clock) -> str:
    """Posts the event as JSON. Empty where the hook answered 2xx, else what went wrong, in one line without the address.

    `base` is the folder that a secret's path starts at.
    """
    try:
        url = hook if isinstance(hook, str) else _secret(hook, base)
    except (KeyError, OSError, UnicodeDecodeError):
        assert isinstance(hook, SecretRef)
        kind = "environment variable" if hook.source == "env" else "file"
        return f"the address of {_NAME} is in the {kind} {hook.name}, which is not there"
    return post(url, json.dumps(event).encode(), {}, name=_NAME, clock=clock).error


def _secret(reference: SecretRef, base: Path) -> str:
    if reference.source == "env":
        return os.environ[reference.name]
    return (base / reference.name).read_text(encoding="utf-8").strip()
