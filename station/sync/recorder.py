"""Makes events and has them kept. What the database cannot take at the moment waits here and goes in later."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice

from station.ports import Change, Json, LogEvent, LogMark, Store, StoreFault
from station.rules.attempts import AttemptCount
from station.sync.timekeeping import Timekeeper
from station.visit.inputs import KeySeen

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
        self._waiting: deque[LogEvent] = deque()
        self._settled: list[int] = []
        """Activations whose outcome is among what waits, or needs no event."""
        self._writing: asyncio.Task[None] | None = None
        """Its exception, a broken invariant, is raised by whoever comes next."""

    def event(self, type_: str, seen: KeySeen | None, *, holder: int | None = None, **data: Json) -> LogEvent:
        """An event of now about the key ``seen``; ``holder`` where it is another than the key's own."""
        now = self._time.now()
        record = seen.record if seen is not None else None
        return LogEvent(
            type_,
            at=now.unix_s,
            clock=int(now.trust) if now.trust is not None else "unknown",
            key=record.key if record is not None else None,
            holder=holder if holder is not None or record is None else record.holder,
            data={name: value for name, value in data.items() if value is not None},
        )

    async def commit(
        self,
        *events: LogEvent,
        attempts: AttemptCount | None = None,
        log_mark: LogMark | None = None,
        settles: Sequence[int] = (),
    ) -> None:
        """Make all of it durable in one transaction. Raises StoreFault: then nothing is."""
        await self._store.commit(Change(events, attempts=attempts, log_mark=log_mark, settles=settles))
        if events:
            self._kept()
        self.write_on()

    def keep(self, *events: LogEvent, settles: int | None = None) -> None:
        """Have events made durable soon, whatever becomes of the caller: for those that nothing else depends on.

        ``settles``: the number of the activation whose outcome they tell, or that needs none.
        """
        self._settled += [] if settles is None else [settles]
        room = WAITING_LIMIT_EVENTS - len(self._waiting)
        for event in events[room:]:
            _log.error("event.lost type=%s key=%s", event.type, event.key)
        self._waiting.extend(events[:room])
        self.write_on()

    def write_on(self) -> None:
        """Try again what waits, if anything does."""
        if self._writing is not None and self._writing.done():
            self._writing.result()
            self._writing = None
        if (self._waiting or self._settled) and self._writing is None:
            # A task of its own: whoever is cancelled meanwhile must not leave it unknown whether it was written.
            self._writing = asyncio.create_task(self._write(), name="events")

    @property
    def waiting(self) -> int:
        """How many events the database has not taken yet."""
        return len(self._waiting)

    async def written(self) -> None:
        """Return when nothing waits any more, or the database would not take it."""
        self.write_on()
        if (writing := self._writing) is not None:
            await asyncio.wait([writing])
            writing.result()

    async def _write(self) -> None:
        while self._waiting or self._settled:
            batch = list(islice(self._waiting, BATCH_EVENTS))
            # With the last of the events: settled before they are durable, they could be lost with the program.
            settled = tuple(self._settled) if len(batch) == len(self._waiting) else ()
            try:
                await self._store.commit(Change(batch, settles=settled))
            except StoreFault as error:
                _log.error("event.waits count=%d %s", len(self._waiting), error)
                self._failed(error)
                return
            for _ in batch:
                self._waiting.popleft()
            del self._settled[: len(settled)]
            self._kept()
