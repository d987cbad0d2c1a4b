"""How a store's address is written into a manifest: as it is, or as the name of a variable where it holds a secret."""

from __future__ import annotations

import re

from pydantic import TypeAdapter, ValidationError

from orgsync_reconcile.errors import UsageError
from orgsync_reconcile.manifest import codes
from orgsync_reconcile.manifest.terms import StoreUrl
from orgsync_reconcile.model.desired import SecretRef


def written_store(url: str, name: str) -> str | SecretRef:
    """The store of the org `name` for its manifest; with a password in it, `{env: NAME_STORE}` (REC-7).

    Raises UsageError for an address that manifests do not take.
    """
    plain = re.sub(r"^sqlite:///(?=[^/])", "sqlite:/", url)
    try:
        return TypeAdapter[str](StoreUrl).validate_python(plain)
    except ValidationError as error:
        detail = error.errors()[0].get("ctx", {})
        if detail.get("code") == codes.PLAIN_SECRET:
            return SecretRef(source="env", name=f"{re.sub('[^A-Za-z0-9]+', '_', name).strip('_').upper()}_STORE")
        raise UsageError(str(detail.get("text", "no store")), hint=str(detail.get("hint", ""))) from None
