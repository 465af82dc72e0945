"""Reads a key's log while the person types, stretch by stretch, and gives way at once to an activation.

What has been read is durable, with the mark of how far, before the next stretch is asked for.
"""

import logging
import uuid
from collections.abc import Callable

from station.ports import Change, KeyFile, KeyLost, KeyRefused, KeySocket, LogMark, NewEvent, Store, StoreFault
from station.services import key_log
from station.services.key_files import KeyFiles
from station.services.mirror_objects import log_seen
from station.services.timekeeping import Timekeeper

ACK_OWN_AT_BYTES = key_log.LOG_LIMIT_BYTES * 3 // 4
"""A log fuller than this may also forget what only this station's outbox holds: the key is about to run out of room."""

_log = logging.getLogger("station.key_log")


class KeyLogReader:
    """Brings what locks have written on a key into the outbox."""

    def __init__(self, socket: KeySocket, store: Store, time: Timekeeper) -> None:
        self._socket, self._store, self._time = socket, store, time

    async def read(self, key: int, files: KeyFiles, give_way: Callable[[], bool]) -> None:
        """Read on from the mark, then acknowledge. Raises KeyLost; other failures are logged and tried next time."""
        try:
            mark = await self._read(key, give_way)
            if mark is not None and not give_way():
                await self._acknowledge(key, mark, files)
        except KeyLost:
            raise
        except (KeyRefused, StoreFault) as error:
            _log.warning("key.log_unread key=%d %s", key, error)

    async def _read(self, key: int, give_way: Callable[[], bool]) -> LogMark | None:
        mark = await self._store.log_mark(key)
        data = await self._socket.read_some(KeyFile.LOG, 0)
        if len(data) <= 1:
            return None
        head = key_log.generation_of(data)
        if head is None:
            await self._garbage(key, 0, 0)
            return None
        generation, begins = head
        goes_on = mark is not None and mark.generation == generation
        at = mark.offset if mark is not None and goes_on else begins
        data = data[at:] if at <= len(data) else b""
        while True:
            read = key_log.read_entries(data, generation)
            if read.entries or not goes_on:
                mark = await self._keep(key, read, mark, at)
                goes_on = True
            if read.garbage:
                await self._garbage(key, generation, at + read.taken_bytes)
                return mark
            at += read.taken_bytes
            data = data[read.taken_bytes :]
            if give_way() or at >= key_log.LOG_LIMIT_BYTES:
                return mark
            more = await self._socket.read_some(KeyFile.LOG, at + len(data))
            if not more:
                return mark
            data += more

    async def _keep(self, key: int, read: key_log.LogRead, mark: LogMark | None, at: int) -> LogMark:
        now = self._time.now()
        clock = int(now.trust) if now.trust is not None else "unknown"
        new = key_log.events(key, read.entries, mark, now.unix_s, clock, read.generation)
        last = max([mark.seq if mark is not None else 0, *(entry.seq for entry in read.entries)])
        moved = LogMark(key, read.generation, last, at + read.taken_bytes)
        await self._store.commit(Change(new, log_mark=moved))
        return moved

    async def _acknowledge(self, key: int, mark: LogMark, files: KeyFiles) -> None:
        bundle = await self._store.bundle(key)
        seen = log_seen(bundle.key)
        if mark.offset >= ACK_OWN_AT_BYTES:
            await files.acknowledge(mark.generation, mark.seq)
        elif seen is not None and seen[0] == mark.generation:
            await files.acknowledge(seen[0], min(seen[1], mark.seq))

    async def _garbage(self, key: int, generation: int, at: int) -> None:
        """Say once that this log cannot be read on from here; the gap shows when the key begins a new generation."""
        now = self._time.now()
        id_ = str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:sync-station:key-log-garbage:{key}:{generation}:{at}"))
        data = {"type": "log", "reason": "log_garbage", "generation": generation, "offset_bytes": at}
        clock = int(now.trust) if now.trust is not None else "unknown"
        await self._store.commit(Change([NewEvent("record_refused", now.unix_s, clock, key=key, data=data, id=id_)]))
