"""The call that lets single sign-on follow a switch (RTE-1)."""

from __future__ import annotations

import json
import os
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from orgsync_reconcile.model.desired import SecretRef

#: How long an answer may take, in seconds.
TIMEOUT = 10.0


class _Stay(HTTPRedirectHandler):
    """Follows no redirect: what is told is for the address in the manifest and no other."""

    def redirect_request(
        self,
        req: Request,  # noqa: ARG002
        fp: IO[bytes],  # noqa: ARG002
        code: int,  # noqa: ARG002
        msg: str,  # noqa: ARG002
        headers: HTTPMessage,  # noqa: ARG002
        newurl: str,  # noqa: ARG002
    ) -> None:
        """None: the redirect is an answer like any other."""
        return


def call_hook(hook: str | SecretRef, event: dict[str, Any], *, base: Path, timeout: float = TIMEOUT) -> str:
    """Posts the event as JSON. Empty where the hook answered 2xx, else why not, in one line without the address.

    `base` is the folder that a secret's path starts at.
    """
    try:
        url = hook if isinstance(hook, str) else _secret(hook, base)
    except (KeyError, OSError, UnicodeDecodeError):
        assert isinstance(hook, SecretRef)
        kind = "environment variable" if hook.source == "env" else "file"
        return f"its address is in the {kind} {hook.name}, which is not there"
    if not url.startswith(("http://", "https://")):
        return "its address is no web address"
    body = json.dumps(event).encode()
    try:
        request = Request(url, data=body, headers={"Content-Type": "application/json"}, method="POST")
        with build_opener(_Stay).open(request, timeout=timeout) as answer:
            answer.read(1024)
        return ""
    except HTTPError as error:
        with error:
            return f"it answered {error.code}"
    except TimeoutError:
        return f"it did not answer within {timeout:g} seconds"
    except OSError as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, TimeoutError):
            return f"it did not answer within {timeout:g} seconds"
        return f"it cannot be reached: {getattr(reason, 'strerror', None) or type(reason).__name__}"
    except (HTTPException, ValueError):
        return "it does not speak HTTP as expected"


def _secret(reference: SecretRef, base: Path) -> str:
    if reference.source == "env":
        return os.environ[reference.name]
    return (base / reference.name).read_text(encoding="utf-8").strip()
