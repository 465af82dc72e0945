"""Makes events and has them kept. What the database cannot take at the moment waits here, and goes in first later."""

import logging
from collections import deque
from collections.abc import Callable

from station.core.attempts import AttemptCount
from station.core.events import KeySeen
from station.ports import Change, Json, NewEvent, Store, StoreFault
from station.services.timekeeping import Timekeeper

WAITING_LIMIT_EVENTS = 10_000
"""About twenty days of visits of a full disk; a restart loses them, which is why nothing is activated meanwhile."""
BATCH_EVENTS = 500

_log = logging.getLogger("station.events")


class Recorder:
    """Keeps events. ``kept`` is called when there is something to send, ``failed`` when the database fails."""

    def __init__(
        self, store: Store, time: Timekeeper, *, kept: Callable[[], None], failed: Callable[[StoreFault], None]
    ) -> None:
        self._store, self._time = store, time
        self._kept, self._failed = kept, failed
        self._waiting: deque[NewEvent] = deque(maxlen=WAITING_LIMIT_EVENTS)

    def event(self, type_: str, seen: KeySeen | None, *, holder: int | None = None, **data: Json) -> NewEvent:
        """An event of now about the key ``seen``; ``holder`` where it is another than the key's own."""
        now = self._time.now()
        record = seen.record if seen is not None else None
        return NewEvent(
            type_,
            at=now.unix_s,
            clock=int(now.trust) if now.trust is not None else "unknown",
            key=record.key if record is not None else None,
            holder=holder if holder is not None or record is None else record.holder,
            data={name: value for name, value in data.items() if value is not None},
        )

    async def commit(self, *events: NewEvent, attempts: AttemptCount | None = None) -> None:
        """Make events and the count durable in one transaction. Raises StoreFault: then nothing is."""
        await self._store.commit(Change(events, attempts=attempts))
        await self._catch_up()
        self._kept()

    async def record(self, *events: NewEvent) -> None:
        """As `commit`, but what cannot be kept now waits in memory: for events that nothing else depends on."""
        try:
            await self.commit(*events)
        except StoreFault as error:
            _log.error("event.waits types=%s", ",".join(event.type for event in events))
            self._waiting.extend(events)
            self._failed(error)

    async def _catch_up(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(BATCH_EVENTS, len(self._waiting)))]
            try:
                await self._store.commit(Change(batch))
            except StoreFault as error:
                self._waiting.extendleft(reversed(batch))
                self._failed(error)
                return
