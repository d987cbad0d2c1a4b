"""A run that rests hears every signal, at whichever moment of its resting it comes (REC-10)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from orgsync_reconcile.operations.stopping import on_signals

#: Sends the signal at the first, the second, … step of the interpreter within a rest, until a rest has no more steps.
AT_EVERY_STEP = """
import signal, sys, time
from orgsync_reconcile.operations.stopping import on_signals

def rest_with_signal_at(moment):
    seen = 0
    def trace(frame, event, argument):
        nonlocal seen
        frame.f_trace_opcodes = True
        seen += 1
        if seen == moment:
            signal.raise_signal(signal.SIGTERM)
        return trace
    with on_signals() as stop:
        sys.settrace(trace)
        stop.rest(0.001)
        sys.settrace(None)
        return seen >= moment, stop.asked and stop.rest(60)

moment, reached = 0, True
while reached:
    moment += 1
    reached, heard = rest_with_signal_at(moment)
    assert heard or not reached, moment
print(moment)
"""


def test_a_signal_at_any_step_of_a_rest_is_heard() -> None:
    """REC-10: the handler runs within the rest that it ends, and must not wait for it."""
    done = subprocess.run([sys.executable, "-c", AT_EVERY_STEP], capture_output=True, text=True, timeout=30)
    assert done.stderr == ""
    assert int(done.stdout) > 10


@pytest.mark.parametrize("seconds", [60.0, 10**6])
def test_a_rest_ends_with_the_signal(seconds: float) -> None:
    """REC-10: also one that would go on for long."""
    code = f"import signal; from orgsync_reconcile.operations.stopping import on_signals\nwith on_signals() as stop: signal.setitimer(signal.ITIMER_REAL, 0.05); signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT)); print(stop.rest({seconds}), stop.exit_code.value)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert done.stdout.split() == ["True", "130"]


def test_a_rest_that_waits_for_files_ends_when_it_is_asked_to() -> None:
    """REC-10, QUE-3: a signal ends it at once, a file that can be read too."""
    read, write = os.pipe()
    try:
        with on_signals() as stop:
            os.write(write, b"!")
            assert not stop.rest_for([read], 30)
            os.read(read, 1)
            threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()
            started = time.monotonic()
            assert stop.rest_for([read], 30)
            assert time.monotonic() - started < 20
    finally:
        os.close(read)
        os.close(write)
