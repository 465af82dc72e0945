"""Work that is done to many things, each apart: one that fails keeps none of the others waiting."""

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")

log = logging.getLogger("central.scheduler")


def each_apart(step: str, things: Iterable[T], do: Callable[[T], int | None]) -> int:
    """Do something to each; what fails for one is logged. Returns the sum of what ``do`` returned."""
    count = 0
    for thing in list(things):
        try:
            count += do(thing) or 0
        except Exception:
            log.exception("scheduler.failed step=%s of=%s", step, getattr(thing, "pk", thing))
    return count
