"""Runs visits: feeds the machine of ``station.core.visit`` with what happens, and has done what it says.

Work on the key (`KeyWork`) is done by one task, in order; PINs (`PinWork`), central and recording run beside it.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine

from station.core import showing
from station.core.events import (
    AcceptPin,
    ActivateKey,
    CheckPin,
    ClearActivation,
    Effect,
    EndVisit,
    Event,
    IdentifyKey,
    KeyInserted,
    KeyRemoved,
    KeystrokeTyped,
    MirrorRefreshed,
    PrepareKey,
    ReaderFailed,
    ReaderRecovered,
    ReadKey,
    RecordRefusal,
    RefreshMirror,
    RejectPin,
    ReportUnexpected,
    Ring,
    StationChanged,
    TimePassed,
)
from station.core.facts import Now, Policy
from station.core.screen import Screen
from station.core.visit import State, step
from station.ports import KeyLost, KeySocket, ReaderLost, Store, StoreFault
from station.services.identity import Identity
from station.services.key_work import KeyEffect, KeyWork
from station.services.mirroring import Mirroring
from station.services.outbox import Outbox
from station.services.pin_check import PinCheck
from station.services.pin_work import PinWork
from station.services.recorder import Recorder
from station.services.standing import Standing
from station.services.timekeeping import Timekeeper

TICK_S = 0.25
STANDING_EVERY_TICKS = 4
READER_AGAIN_S = 1.0
KEY_QUEUE_LIMIT = 32
"""A visit has five pieces of work for the key at most; more is a fault."""
KEYPAD = frozenset("0123456789*#\b")

_log = logging.getLogger("station.visit")


class Visits:
    """One key socket and everything that happens at it. `run` until cancelled; `press` for keystrokes."""

    def __init__(
        self,
        *,
        socket: KeySocket,
        store: Store,
        time: Timekeeper,
        identity: Identity,
        mirroring: Mirroring,
        outbox: Outbox,
        pins: PinCheck,
        standing: Standing,
        policy: Policy,
        show: Callable[[Screen], None],
        ring: Callable[[], None],
    ) -> None:
        self._socket, self._time, self._mirroring = socket, time, mirroring
        self._outbox, self._standing = outbox, standing
        self._show, self._ring = show, ring
        self._state = State(policy=policy)
        self._shown: Screen | None = None
        self._key_effects: asyncio.Queue[KeyEffect] = asyncio.Queue(KEY_QUEUE_LIMIT)
        self._tasks: asyncio.TaskGroup | None = None
        self._recorder = Recorder(store, time, kept=outbox.poke, failed=standing.store_failed)
        self._pins = PinWork(
            store=store,
            time=time,
            identity=identity,
            mirroring=mirroring,
            standing=standing,
            recorder=self._recorder,
            pins=pins,
            refresh_deadline_s=policy.refresh_deadline_s,
            feed=self._feed,
        )
        self._key = KeyWork(
            socket=socket,
            store=store,
            time=time,
            identity=identity,
            mirroring=mirroring,
            standing=standing,
            recorder=self._recorder,
            pins=self._pins,
            feed=self._feed,
            start=self._start,
            give_way=lambda: not self._key_effects.empty(),
        )

    @property
    def state(self) -> State:
        """The machine's state, for tests and for the technician's screen."""
        return self._state

    def press(self, stroke: str) -> None:
        """A keystroke: ``0-9``, ``*``, ``#`` or backspace; anything else does nothing."""
        if stroke in KEYPAD:
            self._feed(KeystrokeTyped(stroke))

    async def run(self) -> None:
        """Serve keys until cancelled. An exception of any part ends it."""
        await self._standing.reload()
        await self._refresh_standing()
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            tasks.create_task(self._watch_socket(), name="socket")
            tasks.create_task(self._work_on_key(), name="key")
            tasks.create_task(self._tick(), name="tick")

    async def mirror_changed(self) -> None:
        """After every refresh of the mirror: the station's standing, and the key in the socket, may look different."""
        await self._standing.reload()
        await self._refresh_standing()
        state = self._state
        if state.seen is None:
            return
        try:
            known, attempts = await self._pins.look_up(state.seen.record.key)
        except StoreFault as error:
            self._standing.store_failed(error)
            return
        self._feed(MirrorRefreshed(state.insertion, known, attempts))

    # --- the machine ---

    def _feed(self, event: Event) -> None:
        now = self._time.now()
        self._state, effects = step(self._state, event, now)
        for effect in effects:
            self._do(effect)
        self._draw(now)

    def _draw(self, now: Now) -> None:
        screen = showing.screen(self._state, now)
        if screen != self._shown:
            self._shown = screen
            self._show(screen)

    def _do(self, effect: Effect) -> None:
        match effect:
            case ClearActivation() | ReadKey() | IdentifyKey() | PrepareKey() | ActivateKey():
                self._key_effects.put_nowait(effect)
            case RefreshMirror():
                self._mirroring.poke()
            case CheckPin():
                self._start(self._check_pin(effect))
            case RejectPin():
                self._start(self._pins.reject(effect))
            case AcceptPin():
                self._start(self._pins.accept(effect))
            case RecordRefusal():
                event = self._recorder.event("key_refused", effect.seen, reason=effect.refusal.value)
                self._start(self._recorder.record(event))
            case EndVisit():
                if effect.returned and effect.seen is not None:
                    self._start(self._recorder.record(self._recorder.event("pool_key_returned", effect.seen)))
            case Ring():
                self._ring()
            case ReportUnexpected():
                _log.error("visit.unexpected phase=%s event=%s", effect.phase, effect.event)

    async def _check_pin(self, effect: CheckPin) -> None:
        await self._pins.check(effect, self._key.on_key)
        await self._refresh_standing()

    def _start(self, work: Coroutine[None, None, None]) -> None:
        assert self._tasks is not None, "effects come from a running machine"
        self._tasks.create_task(work)

    # --- what happens ---

    async def _watch_socket(self) -> None:
        broken = False
        while True:
            try:
                await self._socket.inserted()
                if broken:
                    broken = False
                    _log.info("reader.back")
                    self._feed(ReaderRecovered())
                self._key.begin()
                self._feed(KeyInserted())
                await self._socket.removed()
                self._feed(KeyRemoved())
                self._key.end()
            except ReaderLost as error:
                if not broken:
                    _log.error("reader.lost %s", error)
                    self._feed(ReaderFailed())
                    self._key.end()
                broken = True
                await asyncio.sleep(READER_AGAIN_S)

    async def _work_on_key(self) -> None:
        while True:
            effect = await self._key_effects.get()
            if effect.insertion != self._state.insertion:
                continue
            try:
                await self._key.perform(effect)
            except (KeyLost, ReaderLost) as error:
                # The socket's watcher says so to the machine.
                _log.info("key.lost during=%s %s", type(effect).__name__, error)

    async def _tick(self) -> None:
        ticks = 0
        while True:
            await asyncio.sleep(TICK_S)
            ticks += 1
            if ticks % STANDING_EVERY_TICKS == 0:
                await self._refresh_standing()
            self._feed(TimePassed())

    async def _refresh_standing(self) -> None:
        facts = await self._standing.facts()
        if facts != self._state.station:
            self._feed(StationChanged(facts))
