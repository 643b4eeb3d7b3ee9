"""Ends a command by Ctrl-C or SIGTERM.

Invariant: never in the middle of a host function. Nothing may unwind through the native code that called it, and before
its first line it cannot catch anything: the process would end there by a fault, and leave half of what it was writing.
"""

from __future__ import annotations

import signal
from types import FrameType

# a host function takes microseconds, one that runs a model some milliseconds
RETRY_S = 0.002


def end_by_signals() -> None:
    """SIGTERM ends the command as Ctrl-C does, by KeyboardInterrupt. For the main thread."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, _end)


def _end(_number: int, frame: FrameType | None) -> None:
    from camera_edge.sandbox.raw import is_in_host_function

    if is_in_host_function(frame):
        # asks again when it may be over
        signal.setitimer(signal.ITIMER_REAL, RETRY_S)
        return
    raise KeyboardInterrupt
