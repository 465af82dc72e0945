"""The loop of a station: takes one input after another from one queue, steps the visit machine, has the effects done.

Everything that happens is put into that queue: a key comes or goes, a keystroke, what came of work on the key, the
verdict on a PIN, news from central, time passing. One loop takes it out, so two things never happen at once. The work
itself is done beside it: each key has a worker, which does what is to be done with it in order; a PIN is checked by a
task of its own; events are kept by the recorder. Each of them answers into the queue.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import replace

from station.display.screen import Screen
from station.key.batteries import Batteries
from station.key.files import OnKey
from station.key.pin_tags import PinTags
from station.key.work import KeyEffect, KeyWork, KeyWorkParts, OncePerVisit
from station.key.write_progress import WriteProgress
from station.ports import Json, KeyReader, KeySession, ReaderLost, Store, StoreFault
from station.rules.facts import Policy
from station.runtime.past_visits import PastVisits
from station.runtime.presenter import Presentation, Presenter
from station.runtime.profiles import Profile
from station.sync.client import CentralClient
from station.sync.identity import Identity
from station.sync.mirror import MirrorSync
from station.sync.outbox import Outbox
from station.sync.readiness import Readiness
from station.sync.recorder import Recorder
from station.sync.timekeeping import Timekeeper
from station.visit.effects import (
    AcceptPin,
    ActivateKey,
    CheckPin,
    ClearActivation,
    Effect,
    EndVisit,
    GiveCountBack,
    HandOut,
    IdentifyKey,
    PrepareKey,
    ReadKey,
    RecordRefusal,
    RejectPin,
    ReportUnexpected,
)
from station.visit.inputs import (
    KeyInserted,
    KeyRemoved,
    KeySeen,
    KeystrokeTyped,
    MirrorRefreshed,
    ReaderFailed,
    ReaderRecovered,
    StationChanged,
    TimePassed,
    VisitInput,
)
from station.visit.machine import step
from station.visit.state import Phase, Presence, State

TICK_S = 0.25
READINESS_EVERY_TICKS = 4
READER_AGAIN_S = 1.0
"""How often a lost reader is tried, and how long one must stay open to count as back."""
FINISH_S = 3.0
"""At the end, what is being done with a key is finished: less than the 5 s after which a kiosk counts as hung."""
KEYSTROKES_LIMIT = 1000
"""So many inputs wait when a machine stands still: what is typed then is dropped."""
KEYPAD = frozenset("0123456789*#\b")

_log = logging.getLogger("station.visit")


class VisitLoop:
    """One key reader and everything that happens at it. `run` until cancelled; `press` for keystrokes."""

    def __init__(
        self,
        *,
        profile: Profile,
        reader: KeyReader,
        store: Store,
        time: Timekeeper,
        identity: Identity,
        central: CentralClient,
        mirror: MirrorSync,
        outbox: Outbox,
        tags: PinTags,
        readiness: Readiness,
        policy: Policy,
        presentation: Presentation,
    ) -> None:
        self._profile, self._reader, self._store, self._time = profile, reader, store, time
        self._mirror, self._readiness = mirror, readiness
        self._state = State(policy=policy)
        self._inputs: asyncio.Queue[VisitInput] = asyncio.Queue()
        self._work: KeyWork | None = None
        """On the key that is in the reader, or was last."""
        self._unfinished: set[KeyWork] = set()
        """Work on that key, and on keys before it, that is not done."""
        self._pins_in_check = 0
        self._accepting: set[asyncio.Task[None]] = set()
        """Right PINs whose count is being taken back."""
        self._tasks: asyncio.TaskGroup | None = None
        self._ending = False
        self._show: Callable[[Screen], None] = lambda _screen: None
        self._shown: Screen | None = None
        self.on_step: Callable[[VisitInput, State], None] = lambda _input, _state: None
        """Told of each input, and of the state that it has led to."""
        self.reader_fault: ReaderLost | None = None
        """Why keys cannot be read; None while they can."""
        self.serving = asyncio.Event()
        """The first screen has been shown: keys are served from now on."""
        self._recorder = Recorder(store, time, kept=outbox.wake, failed=readiness.store_failed)
        self._pins = profile.pin_work(
            store=store,
            time=time,
            identity=identity,
            mirror=mirror,
            readiness=readiness,
            recorder=self._recorder,
            tags=tags,
            refresh_deadline_s=policy.refresh_deadline_s,
            put=self._put,
        )
        self._key_parts = KeyWorkParts(
            store=store,
            time=time,
            identity=identity,
            central=central,
            mirror=mirror,
            readiness=readiness,
            recorder=self._recorder,
            pins=self._pins,
            put=self._put,
            key_is_wanted=self._key_is_wanted,
            report=lambda news: self._presenter.report(news),  # noqa: PLW0108, it is made below
            progress=WriteProgress(),
            batteries=Batteries(),
            once=OncePerVisit(),
            log_seen=mirror.log_seen,
        )
        self._presenter = Presenter(
            presentation,
            store,
            time,
            progress=self._key_parts.progress.now,
            start=self._start,
            redraw=self._draw,
        )

    # --- from outside ---

    @property
    def state(self) -> State:
        """The machine's state."""
        return self._state

    @property
    def past_visits(self) -> PastVisits:
        """The last visits, told of each screen before it is shown."""
        return self._presenter.past_visits

    @property
    def wire_bytes(self) -> int:
        """Bytes of both directions between the reader and the key that is in it, or was last."""
        return self._work.wire_bytes if self._work is not None else 0

    @property
    def nobody_there(self) -> bool:
        """Whether no key is in the reader."""
        return self._state.presence is Presence.OUT

    @property
    def between_visits(self) -> bool:
        """No key in the reader, none that may come back, and nobody's farewell on the screen; or no reader at all."""
        state = self._state
        empty = state.phase is Phase.BROKEN or (state.phase is Phase.EMPTY and state.farewell is None)
        return empty and not self.busy and not self._pins_in_check

    def adopt(self, policy: Policy, presentation: Presentation) -> None:
        """Go by these rules of the site, and show by these settings, from now on; only `between_visits`."""
        self._presenter.adopt(presentation)
        self._state = replace(self._state, policy=policy)
        self._pins.refresh_deadline_s = policy.refresh_deadline_s

    def press(self, stroke: str) -> None:
        """Take a keystroke: ``0-9``, ``*``, ``#`` or backspace; anything else does nothing."""
        if stroke in KEYPAD and self._inputs.qsize() < KEYSTROKES_LIMIT:
            self._put(KeystrokeTyped(stroke))

    @property
    def busy(self) -> bool:
        """Whether an input waits to be taken, or something is being done with the key or waits to be."""
        working = any(work.busy for work in self._unfinished)
        return working or not self._inputs.empty() or bool(self._accepting)

    @property
    def unwritten_events(self) -> int:
        """How many events the database has not taken yet."""
        return self._recorder.waiting

    async def inputs_taken(self) -> None:
        """Return when every input has been taken by the machine."""
        await self._inputs.join()

    async def settled(self) -> None:
        """Return when every input has been taken, the work on keys is done, and its events are on the disk."""
        while self.busy:
            await self._inputs.join()
            for work in tuple(self._unfinished):
                await work.done()
            await asyncio.gather(*self._accepting)
        await self._recorder.written()

    async def mirror_changed(self) -> None:
        """Take up news from central: whether this station can activate, and what is known of the key in the reader."""
        await self._readiness.reload()
        await self._refresh_readiness()
        state = self._state
        # Of a key that is out or returning it is not known whether it is the one that answers now.
        if state.seen is None or state.presence is not Presence.IN:
            return
        try:
            known, attempts = await self._pins.look_up(state.seen.record.key)
        except StoreFault as error:
            self._readiness.store_failed(error)
            return
        self._put(MirrorRefreshed(state.insertion, known, attempts))

    async def run(self, show: Callable[[Screen], None]) -> None:
        """Serve keys until cancelled. An exception of any part ends it."""
        self._show = show
        await self._tell_interrupted()
        self._state = replace(self._state, station=await self._readiness.facts())
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                tasks.create_task(self._step_through_inputs(), name="loop")
                tasks.create_task(self._serve_reader(), name="reader")
                tasks.create_task(self._tick(), name="tick")
        finally:
            self._ending = True
            if self._work is not None:
                self._work.end()
            await self._recorder.written()

    async def _tell_interrupted(self) -> None:
        """What the last run was in the middle of writing when it ended may be on a key."""
        try:
            told = await self._store.tell_interrupted()
        except StoreFault as error:
            self._readiness.store_failed(error)
            return
        if told:
            _log.warning("activations.interrupted count=%d", told)

    # --- the loop ---

    def _put(self, input_: VisitInput) -> None:
        self._inputs.put_nowait(input_)

    async def _step_through_inputs(self) -> None:
        self._draw()
        self.serving.set()
        while True:
            input_ = await self._inputs.get()
            now = self._time.now()
            self._state, effects = step(self._state, input_, now)
            self._presenter.follow(input_, self._state, now)
            self.on_step(input_, self._state)
            for effect in effects:
                self._do(effect)
            # Painting a new page takes 10 to 18 ms of this loop: what was just begun asks the key or the disk first.
            await asyncio.sleep(0)
            self._draw()
            self._inputs.task_done()

    def _draw(self) -> None:
        screen = self._presenter.screen(self._state, self._time.now())
        if screen != self._shown:
            self._shown = screen
            self._show(screen)

    def _do(self, effect: Effect) -> None:
        match effect:
            case ClearActivation() | ReadKey() | IdentifyKey() | PrepareKey() | ActivateKey() | HandOut():
                self._give(effect)
            case CheckPin():
                self._start(self._check_pin(effect))
            case RejectPin():
                self._pins.reject(effect)
            case AcceptPin():
                self._record("key_refused", effect.seen, reason=effect.refusal.value)
                self._take_count_back(effect.seen)
            case GiveCountBack():
                if not effect.begun:
                    self._record("key_write_interrupted", effect.seen, act="no")
                self._take_count_back(effect.seen)
            case RecordRefusal():
                self._record("key_refused", effect.seen, reason=effect.refusal.value)
            case EndVisit(returned=True):
                self._record("pool_key_returned", effect.seen)
            case ReportUnexpected():
                _log.error("visit.unexpected phase=%s %s input=%s", effect.phase, effect.presence, effect.received)

    def _give(self, effect: KeyEffect) -> None:
        # What was to be done with a key that is gone is not done with the next one.
        work = self._work if self._work is not None and self._work.insertion == effect.insertion else None
        given = work is not None and work.give(effect, visit=self._state.visit)
        if not given and isinstance(effect, ActivateKey):
            self._record("key_write_interrupted", effect.seen, act="no")

    def _take_count_back(self, seen: KeySeen) -> None:
        if (task := self._start(self._pins.accept(seen))) is not None:
            self._accepting.add(task)
            task.add_done_callback(self._accepting.discard)

    def _record(self, type_: str, seen: KeySeen | None, **data: Json) -> None:
        self._recorder.keep(self._recorder.event(type_, seen, **data))

    async def _check_pin(self, effect: CheckPin) -> None:
        works = (self._work, *self._unfinished)
        work = next((each for each in works if each is not None and each.insertion == effect.insertion), None)
        self._pins_in_check += 1
        try:
            # The PIN counts also when its key is gone by now.
            await self._pins.check(effect, work.on_key if work is not None else OnKey.gone())
        finally:
            self._pins_in_check -= 1
        await self._refresh_readiness()

    def _start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None] | None:
        if self._ending or self._tasks is None:
            work.close()
            return None
        try:
            return self._tasks.create_task(work)
        except RuntimeError:  # the task group is on the way to its end
            work.close()
            return None

    # --- the reader ---

    async def _serve_reader(self) -> None:
        insertion, broken = 0, False
        while True:
            try:
                session = await self._next_key(broken=broken)
                if broken:
                    broken = self._reader_back()
                if session is None:
                    continue
                insertion += 1
                self._work = work = self._profile.key_work(session, insertion, self._key_parts)
                self._start(self._finish(work))
                self._put(KeyInserted(insertion))
                await session.gone()
            except ReaderLost as error:
                self.reader_fault = error
                if not broken:
                    _log.error("reader.lost %s", error)
                    self._put(ReaderFailed())
                    if self._work is not None:
                        self._work.end()
                broken = True
                await asyncio.sleep(READER_AGAIN_S)
            else:
                self._put(KeyRemoved())
                work.end()

    async def _next_key(self, *, broken: bool) -> KeySession | None:
        """The next key. None: there is none yet, but a reader that was ``broken`` can be opened again."""
        try:
            async with asyncio.timeout(READER_AGAIN_S if broken else None):
                return await self._reader.next_key()
        except TimeoutError:
            if not self._reader.is_open:
                raise ReaderLost("port_stuck") from None
            return None

    def _reader_back(self) -> bool:
        _log.info("reader.back")
        self.reader_fault = None
        self._put(ReaderRecovered())
        return False

    async def _finish(self, work: KeyWork) -> None:
        """Run the worker of a key; at the end of the program, what it is in the middle of is finished."""
        running = asyncio.create_task(work.run(), name="key")
        self._unfinished.add(work)
        try:
            await asyncio.shield(running)
        except asyncio.CancelledError:
            # An activation that is on the key but not recorded, or half cleared, is worse than a moment's delay.
            self._ending = True
            work.stop()
            if work.busy:
                await asyncio.wait([running], timeout=FINISH_S)
            running.cancel()
            if running.done() and not running.cancelled():
                running.result()
            raise
        finally:
            self._unfinished.discard(work)

    def _key_is_wanted(self) -> bool:
        wanted = self._work is not None and self._work.wanted
        return self._ending or wanted or self._state.phase is Phase.CHECKING

    # --- time ---

    def tick(self) -> None:
        """Have waits and deadlines looked at."""
        self._put(TimePassed())

    async def _tick(self) -> None:
        ticks = 0
        while True:
            await asyncio.sleep(TICK_S)
            ticks += 1
            if ticks % READINESS_EVERY_TICKS == 0:
                await self._refresh_readiness()
            self.tick()

    async def _refresh_readiness(self) -> None:
        facts = await self._readiness.facts()
        if self._readiness.store_works:
            self._recorder.write_on()
        if facts != self._state.station:
            self._put(StationChanged(facts))
