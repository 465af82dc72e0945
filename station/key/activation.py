"""One activation: kept as an intention, judged as a lock will judge it, written to the key last, read back, recorded.

Nothing is written of which the lock's own rules say that locks would refuse it: a key must not say ON and stay red.
"""

from station.key.files import KeyFiles
from station.key.pins import PinWork
from station.ports import KeyFile, KeyLost, KeyRefused, KeySession, LogEvent, Store
from station.records import envelope
from station.records.claims import KeyKind, KeyRecord
from station.rules.facts import Refusal
from station.rules.locks import Reason, genuine, proven_activation_of
from station.sync.identity import Identity
from station.sync.readiness import Readiness
from station.sync.recorder import Recorder
from station.sync.timekeeping import Timekeeper
from station.visit.effects import ActivateKey
from station.visit.inputs import KeySeen

_REFUSALS = {
    Reason.BLOCKED: Refusal.BLOCKED,
    Reason.BLOCKED_STATION: Refusal.STATION,
    Reason.CLOCK_UNSET: Refusal.CLOCK_UNSET,
    Reason.NOT_GENUINE: Refusal.NOT_GENUINE,
}


class ActivationWork:
    """Brings one `ActivateKey` about. Methods raise KeyLost, and KeyRefused and StoreFault where they say."""

    def __init__(
        self,
        effect: ActivateKey,
        key: KeySession,
        files: KeyFiles,
        *,
        store: Store,
        time: Timekeeper,
        identity: Identity,
        readiness: Readiness,
        recorder: Recorder,
        pins: PinWork,
    ) -> None:
        self._effect, self._key, self._files = effect, key, files
        self._store, self._time, self._identity = store, time, identity
        self._readiness, self._recorder, self._pins = readiness, recorder, pins
        self._number: int | None = None
        """Under which the store keeps the intention."""
        self._act_begun = False

    async def sign(self) -> bytes:
        """The activation, once the intention is on the disk: a plug pulled from here on is told of after the start.

        Raises StoreFault.
        """
        self._number = await self._store.begin_activation(self._may_be_on())
        return self._identity.activation(self._effect.grant, self._number)

    async def write(self, activation: bytes, seen: KeySeen | None, clock_s: int | None) -> None:
        """Write ``act`` and read it back. Everything else that a lock looks at has been written by now.

        ``seen``: the key as this station last saw or wrote its ``id``. ``clock_s``: Unix seconds at which locks will
        judge it. Raises KeyRefused.
        """
        effect = self._effect
        # Not the one that was granted: this station may have given the key a newer record since.
        if seen is None or not seen.is_same_key(effect.seen):
            raise KeyRefused("another_key")
        id_record = await self._key.read(KeyFile.ID)
        if id_record != seen.id_record:
            self._leave_to_its_own_visit(seen.record.key, id_record)
            raise KeyRefused("another_key")
        if not effect.grant.not_before <= self._time.now().unix_s < effect.grant.expires:
            # Since it was granted, the station has learned that it is earlier or much later: it would not be valid yet,
            # and then for longer than it should, or not any more.
            raise KeyRefused("clock_changed")
        await self._make_sure_that_locks_open(id_record, activation, clock_s)
        self._act_begun = True
        await self._key.write(KeyFile.ACT, activation)
        # What was judged is then byte for byte what is on the key.
        if await self._key.read(KeyFile.ACT) != activation:
            raise KeyRefused("act_differs")

    async def _make_sure_that_locks_open(self, id_record: bytes, activation: bytes, clock_s: int | None) -> None:
        if clock_s is None:
            raise KeyRefused(Reason.CLOCK_UNSET.value)
        files = await self._files.as_locks_read_them(id_record, activation)
        # By central's record, not by what the key says: a copy carries an ``id`` from before the key had to prove
        # itself. Keys are not asked yet, so one that has to prove itself is refused.
        mirrored = self._effect.known.key
        if mirrored is not None and not genuine(mirrored.record, files, clock_s, None):
            raise KeyRefused(Reason.NOT_GENUINE.value)
        blocklist = self._readiness.blocklist
        judgement = proven_activation_of(
            envelope,
            self._identity.central_keys,
            files,
            clock_s,
            blocklist[0] if blocklist is not None else None,
            proof=None,
        )
        if judgement.refusal is not None:
            raise KeyRefused(judgement.refusal.value)

    def _leave_to_its_own_visit(self, key: int, id_record: bytes) -> None:
        """Raise KeyLost where this is another key than ``key`` by now.

        What is on that one is not ours to undo: it would be switched off without an event. Whoever watches for the
        removal is about to notice. A key that does not say which it is gets no such benefit of the doubt.
        """
        record = envelope.verified(KeyRecord, id_record, self._identity.central_keys)
        if record is not None and record.key != key:
            self._key.end()
            raise KeyLost("another_key")

    async def record(self) -> None:
        """In one transaction: the activation's event, a pool key's receipt, and the PIN's own count taken back.

        Raises StoreFault.
        """
        grant, seen = self._effect.grant, self._effect.seen
        permit, holder = grant.permit.permit, grant.holder.holder
        counts = {"areas": len(permit.areas), "locks": len(permit.locks)}
        events = [self._recorder.event("key_activated", seen, holder=holder, expires=grant.expires, **counts)]
        if seen.record.kind is not KeyKind.PERSONAL:
            events.append(self._recorder.event("pool_key_taken", seen, holder=holder))
        await self._pins.take_back(seen, *events, settles=self._number)

    def undone(self) -> None:
        """The key is off again, read back: why it was not switched on is told elsewhere."""
        self._recorder.keep(settles=self._number)

    def interrupted(self) -> None:
        """The key went, or ``act`` could not be cleared again: record how far it had come."""
        nothing = self._recorder.event("key_write_interrupted", self._effect.seen, act="no")
        self._recorder.keep(self._may_be_on() if self._act_begun else nothing, settles=self._number)

    def _may_be_on(self) -> LogEvent:
        """Whoever asks later finds for whom and until when."""
        grant = self._effect.grant
        return self._recorder.event(
            "key_write_interrupted",
            self._effect.seen,
            holder=grant.holder.holder,
            act="unknown",
            expires=grant.expires,
        )


def refusal_for(error: KeyRefused) -> Refusal:
    """What the screen says of it."""
    return next((refusal for reason, refusal in _REFUSALS.items() if reason.value == error.code), Refusal.KEY_FAULT)
