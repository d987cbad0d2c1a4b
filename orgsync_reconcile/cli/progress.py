"""Progress bars: on a terminal only, on standard error only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from orgsync_reconcile.cli.session import Session

#: Called with (what, done, in all).
Report = Callable[[str, int, int], None]


@contextmanager
def progress_bars(session: Session, what: str) -> Iterator[Report | None]:
    """A bar per object with rate and time left; None where nobody watches. The bars vanish when the work is done."""
    if session.quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    console = Console(stderr=True, no_color=not session.colored(error=True))
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    ) as bars:
        tasks: dict[str, TaskID] = {}

        def report(name: str, done: int, total: int) -> None:
            label = name or what
            if label not in tasks:
                tasks[label] = bars.add_task(label, total=total)
            bars.update(tasks[label], completed=done, total=total)

        yield report
