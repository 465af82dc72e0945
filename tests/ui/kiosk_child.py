"""A kiosk as a program of its own, for the tests that need a real terminal: ``kiosk_child.py FOLDER [FAULT]``.

Writes ``typed`` and ``log`` to FOLDER. FAULT is how its services fail.
"""

import asyncio
import contextlib
import logging
import sys
from pathlib import Path

import ui.kiosk
from station.display.screen import Line, Screen, Status
from ui.kiosk import Kiosk
from ui.notes import TurningNotes

FOLDER = Path(sys.argv[1])
FAULT = sys.argv[2] if len(sys.argv) > 2 else ""
STATUS = Status(
    station=12,
    online=True,
    mirror_age_s=5,
    off_only=None,
    unix_s=1_774_868_400,
    clock_trusted=True,
    time_zone="Europe/Stockholm",
)
TYPED = (FOLDER / "typed").open("ab", buffering=0)


def fail(pin: str) -> None:
    raise ValueError(f"no such PIN: {pin}")


def press(stroke: str) -> None:
    TYPED.write(stroke.encode())
    if FAULT == "press" and stroke == "#":
        fail("481516")
    if FAULT == "press-exit" and stroke == "#":
        sys.exit("exit 481516")


async def forgotten(pin: str) -> None:
    fail(pin)


async def services() -> None:
    pin = "481516"
    kiosk.snapshot = Screen(Line.PROMPT, STATUS, key=1042)
    match FAULT:
        case "services":
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
            notes = kiosk.query_one(TurningNotes)
            notes.render_line = lambda _: fail(pin)  # type: ignore[method-assign, assignment, return-value]
            notes.refresh()
        case "thread":
            kiosk.panic(f"panic {pin}")
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.Event().wait()
    if FAULT == "slow":
        await asyncio.Event().wait()
    if FAULT == "ending":
        fail(pin)
    logging.getLogger("child").info("services ended")


if FAULT == "slow":
    ui.kiosk.STOP_LIMIT_S = 0.2
logging.basicConfig(filename=FOLDER / "log", level=logging.INFO)
kiosk = Kiosk(press, language="en", services=services)
kiosk.run_until_stopped()
