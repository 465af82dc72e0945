"""Computes PIN tags off the event loop, one at a time: 19 MiB and tens of milliseconds each."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from station.records.pins import pin_tag
from station.sync.identity import PinSecrets
from station.visit.entry import Entry


class PinTags:
    """Turns what was typed into the tag that finds its holder."""

    def __init__(self, secrets: PinSecrets) -> None:
        self._secrets = secrets
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="pin")

    async def tag(self, entry: Entry) -> bytes:
        """The 16 bytes of `station.records.pins.pin_tag`. Raises PinFault."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._tag, entry)

    def _tag(self, entry: Entry) -> bytes:
        s = self._secrets
        pepper = s.peppers[0][1].reveal()
        return pin_tag(entry.reveal(), s.site_salt, pepper, time=s.time, memory_kib=s.memory_kib, lanes=s.lanes)

    def close(self) -> None:
        """Let the thread end."""
        self._thread.shutdown(wait=False, cancel_futures=True)
