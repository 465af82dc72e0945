"""Hands the outbox over to central: oldest first, in batches, each event answered for on its own."""

import asyncio
import logging
import random

from station.ports import Store, StoreFault
from station.services.central_link import CentralLink, CentralRefused, CentralUnreachable

BATCH_EVENTS = 100
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0
SETTLED = frozenset({"accepted", "duplicate"})

_log = logging.getLogger("station.outbox")


class Outbox:
    """Drains the store's outbox; `poke` when there is something new."""

    def __init__(self, link: CentralLink, store: Store) -> None:
        self._link, self._store = link, store
        self._news = asyncio.Event()

    def poke(self) -> None:
        """There may be something to send."""
        self._news.set()

    async def run(self) -> None:
        """Drain for ever; full jitter between tries while central does not take anything."""
        failures = 0
        while True:
            self._news.clear()
            try:
                await self.drain()
                failures = 0
            except (CentralUnreachable, CentralRefused, StoreFault) as error:
                failures += 1
                _log.info("outbox.waits %s", error)
            if failures:
                longest = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**failures)
                await asyncio.sleep(random.uniform(FIRST_WAIT_S / 2, longest))  # noqa: S311 spreads load
            else:
                await self._news.wait()

    async def drain(self) -> int:
        """Send until nothing is pending; how many central took.

        Raises CentralUnreachable, CentralRefused, StoreFault.
        """
        taken = 0
        while events := await self._store.pending(BATCH_EVENTS):
            results = await self._link.send([event.body for event in events])
            asked = {event.id for event in events}
            done = [r.id for r in results if r.status in SETTLED and r.id in asked]
            set_aside = {r.id: r.reason or "rejected" for r in results if r.status == "rejected" and r.id in asked}
            for id_, reason in set_aside.items():
                _log.error("event.set_aside id=%s reason=%s", id_, reason)
            if not done and not set_aside:
                raise CentralUnreachable("central_answers_for_no_event")
            await self._store.settle(done, set_aside)
            taken += len(done)
        return taken
