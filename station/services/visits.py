"""Runs visits: feeds the machine of ``station.core.visit`` with what happens, and has done what it says.

Work on the key (`KeyWork`) is done by one task, in order; PINs (`PinWork`), central and recording run beside it.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import replace

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
    KeySeen,
    KeystrokeTyped,
    MirrorRefreshed,
    PinChecked,
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
from station.core.facts import Hindrance, Now, Policy
from station.core.visit import late_verdict, step
from station.core.visit_state import Phase, State
from station.display.key_findings import KeyFindings
from station.display.screen import Screen
from station.ports import Json, KeyLost, KeySocket, ReaderLost, Store, StoreFault
from station.services.batteries import Batteries
from station.services.box_profiles import KEY_WORK, PIN_WORK
from station.services.identity import Identity
from station.services.key_work import LOOK_S, KeyEffect, KeyWork, Sequences, Workplace
from station.services.mirroring import Mirroring
from station.services.once_per_visit import OncePerVisit
from station.services.outbox import Outbox
from station.services.past_visits import PastVisits
from station.services.pin_check import PinCheck
from station.services.presenter import Presentation, Presenter
from station.services.recorder import Recorder
from station.services.standing import Standing
from station.services.timekeeping import Timekeeper
from station.services.write_meter import WriteMeter

TICK_S = 0.25
STANDING_EVERY_TICKS = 4
READER_AGAIN_S = 1.0
"""How often a lost serial port is tried, and how long one must stay open to count as back."""
POKE_AFTER_S = 0.010
"""Central is asked while the key says which it is, the longest of its first answers: that costs nobody anything."""
FINISH_S = 3.0
"""At the end, what is being done with a key is finished: less than the 5 s after which a kiosk counts as hung."""
KEY_QUEUE_LIMIT = 32
"""A visit has five pieces of work for the key at most; more is a fault."""
UNWATCHED = frozenset({Phase.CLEARING, Phase.READING, Phase.IDENTIFYING, Phase.ACTIVATING})
"""The key is being worked on, and nobody waits for what is shown of that."""
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
        rehearse: Callable[[Screen], None] | None = None,
        presentation: Presentation = Presentation(),  # noqa: B008, it is frozen
    ) -> None:
        """``rehearse`` takes what will probably be shown in a moment, while there is time to prepare for it."""
        self._socket, self._time, self._mirroring = socket, time, mirroring
        self._outbox, self._standing = outbox, standing
        self._show, self._ring, self._rehearse = show, ring, rehearse
        self._state = State(policy=policy)
        self._shown: Screen | None = None
        self._key_effects: asyncio.Queue[KeyEffect] = asyncio.Queue(KEY_QUEUE_LIMIT)
        self._tasks: asyncio.TaskGroup | None = None
        self._recorder = Recorder(store, time, kept=outbox.poke, failed=standing.store_failed)
        role = identity.claims.role
        self._pins = PIN_WORK[role](
            store=store,
            time=time,
            identity=identity,
            mirroring=mirroring,
            standing=standing,
            recorder=self._recorder,
            pins=pins,
            refresh_deadline_s=policy.refresh_deadline_s,
            feed=self._feed,
            judged=self._judged,
        )
        self._place = Workplace(
            socket=socket,
            store=store,
            time=time,
            identity=identity,
            mirroring=mirroring,
            standing=standing,
            recorder=self._recorder,
            pins=self._pins,
            sequences=Sequences(store),
            feed=self._feed,
            expect=self._expect,
            give_way=lambda: self._ended or not self._key_effects.empty(),
            pin_entered=lambda: self._state.phase is Phase.CHECKING,
            tell=self._tell,
            meter=WriteMeter(lambda: socket.wire_bytes),
            batteries=Batteries(),
            once=OncePerVisit(lambda: self._state.visit),
        )
        self._key_work = KEY_WORK[role]
        self._key = self._key_work(self._place)
        self._at_work = False
        self._at_rest = asyncio.Event()
        self._at_rest.set()
        """Nothing is being done with the key, nor waits to be done."""
        self._refresh_soon: asyncio.TimerHandle | None = None
        self._ended = False
        self.began = asyncio.Event()
        """The first screen has been shown: keys are served from now on."""
        self._presenter = Presenter(
            presentation,
            store,
            time,
            progress=self._place.meter.progress,
            start=self._start,
            redraw=self._redraw,
        )

    @property
    def state(self) -> State:
        """The machine's state, for tests and for the technician's screen."""
        return self._state

    @property
    def between_visits(self) -> bool:
        """No key in the socket, none that may come back, and nobody's farewell on the screen; or no reader at all."""
        state = self._state
        return state.phase is Phase.BROKEN or (state.phase is Phase.EMPTY and state.left_as is None)

    @property
    def past_visits(self) -> PastVisits:
        """The last visits, told of each screen before it is shown."""
        return self._presenter.past_visits

    def adopt(self, policy: Policy, presentation: Presentation) -> None:
        """The site's rules, and what the screen goes by, from now on; only `between_visits`."""
        self._presenter.adopt(presentation)
        self._state = replace(self._state, policy=policy)
        self._pins.refresh_deadline_s = policy.refresh_deadline_s

    def press(self, stroke: str) -> None:
        """A keystroke: ``0-9``, ``*``, ``#`` or backspace; anything else does nothing."""
        if stroke in KEYPAD:
            self._feed(KeystrokeTyped(stroke))

    async def run(self) -> None:
        """Serve keys until cancelled. An exception of any part ends it."""
        await self._standing.reload()
        await self._refresh_standing()
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                tasks.create_task(self._watch_socket(), name="socket")
                tasks.create_task(self._serve_key(), name="key")
                tasks.create_task(self._tick(), name="tick")
                self._draw(self._time.now())
                self.began.set()
        finally:
            self._ended = True
            self._key.end()
            await self._recorder.finish()

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
        self._presenter.saw(event, self._state, now)
        for effect in effects:
            self._do(effect)
        if self._state.phase in UNWATCHED and effects:
            # What the key is asked next goes out first.
            asyncio.get_running_loop().call_soon(self._redraw)
        else:
            self._draw(now)

    def _expect(self, event: Event) -> None:
        """``event`` will probably happen in a moment: have its picture prepared while the wire is busy.

        Nothing comes of it but that: the machine's step has no effects until they are performed.
        """
        if self._rehearse is not None:
            now = self._time.now()
            state, _ = step(self._state, event, now)
            self._rehearse(self._presenter.rehearsed(state, now))

    def _judged(self, seen: KeySeen, verdict: PinChecked) -> None:
        owed = late_verdict(self._state, verdict, seen, self._time.now())
        self._feed(verdict)
        for effect in owed:
            self._do(effect)

    def _tell(self, news: KeyFindings) -> None:
        self._presenter.tell(news)

    def _draw(self, now: Now) -> None:
        screen = self._presenter.screen(self._state, now)
        if screen != self._shown:
            self._shown = screen
            self._show(screen)

    def _redraw(self) -> None:
        self._draw(self._time.now())

    def _do(self, effect: Effect) -> None:
        match effect:
            case ClearActivation() | ReadKey() | IdentifyKey() | PrepareKey() | ActivateKey():
                self._key_effects.put_nowait(effect)
                self._at_rest.clear()
            case RefreshMirror():
                self._refresh_soon = asyncio.get_running_loop().call_later(POKE_AFTER_S, self._mirroring.poke)
            case CheckPin():
                if self._refresh_soon is not None and self._refresh_soon.when() > asyncio.get_running_loop().time():
                    # Its verdict waits for central, so central must have been asked.
                    self._refresh_soon.cancel()
                    self._mirroring.poke()
                self._start(self._check_pin(effect))
                self._start(self._look_meanwhile(self._key))
            case RejectPin():
                self._pins.reject(effect)
            case AcceptPin():
                self._note("key_refused", effect.seen, reason=effect.refusal.value)
                self._start(self._pins.accept(effect))
            case RecordRefusal():
                self._note("key_refused", effect.seen, reason=effect.refusal.value)
            case EndVisit():
                if effect.returned:
                    self._note("pool_key_returned", effect.seen)
            case Ring():
                self._ring()
            case ReportUnexpected():
                _log.error("visit.unexpected phase=%s event=%s", effect.phase, effect.event)

    def _note(self, type_: str, seen: KeySeen | None, **data: Json) -> None:
        self._recorder.keep(self._recorder.event(type_, seen, **data))

    async def _check_pin(self, effect: CheckPin) -> None:
        await self._pins.check(effect, self._key.on_key)
        await self._refresh_standing()

    async def _look_meanwhile(self, key: KeyWork) -> None:
        """Ask which key is in while the PIN is being judged, so that the answer is there just before the verdict.

        Only where the wire has nothing else to do: no time is lost by it, whatever the verdict.
        """
        await asyncio.sleep(max(0.0, self._pins.usual_s - LOOK_S))
        await self._at_rest.wait()
        if key is self._key and self._state.phase is Phase.CHECKING:
            await key.look()

    def _start(self, work: Coroutine[None, None, None]) -> None:
        try:
            if self._ended or self._tasks is None:
                raise RuntimeError("not running")
            self._tasks.create_task(work)
        except RuntimeError:
            # Before the beginning or, as the task group says, on the way to the end.
            work.close()

    # --- what happens ---

    async def _watch_socket(self) -> None:
        broken = False
        while True:
            # Made before there is a key: from its first answer on the time is the wire's.
            key = self._key_work(self._place)
            try:
                # A port that can be opened again is back, also while nobody puts a key in.
                async with asyncio.timeout(READER_AGAIN_S if broken else None):
                    await self._socket.inserted()
            except ReaderLost as error:
                broken = await self._reader_lost(error, already=broken)
                continue
            except TimeoutError:
                broken = self._reader_back()
                continue
            if broken:
                broken = self._reader_back()
            key.begin()
            self._key = key
            self._feed(KeyInserted())
            try:
                await self._socket.removed()
            except ReaderLost as error:
                broken = await self._reader_lost(error, already=False)
            else:
                self._feed(KeyRemoved())
                self._key.end()

    async def _reader_lost(self, error: ReaderLost, *, already: bool) -> bool:
        if not already:
            _log.error("reader.lost %s", error)
            self._feed(ReaderFailed())
            self._key.end()
        await asyncio.sleep(READER_AGAIN_S)
        return True

    def _reader_back(self) -> bool:
        _log.info("reader.back")
        self._feed(ReaderRecovered())
        return False

    async def _serve_key(self) -> None:
        """Have the work on the key done by a task of its own: at the end, what it is in the middle of is finished."""
        work = asyncio.create_task(self._work_on_key(), name="key")
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            # An activation that is on the key but not recorded, or half cleared, is worse than a moment's delay.
            self._ended = True
            if self._at_work:
                await asyncio.wait([work], timeout=FINISH_S)
            work.cancel()
            raise

    async def _work_on_key(self) -> None:
        while not self._ended:
            if self._key_effects.empty():
                self._at_rest.set()
            effect = await self._key_effects.get()
            if effect.insertion == self._state.insertion:
                await self._perform(effect)

    async def _perform(self, effect: KeyEffect) -> None:
        self._at_work = True
        try:
            await self._key.perform(effect)
        except (KeyLost, ReaderLost) as error:
            # The socket's watcher says so to the machine.
            _log.info("key.lost during=%s %s", type(effect).__name__, error)
        finally:
            self._at_work = False

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
        if facts.hindrance is not Hindrance.DISK:
            self._recorder.write_on()
        if facts != self._state.station:
            self._feed(StationChanged(facts))
