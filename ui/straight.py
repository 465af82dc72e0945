"""A frame straight to the terminal.

Textual writes in a thread of its own, which gets its turn only when everybody else has nothing to do: by then the next
request to the key has been made. A frame that somebody waits for goes out at once, if nothing else is under way.
"""

import os
import select
from contextlib import suppress
from typing import Any

LIMIT_BYTES = 4096
"""What a terminal that takes anything takes whole. More, a page of a large console, is the thread's to wait for."""


def write(driver: Any, text: str) -> None:
    """Write ``text`` by Textual's ``driver``, or past it, after all that it has been given before.

    It waits for nothing but a terminal that is stuck, for which everybody waits when the thread has enough to write.
    """
    data = text.encode()
    writer: Any = getattr(driver, "_writer_thread", None)
    if len(data) <= LIMIT_BYTES and _is_idle(writer) and _takes(writer.fileno()):
        with suppress(OSError):  # the terminal is gone, and SIGHUP says so
            while data:
                data = data[os.write(writer.fileno(), data) :]
        return
    driver.write(text)
    driver.flush()


def _is_idle(writer: Any) -> bool:
    """Whether the driver's thread waits for something to write. It has flushed what it had, then."""
    queue = getattr(writer, "_queue", None)
    waiting = getattr(getattr(queue, "not_empty", None), "_waiters", None)
    if queue is None or waiting is None:
        return False
    with queue.mutex:
        return len(waiting) > 0 and not queue.queue


def _takes(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return poll.poll(0) == [(descriptor, select.POLLOUT)]
