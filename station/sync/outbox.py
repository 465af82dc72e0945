"""Hands the outbox over to central: oldest first, in batches, each event answered for on its own.

One batch is on the wire at a time: a key's log entries must reach central in order.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from station.ports import Json, Store, StoredEvent, StoreFault
from station.sync.answers import BATCH_LIMIT
from station.sync.client import CentralClient, CentralRefused, CentralUnreachable

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0
DOUBLINGS_LIMIT = 6
SETTLED = frozenset({"accepted", "duplicate"})
UNFIT_STATUS = frozenset({400, 413})
"""Central says that the call itself is wrong: too large, or not to be read. Fewer events may be right."""
TOO_LARGE_STATUS = 413
"""Also of a proxy that takes less than central; but no event is given up for a proxy's word, nor for any 5xx."""
REASON_LIMIT_CHARS = 100
SLOW_BATCH_S = 2.0
"""A batch that takes longer is halved: whoever puts a key in waits behind the one that is on the wire."""
QUICK_BATCH_S = 0.5
SMALLEST_BATCH = 10
"""Smaller ones cost more in headers than they save in waiting."""
GATHER_S = 1.0
"""So long a visit's events wait for its end, and a backlog for the visit: an hour with a key left in delays neither."""
GATHER_ON_SLOW_LINK_S = 20.0
"""On a slow link: the events of most visits then leave as one call, and the visit has the link for itself."""
LOOK_EVERY_S = 0.1
REPORT = "event_set_aside"
"""The event that tells of others that were set aside. One of its own is not told of: that would never end."""

_log = logging.getLogger("station.outbox")


@dataclass(frozen=True, slots=True)
class _Answered:
    """What central said to a batch: the ids that it has, and which others it refused, for what reason."""

    done: Sequence[str] = ()
    refused: Sequence[tuple[StoredEvent, str]] = ()


Report = Callable[..., Awaitable[None]]
"""Keeps an event of the station itself: its type, and its data by keyword."""


async def _report_to_nobody(type_: str, **data: Json) -> None:
    """A box that is asked by hand shows what became of its events itself."""


def next_batch_size(size: int, took_s: float) -> int:
    """How many events to send at a time after a batch of ``size`` has taken ``took_s`` seconds."""
    if took_s > SLOW_BATCH_S:
        return max(SMALLEST_BATCH, size // 2)
    return size if took_s > QUICK_BATCH_S else min(BATCH_LIMIT, size * 2)


class Outbox:
    """Drains the store's outbox; `wake` it when there is something new."""

    def __init__(
        self,
        link: CentralClient,
        store: Store,
        *,
        report: Report = _report_to_nobody,
        visiting: Callable[[], bool] = lambda: False,
    ) -> None:
        """``report`` tells of events that were set aside: how many, the first one's number, and why.

        While ``visiting`` says so, somebody stands at the station: they have the link and the disk.
        """
        self._link, self._store = link, store
        self._report, self._visiting = report, visiting
        self._news = asyncio.Event()
        self._answers = asyncio.Event()
        self._size = BATCH_LIMIT
        self._slow = False
        self._narrowed: tuple[int, int] | None = None
        """How many are sent at a time, and up to which number, while one event that keeps the others out is looked for.
        Kept over a call that failed: else a link that fails often would begin the search anew each time."""

    def wake(self) -> None:
        """There may be something to send."""
        self._news.set()

    def central_answers(self) -> None:
        """Central has just answered something else: no reason to wait any longer."""
        self._answers.set()
        self._news.set()

    async def run(self) -> None:
        """Drain for ever; full jitter between tries while central does not take anything."""
        failures = 0
        while True:
            self._news.clear()
            self._answers.clear()
            try:
                if await self._store.pending_count():
                    await self._wait_for_visit()
                    await self.drain()
            except (CentralUnreachable, CentralRefused, StoreFault) as error:
                failures += 1
                wait_s = again_s(failures, getattr(error, "retry_after_s", 0.0))
                _log.info("outbox.waits wait_s=%.1f %s", wait_s, error)
                # Not woken by new events: with every key that would be a try.
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await self._answers.wait()
            else:
                failures = 0
                await self._news.wait()

    async def drain(self) -> int:
        """Send until nothing is pending; how many central took.

        Raises CentralUnreachable, CentralRefused, StoreFault.
        """
        taken = 0
        # What was set aside is reported by an event, which is pending then.
        while batch := await self._store.pending(self._next_size()):
            taken += await self._hand_over(batch)
            if self._visiting():
                await self._wait_for_visit()
        return taken

    async def _hand_over(self, batch: Sequence[StoredEvent]) -> int:
        """Hand over a batch; how many central took. Raises CentralUnreachable, CentralRefused, StoreFault."""
        try:
            answered = await self._send(batch)
        except (CentralRefused, CentralUnreachable) as error:
            if not _blames_the_batch(error):
                raise
            if len(batch) == 1:
                if not isinstance(error, CentralRefused):
                    raise
                self._narrowed = None
                await self._settle(_Answered(refused=[(batch[0], error.code)]))
                return 0
            # One among them keeps the others out.
            self._narrowed = len(batch) // 2, batch[-1].seq
            return 0
        await self._settle(answered)
        if self._narrowed is not None and batch[-1].seq >= self._narrowed[1]:
            # All of them are through: it was central that was ill.
            self._narrowed = None
        return len(answered.done)

    async def _send(self, batch: Sequence[StoredEvent]) -> _Answered:
        """Hand over a batch. Raises CentralUnreachable, also when central answers for none of them, CentralRefused."""
        began_s = asyncio.get_running_loop().time()
        results = await self._link.send([event.body for event in batch])
        self._took(asyncio.get_running_loop().time() - began_s)
        asked = {event.id for event in batch}
        done = [r.id for r in results if r.status in SETTLED and r.id in asked]
        reasons = {r.id: r.reason or "rejected" for r in results if r.status == "rejected"}
        refused = [(event, reasons[event.id]) for event in batch if event.id in reasons]
        if not done and not refused:
            raise CentralUnreachable("central_answers_for_no_event")
        return _Answered(done, refused)

    def _took(self, seconds: float) -> None:
        self._slow = seconds > QUICK_BATCH_S
        self._size = next_batch_size(self._size, seconds)

    def _next_size(self) -> int:
        return self._size if self._narrowed is None else min(self._narrowed[0], self._size)

    async def _settle(self, answered: _Answered) -> None:
        """Take up what central said of each event."""
        # Central's words, from the network: no line ends into the log.
        refused = [(event, ascii(reason[:REASON_LIMIT_CHARS])) for event, reason in answered.refused]
        for event, reason in refused:
            _log.error("event.set_aside id=%s seq=%d reason=%s", event.id, event.seq, reason)
        await self._store.take_answers(answered.done, {event.id: reason for event, reason in answered.refused})
        told = [(event, reason) for event, reason in refused if event.body.get("type") != REPORT]
        if told:
            await self._report(REPORT, count=len(told), first_seq=told[0][0].seq, reason=told[0][1])

    async def _wait_for_visit(self) -> None:
        """Wait while somebody stands at the station, for a moment at most."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + (GATHER_ON_SLOW_LINK_S if self._slow else GATHER_S)
        while self._visiting() and loop.time() < until_s:  # noqa: ASYNC110, it shall not know who waits
            await asyncio.sleep(LOOK_EVERY_S)


def _blames_the_batch(error: CentralRefused | CentralUnreachable) -> bool:
    """Whether a smaller batch might be taken."""
    status = error.fields.get("status")
    return status in UNFIT_STATUS if isinstance(error, CentralRefused) else status == TOO_LARGE_STATUS


def again_s(failures: int, retry_after_s: float) -> float:
    """How long to wait after so many failures in a row: full jitter, so that a fleet does not come back all at once.

    Also behind a ``Retry-After``, which all of them have been told at the same moment.
    """
    longest_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min(failures, DOUBLINGS_LIMIT))
    return retry_after_s + random.uniform(0.0, longest_s)  # noqa: S311 spreads load, guards nothing
