"""What a secret reference of the manifests leads to: looked up where it is used, and nowhere earlier (REC-11)."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from orgsync_reconcile.errors import OrgsyncError
from orgsync_reconcile.model.desired import SecretRef

#: Bytes of a secret's file that are read.
_BYTES: Final = 65_536


def kind_of(reference: SecretRef) -> str:
    """How messages call the place of a secret."""
    return "environment variable" if reference.source == "env" else "file"


def find_secret(reference: SecretRef, base: Path, *, what: str) -> str:
    """The secret: a variable as it is, a file below `base` without white space around it.

    Raises OrgsyncError, which says where `what` should be, and names the reference alone.
    """
    try:
        if reference.source == "env":
            return os.environ[reference.name]
        return _small_file(base / reference.name)
    except (KeyError, OSError, UnicodeDecodeError):
        kind = kind_of(reference)
        raise OrgsyncError(
            f"{what} is in the {kind} {reference.name}, which is not there", hint=f"set the {kind}"
        ) from None


def _small_file(path: Path) -> str:
    """The text of a small regular file; a pipe or a device would be read for ever."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("not a regular file")
        return file.read(_BYTES).decode("utf-8").strip()
