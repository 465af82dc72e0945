"""What an update box does with the key in its socket: all that a station does, and no PIN to wait for."""

from station.key.work import KeyWork
from station.rules.facts import Attempts, KeyKnown
from station.visit.inputs import KeyRead, KeySeen


class UpdateBoxKeyWork(KeyWork):
    """`KeyWork` of an update box.

    What a station learns while the person types must be known here before the decision: central's latest word, the
    blocklist that the key carries, and the permit on it, which may be newer than the mirror's.
    """

    hands_out = False

    async def _look_up(self, key: int) -> tuple[KeyKnown, Attempts]:
        await self._parts.mirror.refreshed(self._parts.pins.refresh_deadline_s)
        return await super()._look_up(key)

    async def _answer_read(self, insertion: int, seen: KeySeen, known: KeyKnown, attempts: Attempts) -> None:
        blocklist = self._parts.readiness.blocklist
        await self._tried(self._carry_blocklist(insertion, seen.record.key))
        if self._parts.readiness.blocklist is not blocklist:
            known, attempts = await self._look_up(seen.record.key)
        await self._tried(self._files.read_own_permit(known))
        # Here, for what comes after the activation must not touch what the activation rests on.
        await self._tried(self._renew_id_record(known))
        self.on_key.permit_known.set()
        self._put(KeyRead(insertion, seen, known, attempts, self.on_key.own_permit))
