"""Runs visits: feeds the machine of ``station.core.visit`` with what happens, and does what it says.

Work on the key is done by one task, in order; counting and checking PINs, asking central and recording run beside it.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine

from station.core import attempts as pin_attempts
from station.core import showing
from station.core.attempts import AttemptCount
from station.core.events import (
    AcceptPin,
    ActivateKey,
    ActivationCleared,
    ActivationFailed,
    CheckPin,
    ClearActivation,
    ClearFailed,
    Effect,
    EndVisit,
    Event,
    IdentifyKey,
    KeyActivated,
    KeyIdentified,
    KeyInserted,
    KeyRead,
    KeyRemoved,
    KeySeen,
    KeystrokeTyped,
    MirrorRefreshed,
    PinChecked,
    PinCheckFailed,
    PrepareKey,
    ReaderFailed,
    ReaderRecovered,
    ReadFailed,
    ReadKey,
    RecordRefusal,
    RefreshMirror,
    RejectPin,
    ReportUnexpected,
    Ring,
    StationChanged,
    SyncDuty,
    TimePassed,
)
from station.core.facts import Attempts, KeyClockState, KeyEntry, KeyKnown, Now, Person, Policy, Refusal
from station.core.screen import Screen
from station.core.visit import State, step
from station.ports import (
    Change,
    Json,
    KeyFile,
    KeyLost,
    KeyRefused,
    KeySocket,
    NewEvent,
    ReaderLost,
    Store,
    StoreFault,
)
from station.records.claims import KeyKind, KeyRecord
from station.records.envelope import verified
from station.records.pins import PinFault
from station.services.identity import Identity
from station.services.key_files import KeyFiles, OnKey
from station.services.key_log_reader import KeyLogReader
from station.services.mirror_objects import key_known, person
from station.services.mirroring import Mirroring
from station.services.outbox import Outbox
from station.services.pin_check import PinCheck
from station.services.standing import Standing
from station.services.timekeeping import Timekeeper

TICK_S = 0.25
STANDING_EVERY_TICKS = 4
READER_AGAIN_S = 1.0
KEY_QUEUE_LIMIT = 32

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
        self._socket, self._store, self._time, self._identity = socket, store, time, identity
        self._mirroring, self._outbox, self._pins, self._standing = mirroring, outbox, pins, standing
        self._show, self._ring = show, ring
        self._files = KeyFiles(socket, identity, time)
        self._log_reader = KeyLogReader(socket, store, time)
        self._state = State(policy=policy)
        self._shown: Screen | None = None
        self._key_work: asyncio.Queue[Effect] = asyncio.Queue(KEY_QUEUE_LIMIT)
        self._on_key = OnKey()
        self._own_permit_known = asyncio.Event()
        self._failed_at: dict[int, float] = {}
        self._started_s = time.now().mono_s
        self._switched_off = False
        self._wire_before = 0
        self._tasks: asyncio.TaskGroup | None = None

    # --- outside ---

    @property
    def state(self) -> State:
        """The machine's state, for tests and for the technician's screen."""
        return self._state

    def press(self, stroke: str) -> None:
        """A keystroke: ``0-9``, ``*``, ``#`` or backspace; anything else does nothing."""
        if len(stroke) == 1 and stroke in "0123456789*#\b":
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
            known, attempts = await self._look_up(state.seen.record.key)
        except StoreFault as error:
            self._standing.store_failed(error)
            return
        self._feed(MirrorRefreshed(state.insertion, known, attempts))
        self._outbox.poke()

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
                self._key_work.put_nowait(effect)
            case RefreshMirror():
                self._mirroring.poke()
            case CheckPin():
                self._start(self._check_pin(effect))
            case RejectPin():
                self._start(self._reject_pin(effect))
            case AcceptPin():
                self._start(self._accept_pin(effect))
            case RecordRefusal():
                self._start(self._record(self._event("key_refused", effect.seen, reason=effect.refusal.value)))
            case EndVisit():
                if effect.returned and effect.seen is not None:
                    self._start(self._record(self._event("pool_key_returned", effect.seen)))
            case Ring():
                self._ring()
            case ReportUnexpected():
                _log.error("visit.unexpected phase=%s event=%s", effect.phase, effect.event)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        if self._tasks is None:  # pragma: no cover
            raise RuntimeError("not running")
        self._tasks.create_task(work)

    # --- loops ---

    async def _watch_socket(self) -> None:
        broken = False
        while True:
            try:
                await self._socket.inserted()
                if broken:
                    broken = False
                    _log.info("reader.back")
                    self._feed(ReaderRecovered())
                self._begin_insertion()
                self._feed(KeyInserted())
                await self._socket.removed()
                self._own_permit_known.set()
                self._feed(KeyRemoved())
                if self._switched_off:
                    self._note_switched_off(None)
            except ReaderLost as error:
                if not broken:
                    _log.error("reader.lost %s", error)
                    self._feed(ReaderFailed())
                broken = True
                await asyncio.sleep(READER_AGAIN_S)

    def _begin_insertion(self) -> None:
        self._on_key = OnKey()
        self._own_permit_known = asyncio.Event()
        self._wire_before = self._socket.wire_bytes

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

    async def _work_on_key(self) -> None:
        while True:
            effect = await self._key_work.get()
            if getattr(effect, "insertion", None) != self._state.insertion:
                continue
            try:
                match effect:
                    case ClearActivation():
                        await self._clear(effect)
                    case ReadKey():
                        await self._read(effect)
                    case IdentifyKey():
                        await self._identify(effect)
                    case PrepareKey():
                        await self._prepare(effect)
                    case ActivateKey():
                        await self._activate(effect)
            except KeyLost as error:
                # The socket's watcher says so to the machine; what was queued for this insertion is skipped.
                _log.info("key.lost during=%s %s", type(effect).__name__, error)
            except ReaderLost as error:
                _log.info("reader.lost during=%s %s", type(effect).__name__, error)

    # --- work on the key ---

    async def _clear(self, effect: ClearActivation) -> None:
        act: bytes | None = b""
        try:
            act = await self._read_act()
            if act is None or act:
                await self._socket.clear(KeyFile.ACT)
                if await self._socket.read(KeyFile.ACT):
                    raise KeyRefused("act_not_cleared")
        except KeyRefused as error:
            _log.error("key.clear_failed %s", error)
            await self._clear_failed(effect, act or b"")
            return
        self._switched_off = self._switched_off or act is None or bool(act)
        if self._switched_off and self._state.seen is not None:
            self._note_switched_off(self._state.seen)
        self._feed(ActivationCleared(effect.insertion))

    async def _read_act(self) -> bytes | None:
        """The activation; None where there is something that no activation can be."""
        try:
            return await self._socket.read(KeyFile.ACT)
        except KeyRefused as error:
            if error.code == "too_large":
                return None
            raise

    async def _clear_failed(self, effect: ClearActivation, act: bytes) -> None:
        try:
            permit = await self._socket.read(KeyFile.PERMIT)
        except KeyRefused:
            permit = b""
        until = self._identity.activation_expires(act, permit)
        await self._record(self._event("key_clear_failed", self._state.seen))
        self._feed(ClearFailed(effect.insertion, until))

    async def _read(self, effect: ReadKey) -> None:
        id_record = b""
        try:
            id_record = await self._socket.read(KeyFile.ID)
            record = verified(KeyRecord, id_record, self._identity.central_keys)
        except KeyRefused as error:
            _log.warning("key.id_unreadable %s", error)
            record = None
        if record is None:
            self._note_switched_off(None)
            self._start(self._record(self._event("key_read_failed", None, reason="bad_key_record")))
            self._feed(ReadFailed(effect.insertion))
            return
        looking_up = asyncio.ensure_future(self._look_up(record.key))
        try:
            clock = await self._socket.clock()
            unset = clock.state is KeyClockState.UNSET
        except KeyRefused as error:
            _log.warning("key.clock_fault %s", error)
            unset = True
        except BaseException:
            looking_up.cancel()
            raise
        seen = KeySeen(id_record, record, clock_was_unset=unset)
        try:
            known, attempts = await looking_up
        except StoreFault as error:
            self._standing.store_failed(error)
            known, attempts = KeyKnown(), Attempts()
            await self._refresh_standing()
        self._note_switched_off(seen)
        self._feed(KeyRead(effect.insertion, seen, known, attempts))

    async def _identify(self, effect: IdentifyKey) -> None:
        try:
            id_record = await self._socket.read(KeyFile.ID)
        except KeyRefused:
            id_record = b""
        self._feed(KeyIdentified(effect.insertion, id_record))

    async def _prepare(self, effect: PrepareKey) -> None:
        on_key = self._on_key
        try:
            await self._write_prepared(effect, on_key)
        except KeyRefused as error:
            # What the key would not take, an activation will ask of it again, and then say so.
            _log.warning("key.write_refused %s", error)
            self._own_permit_known.set()
        except KeyLost:
            self._start(self._record(self._synced(effect.seen)))
            raise
        self._start(self._record(self._synced(effect.seen)))
        if on_key.adopted is not None:
            await self._adopt(on_key.adopted)
        await self._log_reader.read(effect.seen.record.key, self._files, give_way=lambda: not self._key_work.empty())
        self._outbox.poke()

    async def _write_prepared(self, effect: PrepareKey, on_key: OnKey) -> None:
        key = effect.seen.record.key
        # First what an impatient person's PIN will wait for.
        await self._files.read_own_permit(on_key, effect.known)
        self._own_permit_known.set()
        permit = effect.known.permit
        if permit is not None and effect.sync is SyncDuty.WRITE and not self._newer_on_key(on_key, effect.known):
            await self._files.write_permit(on_key, permit)
        if await self._files.lost_power(effect.seen):
            self._start(self._record(self._event("key_power_lost", effect.seen)))
        await self._files.set_clock(on_key)
        await self._files.write_sync(effect.sync, key, self._mirroring.state.confirmed_at)
        await self._files.carry_blocklist(on_key, self._standing.blocklist)

    @staticmethod
    def _newer_on_key(on_key: OnKey, known: KeyKnown) -> bool:
        own, mirrored = on_key.own_permit, known.permit
        if own is None or mirrored is None:
            return False
        return own.permit.holder == mirrored.permit.holder and own.permit.revision > mirrored.permit.revision

    async def _adopt(self, record: bytes) -> None:
        await self._standing.adopt_blocklist(record)
        _log.info("blocklist.adopted")
        await self.mirror_changed()

    async def _activate(self, effect: ActivateKey) -> None:
        grant, seen = effect.grant, effect.seen
        try:
            if await self._socket.read(KeyFile.ID) != seen.id_record:
                raise KeyRefused("another_key")
            if not self._on_key.permit_read:
                await self._files.read_own_permit(self._on_key, effect.known)
            await self._files.set_clock(self._on_key)
            await self._files.write_cert()
            await self._files.write_permit(self._on_key, grant.permit)
            await self._files.carry_blocklist(self._on_key, self._standing.blocklist)
            activation = self._identity.activation(grant, await self._store.next_sequence())
            await self._socket.write(KeyFile.ACT, activation)
            if await self._socket.read(KeyFile.ACT) != activation:
                raise KeyRefused("act_differs")
            await self._store.commit(await self._activated(effect))
        except KeyLost:
            self._start(self._record(self._event("key_write_interrupted", seen)))
            raise
        except KeyRefused as error:
            _log.error("key.not_activated %s", error)
            await self._undo(effect, Refusal.KEY_FAULT)
        except StoreFault as error:
            # An activation that could not be recorded must not be left on a key.
            self._standing.store_failed(error)
            await self._undo(effect, Refusal.STATION)
        else:
            self._failed_at.pop(seen.record.key, None)
            _log.info("key.activated key=%d expires=%d", grant.key, grant.expires)
            self._feed(KeyActivated(effect.insertion))
            self._outbox.poke()

    async def _activated(self, effect: ActivateKey) -> Change:
        """In one transaction: the activation's event, a pool key's receipt, and the PIN's own count taken back."""
        grant, seen = effect.grant, effect.seen
        permit = grant.permit.permit
        holder = grant.holder.holder
        events = [
            self._event(
                "key_activated",
                seen,
                holder=holder,
                expires=grant.expires,
                areas=len(permit.areas),
                locks=len(permit.locks),
            )
        ]
        if seen.record.kind is not KeyKind.PERSONAL:
            events.append(self._event("pool_key_taken", seen, holder=holder))
        count = await self._store.attempts(seen.record.key)
        return Change(events, attempts=pin_attempts.taken_back(count, seen.record.kind) if count.failures else None)

    async def _undo(self, effect: ActivateKey, refusal: Refusal) -> None:
        try:
            await self._socket.clear(KeyFile.ACT)
            off = not await self._socket.read(KeyFile.ACT)
        except KeyRefused:
            off = False
        if off:
            self._feed(ActivationFailed(effect.insertion, refusal))
        else:
            await self._record(self._event("key_clear_failed", effect.seen))
            self._feed(ActivationFailed(effect.insertion, Refusal.KEY_FAULT))

    # --- PINs ---

    async def _check_pin(self, effect: CheckPin) -> None:
        key = effect.seen.record.key
        try:
            count = await self._counted(key, effect.known.key)
            await self._store.commit(Change(attempts=count))
            self._failed_at[key] = self._time.now().mono_s
            tag, *_ = await asyncio.gather(
                self._pins.tag(effect.entry),
                self._mirroring.settled(self._state.policy.refresh_deadline_s),
                self._own_permit_known.wait(),
            )
            bundle = await self._store.bundle(key, tag)
        except (StoreFault, PinFault) as error:
            _log.error("pin.not_checked %s", error)
            if isinstance(error, StoreFault):
                self._standing.store_failed(error)
            await self._refresh_standing()
            self._feed(PinCheckFailed(effect.visit))
            return
        keys = self._identity.central_keys
        known = key_known(bundle, key, keys, self._standing.blocklist_claims)
        who: Person | None = person(bundle, keys)
        attempts = pin_attempts.standing(count, known.key, self._failed_at[key])
        await self._refresh_standing()
        self._feed(PinChecked(effect.visit, known, who, tag, self._on_key.own_permit, attempts))

    async def _counted(self, key: int, entry: KeyEntry | None) -> AttemptCount:
        now_s = self._time.now().unix_s
        kept = pin_attempts.current(await self._store.attempts(key), entry, now_s)
        return pin_attempts.counted(kept, entry, now_s)

    async def _reject_pin(self, effect: RejectPin) -> None:
        events = [self._event("pin_rejected", effect.seen)]
        if effect.refusal is not Refusal.WRONG_PIN:
            events.append(self._event("key_refused", effect.seen, reason=effect.refusal.value))
        if effect.locked:
            events.append(self._event("key_locked_out", effect.seen))
        await self._record(*events)

    async def _accept_pin(self, effect: AcceptPin) -> None:
        key = effect.seen.record.key
        try:
            count = await self._store.attempts(key)
            taken_back = pin_attempts.taken_back(count, effect.seen.record.kind) if count.failures else None
            event = self._event("key_refused", effect.seen, reason=effect.refusal.value)
            await self._store.commit(Change([event], attempts=taken_back))
        except StoreFault as error:
            self._standing.store_failed(error)
            return
        self._failed_at.pop(key, None)
        self._outbox.poke()

    # --- looking up and recording ---

    async def _look_up(self, key: int) -> tuple[KeyKnown, Attempts]:
        bundle = await self._store.bundle(key)
        known = key_known(bundle, key, self._identity.central_keys, self._standing.blocklist_claims)
        count = pin_attempts.current(await self._store.attempts(key), known.key, self._time.now().unix_s)
        since_s = self._failed_at.get(key, self._started_s)
        return known, pin_attempts.standing(count, known.key, since_s)

    def _note_switched_off(self, seen: KeySeen | None) -> None:
        if self._switched_off:
            self._switched_off = False
            self._start(self._record(self._event("key_deactivated", seen)))

    def _synced(self, seen: KeySeen) -> NewEvent:
        now = self._time.now()
        return self._event(
            "key_synced",
            seen,
            source="online" if self._mirroring.online else "mirror",
            mirror_age_s=self._mirroring.age_s(),
            duration_ms=int((now.mono_s - self._state.since_s) * 1000),
            wire_bytes=self._socket.wire_bytes - self._wire_before,
        )

    def _event(self, type_: str, seen: KeySeen | None, *, holder: int | None = None, **data: Json) -> NewEvent:
        now = self._time.now()
        record = seen.record if seen is not None else None
        return NewEvent(
            type_,
            at=now.unix_s,
            clock=int(now.trust) if now.trust is not None else "unknown",
            key=record.key if record is not None else None,
            holder=holder if holder is not None else (record.holder if record is not None else None),
            data={name: value for name, value in data.items() if value is not None},
        )

    async def _record(self, *events: NewEvent) -> None:
        try:
            await self._store.commit(Change(events))
        except StoreFault as error:
            _log.error("event.not_kept types=%s", ",".join(e.type for e in events))
            self._standing.store_failed(error)
            return
        self._outbox.poke()
