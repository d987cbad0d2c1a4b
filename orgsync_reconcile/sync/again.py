"""Steps that other sessions of a server came in between are taken again (QUE-3)."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from orgsync_reconcile.errors import DisturbedError

#: How often a step is tried before it is given up.
TRIES = 6
#: The longest first pause, in seconds; every further one may be twice as long.
PAUSE = 0.02

Result = TypeVar("Result")


def again(step: Callable[[], Result]) -> Result:
    """What the step returns, which does all or nothing. Raises DisturbedError where it never came through."""
    for tried in range(TRIES - 1):
        try:
            return step()
        except DisturbedError:
            # Two that disturb each other must not come back at the same moment.
            time.sleep(random.uniform(0, PAUSE * 2**tried))
    return step()
