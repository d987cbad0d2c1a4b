"""Long documents: written piece by piece to standard output, or to a file that is there whole or not at all."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile

from orgsync_reconcile.errors import UsageError

#: Characters that are written at once.
_BLOCK = 65_536


def write_document(pieces: Iterable[str], out: str | None) -> None:
    """Writes the pieces to standard output, or to the file `out` in place of what is there.

    Raises UsageError where the file cannot be written.
    """
    if out is None:
        for block in _blocks(pieces):
            sys.stdout.write(block)
        return
    path = Path(out)
    try:
        with NamedTemporaryFile(
            "w", encoding="utf-8", newline="", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            try:
                file.writelines(_blocks(pieces))
                file.flush()
                os.fsync(file.fileno())
                # As a file that is made anew would be, by the user's own mask.
                mask = os.umask(0)
                os.umask(mask)
                Path(file.name).chmod(0o666 & ~mask)
                Path(file.name).replace(path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}", hint="choose another file") from None


def _blocks(pieces: Iterable[str]) -> Iterator[str]:
    held: list[str] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= _BLOCK:
            yield "".join(held)
            held, size = [], 0
    yield "".join(held)
