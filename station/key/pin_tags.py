"""Computes PIN tags off the event loop, one at a time: 19 MiB and tens of milliseconds each."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from station.records.pins import pin_tags
from station.sync.identity import PinSecrets
from station.visit.entry import Entry


class PinTags:
    """Turns what was typed into the tags that find its holder, one under each pepper."""

    def __init__(self, secrets: Callable[[], PinSecrets]) -> None:
        """``secrets`` is asked each time: a renewal of all PINs brings a second pepper, its end takes the first."""
        self._secrets = secrets
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="pin")

    async def tags(self, entry: Entry) -> tuple[bytes, ...]:
        """16 bytes for each pepper, as `station.records.pins.pin_tags`. Raises PinFault."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._tags, entry)

    def _tags(self, entry: Entry) -> tuple[bytes, ...]:
        s = self._secrets()
        peppers = [pepper.reveal() for _, pepper in s.peppers]
        return pin_tags(entry.reveal(), s.site_salt, peppers, time=s.time, memory_kib=s.memory_kib, lanes=s.lanes)

    def close(self) -> None:
        """Let the thread end."""
        self._thread.shutdown(wait=False, cancel_futures=True)
