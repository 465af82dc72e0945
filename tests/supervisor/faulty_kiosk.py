"""`station kiosk` with a fault built in: ``faulty_kiosk.py FAULT kiosk --config PATH``. A typed ``9`` sets it off.

The fault holds a marked secret in its message and in its local variables.
"""

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

from station import cli
from station.runtime.heartbeat import reasons_of
from station.runtime.loop import VisitLoop
from station.runtime.status_file import StatusFile
from ui.kiosk import Kiosk

FAULT = sys.argv.pop(1)
MARK = "MARKED-SECRET-481516"
pressed = asyncio.Event()
kiosks: list[Kiosk] = []


def fail(*_: Any) -> None:
    pin = MARK
    raise ValueError(f"no such PIN: {pin}")


async def fail_in_service(_: StatusFile) -> None:
    await pressed.wait()
    fail()


def press(self: VisitLoop, stroke: str) -> None:
    if stroke != "9":
        return plain_press(self, stroke)
    loop = asyncio.get_running_loop()
    faults: dict[str, Callable[[], object]] = {
        "screen": fail,
        "service": pressed.set,
        "worker": lambda: kiosks[0].run_worker(fail, thread=True),
        "thread": threading.Thread(target=fail).start,
        "call_later": lambda: kiosks[0].call_later(fail),
        "loop": lambda: loop.call_soon(fail),
        "abort": os.abort,
        "exit": lambda: sys.exit(MARK),
    }
    faults[FAULT]()
    return None


plain_press, plain_init = VisitLoop.press, Kiosk.__init__


def init(self: Kiosk, *args: Any, **fields: Any) -> None:
    kiosks.append(self)
    plain_init(self, *args, **fields)


if reasons_of(os.environ) == ("power",):
    VisitLoop.press = press  # type: ignore[method-assign]
    Kiosk.__init__ = init  # type: ignore[method-assign]
    if FAULT == "service":
        StatusFile.run = fail_in_service  # type: ignore[method-assign, assignment]
sys.exit(cli.main(sys.argv[1:]))
