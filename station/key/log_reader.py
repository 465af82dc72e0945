"""Reads a key's log while the person types, stretch by stretch, and gives way at once to an activation.

What has been read is durable, with the mark of how far, before the next stretch is asked for.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

from station.key import log_entries
from station.key.files import KeyFiles
from station.ports import KeyFile, KeyRefused, KeySession, LogMark, Store, StoreFault
from station.sync.recorder import Recorder
from station.sync.timekeeping import Timekeeper

ACK_OWN_AT_BYTES = log_entries.LOG_LIMIT_BYTES * 3 // 4
"""A log fuller than this may also forget what only this station's outbox holds: the key is about to run out of room."""

ANSWER_WITHIN_S = 0.3
"""So long the log, and a PIN that is right meanwhile, wait for central's word on it. Without, what another station has
read shows as a gap until central finds that it has those entries; what may be forgotten is said at the next visit."""

LogSeen: TypeAlias = Callable[[int], Coroutine[Any, Any, tuple[int, int] | None]]
"""The greatest generation and seq that central has accepted from a key's log; None: it has not said."""

_log = logging.getLogger("station.key_log")


@dataclass(slots=True)
class _ReadPosition:
    """Where reading goes on."""

    at: int
    """Bytes of the log that have been taken."""
    data: bytes
    """What has been read behind them."""
    seq: int
    """The newest that this station has read of this log."""
    known: int | None
    """The newest that this station or central has; None: nobody has any."""


class KeyLogReader:
    """Brings what locks have written on the key of one insertion into the outbox."""

    def __init__(self, key: KeySession, store: Store, recorder: Recorder, time: Timekeeper, log_seen: LogSeen) -> None:
        self._key, self._store, self._recorder, self._time = key, store, recorder, time
        self._log_seen = log_seen
        self._battery_percent: int | None = None

    async def read(self, key: int, files: KeyFiles, interrupted: Callable[[], bool]) -> int | None:
        """Read on from the mark, then acknowledge; the battery in the newest new entry that says one, in percent.

        Raises KeyLost; other failures are logged and tried next time.
        """
        self._battery_percent = None
        try:
            seen = await self._answer(key)
            mark = await self._read(key, seen, interrupted)
            if mark is not None and not interrupted():
                await self._acknowledge(mark, seen, files)
        except (KeyRefused, StoreFault) as error:
            _log.warning("key.log_unread key=%d %s", key, error)
        return self._battery_percent

    async def _answer(self, key: int) -> tuple[int, int] | None:
        """What central says, None: nothing in time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_WITHIN_S):
                return await self._log_seen(key)
        return None

    async def _read(self, key: int, seen: tuple[int, int] | None, interrupted: Callable[[], bool]) -> LogMark | None:
        mark = await self._store.log_mark(key)
        first = await self._key.read_from(KeyFile.LOG, 0)
        if len(first) <= 1:
            return None
        head = log_entries.generation_of(first)
        if head is None:
            await self._garbage(key, 0, 0)
            return None
        generation, begins = head
        place = await self._begin(mark, seen, generation, begins, first)
        kept = None
        while True:
            read = log_entries.read_entries(place.data, generation)
            if read.entries or kept is None:
                kept = await self._keep(key, read, place)
            if read.garbage:
                await self._garbage(key, generation, place.at)
                return kept
            if interrupted() or place.at >= log_entries.LOG_LIMIT_BYTES:
                return kept
            more = await self._key.read_from(KeyFile.LOG, place.at + len(place.data))
            if not more:
                return kept
            place.data += more

    async def _begin(
        self, mark: LogMark | None, seen: tuple[int, int] | None, generation: int, begins: int, first: bytes
    ) -> _ReadPosition:
        """Find where to read from: where the mark says if this is still that log, else its beginning."""
        at_central = seen[1] if seen is not None and seen[0] <= generation else None
        start = _ReadPosition(begins, first[begins:], 0, at_central)
        if mark is None or mark.generation > generation:
            # Never read here, or begun anew (a key that was wiped): nothing is known to be missing in between.
            return start
        known = max(mark.seq, at_central or 0)
        if mark.generation < generation:
            # Compacted: seq runs on. What was read before is found again by its id.
            return _ReadPosition(begins, first[begins:], mark.seq, known)
        if mark.offset <= len(first):
            data: bytes | None = first[mark.offset :]
        else:
            # From a byte before, to see whether the log still reaches as far as the mark.
            reached = await self._key.read_from(KeyFile.LOG, mark.offset - 1)
            data = reached[1:] if reached else None
        if data is None or not log_entries.read_entries(data, generation).follows(mark.seq):
            _log.warning("key.log_replaced key=%d generation=%d", mark.key, generation)
            return start
        return _ReadPosition(mark.offset, data, mark.seq, known)

    async def _keep(self, key: int, read: log_entries.LogRead, place: _ReadPosition) -> LogMark:
        now = self._time.now()
        new = log_entries.events(key, read.entries, place.known, now.unix_s, self._clock(), read.generation)
        percents = [entry.battery_percent for entry in read.entries if entry.battery_percent is not None]
        self._battery_percent = percents[-1] if percents else self._battery_percent
        place.at += read.taken_bytes
        place.data = place.data[read.taken_bytes :]
        if read.entries:
            place.seq = max(place.seq, *(entry.seq for entry in read.entries))
            place.known = max(place.seq, place.known or 0)
        mark = LogMark(key, read.generation, place.seq, place.at)
        await self._recorder.commit(*new, log_mark=mark)
        return mark

    async def _acknowledge(self, mark: LogMark, seen: tuple[int, int] | None, files: KeyFiles) -> None:
        if mark.offset >= ACK_OWN_AT_BYTES:
            await files.acknowledge(mark.generation, mark.seq)
        elif seen is not None and seen[0] == mark.generation:
            # Not beyond what was read here: a wiped key's log may have begun anew under the same generation.
            await files.acknowledge(seen[0], min(seen[1], mark.seq))

    async def _garbage(self, key: int, generation: int, at: int) -> None:
        """Say once that this log cannot be read on from here; the gap shows when the key begins a new generation."""
        event = log_entries.garbage(key, generation, at, self._time.now().unix_s, self._clock())
        await self._recorder.commit(event)

    def _clock(self) -> int | str:
        trust = self._time.now().trust
        return int(trust) if trust is not None else "unknown"
