"""The kiosk with its doings noted: ``python -m station.bench.traced_kiosk CONFIG OUT``, for the profile of a visit.

Writes to OUT, at its end, a JSON list of [lane, begin, end] in seconds of CLOCK_MONOTONIC. Lanes: ``cpu`` (the event
loop at work), ``paint``, ``disk``, ``argon2``.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from offline_cache import SqliteStore
from station.commands import kiosk
from station.services.pin_check import PinCheck
from ui.visit_screen import VisitScreen

LIMIT = 200_000
"""So many intervals, some minutes of visits, are kept."""

_noted: list[tuple[str, float, float]] = []


def _timed(lane: str, work: Callable[..., Any]) -> Callable[..., Any]:
    def timed(*args: Any, **kwargs: Any) -> Any:
        began = time.monotonic()
        try:
            return work(*args, **kwargs)
        finally:
            if len(_noted) < LIMIT:
                _noted.append((lane, began, time.monotonic()))

    return timed


def _awaited(lane: str, work: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Coroutine[Any, Any, Any]]:
    async def awaited(*args: Any, **kwargs: Any) -> Any:
        began = time.monotonic()
        try:
            return await work(*args, **kwargs)
        finally:
            if len(_noted) < LIMIT:
                _noted.append((lane, began, time.monotonic()))

    return awaited


def main() -> None:
    """Run until SIGTERM."""
    for holder, name, lane in (
        (asyncio.Handle, "_run", "cpu"),
        (VisitScreen, "_compositor_refresh", "paint"),
        (PinCheck, "_tag", "argon2"),
    ):
        setattr(holder, name, _timed(lane, getattr(holder, name)))
    for name in ("commit", "bundle", "attempts", "next_sequence"):
        setattr(SqliteStore, name, _awaited("disk", getattr(SqliteStore, name)))
    kiosk.run(argparse.Namespace(config=Path(sys.argv[1]), log=None))
    Path(sys.argv[2]).write_text(json.dumps(_noted), "ascii")


if __name__ == "__main__":
    main()
