"""PINs: counted on disk before they are looked at, then turned into a tag, then looked up in the refreshed mirror."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

from station.key.files import OnKey
from station.key.pin_tags import PinTags
from station.ports import LogEvent, Store, StoreFault
from station.records.pins import PinFault
from station.rules import attempts as pin_attempts
from station.rules.attempts import AttemptCount
from station.rules.facts import Attempts, KeyKnown
from station.sync.identity import Identity
from station.sync.mirror import MirrorSync
from station.sync.objects import key_known, person
from station.sync.readiness import Readiness
from station.sync.recorder import Recorder
from station.sync.timekeeping import Timekeeper
from station.visit.effects import CheckPin, RejectPin
from station.visit.inputs import KeySeen, PinChecked, PinCheckFailed, VisitInput

_log = logging.getLogger("station.pin")


class PinWork:
    """Checks PINs for the visit machine, and remembers since when a key has to wait."""

    def __init__(
        self,
        *,
        store: Store,
        time: Timekeeper,
        identity: Identity,
        mirror: MirrorSync,
        readiness: Readiness,
        recorder: Recorder,
        tags: PinTags,
        refresh_deadline_s: float,
        put: Callable[[VisitInput], None],
    ) -> None:
        """``put`` puts `PinChecked` or `PinCheckFailed` into the machine's queue."""
        self._store, self._time, self._identity = store, time, identity
        self._mirror, self._readiness, self._recorder, self._tags = mirror, readiness, recorder, tags
        self.refresh_deadline_s = refresh_deadline_s
        self._put = put
        self._counting = asyncio.Lock()
        """A count is read and written back by one task at a time."""
        self._owed: set[int] = set()
        """Keys whose last count has not been found to be a wrong PIN, nor been taken back."""
        self._lock_told: set[int] = set()
        """Keys whose lock has been recorded since the start."""
        self._failed_at_s: dict[int, float] = {}
        # After a restart nobody knows when the last failure was: the whole wait runs again from here.
        self._started_s = time.now().mono_s

    async def look_up(self, key: int) -> tuple[KeyKnown, Attempts]:
        """What the mirror knows of a key, and what its wrong PINs mean. Raises StoreFault."""
        bundle = await self._store.bundle(key)
        known = key_known(bundle, key, self._identity.central_keys, self._readiness.blocklist_claims)
        count = pin_attempts.current(await self._store.attempts(key), known.key, self._time.now().unix_s)
        self._tell_of_lock(count, known)
        return known, pin_attempts.in_force(count, known.key, self._failed_at_s.get(key, self._started_s))

    async def check(self, effect: CheckPin, on_key: OnKey) -> None:
        """Count the attempt, compute the PIN's tag, look its person up; answer `PinChecked` or `PinCheckFailed`."""
        try:
            self._put(await self._checked(effect, on_key))
            return
        except StoreFault as error:
            self._readiness.store_failed(error)
        except PinFault as error:
            _log.error("pin.not_checked %s", error)
        # Not judged, but counted perhaps: should that lock the key, its next look-up says so.
        self._owed.discard(effect.seen.record.key)
        self._put(PinCheckFailed(effect.visit, effect.seen))

    async def _checked(self, effect: CheckPin, on_key: OnKey) -> PinChecked:
        key = effect.seen.record.key
        _, count = await self._counted(effect)
        self._failed_at_s[key] = self._time.now().mono_s
        tags, *_ = await asyncio.gather(
            self._tags.tags(effect.entry),
            self._mirror.refreshed(self.refresh_deadline_s),
            on_key.permit_known.wait(),
        )
        bundle = await self._store.bundle(key, tags)
        # Again: a slow disk or central must not use up the wait before its countdown is seen.
        judged_at_s = self._failed_at_s[key] = self._time.now().mono_s
        # A PIN that two people have opens nobody's key: it would be told of the wrong one.
        tags = () if bundle.pin_is_shared else tags
        keys = self._identity.central_keys
        known = key_known(bundle, key, keys, self._readiness.blocklist_claims)
        attempts = pin_attempts.in_force(count, known.key, judged_at_s)
        return PinChecked(effect.visit, effect.seen, known, person(bundle, keys), tags, on_key.own_permit, attempts)

    async def _counted(self, effect: CheckPin) -> tuple[AttemptCount, AttemptCount]:
        """The count before this PIN, and with it: that is on the disk."""
        key = effect.seen.record.key
        async with self._counting:
            before = self._current(await self._store.attempts(key), effect)
            count = pin_attempts.counted(before, effect.known.key, self._time.now().unix_s)
            # Before it is on the disk: whoever looks the key up from then on must know that it is being judged.
            self._owed.add(key)
            await self._recorder.commit(attempts=count)
        return before, count

    def _current(self, count: AttemptCount, effect: CheckPin) -> AttemptCount:
        return pin_attempts.current(count, effect.known.key, self._time.now().unix_s)

    async def take_back(self, seen: KeySeen, *events: LogEvent, settles: int | None = None) -> None:
        """The PIN was right: its count goes, in one transaction with ``events`` of the activation ``settles``.

        Raises StoreFault: then it stands.

        A second time does nothing to the count: a visit that goes on after a bounced contact comes here again.
        """
        key = seen.record.key
        async with self._counting:
            back = None
            if key in self._owed:
                count = await self._store.attempts(key)
                back = pin_attempts.taken_back(count, seen.record.kind) if count.failures else None
            if events or back is not None:
                await self._recorder.commit(*events, attempts=back, settles=() if settles is None else (settles,))
            self._owed.discard(key)
            self._failed_at_s.pop(key, None)

    def reject(self, effect: RejectPin) -> None:
        """Record a wrong PIN; the count is on disk already. All that is recorded goes there at one stroke."""
        self._owed.discard(effect.seen.record.key)
        events, wrong = [self._recorder.event("pin_rejected", effect.seen)], effect.wrong
        if wrong.unfit is not None:
            # Whose PIN it was, and why it may not, is for the coordinator; nobody at the station learns it.
            refused = self._recorder.event("key_refused", effect.seen, holder=wrong.holder, reason=wrong.unfit.value)
            events.append(refused)
        if effect.locked:
            self._lock_told.add(effect.seen.record.key)
            events.append(self._recorder.event("key_locked_out", effect.seen))
        self._recorder.keep(*events)

    def _tell_of_lock(self, count: AttemptCount, known: KeyKnown) -> None:
        """Record a lock that central does not know of: the plug was pulled between the tenth count and its verdict.

        Once a start. It may have been recorded before the plug was pulled, too: central takes the same lock once.
        """
        entry = known.key
        if count.failures < pin_attempts.LOCK_AT:
            self._lock_told.discard(count.key)
            return
        if entry is None or pin_attempts.locked_by_central(entry) or count.key in self._owed | self._lock_told:
            return
        self._lock_told.add(count.key)
        event = self._recorder.event("key_locked_out", KeySeen(b"", entry.record))
        # When it was locked, not when that was found: central may have unlocked it since.
        self._recorder.keep(event if count.last_at is None else replace(event, at=count.last_at))

    async def accept(self, seen: KeySeen) -> None:
        """The PIN was right but activates nothing: take its count back. Why, is recorded by the caller."""
        try:
            await self.take_back(seen)
        except StoreFault as error:
            self._readiness.store_failed(error)
