"""PINs at an activation box: counted on disk like anywhere, then held against the permit on the key itself."""

from collections.abc import Mapping, Sequence

from station.key.files import OnKey
from station.key.pins import PinWork
from station.ports import KeyFile
from station.records import envelope
from station.records.claims import KeyRecord
from station.rules import attempts as pin_attempts
from station.rules import box
from station.rules.attempts import AttemptCount
from station.rules.box import WrongPins
from station.rules.facts import Attempts, BoxDecision, Carried, KeyEntry, KeyKnown, KeyStatus, PermitEntry
from station.rules.key_sync import last_sync
from station.visit.effects import CheckPin
from station.visit.inputs import PinChecked


class BoxPinWork(PinWork):
    """Judges keys and PINs by `station.rules.box`. No mirror is asked: a box has none."""

    async def judge(
        self, record: KeyRecord, files: Mapping[str, bytes], *, clock_s: int | None
    ) -> tuple[KeyKnown, Attempts]:
        """What the files on a key say before any PIN, and what its wrong PINs on this box mean. Raises StoreFault."""
        count = self._in_force(await self._store.attempts(record.key), files)
        known = self._known(record, files, clock_s=clock_s, before=count, pin_tags=None)
        self._tell_of_lock(count, known)
        since_s = self._failed_at_s.get(record.key, self._started_s)
        return known, pin_attempts.in_force(count, None, since_s)

    async def _checked(self, effect: CheckPin, on_key: OnKey) -> PinChecked:
        carried = effect.known.carried
        if carried is None:
            # A prompt without anything that was read: the machine gives none.
            return await super()._checked(effect, on_key)
        before, count = await self._counted(effect)
        counted_at_s = self._time.now().mono_s
        self._failed_at_s[count.key] = counted_at_s
        tags = await self._tags.tags(effect.entry)
        # This PIN has been counted already; only those before it may lock the key.
        known = self._known(effect.seen.record, carried.files, clock_s=carried.clock_s, before=before, pin_tags=tags)
        return PinChecked(
            effect.visit, effect.seen, known, None, tags, None, pin_attempts.in_force(count, None, counted_at_s)
        )

    def _current(self, count: AttemptCount, effect: CheckPin) -> AttemptCount:
        # Nothing fades at a box: ten on it are ten, on a pool key too, until a station has met the key.
        return count if effect.known.carried is None else self._in_force(count, effect.known.carried.files)

    def _in_force(self, count: AttemptCount, files: Mapping[str, bytes]) -> AttemptCount:
        """``count`` less what a ``sync`` on the key lets be forgotten: a station writes none to a locked key."""
        sync = last_sync(envelope, self._identity.central_keys, files)
        counts = sync is None or WrongPins(count.failures, count.last_at).since(sync)
        return count if counts else AttemptCount(count.key)

    def _known(
        self,
        record: KeyRecord,
        files: Mapping[str, bytes],
        *,
        clock_s: int | None,
        before: AttemptCount,
        pin_tags: Sequence[bytes] | None,
    ) -> KeyKnown:
        now = self._time.now()
        if now.trust is None and pin_tags is None:
            # What a time that nobody trusts says of the key would be a wrong reason; the box's own is shown instead.
            decision = BoxDecision(None)
        else:
            decision = box.decide(
                envelope,
                self._identity.central_keys,
                files,
                now.unix_s,
                self._readiness.zone,
                box=self._identity.claims.station,
                key_clock_s=clock_s,
                proof=None,
                wrong_pins=WrongPins(before.failures, before.last_at),
                pin_tags=pin_tags,
                own_blocklist=self._readiness.blocklist_claims,
            )
        permit = decision.permit
        return KeyKnown(
            key=KeyEntry(record, KeyStatus.ACTIVE),
            permit=PermitEntry(permit, files[KeyFile.PERMIT.value]) if permit is not None else None,
            carried=Carried(files, clock_s, decision),
        )
