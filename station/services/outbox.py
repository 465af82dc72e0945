"""Hands the outbox over to central: oldest first, in batches, each event answered for on its own."""

import asyncio
import logging
import random
from collections.abc import Mapping, Sequence
from contextlib import suppress

from station.ports import Store, StoreFault
from station.services.central_answers import BATCH_LIMIT
from station.services.central_link import CentralLink, CentralRefused, CentralUnreachable

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0
DOUBLINGS_LIMIT = 6
SETTLED = frozenset({"accepted", "duplicate"})
UNFIT_STATUS = frozenset({400, 413, 422})
"""Central says that the call itself is wrong: too large, or not to be read. Fewer events may be right."""
REASON_LIMIT_CHARS = 100

_log = logging.getLogger("station.outbox")


class Outbox:
    """Drains the store's outbox; `poke` when there is something new."""

    def __init__(self, link: CentralLink, store: Store) -> None:
        self._link, self._store = link, store
        self._news = asyncio.Event()
        self._answers = asyncio.Event()

    def poke(self) -> None:
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
        taken, limit = 0, BATCH_LIMIT
        while events := await self._store.pending(limit):
            try:
                results = await self._link.send([event.body for event in events])
            except CentralRefused as error:
                if error.fields.get("status") not in UNFIT_STATUS:
                    raise
                if len(events) > 1:
                    limit = len(events) // 2
                else:
                    await self._settle([], {events[0].id: error.code})
                    limit = BATCH_LIMIT
                continue
            asked = {event.id for event in events}
            done = [r.id for r in results if r.status in SETTLED and r.id in asked]
            refused = {r.id: r.reason or "rejected" for r in results if r.status == "rejected" and r.id in asked}
            if not done and not refused:
                raise CentralUnreachable("central_answers_for_no_event")
            await self._settle(done, refused)
            taken += len(done)
        return taken

    async def _settle(self, done: Sequence[str], refused: Mapping[str, str]) -> None:
        for id_, reason in refused.items():
            # Central's words, from the network: no line ends into the log.
            _log.error("event.set_aside id=%s reason=%s", id_, ascii(reason[:REASON_LIMIT_CHARS]))
        await self._store.settle(done, refused)


def again_s(failures: int, retry_after_s: float) -> float:
    """How long to wait after so many failures in a row: full jitter, so that a fleet does not come back all at once."""
    longest_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min(failures, DOUBLINGS_LIMIT))
    return max(retry_after_s, random.uniform(0.0, longest_s))  # noqa: S311 spreads load, guards nothing
