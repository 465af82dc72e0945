"""Tells central and the log what was not believed: once, not at every poll, and never by the thousand."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from station.ports import Change, Json, LogEvent, Store, StoreFault
from station.sync.timekeeping import Timekeeper

AT_ONCE_LIMIT = 20
"""Reports in one go, the last of them with how many more there were."""
AGAIN_S = 86400
REMEMBERED_LIMIT = 1000

_log = logging.getLogger("station.mirror")


@dataclass(frozen=True, slots=True)
class RefusedRecord:
    """What was refused, for the log and for central: words and numbers of ours only."""

    type: str
    id: int | None
    reason: str


class RefusalReports:
    """Records ``record_refused`` and other events about central."""

    def __init__(self, store: Store, time: Timekeeper) -> None:
        self._store, self._time = store, time
        self._reported: dict[RefusedRecord, float] = {}

    async def refused(self, *all_refused: RefusedRecord) -> None:
        """Report those that were not reported within a day."""
        mono_s = self._time.now().mono_s
        new = [each for each in dict.fromkeys(all_refused) if not self._known(each, mono_s)]
        if not new:
            return
        if len(self._reported) + len(new) > REMEMBERED_LIMIT:
            self._reported.clear()
        self._reported.update(dict.fromkeys(new[:REMEMBERED_LIMIT], mono_s))
        told = new[:AT_ONCE_LIMIT]
        more = len(new) - len(told)
        for each in told:
            _log.warning("record.refused type=%s id=%s reason=%s", each.type, each.id, each.reason)
        if more:
            _log.warning("record.refused more=%d", more)
        datas: list[dict[str, Json]] = [
            {"type": each.type, "reason": each.reason} | ({} if each.id is None else {"id": each.id}) for each in told
        ]
        if more:
            datas[-1]["more"] = more
        await self._commit([self._event("record_refused", data) for data in datas])

    async def record(self, type_: str, **data: Json) -> None:
        """Record an event."""
        await self._commit([self._event(type_, data)])

    def _known(self, each: RefusedRecord, mono_s: float) -> bool:
        at_s = self._reported.get(each)
        return at_s is not None and 0 <= mono_s - at_s < AGAIN_S

    def _event(self, type_: str, data: dict[str, Json]) -> LogEvent:
        now = self._time.now()
        return LogEvent(type_, now.unix_s, int(now.trust) if now.trust is not None else "unknown", data=data)

    async def _commit(self, events: Sequence[LogEvent]) -> None:
        try:
            await self._store.commit(Change(events))
        except StoreFault as error:
            _log.error("event.not_kept type=%s %s", events[0].type, error)
