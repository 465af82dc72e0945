"""What is done with the key in the socket: switch off, read, prepare, activate. One after the other, in one task.

Each method performs one effect of the visit machine and feeds back what came of it. `KeyLost` ends it wherever it is.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

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
    MirrorRefreshed,
    PrepareKey,
    ReadFailed,
    ReadKey,
    SyncDuty,
)
from station.core.facts import Attempts, KeyClock, KeyClockState, KeyKnown, KeyStatus, Refusal
from station.display.key_findings import KeyFindings
from station.ports import KeyFile, KeyLost, KeyRefused, KeySocket, ReaderLost, Store, StoreFault
from station.records.claims import KeyKind, KeyRecord
from station.records.envelope import verified
from station.services.batteries import Batteries
from station.services.identity import Identity
from station.services.key_files import KeyFiles, OnKey
from station.services.key_log_reader import KeyLogReader
from station.services.mirroring import Mirroring
from station.services.once_per_visit import OncePerVisit
from station.services.one_insertion import OneInsertion
from station.services.pin_work import PinWork
from station.services.recorder import Recorder
from station.services.standing import Standing
from station.services.timekeeping import Timekeeper
from station.services.write_meter import WriteMeter

KeyEffect: TypeAlias = ClearActivation | ReadKey | IdentifyKey | PrepareKey | ActivateKey

LOOK_S = 0.03
"""A look at ``id`` takes some 20 ms at 115200 baud: it is begun so long before a PIN is judged."""
FRESH_S = 0.08
"""So long after it was asked, the answer to a look still says which key is in the socket: a hand that takes one out and
puts another one in needs more than a tenth of a second."""

_log = logging.getLogger("station.key")


class Sequences:
    """Numbers for activations, each got from the disk while nobody waits for it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._next: int | None = None

    async def reserve(self) -> None:
        """Have one ready. Raises StoreFault."""
        if self._next is None:
            self._next = await self._store.next_sequence()

    async def take(self) -> int:
        """The one that is ready, or a new one. Never the same again. Raises StoreFault."""
        number, self._next = self._next, None
        return number if number is not None else await self._store.next_sequence()


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """What work on every key needs."""

    socket: KeySocket
    store: Store
    time: Timekeeper
    identity: Identity
    mirroring: Mirroring
    standing: Standing
    recorder: Recorder
    pins: PinWork
    sequences: Sequences
    feed: Callable[[Event], None]
    expect: Callable[[Event], None]
    """Takes what will probably be fed next. It may not happen, and does nothing."""
    give_way: Callable[[], bool]
    """Something else is to be done with the key: its log must wait."""
    pin_entered: Callable[[], bool]
    """A PIN is being judged: the key will be wanted in a moment, and an answer of its log may take longer than that."""
    tell: Callable[[KeyFindings], None]
    """Takes what the holder should hear; it has no part in the work."""
    meter: WriteMeter
    batteries: Batteries
    once: OncePerVisit


@dataclass(frozen=True, slots=True)
class _Look:
    """What a `KeyWork.look` has found."""

    id_record: bytes
    transfers: int
    """How many there had been with it: after another one it counts no more."""
    asked_s: float
    """When the key was asked (the event loop's time)."""


class KeyWork:
    """Performs effects on the key of one insertion. Methods raise KeyLost and ReaderLost.

    A new one for each insertion: nothing that was learned of one key can be taken for the next one's.
    """

    def __init__(self, place: Workplace) -> None:
        self._place = place
        self._identity, self._recorder, self._feed = place.identity, place.recorder, place.feed
        self._key = OneInsertion(place.socket)
        self._files = KeyFiles(self._key, place.identity, place.time)
        self._log_reader = KeyLogReader(self._key, place.store, place.recorder, place.time)
        self._began_s = 0.0
        self._seen: KeySeen | None = None
        self._clock: KeyClock | None = None
        """As it was before this station set it; None: it could not be read."""
        self._clock_read_s = 0.0
        self._was_on = False
        """The key has been switched off, and the event of it waits for the key's name."""
        self._prepared = False
        self._lost_power = False
        self._activating = False
        """Nothing but ``act`` is written from here on."""
        self._looking = asyncio.Lock()
        self._looked: _Look | None = None

    def begin(self) -> None:
        """The key is in: from now on it counts."""
        self._began_s = self._place.time.now().mono_s
        self._key.begin()

    @property
    def on_key(self) -> OnKey:
        """What a PIN is judged by beside the mirror."""
        return self._files.on_key

    def end(self) -> None:
        """The key is out. What it did not get to say is recorded without it."""
        self._key.end()
        self.on_key.permit_known.set()
        self._note_switched_off(nameless=True)

    async def look(self) -> None:
        """Ask which key is in, while its PIN is being judged: whatever becomes of it, nobody waits for the answer.

        If the PIN is found right within `FRESH_S` of the question, and nothing but ``act`` is to be written, the key
        need not be asked once more. Nothing is written here.
        """
        async with self._looking:
            asked_s, transfers = asyncio.get_running_loop().time(), self._key.transfers + 1
            try:
                id_record = await self._key.read(KeyFile.ID)
            except (KeyRefused, KeyLost, ReaderLost):
                return  # whoever needs it asks again, or hears of it from the socket's watcher
            self._looked = _Look(id_record, transfers, asked_s)

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
        if act != b"":
            try:
                off = await self._cleared()
            except (KeyLost, ReaderLost):
                # Cleared, torn or untouched: only its next visit can tell.
                self._recorder.keep(self._recorder.event("key_write_interrupted", self._seen))
                raise
            if not off:
                await self._clear_failed(effect.insertion, act or b"")
                return
            self._was_on = True
            self._note_switched_off(nameless=self._key.over)
        self._feed(ActivationCleared(effect.insertion))

    async def _act(self) -> bytes | None:
        """The activation; None where something is there that cannot be read: that is cleared like any other."""
        try:
            return await self._key.read(KeyFile.ACT)
        except KeyRefused as error:
            _log.warning("key.act_unreadable %s", error)
            return None

    async def _cleared(self) -> bool:
        """Clear ``act``; whatever the key says to that, what counts is what is read back."""
        try:
            await self._key.clear(KeyFile.ACT)
        except KeyRefused as error:
            _log.error("key.not_cleared %s", error)
        try:
            return await self._key.read(KeyFile.ACT) == b""
        except KeyRefused as error:
            _log.error("key.act_unreadable %s", error)
            return False

    async def _clear_failed(self, insertion: int, act: bytes) -> None:
        self._recorder.keep(self._recorder.event("key_clear_failed", self._seen))
        self._feed(ClearFailed(insertion, await self._files.works_until(act)))
        # Whoever swaps it for another one now must be noticed: the socket compares what keys answer to this.
        await self._id()

    def _note_switched_off(self, *, nameless: bool) -> None:
        if self._was_on and (self._seen is not None or nameless):
            self._was_on = False
            self._recorder.keep(self._recorder.event("key_deactivated", self._seen))

    # --- reading ---

    async def _read(self, effect: ReadKey) -> None:
        id_record = await self._id()
        # While the key says what time it is, its record is verified and the mirror asked.
        looking_up = asyncio.ensure_future(self._who(effect.insertion, id_record))
        try:
            self._clock = await self._read_clock()
            who = await looking_up
        finally:
            looking_up.cancel()
        if who is None:
            await self._unreadable(effect.insertion, id_record, "bad_key_record")
            return
        record, known, attempts = who
        self._key.is_key(id_record)
        unset = self._clock is not None and self._clock.state is KeyClockState.UNSET
        self._seen = KeySeen(id_record, record, clock_was_unset=unset)
        self._note_switched_off(nameless=False)
        await self._tell_read(effect.insertion, self._seen, known, attempts)

    async def _who(self, insertion: int, id_record: bytes) -> tuple[KeyRecord, KeyKnown, Attempts] | None:
        """What the key's own record and the mirror say; None for no record of central's."""
        record = verified(KeyRecord, id_record, self._identity.central_keys)
        if record is None:
            return None
        known, attempts = await self._look_up(record.key)
        self._place.expect(KeyRead(insertion, KeySeen(id_record, record, clock_was_unset=False), known, attempts))
        return record, known, attempts

    async def _tell_read(self, insertion: int, seen: KeySeen, known: KeyKnown, attempts: Attempts) -> None:
        self._feed(KeyRead(insertion, seen, known, attempts))
        if not self._place.give_way():
            # Back while its PIN is being judged, nothing more is asked of it; but the next PIN must know its permit.
            await self._tried(self._files.read_own_permit(known))
            self.on_key.permit_known.set()

    async def _unreadable(self, insertion: int, id_record: bytes, reason: str) -> None:
        """The key does not say which it is. It is off all the same, if it is certain that its files are these.

        A key without any ``id`` may keep its files in another folder, ``act`` among them, and open locks with it. One
        that has the folder takes an empty ``act``.
        """
        self._note_switched_off(nameless=True)
        self._recorder.keep(self._recorder.event("key_read_failed", None, reason=reason))
        if not id_record:
            try:
                await self._key.clear(KeyFile.ACT)
            except KeyRefused as error:
                _log.error("key.not_cleared %s", error)
                await self._clear_failed(insertion, b"")
                return
        self._feed(ReadFailed(insertion))

    async def _id(self) -> bytes:
        try:
            return await self._key.read(KeyFile.ID)
        except KeyRefused as error:
            _log.warning("key.id_unreadable %s", error)
            return b""

    async def _read_clock(self) -> KeyClock | None:
        try:
            clock = await self._key.clock()
            self._clock_read_s = self._place.time.now().mono_s
            return clock
        except KeyRefused as error:
            # A fault, not an unset clock; an activation will not get past it.
            _log.warning("key.clock_fault %s", error)
            return None

    async def _look_up(self, key: int) -> tuple[KeyKnown, Attempts]:
        try:
            return await self._place.pins.look_up(key)
        except StoreFault as error:
            # Nothing is known of any key without the mirror: refused as unknown, and the station says why.
            self._place.standing.store_failed(error)
            return KeyKnown(), Attempts()

    async def _identify(self, effect: IdentifyKey) -> None:
        id_record = await self._id()
        record = verified(KeyRecord, id_record, self._identity.central_keys)
        if record is not None:
            self._key.is_key(id_record)
        self._seen = KeySeen(id_record, record) if record is not None else None
        self._feed(KeyIdentified(effect.insertion, self._seen))

    # --- while the person types ---

    async def _prepare(self, effect: PrepareKey) -> None:
        try:
            await self._bring_up_to_date(effect)
        finally:
            self._note_synced(effect.seen)
        try:
            await self._place.sequences.reserve()
        except StoreFault as error:
            self._place.standing.store_failed(error)
        key, place = effect.seen.record.key, self._place
        percent = await self._log_reader.read(
            key, self._files, give_way=lambda: place.give_way() or place.pin_entered()
        )
        self._place.batteries.saw(key, percent)
        self._tell_news(key)

    async def _bring_up_to_date(self, effect: PrepareKey) -> None:
        """First what must not be, then what an impatient person's PIN waits for, then the rest, each by itself."""
        key, files, permit = effect.seen.record.key, self._files, effect.known.permit
        if effect.sync is SyncDuty.CLEAR:
            await self._tried(files.clear_sync())
        await self._tried(files.read_own_permit(effect.known))
        await self._tried(self._carry_blocklist(effect.insertion, key))
        self.on_key.permit_known.set()
        if permit is not None and effect.sync is SyncDuty.WRITE and not self.on_key.is_newer(permit):
            await self._tried(files.write_permit(permit))
        lost_power = not self._prepared and await files.lost_power(effect.seen, self._clock)
        self._lost_power = self._lost_power or lost_power
        if lost_power and self._place.once.is_first("key_power_lost"):
            # Before the clock is set: should the answer to that be lost, nothing on the key would tell it any more.
            self._recorder.keep(self._recorder.event("key_power_lost", effect.seen))
        clock = self._clock if not self._prepared else None
        await self._tried(files.set_clock(clock, self._clock_read_s))
        if effect.sync is SyncDuty.WRITE:
            await self._tried(files.write_sync(key, self._place.mirroring.state.confirmed_at))
        await self._tried(self._renew_id_record(effect.known))
        self._tell_news(key)

    def _tell_news(self, key: int) -> None:
        own = self.on_key.own_permit
        permit = own.permit if own is not None else None
        self._place.tell(KeyFindings(self._place.batteries.percent(key), self._lost_power, permit))

    async def _renew_id_record(self, known: KeyKnown) -> None:
        """Central has signed the key's record anew, perhaps with its next key: give it to the key. Raises KeyRefused.

        A torn ``id`` would be a key that no station knows. So it is written in one request or not at all (`KeySocket.
        rewrite`): a key that is pulled out meanwhile comes back as it was, or as it should be. And it only ever becomes
        a newer record of the same key, kind, unit and holder; handing a key out to somebody else takes a code.
        """
        seen, entry = self._seen, known.key
        if seen is None or entry is None or entry.status is not KeyStatus.ACTIVE or known.on_blocklist:
            return
        newer = KeySeen(entry.id_record, entry.record, seen.clock_was_unset)
        if self._activating or not newer.is_same_key(seen) or newer.record.issued <= seen.record.issued:
            return
        await self._key.rewrite(KeyFile.ID, newer.id_record)
        self._key.is_key(newer.id_record)
        self._seen = newer
        self._recorder.keep(self._recorder.event("key_record_written", newer, issued=newer.record.issued))

    async def _tried(self, work: Awaitable[None]) -> None:
        """What the key would not take, an activation will ask of it again, and then say so."""
        try:
            await work
        except KeyRefused as error:
            _log.warning("key.write_refused %s", error)

    async def _carry_blocklist(self, insertion: int, key: int) -> None:
        standing = self._place.standing
        newer = await self._files.carry_blocklist(standing.blocklist)
        if newer is not None:
            _log.info("blocklist.adopted")
            await standing.adopt_blocklist(newer)
            # It may well be about this key.
            known, attempts = await self._look_up(key)
            self._feed(MirrorRefreshed(insertion, known, attempts))

    def _note_synced(self, seen: KeySeen) -> None:
        if self._prepared:
            return
        self._prepared = True
        if not self._place.once.is_first("key_synced"):
            return
        mirroring = self._place.mirroring
        event = self._recorder.event(
            "key_synced",
            seen,
            source="online" if mirroring.online else "mirror",
            mirror_age_s=mirroring.age_s(),
            record_issued=self._seen.record.issued if self._seen is not None else None,
            duration_ms=int((self._place.time.now().mono_s - self._began_s) * 1000),
            wire_bytes=self._key.wire_bytes,
        )
        self._recorder.keep(event)

    # --- on ---

    async def _activate(self, effect: ActivateKey) -> None:
        self._activating = True
        try:
            try:
                await self._write_activation(effect)
                await self._record_activation(effect)
            except KeyRefused as error:
                _log.error("key.not_activated %s", error)
                await self._undo(effect, Refusal.KEY_FAULT)
                return
            except StoreFault as error:
                # An activation that could not be recorded must not be left on a key.
                self._place.standing.store_failed(error)
                await self._undo(effect, Refusal.STATION)
                return
        except (KeyLost, ReaderLost):
            # It may be on: whoever asks later finds for whom and until when.
            grant = effect.grant
            lost = {"holder": grant.holder.holder, "expires": grant.expires}
            self._recorder.keep(self._recorder.event("key_write_interrupted", effect.seen, **lost))
            raise
        _log.info("key.activated key=%d expires=%d", effect.grant.key, effect.grant.expires)
        self._feed(KeyActivated(effect.insertion))

    async def _write_activation(self, effect: ActivateKey) -> None:
        """What `_bring_up_to_date` did not get to, then the activation: last, and read back."""
        meter, block, permit = self._place.meter, self._place.standing.blocklist, effect.grant.permit
        activation = self._identity.activation(effect.grant, await self._place.sequences.take())
        records = block[0] if block is not None else b"", self._identity.certificate, permit.record, activation
        meter.begin(*(len(record) for record in records))
        try:
            await self._write_records(effect, activation)
        finally:
            meter.end()

    async def _write_records(self, effect: ActivateKey, activation: bytes) -> None:
        files, key, meter = self._files, effect.grant.key, self._place.meter
        if not self.on_key.permit_read:
            await files.read_own_permit(effect.known)
        await self._carry_blocklist(effect.insertion, key)
        meter.next()
        blocked = self._place.standing.blocklist_claims
        if blocked is not None and key in blocked.blocked_keys:
            raise KeyRefused("blocked")
        signed_s = max(effect.seen.record.issued, effect.grant.permit.permit.issued, blocked.issued if blocked else 0)
        if signed_s > self._place.time.now().unix_s:
            # Brought by the key from a station that has met a central whose clock was ahead. Locks would not open for
            # it (``clock_behind``), whatever the screen says.
            raise KeyRefused("signed_in_future")
        await files.set_clock()
        await files.write_sync(key, self._place.mirroring.state.confirmed_at)
        meter.next()
        await files.write_permit(effect.grant.permit)
        meter.next()
        await self._write_last(effect, activation)

    async def _write_last(self, effect: ActivateKey, activation: bytes) -> None:
        # Not the one that was granted: this station may have given the key a newer record since.
        seen = self._seen
        if seen is None or not seen.is_same_key(effect.seen):
            raise KeyRefused("another_key")
        id_record = await self._id_now()
        if id_record != seen.id_record:
            self._leave_to_its_own_visit(seen.record.key, id_record)
            raise KeyRefused("another_key")
        if not effect.grant.not_before <= self._place.time.now().unix_s < effect.grant.expires:
            # Since it was granted, the station has learned that it is earlier or much later: it would not be valid yet,
            # and then for longer than it should, or not any more.
            raise KeyRefused("clock_changed")
        await self._key.write(KeyFile.ACT, activation)
        # While it is being read back: the picture that is prepared is shown if it is true, and recorded.
        asyncio.get_running_loop().call_soon(self._place.expect, KeyActivated(effect.insertion))
        if await self._key.read(KeyFile.ACT) != activation:
            raise KeyRefused("act_differs")

    async def _id_now(self) -> bytes:
        """The ``id`` of the key that is in the socket at this moment. Raises KeyRefused."""
        async with self._looking:
            looked, self._looked = self._looked, None
        now_s = asyncio.get_running_loop().time()
        if looked is not None and looked.transfers == self._key.transfers and now_s - looked.asked_s < FRESH_S:
            return looked.id_record
        return await self._key.read(KeyFile.ID)

    def _leave_to_its_own_visit(self, key: int, id_record: bytes) -> None:
        """Raise KeyLost where this is another key than ``key`` by now.

        What is on that one is not ours to undo: it would be switched off without an event. Whoever watches for the
        removal is about to notice. A key that does not say which it is gets no such benefit of the doubt.
        """
        record = verified(KeyRecord, id_record, self._identity.central_keys)
        if record is not None and record.key != key:
            self._key.end()
            raise KeyLost("another_key")

    async def _record_activation(self, effect: ActivateKey) -> None:
        """In one transaction: the activation's event, a pool key's receipt, and the PIN's own count taken back."""
        grant, seen = effect.grant, effect.seen
        permit, holder = grant.permit.permit, grant.holder.holder
        counts = {"areas": len(permit.areas), "locks": len(permit.locks)}
        events = [self._recorder.event("key_activated", seen, holder=holder, expires=grant.expires, **counts)]
        if seen.record.kind is not KeyKind.PERSONAL:
            events.append(self._recorder.event("pool_key_taken", seen, holder=holder))
        await self._place.pins.take_back(seen, *events)

    async def _undo(self, effect: ActivateKey, refusal: Refusal) -> None:
        act = await self._act()
        if act == b"" or await self._cleared():
            self._feed(ActivationFailed(effect.insertion, refusal))
        else:
            await self._clear_failed(effect.insertion, act or b"")
