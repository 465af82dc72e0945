"""Waiting for the next change of a site (long polls).

Changes of this process wake the waiting at once; those of other processes are seen by looking every second.
"""

import threading
import time
from collections.abc import Callable

LOOK_EVERY_S = 1.0

_condition = threading.Condition()
_wakes: dict[int, int] = {}
_stopping = threading.Event()


def wake(site: int) -> None:
    """Wake who waits for this site: something of it has changed, and is committed."""
    with _condition:
        _wakes[site] = _wakes.get(site, 0) + 1
        _condition.notify_all()


def stop() -> None:
    """Let nobody wait any longer: the server ends. Called from a signal handler: no locks."""
    _stopping.set()


def wait_until(site: int, has_come: Callable[[], bool], wait_s: float) -> bool:
    """Wait at most ``wait_s`` seconds until ``has_come`` is true; it is asked at each wake, and every second."""
    deadline = time.monotonic() + wait_s
    while True:
        # Noted before asking: a wake between the question and the wait is then not missed.
        with _condition:
            seen = _wakes.get(site, 0)
        if has_come():
            return True
        left_s = deadline - time.monotonic()
        if left_s <= 0 or _stopping.is_set():
            return False
        with _condition:
            if _wakes.get(site, 0) == seen:
                _condition.wait(min(left_s, LOOK_EVERY_S))
