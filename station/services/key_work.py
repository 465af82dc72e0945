"""What is done with the key in the socket: switch off, read, prepare, activate. One after the other, in one task.

Each method performs one effect of the visit machine and feeds back what came of it. `KeyLost` ends it wherever it is.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import TypeAlias

from station.core import attempts as pin_attempts
from station.core.attempts import AttemptCount
from station.core.events import (
    ActivateKey,
    ActivationCleared,
    ActivationFailed,
    ClearActivation,
    ClearFailed,
    Event,
    IdentifyKey,
    KeyActivated,
    KeyIdentified,
    KeyRead,
    KeySeen,
    PrepareKey,
    ReadFailed,
    ReadKey,
    SyncDuty,
)
from station.core.facts import Attempts, KeyClockState, KeyKnown, Refusal
from station.ports import KeyFile, KeyLost, KeyRefused, KeySocket, NewEvent, Store, StoreFault
from station.records.claims import KeyKind, KeyRecord
from station.records.envelope import verified
from station.services.identity import Identity
from station.services.key_files import KeyFiles, OnKey
from station.services.key_log_reader import KeyLogReader
from station.services.mirroring import Mirroring
from station.services.pin_work import PinWork
from station.services.recorder import Recorder
from station.services.standing import Standing
from station.services.timekeeping import Timekeeper

KeyEffect: TypeAlias = ClearActivation | ReadKey | IdentifyKey | PrepareKey | ActivateKey
Start: TypeAlias = Callable[[Coroutine[None, None, None]], None]

_log = logging.getLogger("station.key")


class KeyWork:
    """Performs effects on the key of one insertion after another. Methods raise KeyLost and ReaderLost."""

    def __init__(
        self,
        *,
        socket: KeySocket,
        store: Store,
        time: Timekeeper,
        identity: Identity,
        mirroring: Mirroring,
        standing: Standing,
        recorder: Recorder,
        pins: PinWork,
        feed: Callable[[Event], None],
        start: Start,
        give_way: Callable[[], bool],
    ) -> None:
        """``start`` runs something beside the work; ``give_way`` says that the log must wait for something else."""
        self._socket, self._store, self._identity, self._time = socket, store, identity, time
        self._mirroring, self._standing, self._recorder, self._pins = mirroring, standing, recorder, pins
        self._feed, self._start, self._give_way = feed, start, give_way
        self._files = KeyFiles(socket, identity, time)
        self._log_reader = KeyLogReader(socket, store, time)
        self._seen: KeySeen | None = None
        self._was_on = False
        """A key has been switched off and the event of it waits for the key's name."""
        self._began_s = 0.0
        self._began_bytes = 0
        self.on_key = OnKey()

    def begin(self) -> None:
        """A key has answered: nothing is known of it."""
        self.on_key = OnKey()
        self._seen = None
        self._began_s = self._time.now().mono_s
        self._began_bytes = self._socket.wire_bytes

    def end(self) -> None:
        """The key is out. What it did not get to say is recorded without it."""
        self.on_key.permit_known.set()
        self._note_switched_off(None)

    async def perform(self, effect: KeyEffect) -> None:
        """Do what the machine asks for."""
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

    # --- off ---

    async def _clear(self, effect: ClearActivation) -> None:
        act = await self._act()
        off = act == b"" or await self._cleared()
        if not off:
            await self._clear_failed(effect.insertion, act or b"")
            return
        self._was_on = self._was_on or act != b""
        if self._seen is not None:
            self._note_switched_off(self._seen)
        self._feed(ActivationCleared(effect.insertion))

    async def _act(self) -> bytes | None:
        """The activation; None where something is there that cannot be read: that is cleared like any other."""
        try:
            return await self._socket.read(KeyFile.ACT)
        except KeyRefused as error:
            _log.warning("key.act_unreadable %s", error)
            return None

    async def _cleared(self) -> bool:
        """Clear ``act``, read it back."""
        try:
            await self._socket.clear(KeyFile.ACT)
            return await self._socket.read(KeyFile.ACT) == b""
        except KeyRefused as error:
            _log.error("key.not_cleared %s", error)
            return False

    async def _clear_failed(self, insertion: int, act: bytes) -> None:
        try:
            permit = await self._socket.read(KeyFile.PERMIT)
        except KeyRefused:
            permit = b""
        self._start(self._recorder.record(self._recorder.event("key_clear_failed", self._seen)))
        self._feed(ClearFailed(insertion, self._identity.activation_expires(act, permit)))

    def _note_switched_off(self, seen: KeySeen | None) -> None:
        if self._was_on:
            self._was_on = False
            self._start(self._recorder.record(self._recorder.event("key_deactivated", seen)))

    # --- reading ---

    async def _read(self, effect: ReadKey) -> None:
        id_record = await self._id()
        record = verified(KeyRecord, id_record, self._identity.central_keys)
        if record is None:
            self._note_switched_off(None)
            event = self._recorder.event("key_read_failed", None, reason="bad_key_record")
            self._start(self._recorder.record(event))
            self._feed(ReadFailed(effect.insertion))
            return
        # The mirror is asked while the key says what time it is.
        looking_up = asyncio.ensure_future(self._look_up(record.key))
        try:
            unset = await self._clock_unset()
            known, attempts = await looking_up
        finally:
            looking_up.cancel()
        self._seen = KeySeen(id_record, record, clock_was_unset=unset)
        self._note_switched_off(self._seen)
        self._feed(KeyRead(effect.insertion, self._seen, known, attempts))

    async def _id(self) -> bytes:
        try:
            return await self._socket.read(KeyFile.ID)
        except KeyRefused as error:
            _log.warning("key.id_unreadable %s", error)
            return b""

    async def _clock_unset(self) -> bool:
        try:
            return (await self._socket.clock()).state is KeyClockState.UNSET
        except KeyRefused as error:
            _log.warning("key.clock_fault %s", error)
            return True

    async def _look_up(self, key: int) -> tuple[KeyKnown, Attempts]:
        try:
            return await self._pins.look_up(key)
        except StoreFault as error:
            # Nothing is known of any key without the mirror: refused as unknown, and the station says why.
            self._standing.store_failed(error)
            return KeyKnown(), Attempts()

    async def _identify(self, effect: IdentifyKey) -> None:
        id_record = await self._id()
        record = verified(KeyRecord, id_record, self._identity.central_keys)
        self._seen = KeySeen(id_record, record) if record is not None else None
        self._feed(KeyIdentified(effect.insertion, id_record))

    # --- while the person types ---

    async def _prepare(self, effect: PrepareKey) -> None:
        on_key = self.on_key
        try:
            await self._write_prepared(effect, on_key)
        except KeyRefused as error:
            # What the key would not take, an activation will ask of it again, and then say so.
            _log.warning("key.write_refused %s", error)
        except KeyLost:
            self._start(self._recorder.record(self._synced(effect.seen)))
            raise
        on_key.permit_known.set()
        self._start(self._recorder.record(self._synced(effect.seen)))
        if on_key.adopted is not None:
            _log.info("blocklist.adopted")
            await self._standing.adopt_blocklist(on_key.adopted)
        await self._log_reader.read(effect.seen.record.key, self._files, give_way=self._give_way)

    async def _write_prepared(self, effect: PrepareKey, on_key: OnKey) -> None:
        """First what an impatient person's PIN will wait for."""
        key = effect.seen.record.key
        await self._files.read_own_permit(on_key, effect.known)
        permit = effect.known.permit
        if permit is not None and effect.sync is SyncDuty.WRITE and not on_key.is_newer(permit):
            await self._files.write_permit(on_key, permit)
        if await self._files.lost_power(effect.seen):
            self._start(self._recorder.record(self._recorder.event("key_power_lost", effect.seen)))
        await self._files.set_clock()
        await self._files.write_sync(effect.sync, key, self._mirroring.state.confirmed_at)
        await self._files.carry_blocklist(on_key, self._standing.blocklist)

    def _synced(self, seen: KeySeen) -> NewEvent:
        return self._recorder.event(
            "key_synced",
            seen,
            source="online" if self._mirroring.online else "mirror",
            mirror_age_s=self._mirroring.age_s(),
            duration_ms=int((self._time.now().mono_s - self._began_s) * 1000),
            wire_bytes=self._socket.wire_bytes - self._began_bytes,
        )

    # --- on ---

    async def _activate(self, effect: ActivateKey) -> None:
        try:
            await self._write_activation(effect)
            await self._record_activation(effect)
        except KeyLost:
            self._start(self._recorder.record(self._recorder.event("key_write_interrupted", effect.seen)))
            raise
        except KeyRefused as error:
            _log.error("key.not_activated %s", error)
            await self._undo(effect, Refusal.KEY_FAULT)
        except StoreFault as error:
            # An activation that could not be recorded must not be left on a key.
            self._standing.store_failed(error)
            await self._undo(effect, Refusal.STATION)
        else:
            self._pins.forget_wait(effect.seen.record.key)
            _log.info("key.activated key=%d expires=%d", effect.grant.key, effect.grant.expires)
            self._feed(KeyActivated(effect.insertion))

    async def _write_activation(self, effect: ActivateKey) -> None:
        if await self._socket.read(KeyFile.ID) != effect.seen.id_record:
            raise KeyRefused("another_key")
        if not self.on_key.permit_read:
            await self._files.read_own_permit(self.on_key, effect.known)
        await self._files.set_clock()
        await self._files.write_cert()
        await self._files.write_permit(self.on_key, effect.grant.permit)
        await self._files.carry_blocklist(self.on_key, self._standing.blocklist)
        activation = self._identity.activation(effect.grant, await self._store.next_sequence())
        await self._socket.write(KeyFile.ACT, activation)
        if await self._socket.read(KeyFile.ACT) != activation:
            raise KeyRefused("act_differs")

    async def _record_activation(self, effect: ActivateKey) -> None:
        """In one transaction: the activation's event, a pool key's receipt, and the PIN's own count taken back."""
        grant, seen = effect.grant, effect.seen
        permit, holder = grant.permit.permit, grant.holder.holder
        counts = {"areas": len(permit.areas), "locks": len(permit.locks)}
        events = [self._recorder.event("key_activated", seen, holder=holder, expires=grant.expires, **counts)]
        if seen.record.kind is not KeyKind.PERSONAL:
            events.append(self._recorder.event("pool_key_taken", seen, holder=holder))
        await self._recorder.commit(*events, attempts=await self._taken_back(seen))

    async def _taken_back(self, seen: KeySeen) -> AttemptCount | None:
        count = await self._store.attempts(seen.record.key)
        return pin_attempts.taken_back(count, seen.record.kind) if count.failures else None

    async def _undo(self, effect: ActivateKey, refusal: Refusal) -> None:
        act = await self._act()
        if await self._cleared():
            self._feed(ActivationFailed(effect.insertion, refusal))
        else:
            await self._clear_failed(effect.insertion, act or b"")
