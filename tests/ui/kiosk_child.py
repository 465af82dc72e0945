"""A kiosk as a program of its own, for the tests that need a real terminal: ``kiosk_child.py FOLDER [FAULT]``.

Writes ``typed`` and ``log`` to FOLDER. FAULT is how its services fail.
"""

import asyncio
import contextlib
import logging
import sys
from pathlib import Path

from station.core.screen import Line, Receipt, Screen, Status
from ui.kiosk import Kiosk

FOLDER = Path(sys.argv[1])
FAULT = sys.argv[2] if len(sys.argv) > 2 else ""
STATUS = Status(
    station=12,
    online=True,
    mirror_age_s=5,
    hindrance=None,
    unix_s=1_774_868_400,
    clock_trusted=True,
    time_zone="Europe/Stockholm",
)
RECEIPT = Receipt(
    expires=1_774_900_000,
    shortened=None,
    every_area=True,
    areas=(),
    area_names=(),
    locks=0,
    mirror_age_s=5,
    online=True,
)
READY = Screen(Line.READY, STATUS, key=1042, receipt=RECEIPT)
TYPED = (FOLDER / "typed").open("ab", buffering=0)


def fail(pin: str) -> None:
    raise ValueError(f"no such PIN: {pin}")


def press(stroke: str) -> None:
    TYPED.write(stroke.encode())
    if stroke == "9" and FAULT in {"ready", "rehearsed"}:
        kiosk.show(READY)
    if FAULT == "press" and stroke == "#":
        fail("481516")


async def forgotten(pin: str) -> None:
    fail(pin)


async def start() -> None:
    pin = "481516"
    kiosk.show(Screen(Line.PROMPT, STATUS, key=1042))
    match FAULT:
        case "rehearsed":
            kiosk.rehearse(READY)
        case "start":
            fail(pin)
        case "exit":
            sys.exit(f"exit {pin}")
        case "callback":
            asyncio.get_running_loop().call_soon(fail, pin)
        case "task":
            task = asyncio.create_task(forgotten(pin))
            await asyncio.wait([task])
            del task
        case "refresh":
            kiosk.query_one("Sheet").render_line = lambda _y: fail(pin)  # type: ignore[method-assign, assignment, return-value]
            kiosk.query_one("Sheet").refresh()
        case "thread":
            kiosk.panic(f"panic {pin}")
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.Event().wait()
    if FAULT == "ending":
        fail(pin)
    logging.getLogger("child").info("services ended")


logging.basicConfig(filename=FOLDER / "log", level=logging.INFO)
kiosk = Kiosk(press, language="en", start=start)
kiosk.run_kiosk()
