"""Waiting for the next change of a site (long polls).

Changes of this process wake the waiting at once; those of other processes are seen by looking every second.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from central.errors import Refused

LOOK_EVERY_S = 1.0
POLLS_OF_A_TOKEN = 2
"""One that waits for news, and one of a visit. In this process: they hold its threads."""

_condition = threading.Condition()
_wakes: dict[int, int] = {}
_stopping = threading.Event()
_polls: "dict[str, deque[_Waiting]]" = {}


def wake(site: int) -> None:
    """Wake who waits for this site: something of it has changed, and is committed."""
    with _condition:
        _wakes[site] = _wakes.get(site, 0) + 1
        _condition.notify_all()


def stop() -> None:
    """Let nobody wait any longer: the server ends. Called from a signal handler: no locks."""
    _stopping.set()


@dataclass(eq=False)
class _Waiting:
    """One poll that waits."""

    gave_way: bool = False


def wait_until(site: int, has_come: Callable[[], bool], wait_s: float, token: str) -> bool:
    """Wait at most ``wait_s`` seconds until ``has_come`` is true; it is asked at each wake, and every second.

    At most `POLLS_OF_A_TOKEN` wait at a time: the oldest gives way to a third, for its connection may be one that a
    router has forgotten long ago. Raises Refused (429 ``too_many_polls``) for the one that gives way.
    """
    deadline = time.monotonic() + wait_s
    me = _Waiting()
    with _condition:
        mine = _polls.setdefault(token, deque())
        mine.append(me)
        if len(mine) > POLLS_OF_A_TOKEN:
            mine.popleft().gave_way = True
            _condition.notify_all()
    try:
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
                if me.gave_way:
                    raise Refused(429, "too_many_polls", "two at a time with one token", {"Retry-After": "5"})
                if _wakes.get(site, 0) == seen:
                    _condition.wait(min(left_s, LOOK_EVERY_S))
    finally:
        with _condition:
            if me in mine:
                mine.remove(me)
            if not mine and _polls.get(token) is mine:
                del _polls[token]
