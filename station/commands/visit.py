"""One key visit without a screen, by the same station as the kiosk's.

Waits for a key, switches it off, reads it, brings it up to date; with --pin-stdin it then takes a PIN from standard
input and switches the key on. Exit code 0 when it ended as asked: off, or with a PIN ready. The kiosk must be stopped:
it has the key reader and the database.
"""

import argparse
import asyncio
import contextlib
import os
import sys
import termios
import threading
import time
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self

import config
from config import Settings
from station import name_lookups
from station.app import Station
from station.commands.command_line import FAILED, UsageError, add_json, print_answer, utc_text
from station.display.screen import Line, Screen
from station.ports import KeyLost
from station.rules.facts import Refusal
from station.runtime.outcomes import Outcome, outcome_after
from station.secret import Secret
from station.visit.entry import MAX_DIGITS
from station.visit.inputs import ActivationCleared, KeyInserted, VisitInput
from station.visit.state import Phase, Presence, State

EXAMPLE = "example: station visit --timeout 60 --json\n         pass show my-pin | station visit --pin-stdin"
TIMEOUT_S = 30.0
LONGEST_TIMEOUT_S = 86400.0
CENTRAL_LIMIT_S = 10.0
"""How long a station that cannot activate yet may wait for central's answer."""
LOOK_S = 0.1
QUIET_S = 0.3
"""So long without a transfer means that all work on the key is done: between two there are milliseconds."""
PIN_LINE_LIMIT_BYTES = 64
LAST_EVENTS_S = 2.0
"""How long the visit's events may take to reach central; what does not stays in the outbox."""

_BUSY = frozenset({Phase.CLEARING, Phase.READING, Phase.CHECKING, Phase.ACTIVATING})
"""Phases that end by themselves."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--pin-stdin", action="store_true", help="take a PIN from standard input (a line, not shown)")
    parser.add_argument(
        "--timeout",
        type=float,
        default=TIMEOUT_S,
        metavar="S",
        help="seconds to wait for a key, and then for the PIN (default: %(default)g)",
    )
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Run one visit; 0 when it ended as asked."""
    if not 0 < args.timeout <= LONGEST_TIMEOUT_S:
        raise UsageError("bad_timeout")
    fields = name_lookups.run(_visit(config.load(config.find(args.config)), args))
    print_answer(args, _text(fields), fields)
    return 0 if fields["outcome"] in {"off", "ready"} else FAILED


async def _visit(settings: Settings, args: argparse.Namespace) -> dict[str, Any]:
    station = await Station.open(settings)
    try:
        with contextlib.ExitStack() as stack:
            pins = stack.enter_context(_PinInput()) if args.pin_stdin else None
            return await _OneVisit(station, pins, args.timeout).run()
    finally:
        await station.close()


class _PinInput:
    """Reads a PIN from standard input, beside the event loop: a line of a pipe, or typed at a terminal.

    Never an argument. A terminal does not show it, and is as before at the end.
    """

    def __init__(self) -> None:
        self._descriptor = sys.stdin.fileno() if sys.stdin is not None else -1
        self._line: asyncio.Future[Secret[bytes]] = asyncio.get_running_loop().create_future()
        self._terminal: list[object] | None = None

    def __enter__(self) -> Self:
        with contextlib.suppress(termios.error, OSError):
            settings = termios.tcgetattr(self._descriptor)
            self._terminal = list(settings)
            settings[3] &= ~termios.ECHO
            termios.tcsetattr(self._descriptor, termios.TCSAFLUSH, settings)
            sys.stderr.write("PIN (is not shown), then Enter: ")
            sys.stderr.flush()
        loop = asyncio.get_running_loop()
        # A daemon: a pipe that nobody writes to must not keep the process.
        threading.Thread(target=self._read, args=(loop,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._terminal is not None:
            with contextlib.suppress(termios.error, OSError):
                termios.tcsetattr(self._descriptor, termios.TCSAFLUSH, self._terminal)  # type: ignore[arg-type]
            sys.stderr.write("\n")

    async def pin(self) -> Secret[str] | None:
        """The digits, without ``*`` and ``#`` around them; None for an empty line or the end of the input.

        Raises UsageError (``pin_not_digits``).
        """
        line = await asyncio.shield(self._line)
        digits = line.reveal().strip().removeprefix(b"*").removesuffix(b"#")
        if not digits:
            return None
        if not digits.isdigit() or len(digits) > MAX_DIGITS:
            raise UsageError("pin_not_digits")
        return Secret(digits.decode("ascii"))

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        data = b""
        with contextlib.suppress(OSError):
            # os.read, not sys.stdin: a thread that sleeps in a buffered reader hangs the interpreter's end.
            while b"\n" not in data and len(data) <= PIN_LINE_LIMIT_BYTES and (more := os.read(self._descriptor, 1)):
                data += more
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(self._set_line, Secret(data.partition(b"\n")[0]))

    def _set_line(self, line: Secret[bytes]) -> None:
        if not self._line.done():
            self._line.set_result(line)


class _OneVisit:
    """What the machine answers to one key, and when."""

    def __init__(self, station: Station, pins: _PinInput | None, timeout_s: float) -> None:
        self._station, self._pin_input, self._timeout_s = station, pins, timeout_s
        self._visits = station.visits
        self._visits.on_step = self._stepped
        self._screen: Screen | None = None
        self._outcome: Outcome | None = None
        self._screen_changed = asyncio.Event()
        self._phases: dict[Phase, float] = {}
        self._inserted_s: float | None = None
        self._off_s: float | None = None
        self._end_s = 0.0
        self._serving_task: asyncio.Task[None] | None = None

    def _stepped(self, received: VisitInput, state: State) -> None:
        now_s = time.monotonic()
        match received:
            case KeyInserted():
                self._inserted_s, self._off_s = now_s, None
            case ActivationCleared() if self._off_s is None:
                self._off_s = now_s
        self._phases.setdefault(state.phase, now_s)

    async def run(self) -> dict[str, Any]:
        """Run the visit; the fields to print. Raises ReaderLost, KeyLost (``no_key``), StoreFault."""
        mirror = asyncio.create_task(self._station.mirror.run())
        try:
            return await self._run()
        finally:
            mirror.cancel()
            await asyncio.wait([mirror])

    async def _run(self) -> dict[str, Any]:
        station = self._station
        # It asks as soon as it comes to its turn.
        await asyncio.sleep(0)
        # What a key is told depends on the mirror: as a kiosk has it when a person comes, so shall this visit.
        await station.mirror.refreshed(station.settings.rules().refresh_deadline_s)
        async with self._serving():
            try:
                await asyncio.wait_for(self._until_a_key_is_in(), self._timeout_s)
            except TimeoutError:
                self._end_s = time.monotonic()
                return self._fields(with_pin=False)
            await self._until_idle()
            if self._central_may_still_help():
                # Without a mirror, or a trusted clock, every key is refused; central's answer may still be under way.
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(station.mirror.refreshed(None), CENTRAL_LIMIT_S)
                await self._until_idle()
            pin = await self._pin()
            if pin is not None:
                await self._type(pin)
            await self._visits.settled()
            self._end_s = time.monotonic()
            fields = self._fields(with_pin=pin is not None)
        if station.mirror.online:
            # Central may take nothing just now; the events are safe in the outbox.
            with contextlib.suppress(Exception):
                await asyncio.wait_for(station.outbox.drain(), LAST_EVENTS_S)
        return fields

    @contextlib.asynccontextmanager
    async def _serving(self) -> AsyncIterator[None]:
        serving = self._serving_task = asyncio.create_task(self._visits.run(self._show))
        serving.add_done_callback(lambda _: self._screen_changed.set())
        try:
            yield
        finally:
            serving.cancel()
            await asyncio.wait([serving])
        if not serving.cancelled():
            serving.result()

    def _show(self, screen: Screen) -> None:
        self._screen = screen
        self._outcome = outcome_after(screen.line, self._outcome)
        self._screen_changed.set()

    async def _until_changed(self) -> None:
        """Wait for a new screen, or a moment: not every step of the machine shows."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_S):
                await self._screen_changed.wait()
        self._screen_changed.clear()
        if self._serving_task is not None and self._serving_task.done():
            self._serving_task.result()

    async def _until_a_key_is_in(self) -> None:
        while self._visits.state.phase is Phase.EMPTY:
            await self._until_changed()
        self._raise_if_reader_lost()

    async def _until_idle(self) -> None:
        await self._visits.inputs_taken()
        while self._under_way():
            await self._until_changed()
        self._raise_if_reader_lost()

    def _under_way(self) -> bool:
        """A key that is out may be back in a moment, or the machine says that it is not."""
        state = self._visits.state
        away = state.presence is not Presence.IN and state.phase not in {Phase.EMPTY, Phase.BROKEN}
        return away or state.phase in _BUSY

    def _raise_if_reader_lost(self) -> None:
        if self._visits.state.phase is Phase.BROKEN:
            raise self._visits.reader_fault or KeyLost("port_lost")

    def _central_may_still_help(self) -> bool:
        return self._visits.state.phase is Phase.REFUSED and not self._station.mirror.online

    async def _pin(self) -> Secret[str] | None:
        if self._pin_input is None:
            return None
        try:
            return await asyncio.wait_for(self._pin_input.pin(), self._timeout_s)
        except TimeoutError:
            return None

    async def _type(self, pin: Secret[str]) -> None:
        """Type the PIN as a person does, once no wait is running, and wait for the verdict."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._until_wait_is_over(), self._timeout_s)
        for stroke in f"*{pin.reveal()}#":
            self._visits.press(stroke)
        await self._until_idle()

    async def _until_wait_is_over(self) -> None:
        while self._screen is not None and self._screen.line is Line.WAIT:
            await self._until_changed()

    # --- what is told ---

    def _fields(self, *, with_pin: bool) -> dict[str, Any]:
        state = self._visits.state
        outcome, reason = self._verdict(with_pin=with_pin)
        grant = state.grant if outcome == Outcome.READY.value else None
        permit = grant.permit.permit if grant is not None else None
        record = state.seen.record if state.seen is not None else None
        mirror = self._station.mirror
        return {
            "outcome": outcome,
            "reason": reason,
            "off": self._outcome in {Outcome.OFF, Outcome.REFUSED, Outcome.UNREADABLE, Outcome.LEFT_IN},
            "key": record.key if record is not None else None,
            "holder": grant.holder.holder if grant is not None else (record.holder if record is not None else None),
            "expires": grant.expires if grant is not None else None,
            "areas": list(permit.areas) if permit is not None else None,
            "locks": list(permit.locks) if permit is not None else None,
            "source": "online" if mirror.online else "mirror",
            "mirror_age_s": mirror.age_s(),
            "timings_ms": self._timings(),
            "wire_bytes": self._visits.wire_bytes,
        }

    def _verdict(self, *, with_pin: bool) -> tuple[str, str | None]:
        """``outcome`` and ``reason``."""
        state = self._visits.state
        if self._outcome is Outcome.READY:
            return "ready", None
        if not state.visit:
            return "no_key", "no_key"
        if state.phase is Phase.EMPTY:
            return "failed", "key_lost"
        if self._outcome not in {Outcome.OFF, Outcome.REFUSED}:
            return "failed", self._outcome.value if self._outcome is not None else "key_lost"
        if state.phase is Phase.REFUSED and state.refusal is not None:
            off_only = state.station.off_only if state.refusal is Refusal.STATION else None
            return "refused", (off_only or state.refusal).value
        if with_pin:
            return "refused", "wait" if self._screen is not None and self._screen.line is Line.WAIT else "wrong_pin"
        return "off", None

    def _timings(self) -> dict[str, int | None]:
        begun = self._inserted_s
        known = [
            self._phases[p] for p in (Phase.PROMPT, Phase.REFUSED, Phase.UNREADABLE, Phase.BLANK) if p in self._phases
        ]
        at = {
            "off": self._off_s,
            "read": min(known, default=None),
            "pin_checked": self._phases.get(Phase.ACTIVATING),
            "ready": self._phases.get(Phase.READY),
            "total": self._end_s,
        }
        return {
            name: round((at_s - begun) * 1000) if at_s is not None and begun is not None and at_s >= begun else None
            for name, at_s in at.items()
        }


def _text(fields: dict[str, Any]) -> str:
    outcome, reason, key = fields["outcome"], fields["reason"], fields["key"]
    whose = f"key {key}" if key is not None else "the key"
    match outcome:
        case "no_key":
            return "no key was put in in time"
        case "ready":
            until = utc_text(fields["expires"])
            return f"{whose} is ON until {until}: {len(fields['areas'])} areas, {len(fields['locks'])} locks of its own"
        case "off":
            return f"{whose} is OFF"
        case _:
            state = "it is OFF" if fields["off"] else "it may still be ON"
            return f"{whose}: {outcome} ({reason}); {state}"
