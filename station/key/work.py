"""What is done with the key in the reader: switch off, read, prepare, activate. One after the other, in one task.

Each method performs one effect of the visit machine and puts what came of it into the machine's queue. `KeyLost` ends
it wherever it is.
"""

import asyncio
import hashlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from station.display.key_findings import KeyFindings
from station.key.activation import ActivationWork, refusal_for
from station.key.batteries import Batteries
from station.key.clearing import activation_on, cleared, has_the_folder, id_if_readable, id_on
from station.key.files import KeyFiles, OnKey
from station.key.hand_out import hand_out
from station.key.log_reader import KeyLogReader, LogSeen
from station.key.pins import PinWork
from station.key.write_progress import WriteProgress
from station.ports import KeyFile, KeyLost, KeyRefused, KeySession, Store, StoreFault
from station.records.base64url import encoded
from station.records.claims import KeyRecord
from station.records.envelope import verified
from station.rules import access
from station.rules.facts import Attempts, KeyClock, KeyClockState, KeyEntry, KeyKnown, Refusal
from station.rules.hand_out import HandOutTold
from station.secret import Secret
from station.sync.client import CentralClient, CentralRefused, CentralUnreachable
from station.sync.identity import Identity
from station.sync.mirror import MirrorSync
from station.sync.readiness import Readiness
from station.sync.recorder import Recorder
from station.sync.timekeeping import Timekeeper
from station.visit.effects import ActivateKey, ClearActivation, HandOut, IdentifyKey, PrepareKey, ReadKey, SyncDuty
from station.visit.inputs import (
    ActivationCleared,
    ActivationFailed,
    ClearFailed,
    HandedOut,
    HandOutFailed,
    KeyActivated,
    KeyBlank,
    KeyIdentified,
    KeyRead,
    KeySeen,
    MirrorRefreshed,
    ReadFailed,
    VisitInput,
)

KeyEffect: TypeAlias = ClearActivation | ReadKey | IdentifyKey | PrepareKey | ActivateKey | HandOut

CENTRAL_ANSWERS_WITHIN_S = 20.0
"""Whoever hands a key out stands there; central may be in the middle of sending a whole mirror."""
SPENT_CODES_LIMIT = 100
"""More than anybody hands out in 15 minutes."""
KNOWN_WITHIN_S = 2.0
"""So long a key that has been handed out waits for the mirror to know of it: then its next visit is as any other's."""
HAND_OUT_TOLD = {
    "bad_code": HandOutTold.BAD_CODE,
    "code_spent": HandOutTold.CODE_SPENT,
    "number_taken": HandOutTold.NUMBER_TAKEN,
    "bad_proof": HandOutTold.BAD_PROOF,
}
"""What central says to a code, by its own word; any other refuses the station."""

EFFECTS_LIMIT = 32
"""A visit has five pieces of work for the key at most; more is a fault."""

_log = logging.getLogger("station.key")


class OncePerVisit:
    """What has been recorded in a visit already: each session has work of its own, a visit with a bounce has two."""

    def __init__(self) -> None:
        self._recorded: set[tuple[int, str]] = set()

    def is_first(self, visit: int, event_type: str) -> bool:
        """Whether this is the first event of its type in ``visit``; from now on it has been."""
        first = (visit, event_type) not in self._recorded
        # What the worker of a key before had left may still come, of one visit ago or two.
        self._recorded = {each for each in self._recorded if each[0] > visit - 10} | {(visit, event_type)}
        return first


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyWorkParts:
    """What work on every key needs."""

    store: Store
    time: Timekeeper
    identity: Identity
    central: CentralClient
    mirror: MirrorSync
    readiness: Readiness
    recorder: Recorder
    pins: PinWork
    put: Callable[[VisitInput], None]
    """Puts what came of an effect into the machine's queue."""
    key_is_wanted: Callable[[], bool]
    """Something else is to be done with the key, or soon will be (a PIN is being checked): its log must wait."""
    report: Callable[[KeyFindings], None]
    """Takes what the holder should hear; it has no part in the work."""
    progress: WriteProgress
    batteries: Batteries
    once: OncePerVisit
    log_seen: LogSeen
    spent_codes: deque[bytes] = field(default_factory=lambda: deque(maxlen=SPENT_CODES_LIMIT))
    """Hashes of the codes that this station has handed keys out for. Central answers the same again to each for its 15
    minutes, for a key that was pulled out too early; a second blank key would get the first one's number."""


class KeyWork:
    """The worker of one session: performs effects on its key, one after the other, until the key is gone.

    A new one for each session: nothing that was learned of one key can be taken for the next one's, and what still
    waits for the disk when a key is pulled keeps the next key waiting for nothing.
    """

    hands_out = True
    """Whether central lets a station of this kind hand out blank keys."""

    def __init__(self, session: KeySession, insertion: int, parts: KeyWorkParts) -> None:
        """``insertion`` is the session's number, as the machine's effects have it."""
        self.insertion = insertion
        self._parts = parts
        self._identity, self._recorder, self._put = parts.identity, parts.recorder, parts.put
        self._key = session
        self._files = KeyFiles(session, parts.identity, parts.time)
        self._log_reader = KeyLogReader(session, parts.store, parts.recorder, parts.time, parts.log_seen)
        self._began_s = parts.time.now().mono_s
        self._seen: KeySeen | None = None
        self._clock: KeyClock | None = None
        """As it was before this station set it; None: it could not be read."""
        self._was_on: dict[str, str] | None = None
        """The key has been switched off, and the event of it, with this data, waits for the key's name."""
        self._prepared = False
        self._lost_power = False
        self._activating = False
        """Nothing but ``act`` is written from here on."""
        self._visit = 0
        self._performing = False
        self._stopped = False
        self._effects: asyncio.Queue[KeyEffect | None] = asyncio.Queue(EFFECTS_LIMIT)

    def give(self, effect: KeyEffect, *, visit: int) -> bool:
        """Have ``effect`` of a visit performed after those before it; False: nothing is taken up any more."""
        self._visit = visit
        if not self._stopped:
            self._effects.put_nowait(effect)
        return not self._stopped

    @property
    def wanted(self) -> bool:
        """Whether another effect waits for the one that is being performed."""
        return not self._effects.empty()

    @property
    def busy(self) -> bool:
        """Whether something is being performed, or waits to be."""
        return self._performing or self.wanted

    async def done(self) -> None:
        """Return when all that was given has been performed."""
        await self._effects.join()

    async def run(self) -> None:
        """Perform what is given, until `end` or `stop`."""
        while (effect := await self._effects.get()) is not None:
            self._performing = True
            try:
                await self._perform(effect)
            except KeyLost as error:
                # Whoever watches the session says so to the machine.
                _log.info("key.lost during=%s %s", type(effect).__name__, error)
            finally:
                self._performing = False
                self._effects.task_done()
        self._effects.task_done()

    @property
    def wire_bytes(self) -> int:
        """See `KeySession.wire_bytes`."""
        return self._key.wire_bytes

    @property
    def on_key(self) -> OnKey:
        """What a PIN is judged by beside the mirror."""
        return self._files.on_key

    def end(self) -> None:
        """The key is out. What it did not get to say is recorded without it."""
        self._key.end()
        self.on_key.permit_known.set()
        self._record_switched_off(nameless=True)
        self.stop()

    def stop(self) -> None:
        """Take up nothing that is not waiting yet."""
        if not self._stopped:
            self._stopped = True
            self._effects.put_nowait(None)

    async def _perform(self, effect: KeyEffect) -> None:
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
            case HandOut():
                await self._hand_out(effect)

    # --- off ---

    async def _clear(self, effect: ClearActivation) -> None:
        act = await activation_on(self._key)
        if act != b"":
            try:
                off = await cleared(self._key)
            except KeyLost:
                # Cleared, torn or untouched: only its next visit can tell.
                self._recorder.keep(self._recorder.event("key_write_interrupted", self._seen, act="unknown"))
                raise
            if not off:
                await self._clear_failed(effect.insertion, act or b"")
                return
            self._was_on = {}
            self._was_on = await self._box_activation(act or b"")
            self._record_switched_off(nameless=self._key.over)
        self._put(ActivationCleared(effect.insertion))

    async def _clear_failed(self, insertion: int, act: bytes) -> None:
        self._recorder.keep(self._recorder.event("key_clear_failed", self._seen))
        self._put(ClearFailed(insertion, await self._files.works_until(act)))
        # Whoever swaps it for another one now must be noticed: the session compares what keys answer to this.
        await id_on(self._key)

    async def _box_activation(self, act: bytes) -> dict[str, str]:
        """The records of an activation that a box had signed: central, which never hears of it otherwise, is told."""
        certificate = await self._files.certificate_of_box(act)
        return {} if certificate is None else {"act": encoded(act), "boxcert": encoded(certificate)}

    def _record_switched_off(self, *, nameless: bool) -> None:
        if self._was_on is not None and (self._seen is not None or nameless):
            was_on, self._was_on = self._was_on, None
            self._recorder.keep(self._recorder.event("key_deactivated", self._seen, holder=None, **was_on))

    # --- reading ---

    async def _read(self, effect: ReadKey) -> None:
        id_record = await id_if_readable(self._key)
        record = verified(KeyRecord, id_record or b"", self._identity.central_keys)
        if record is not None and effect.refresh:
            self._parts.mirror.wake(record.key)
        self._clock = await self._read_clock()
        if id_record == b"" and self.hands_out and await has_the_folder(self._key, id_record):
            self._record_switched_off(nameless=True)
            self._put(KeyBlank(effect.insertion))
            return
        id_record = id_record or b""
        if record is None:
            await self._unreadable(effect.insertion, id_record, "bad_key_record")
            return
        self._seen = KeySeen(id_record, record)
        self._record_switched_off(nameless=False)
        known, attempts = await self._look_up(record.key)
        if (entry := access.handed_on(record, known)) is not None:
            # Before anything else: the visit is its new holder's from its beginning.
            await self._tried(self._write_id(entry))
        await self._answer_read(effect.insertion, self._seen, known, attempts)

    async def _answer_read(self, insertion: int, seen: KeySeen, known: KeyKnown, attempts: Attempts) -> None:
        self._put(KeyRead(insertion, seen, known, attempts))

    async def _unreadable(self, insertion: int, id_record: bytes, reason: str) -> None:
        """The key does not say which it is. It is off all the same, if it is certain that its files are these."""
        self._record_switched_off(nameless=True)
        self._recorder.keep(self._recorder.event("key_read_failed", None, reason=reason))
        if not await has_the_folder(self._key, id_record):
            await self._clear_failed(insertion, b"")
            return
        self._put(ReadFailed(insertion))

    async def _read_clock(self) -> KeyClock | None:
        try:
            return await self._key.clock()
        except KeyRefused as error:
            # A fault, not an unset clock; an activation will not get past it.
            _log.warning("key.clock_fault %s", error)
            return None

    async def _look_up(self, key: int) -> tuple[KeyKnown, Attempts]:
        try:
            return await self._parts.pins.look_up(key)
        except StoreFault as error:
            # Nothing is known of any key without the mirror: refused as unknown, and the station says why.
            self._parts.readiness.store_failed(error)
            return KeyKnown(), Attempts()

    async def _identify(self, effect: IdentifyKey) -> None:
        id_record = await id_on(self._key)
        record = verified(KeyRecord, id_record, self._identity.central_keys)
        self._seen = KeySeen(id_record, record) if record is not None else None
        self._put(KeyIdentified(effect.insertion, self._seen))

    # --- while the person types ---

    async def _prepare(self, effect: PrepareKey) -> None:
        try:
            await self._bring_up_to_date(effect)
        finally:
            self._record_synced(effect.seen)
        key = effect.seen.record.key
        percent = await self._log_reader.read(key, self._files, interrupted=self._parts.key_is_wanted)
        self._parts.batteries.note(key, percent)
        self._report_condition(key)

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
        if lost_power and self._parts.once.is_first(self._visit, "key_power_lost"):
            # Before the clock is set: should the answer to that be lost, nothing on the key would tell it any more.
            self._recorder.keep(self._recorder.event("key_power_lost", effect.seen))
        await self._tried(files.set_clock())
        if effect.sync is SyncDuty.WRITE:
            await self._tried(files.write_sync(effect.seen, self._parts.mirror.confirmed_at()))
            await files.box_certificate()
        await self._tried(self._renew_id_record(effect.known))
        self._report_condition(key)

    def _report_condition(self, key: int) -> None:
        if self._key.over:
            return  # another key may be in the reader, and on the screen
        own = self.on_key.own_permit
        permit = own.permit if own is not None else None
        self._parts.report(KeyFindings(self._parts.batteries.percent(key), self._lost_power, permit))

    async def _renew_id_record(self, known: KeyKnown) -> None:
        """Central has signed the key's record anew, perhaps with its next key: give it to the key. Raises KeyRefused.

        Only a record of the same kind, unit and holder: somebody else's is written when the key is read, or its visit
        would be half one's and half the other's.
        """
        entry = access.signed_anew(self._seen.record, known) if self._seen is not None else None
        if self._activating or entry is None or self._seen is None or not access.same_key(self._seen.record, entry):
            return
        await self._write_id(entry)

    async def _write_id(self, entry: KeyEntry) -> None:
        """Raises KeyRefused.

        A torn ``id`` would be a key that no station knows, so it is replaced at one stroke (`KeySession.replace`): a
        key that is pulled out meanwhile comes back as it was, or as it should be.
        """
        newer = KeySeen(entry.id_record, entry.record)
        await self._key.replace(KeyFile.ID, newer.id_record)
        self._seen = newer
        self._recorder.keep(self._recorder.event("key_record_written", newer, issued=newer.record.issued))

    async def _tried(self, work: Awaitable[object]) -> None:
        """What the key would not take, an activation will ask of it again, and then say so."""
        try:
            await work
        except KeyRefused as error:
            _log.warning("key.write_refused %s", error)

    async def _carry_blocklist(self, insertion: int, key: int) -> None:
        readiness = self._parts.readiness
        newer = await self._files.carry_blocklist(readiness.blocklist)
        if newer is not None:
            _log.info("blocklist.adopted")
            await readiness.adopt_blocklist(newer)
            # It may well be about this key.
            known, attempts = await self._look_up(key)
            self._put(MirrorRefreshed(insertion, known, attempts))

    def _record_synced(self, seen: KeySeen) -> None:
        if self._prepared:
            return
        self._prepared = True
        if not self._parts.once.is_first(self._visit, "key_synced"):
            return
        mirror = self._parts.mirror
        event = self._recorder.event(
            "key_synced",
            seen,
            source="online" if mirror.online else "mirror",
            mirror_age_s=mirror.age_s(),
            record_issued=self._seen.record.issued if self._seen is not None else None,
            duration_ms=int((self._parts.time.now().mono_s - self._began_s) * 1000),
            wire_bytes=self._key.wire_bytes,
        )
        self._recorder.keep(event)

    # --- handing out ---

    async def _hand_out(self, effect: HandOut) -> None:
        parts, code = self._parts, Secret(effect.code.reveal().decode("ascii"))
        code_hash = hashlib.sha256(effect.code.reveal()).digest()
        if code_hash in parts.spent_codes:
            self._put(HandOutFailed(effect.insertion, HandOutTold.CODE_SPENT))
            return
        try:
            done = await hand_out(
                self._key,
                code,
                parts.central,
                self._identity,
                parts.time,
                answer_within_s=CENTRAL_ANSWERS_WITHIN_S,
            )
        except CentralRefused as error:
            _log.warning("key.not_handed_out %s", error)
            told = HAND_OUT_TOLD.get(error.code, HandOutTold.REFUSED)
            waits = error.retry_after_s > 0
            self._put(HandOutFailed(effect.insertion, None if waits else told, error.retry_after_s))
            return
        except CentralUnreachable as error:
            _log.warning("key.not_handed_out %s", error)
            self._put(HandOutFailed(effect.insertion, HandOutTold.NO_ANSWER))
            return
        except KeyRefused as error:
            _log.error("key.not_handed_out %s", error)
            self._put(HandOutFailed(effect.insertion, HandOutTold.KEY_FAULT))
            return
        parts.spent_codes.append(code_hash)
        self._seen = seen = KeySeen(done.id_record, done.record)
        _log.info("key.handed_out key=%d clock_set=%s", done.record.key, done.clock_set)
        self._recorder.keep(self._recorder.event("key_record_written", seen, issued=done.record.issued))
        parts.mirror.wake(done.record.key)
        await parts.mirror.refreshed(KNOWN_WITHIN_S)
        known, _ = await self._look_up(done.record.key)
        self._put(HandedOut(effect.insertion, seen, known))

    # --- on ---

    async def _activate(self, effect: ActivateKey) -> None:
        self._activating = True
        parts = self._parts
        activation = ActivationWork(
            effect,
            self._key,
            self._files,
            store=parts.store,
            time=parts.time,
            identity=parts.identity,
            readiness=parts.readiness,
            recorder=parts.recorder,
            pins=parts.pins,
        )
        try:
            try:
                await self._write_activation(effect, activation)
                await activation.record()
            except KeyRefused as error:
                _log.error("key.not_activated %s", error)
                await self._undo(effect, activation, refusal_for(error))
                return
            except StoreFault as error:
                # An activation that could not be recorded must not be left on a key.
                parts.readiness.store_failed(error)
                await self._undo(effect, activation, Refusal.STATION)
                return
        except KeyLost:
            activation.interrupted()
            raise
        _log.info("key.activated key=%d expires=%d", effect.grant.key, effect.grant.expires)
        self._put(KeyActivated(effect.insertion))

    async def _write_activation(self, effect: ActivateKey, activation: ActivationWork) -> None:
        """What `_bring_up_to_date` did not get to, then the activation: last, and read back."""
        block, permit = self._parts.readiness.blocklist, effect.grant.permit
        act = await activation.sign()
        records = block[0] if block is not None else b"", self._identity.certificate, permit.record, act
        with self._parts.progress.of(self._key, [len(record) for record in records]):
            await self._write_records(effect, activation, act)

    async def _write_records(self, effect: ActivateKey, activation: ActivationWork, act: bytes) -> None:
        files, key, progress = self._files, effect.grant.key, self._parts.progress
        if not self.on_key.permit_read:
            await files.read_own_permit(effect.known)
        await self._carry_blocklist(effect.insertion, key)
        progress.next()
        clock = await files.set_clock()
        await files.write_sync(effect.seen, self._parts.mirror.confirmed_at())
        progress.next()
        await files.write_permit(effect.grant.permit)
        progress.next()
        # A key without a clock leaves the time to the lock's own.
        absent = clock.state is KeyClockState.ABSENT
        await activation.write(act, self._seen, self._parts.time.now().unix_s if absent else clock.unix_s)

    async def _undo(self, effect: ActivateKey, activation: ActivationWork, refusal: Refusal) -> None:
        act = await activation_on(self._key)
        if act == b"" or await cleared(self._key):
            activation.undone()
            self._put(ActivationFailed(effect.insertion, refusal))
        else:
            activation.interrupted()
            await self._clear_failed(effect.insertion, act or b"")
