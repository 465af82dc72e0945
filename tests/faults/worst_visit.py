"""Visits of one key at a station whose contact fails at one byte, and what must be true whatever happens.

A person puts the key in, waits for the prompt, types the PIN, reads that the key is on and takes it out; when the
screen says something else, they do what it says. Everything is real but the time and the wire.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

import cbor2

from drivers.emulated_key.line import SerialLine
from drivers.emulated_key.options import KeyOptions
from station.display.screen import Line, Screen
from station.ports import KeyFile
from station.records.base64url import encoded
from station.records.claims import Category
from station.records.keys import SigningKey
from station.rules.clock import ClockReadings
from station.runtime.loop import TICK_S
from station.visit.inputs import KeyActivated, VisitInput
from station.visit.state import Phase, Presence, State
from tests.faults.bad_contact import LASTING, BadContact, Fault
from tests.services.hooked import HookedKey, World
from tests.services.site import ANNA, HER_KEY, LOCK, OFF_LINES, PINS, Site, StationAt

MakeLine: TypeAlias = Callable[[Path, int], SerialLine]

BAUD = 115200
PLAIN_WITHIN_S = 1.5
"""How long after a fault nobody may be told anything."""
LOG_ENTRIES = 6
_LOG = logging.getLogger("station")
BASE_S = 1_790_000_000
AWAY = frozenset({Line.EMPTY, Line.OUT_OFF, Line.OUT_READY, Line.OUT_EARLY, Line.OUT_UNSURE, Line.READER_BROKEN})
BUSY = frozenset({Line.READING, Line.CHECKING, Line.ACTIVATING})
SAYS_OFF = OFF_LINES | {Line.WRONG_PIN, Line.WAIT, Line.OUT_OFF, Line.OUT_EARLY, Line.LEFT_IN}
SAYS_ON = frozenset({Line.READY, Line.OUT_READY})
ENTRY = f"*{PINS[ANNA]}#"
TYPES_AFTER_S = 0.8
"""A person has read the prompt: by then a key that knows no hashes has been read back and its log read, too."""
PATIENCE_S = 120.0
"""Of a person with one visit; never needed but on a pseudo-terminal of a machine that is very busy."""
BETWEEN_S = 7.0
"""Longer than any bounce."""


class LoopWorld(World):
    """The world's time is the event loop's."""

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()

    def monotonic(self) -> float:
        return self._loop.time()

    def now(self) -> float:
        return BASE_S + self._loop.time() + self.skipped_s

    def clocks(self) -> ClockReadings:
        return ClockReadings(
            unix_s=int(self.now()),
            boottime_s=self._loop.time() + self.skipped_s,
            boot_id="a-boot",
            rtc_unix_s=int(self.now()),
        )


class LoggedFaults(logging.Handler):
    """What a station logs that must never happen."""

    def __init__(self, wrong: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._wrong = wrong

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno > logging.ERROR or record.msg.startswith(("visit.unexpected", "event.lost", "store.")):
            self._wrong.append(record.getMessage())


async def started(folder: Path, line: MakeLine) -> tuple[Site, StationAt]:
    """A site with one station that runs, but never asks central: in virtual time nothing waits for a network."""
    site = Site(folder, world=LoopWorld(), line=line, baud=BAUD)
    station = await site.station(run=False)
    station.start(poll=False)
    return site, station


@dataclass(frozen=True, slots=True)
class Came:
    """What came of one case."""

    happened: bool
    """Whether the fault did: not where the visit was over before."""
    plain_after_s: float = 0.0
    """How long the screen said nothing plain after the fault."""
    went_on: bool = False
    """The person had to do nothing more than in any visit."""


@dataclass
class Ledger:
    """What stood in the key's `act` since the last look, from the key's own memory."""

    activations: list[bytes] = field(default_factory=list)
    emptied: int = 0
    ready: int = 0
    visits: int = 0


class WorstVisit:
    """One station, one key, case after case. Each begins with an active key that has everything to be renewed."""

    def __init__(self, site: Site, station: StationAt, options: dict[str, Any], *, real_time: bool) -> None:
        self.site, self.station = site, station
        self._within_s = PLAIN_WITHIN_S * (10 if real_time else 1)
        line = station.line
        assert isinstance(line, BadContact)
        self.line: BadContact = line
        self.key = site.key(HER_KEY, **options)
        self.others: dict[int, HookedKey] = {}
        self.before: dict[str, bytes] = {}
        self._generation, self._seq = 100_000, 1_000_000
        self.ledger = Ledger()
        self._act = b""
        self._changed = asyncio.Event()
        self._fault: Fault | None = None
        self._fired_at: float | None = None
        self._gone_at: float | None = None
        """Since when the key has not been there, and the screen has not said so."""
        self._busy_since: float | None = None
        self._plain_after_s = 0.0
        self._event_seq = 0
        self.wrong: list[str] = []
        """What the screen said that was not so."""
        self.on_change: Callable[[State], None] = lambda _: None
        """Told of each new phase of the visit, and when the key comes or goes."""
        self._loop = asyncio.get_running_loop()
        # In a kiosk the first would end the process.
        self._loop.set_exception_handler(lambda _, context: self.wrong.append(f"unhandled: {context}"))
        self._logged_faults = LoggedFaults(self.wrong)
        _LOG.addHandler(self._logged_faults)
        station.show = self._show  # type: ignore[method-assign]
        self._place: tuple[Phase, Presence] | None = None
        station.visits.on_step = self._stepped

    def _stepped(self, received: VisitInput, state: State) -> None:
        self.ledger.ready += isinstance(received, KeyActivated)
        if self._place != state.place:
            self._place = state.place
            self.on_change(state)

    @classmethod
    async def at(cls, folder: Path, line: MakeLine, *, real_time: bool = False, **options: Any) -> "WorstVisit":
        """A station without a network, and a key with these `KeyOptions` that was switched on here a while ago."""
        site, station = await started(folder, line)
        it = cls(site, station, options, real_time=real_time)
        it.key.folder.store(KeyFile.PERMIT.value, b"")
        await it._visit()
        await it.out()
        await it.audit()
        it.before = {file.value: content for file, content in it.key.folder.files().items()}
        site.skip(3600)
        # Since then: another permit, another certificate, another list.
        site.person(ANNA, Category.PERMANENT)
        site.put("blocklist", 0, version=2, record=encoded(site.blocklist(2, 999)))
        await site.refresh(station)
        seed = (folder / "station1" / "seed").read_bytes()
        it.before[KeyFile.CERT.value] = site.certificate(1, SigningKey(seed))
        await it.restore()
        assert it.opens(), "the key was to be on"
        return it

    async def close(self) -> None:
        _LOG.removeHandler(self._logged_faults)
        await self.site.close()

    # --- cases

    async def length(self) -> int:
        """The bytes of a whole visit, both ways, from the first that reaches the key to the last before it is out."""
        await self.restore()
        self.line.arm(None, 0)
        await self._visit(linger_s=0.6)
        length = self.line.passed_bytes
        await self.out()
        await self.audit()
        return length

    async def case(self, fault: Fault, at: int) -> Came:
        """A visit with the fault at this byte; then the next one. Raises AssertionError, which tells everything."""
        await self.restore()
        self._fault, self._fired_at, self._gone_at, self._plain_after_s = fault, None, None, 0.0
        self.line.arm(fault, at, self._fired)
        went_on = await self._bad_visit(fault, back_after_s=1.0 if at % 2 else BETWEEN_S)
        happened = not self.line.is_armed
        self.line.arm(None, 0)
        self._note_busy_end()
        plain_after_s, self._fired_at = self._plain_after_s, None
        await self.out()
        await self.later(BETWEEN_S)
        # The next insertion works.
        self.insert()
        await self.until(Line.PROMPT, within_s=self._within_s)
        assert not self.opens(), "on at the prompt"
        await self.wait_until_idle()  # a log gives way to a PIN: this time it is read to its end
        self.station.type(ENTRY)
        await self.until(Line.READY, within_s=self._within_s)
        assert self.opens(), "ready, but it opens nothing"
        await self.out()
        assert self.station.screen.line is Line.OUT_READY
        await self.sleep(0.5)
        await self.audit()
        assert plain_after_s <= self._within_s, f"nothing plain for {plain_after_s:.2f} s"
        return Came(happened, plain_after_s, went_on)

    async def _bad_visit(self, fault: Fault, *, back_after_s: float) -> bool:
        """Until ready, or for as long as a person would try; whether it went by itself."""
        began_s = self._loop.time()
        by_itself = True
        self.insert()
        prompts = 0
        while self._loop.time() < began_s + PATIENCE_S:
            line = self.station.screen.line
            if line is Line.READY:
                await self.sleep(0.6)
                if self.station.screen.line is Line.READY:
                    await self.wait_until_idle()
                    return by_itself
            elif line in {Line.PROMPT, Line.WRONG_PIN}:
                insertion = self.station.visits.state.insertion
                await self.sleep(TYPES_AFTER_S)
                if self.station.screen.line is line and self.station.visits.state.insertion == insertion:
                    prompts += 1
                    by_itself = by_itself and prompts == 1
                    self.station.type(ENTRY)
                    await self.change(0.3)
            elif line in AWAY and fault in LASTING and not self.line.is_armed:
                await self.later(back_after_s)
                by_itself = False
                if self.station.screen.line in AWAY - {Line.READER_BROKEN}:
                    self.line.pull()
                    self.insert()
                    await self.change(1.0)
            elif line in {Line.REFUSED, Line.UNREADABLE, Line.STILL_ON}:
                by_itself = False
                await self.out()
                await self.later(back_after_s)
                self.insert()
                await self.change(1.0)
            else:
                await self.change(0.5)
        raise AssertionError(f"never ready: {self.station.lines}")

    # --- what a person does and sees

    def insert(self) -> None:
        self.station.insert(self.key)

    async def _visit(self, linger_s: float = 0.0) -> None:
        self.insert()
        await self.until(Line.PROMPT)
        await self.sleep(TYPES_AFTER_S)
        self.station.type(ENTRY)
        await self.until(Line.READY)
        await self.sleep(linger_s)

    async def out(self) -> None:
        self.line.pull()
        await self.until(*AWAY)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.station.fail_if_crashed()

    async def later(self, seconds: float) -> None:
        """Time goes by while nobody does anything; the machine gets the time to notice."""
        self.site.skip(seconds - 2 * TICK_S)
        await self.sleep(2 * TICK_S)

    async def wait_until_idle(self) -> None:
        await self.station.idle()

    async def change(self, within_s: float) -> None:
        self._changed.clear()
        try:
            async with asyncio.timeout(within_s):
                await self._changed.wait()
        except TimeoutError:
            pass
        self.station.fail_if_crashed()

    async def until(self, *lines: Line, within_s: float = 10.0) -> None:
        end = self._loop.time() + within_s
        while not self.station.shown or self.station.screen.line not in lines:
            if self._loop.time() >= end:
                raise AssertionError(f"not {lines} within {within_s} s, but {self.station.lines[-8:]}")
            await self.change(end - self._loop.time())

    def _show(self, screen: Screen) -> None:
        shown = self.station.shown
        before = shown[-1].line if shown else Line.EMPTY
        shown.append(screen)
        if len(shown) > 200:
            del shown[:100]
        self._changed.set()
        if screen.line in AWAY and self._gone_at is not None:
            self._plain_after_s = max(self._plain_after_s, self._loop.time() - self._gone_at)
            self._gone_at = None
        if self.station.visits.state.visit > self.ledger.visits:  # else it is about a visit before this one
            if screen.line in SAYS_OFF and self.opens(screen.key):
                self.wrong.append(f"said {screen.line} of a key that is on")
            if screen.line in SAYS_ON and before not in SAYS_ON and not self.opens(screen.key):
                self.wrong.append(f"said {screen.line} of a key that is off")
        if screen.line in BUSY:
            if self._busy_since is None:
                self._busy_since = self._loop.time()
        else:
            self._note_busy_end()

    def _fired(self) -> None:
        self._fired_at = self._loop.time()
        if self._fault in LASTING and self.station.screen.line not in AWAY:
            self._gone_at = self._fired_at

    def _note_busy_end(self) -> None:
        """A stretch without anything plain has ended; what of it came after the fault."""
        since, self._busy_since = self._busy_since, None
        if since is not None and self._fired_at is not None:
            self._plain_after_s = max(self._plain_after_s, self._loop.time() - max(since, self._fired_at))

    # --- what is on the key

    def opens(self, number: int | None = None) -> bool:
        """Whether a lock would open to the key of that number, or to this visit's."""
        key = self.others.get(number or HER_KEY, self.key)
        return bool(key.file(KeyFile.ACT)) and self.site.opens(key)

    async def restore(self) -> None:
        """The key as it was before all this, with a log that has grown meanwhile."""
        await self.later(BETWEEN_S)
        self.line.pull()
        self._generation += 1
        entries = [
            cbor2.dumps([self._seq + n, self.site.now_s - 60 + n, LOCK, "opened", ANNA, 80]) for n in range(LOG_ENTRIES)
        ]
        self._seq += LOG_ENTRIES
        log = cbor2.dumps(self._generation) + b"".join(entries)
        state = self.key.folder.state()
        options: KeyOptions = self.key.options
        self.key = HookedKey(self.key.folder.path, options, self.site.world)
        self.key.folder.store_state(replace(state, clock_offset_s=0.0))
        for name, content in (self.before | {KeyFile.LOG.value: log}).items():
            self.key.folder.store(name, content)
        self._act = self.key.file(KeyFile.ACT)
        self._watch_act()
        self.ledger = Ledger(visits=self.station.visits.state.visit)
        self.wrong.clear()

    def _watch_act(self) -> None:
        store = self.key.folder.store

        def stored(name: str, content: bytes) -> None:
            store(name, content)
            if name == KeyFile.ACT.value:
                was, self._act = self._act, content if len(content) > 1 else b""
                if self._act and self._act != was and self.site.activation(self.key, self.station) is not None:
                    self.ledger.activations.append(self._act)
                self.ledger.emptied += bool(was) and not self._act

        self.key.folder.store = stored  # type: ignore[method-assign]

    # --- the books

    async def new_events(self) -> list[dict[str, Any]]:
        """Those since the last time, each there once; from now on central has them."""
        await self.wait_until_idle()
        rows = await self.station.store.real.pending(5000)
        bodies: list[dict[str, Any]] = [dict(row.body) for row in rows]
        seqs = [body["seq"] for body in bodies]
        assert seqs == list(range(self._event_seq + 1, self._event_seq + 1 + len(seqs))), "numbers of events"
        self._event_seq += len(seqs)
        assert len({body["id"] for body in bodies}) == len(bodies)
        await self.station.store.real.take_answers([row.id for row in rows], {})
        return bodies

    async def audit(self) -> Counter[str]:
        """Every event is there once, and tells what happened to the key."""
        bodies = await self.new_events()
        counts = Counter(str(body["type"]) for body in bodies)
        if not self.before or not self.ledger.visits:
            return counts
        interrupted = [body for body in bodies if body["type"] == "key_write_interrupted"]
        on_cut = sum("expires" in body["data"] for body in interrupted)
        off_cut = len(interrupted) - on_cut
        undone = sum(body["type"] == "key_refused" for body in bodies)
        led, activated, off = self.ledger, counts["key_activated"], counts["key_deactivated"]
        done = f"{led.emptied} emptied, {len(led.activations)} written, {led.ready} ready"
        told = f"{counts} {done} {self.station.lines[-20:]}"
        assert not self.wrong, (self.wrong, told)
        assert counts["lock_opened"] == LOG_ENTRIES, told
        assert counts["pin_rejected"] == counts["key_locked_out"] == counts["key_clear_failed"] == 0, told
        assert activated == led.ready, told
        assert activated <= len(led.activations) <= activated + on_cut + undone, told
        assert off <= led.emptied <= off + off_cut + on_cut + undone, told
        assert (await self.station.store.real.attempts(HER_KEY)).failures == 0, told
        assert 1 <= counts["key_synced"] <= self.station.visits.state.visit - led.visits, told
        return counts
