"""Computes PIN tags off the event loop, one at a time: 19 MiB and tens of milliseconds each."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from station.core.entry import Entry
from station.records.pins import pin_tag
from station.services.identity import PinSecrets


class PinCheck:
    """Turns what was typed into the tag that finds its holder."""

    def __init__(self, secrets: PinSecrets) -> None:
        self._secrets = secrets
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="pin")
        self.last_took_s = 0.0
        """What the last tag took."""

    async def tag(self, entry: Entry) -> bytes:
        """The 16 bytes of `station.records.pins.pin_tag`. Raises PinFault."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        tag = await loop.run_in_executor(self._thread, self._tag, entry)
        self.last_took_s = loop.time() - began_s
        return tag

    def _tag(self, entry: Entry) -> bytes:
        s = self._secrets
        return pin_tag(
            entry.reveal(), s.site_salt, s.pepper.reveal(), time=s.time, memory_kib=s.memory_kib, lanes=s.lanes
        )

    def close(self) -> None:
        """Let the thread end."""
        self._thread.shutdown(wait=False, cancel_futures=True)
