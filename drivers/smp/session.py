"""`SmpKeySession`: one key being there once. Nothing is retried in it: a lost answer ends it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from drivers.smp import messages
from drivers.smp.client import SmpClient
from drivers.smp.datetime_text import format_datetime, parse_datetime
from drivers.smp.files import SmpFiles
from drivers.smp.lost_answers import LostAnswers
from drivers.smp.messages import Answer, OsRc, Rc, Request
from station.ports import KeyFile, KeyLost, KeyRefused
from station.rules.facts import KeyClock, KeyClockState

LOOK_INTERVAL_S: Final = 0.25
"""How long a key is left in peace before it is asked whether it is still there."""
MISSES: Final = 2
"""So many looks in a row without an answer are a removal: one may be lost to a spark."""
SWAPPED_WITHIN_S: Final = 0.08
"""No hand takes one key out and puts another one in faster. When nobody talks to a key for longer, there may be another
one in its place, for the quarter of a second that it takes to be noticed."""
ANSWER_TIMEOUT_S: Final = 0.2
FLASH_TIMEOUT_S: Final = 0.5
"""For requests that are slow."""
ID_LIMIT_BYTES: Final = 1024
"""A key with a longer ``id`` counts as one that shows none: reading that again and again would keep the wire busy."""


class SmpKeySession:
    """A `station.ports.KeySession`. KeyLost has the code ``session_over`` once it is over, however that came."""

    def __init__(self, client: SmpClient, folder: str, lost_answers: LostAnswers) -> None:
        """A key has just answered on ``client``."""
        self._client = client
        self._loop = asyncio.get_running_loop()
        self._lost_answers = lost_answers
        self._files = SmpFiles(self._ask, folder, lost_answers)
        self._ended = asyncio.Event()
        self._bytes_before = client.wire_bytes
        self._bytes_after: int | None = None
        self._id_record: bytes | None = None
        self._same_until_s = 0.0
        """Until then it is certainly the key of `_id_record`: no hand is faster."""
        self.looked_at_s = self._loop.time()
        """When whoever waits in `gone` last went round."""

    @property
    def over(self) -> bool:
        """See `KeySession.over`."""
        return self._ended.is_set()

    @property
    def id_record(self) -> bytes | None:
        """See `KeySession.id_record`; empty when the key shows none."""
        return self._id_record

    @property
    def wire_bytes(self) -> int:
        """See `KeySession.wire_bytes`."""
        after = self._bytes_after if self._bytes_after is not None else self._client.wire_bytes
        return after - self._bytes_before

    async def gone(self) -> None:
        """See `KeySession.gone`. Reads ``id`` when nobody talks to the key: a swapped one would answer an echo too."""
        while not self.over:
            self.looked_at_s = self._loop.time()
            rest_s = self._client.heard_at + LOOK_INTERVAL_S - self._loop.time()
            if rest_s > 0 or self._client.turn.locked():
                # Whoever talks to the key notices its silence.
                # Not wait_for: Python 3.11's may swallow a cancellation that comes at the same moment.
                with suppress(TimeoutError):
                    async with asyncio.timeout(max(rest_s, LOOK_INTERVAL_S / 4)):
                        await self._ended.wait()
                continue
            async with self._client.turn:
                await self._watch()

    def end(self) -> None:
        """See `KeySession.end`. A transfer under way raises KeyLost at once."""
        if not self.over:
            self._bytes_after = self._client.wire_bytes
            self._ended.set()
            self._client.give_up("session_over")

    async def read(self, file: KeyFile, limit_bytes: int = 4096) -> bytes:
        """See `KeySession.read`; for the codes of KeyRefused, `SmpFiles`."""
        async with self._transfer():
            content = await self._files.read(file, limit_bytes)
            if file is KeyFile.ID:
                self._shows(content)
        return content

    async def read_from(self, file: KeyFile, offset: int) -> bytes:
        """See `KeySession.read_from`."""
        async with self._transfer():
            await self._make_sure()
            piece, _ = await self._files.piece(file, offset)
        return piece

    async def holds(self, file: KeyFile, content: bytes) -> bool:
        """See `KeySession.holds`. By hash, else by size and content."""
        async with self._transfer():
            return await self._files.holds(file, content)

    async def write(self, file: KeyFile, content: bytes) -> None:
        """See `KeySession.write`. Nothing to write is a `clear`."""
        async with self._transfer():
            if file is KeyFile.ACK:
                await self._make_sure()
            if file is KeyFile.ID:
                # Torn or not: what it shows next is its ``id``.
                self._id_record, self._same_until_s = None, 0.0
            await self._files.write(file, content)

    async def replace(self, file: KeyFile, content: bytes) -> None:
        """See `KeySession.replace`.

        A key acts on a request only when the whole of it has come, and commits a file with the request that completes
        it: a key that is pulled out in between has the old content or the new. Not so where it takes two requests.
        """
        async with self._transfer():
            if not await self._files.fits_one_request(file, content):
                raise KeyRefused("not_at_one_stroke", file=file.value)
            await self._make_sure()
            await self._files.write(file, content)
            if not await self._files.reads_as(file, content):
                # Should it be another key by now, its ``id`` ends the session: this one's stays what it was.
                raise KeyRefused("write_differs", file=file.value)
            if file is KeyFile.ID:
                self._id_record = None
                self._shows(content)

    async def clear(self, file: KeyFile) -> None:
        """See `KeySession.clear`."""
        await self.write(file, b"")

    async def clock(self) -> KeyClock:
        """See `KeySession.clock`."""
        async with self._transfer():
            answer = await self._ask(messages.datetime_get())
        refusal = answer.refusal
        if refusal is None:
            try:
                return KeyClock(KeyClockState.SET, parse_datetime(answer.text("datetime")))
            except (ValueError, OverflowError) as error:
                raise KeyRefused("answer_malformed", field="datetime") from error
        if refusal.is_(OsRc.RTC_NOT_SET, Rc.ENOENT):
            return KeyClock(KeyClockState.UNSET)
        if refusal.is_(Rc.ENOTSUP):
            return KeyClock(KeyClockState.ABSENT)
        raise answer.refused("clock")

    async def set_clock(self, unix_s: int) -> None:
        """See `KeySession.set_clock`."""
        async with self._transfer():
            answer = await self._ask(messages.datetime_set(format_datetime(unix_s)))
        if answer.refusal is not None:
            raise answer.refused("clock")

    @asynccontextmanager
    async def _transfer(self) -> AsyncIterator[None]:
        """Alone on the wire. Raises KeyLost when the session is over by then."""
        async with self._client.turn:
            self._refuse_when_over()
            try:
                yield
            except KeyLost:
                self.end()
                raise

    async def _ask(self, request: Request) -> Answer:
        self._refuse_when_over()
        still_same = self._loop.time() < self._same_until_s
        answer = await self._client.ask(request, FLASH_TIMEOUT_S if request.is_slow else ANSWER_TIMEOUT_S)
        if still_same:
            self._same_until_s = self._loop.time() + SWAPPED_WITHIN_S
        return answer

    def _refuse_when_over(self) -> None:
        if self.over:
            raise KeyLost("session_over")

    async def _make_sure(self) -> None:
        """Raise KeyLost (``another_key``) when it is another key by now."""
        if self._loop.time() >= self._same_until_s:
            await self._look()

    async def _watch(self) -> None:
        """Look whether the key is there. Nobody else has a turn until that is certain: it may be another one by now."""
        for _ in range(MISSES):
            with suppress(KeyLost):
                await self._look()
                return
            # Before it has said which key it is, nobody could tell whether it is still the same afterwards.
            if self._id_record is None or not self._client.is_open:
                break
        self.end()

    async def _look(self) -> None:
        """Read ``id``. Raises KeyLost (``another_key``) when it is another than before."""
        try:
            self._shows(await self._files.read(KeyFile.ID, ID_LIMIT_BYTES))
        except KeyRefused:
            self._shows(b"")

    def _shows(self, id_record: bytes) -> None:
        shown = id_record if len(id_record) <= ID_LIMIT_BYTES else b""
        if self._id_record is not None and shown != self._id_record:
            self.end()
            raise KeyLost("another_key")
        self._id_record = shown
        self._same_until_s = self._loop.time() + SWAPPED_WITHIN_S
