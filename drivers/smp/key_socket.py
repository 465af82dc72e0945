"""`SmpKeySocket`: the station's key socket on a serial port with SMP keys in it.

Nothing is retried here. A lost answer ends the insertion: `removed` returns, every transfer raises KeyLost until
`inserted` has seen a key again. What a lost answer may have left behind in the key (half a line, an open upload) is
cleared away at the start of the next insertion.
"""

import asyncio
import hashlib
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from drivers.smp import messages
from drivers.smp.client import SmpClient
from drivers.smp.datetime_text import format_datetime, parse_datetime
from drivers.smp.messages import Answer, FsRc, OsRc, Rc, Request
from station.core.facts import KeyClock, KeyClockState
from station.ports import KeyFile, KeyLost, KeyRefused, ReaderLost

POLL_INTERVAL_S: Final = 0.15
"""How often an empty socket is asked; also how long a key may take to its first answer."""
ECHO_INTERVAL_S: Final = 0.25
"""How long an inserted key is left in peace before it is asked whether it is still there."""
MISSES: Final = 2
"""So many echoes in a row without an answer are a removal: one may be lost to a spark."""
ANSWER_TIMEOUT_S: Final = 0.2
FLASH_TIMEOUT_S: Final = 0.5
"""For commands that make a key erase, write or read through its flash memory."""

DEFAULT_BUFFER_BYTES: Final = 384
"""Zephyr's default, for keys that do not say."""
SMALL_REQUEST_BYTES: Final = 124
"""What any buffer takes, and two receive fragments of 128 bytes: a larger request is sent only to a key that was asked
for the size of its buffer, or that cannot say."""
ONE_LINE_BYTES: Final = 89
"""What fits one line, and so a single receive fragment."""
SMALLER_BYTES: Final = (SMALL_REQUEST_BYTES, ONE_LINE_BYTES)
"""What a key that lost a longer burst is sent: the first that is shorter."""
MAX_BUFFER_BYTES: Final = 4096
"""More is not used: 95 % of the wire's time goes to content then."""
BUFFER_OVERHEAD_BYTES: Final = 4
"""The frame's length and CRC share the key's buffer with the request."""
PIECE_OVERHEAD_BYTES: Final = 40
"""What an answer with a piece of a file has beside it."""
BUFFERS: Final = 3
"""What a key needs to take a request while it answers: one for that, and one each for the other and its answer."""
EARLY_PIECE_S: Final = 0.13
"""Pieces that take longer are asked for one by one: an answer that nobody wants would be in the way for too long."""
CONTENT_BITS_PER_BYTE: Final = 14
"""What a byte of a file takes on the wire: base64, and 10 bits to a character."""
ONE_BY_ONE_S: Final = 600.0
"""How long no request is sent early after a loss around one: it may be a line with one direction at a time."""
SMALL_ONCE_S: Final = 20.0
"""How long requests stay small after one lost burst: for the visit that goes on. It may have been the contact."""
SMALL_FOR_S: Final = 600.0
"""How long they do when another was lost before a large one was answered: then it is the key, or keys of its make."""
MAX_FILE_BYTES: Final = 65536
"""The largest file of a key (its log)."""
READ_TO_COMPARE_BYTES: Final = 64
"""Up to this, reading a file takes fewer bytes on the wire than asking for its hash."""

_HASHES: Final = ("sha256", "crc32")


@dataclass(slots=True, eq=False)
class _Insertion:
    """What was learned of the key since it was put in."""

    largest_bytes: int | None = None
    """The largest request by the key's own word; None until asked."""
    has_buffers: bool = False
    """It has `BUFFERS`, by its own word."""
    hashes: list[str] = field(default_factory=lambda: list(_HASHES))
    """Those not yet known to be missing."""
    told: dict[Any, Any] | None = None
    """What the key answered when first asked for its ``id``: another answer is another key."""
    over: bool = False


class _Transfer:
    """Has the wire for itself from its beginning to its end. Raises KeyLost when its insertion is over by then."""

    def __init__(self, lock: asyncio.Lock, insertion: _Insertion | None) -> None:
        self._lock, self._insertion = lock, insertion

    async def __aenter__(self) -> _Insertion:
        await self._lock.acquire()
        if self._insertion is None or self._insertion.over:
            self._lock.release()
            raise KeyLost("not_inserted")
        return self._insertion

    async def __aexit__(self, *_: object) -> None:
        self._lock.release()


class _Pieces:
    """The requests that upload a file, one after the other; each is made while the one before it is under way."""

    def __init__(self, path: str, content: bytes, request_bytes: int) -> None:
        self._path, self._content, self._request_bytes = path, content, request_bytes
        self._end = 0
        self._made: tuple[Request, int] | None = None

    def at_hand(self) -> tuple[Request, int]:
        """The next, and up to where the file has come with it. Raises KeyRefused (``buffer_too_small``)."""
        request, size = self._made or self._make()
        self._made = None
        self._end += size
        return request, self._end

    def ahead(self) -> Request:
        """The one that will be `at_hand`; after the last, what reads the file: what matters is read back at once."""
        if self._end == len(self._content):
            return messages.download(self._path, 0)
        self._made = self._make()
        return self._made[0]

    def _make(self) -> tuple[Request, int]:
        return messages.upload(self._path, self._content, self._end, self._request_bytes)


class SmpKeySocket:
    """A `station.ports.KeySocket`. Opens the port when first used, and again when it has come back."""

    def __init__(self, port: str, baud: int = 115200, folder: str = "/lfs1") -> None:
        self._port = port
        self._baud = baud
        self._folder = folder.rstrip("/")
        self._client: SmpClient | None = None
        self._closed = False
        self._wire_bytes_before = 0
        self._lock = asyncio.Lock()
        self._insertion: _Insertion | None = None
        self._gone = asyncio.Event()
        self._gone.set()
        self._upload_open = False
        """The key may still be in the middle of an upload that ended badly."""
        self._lost_burst_bytes = 0
        """The last insertion ended with a request of so many bytes that nothing answered; 0: it did not."""
        self._bursts_lost = 0
        """How many, by keys that were still there, since a larger request than `_small_bytes` was answered."""
        self._small_bytes = SMALL_REQUEST_BYTES
        """The largest request, until then."""
        self._small_until = 0.0
        self._one_by_one_until = 0.0
        """Until then no request is sent while an answer is coming."""
        self.turned_at = 0.0
        """When whoever waits for a key, or for its removal, last went round (the event loop's time)."""

    @property
    def wire_bytes(self) -> int:
        """Bytes of both directions since the socket was first opened."""
        return self._wire_bytes_before + (self._client.wire_bytes if self._client is not None else 0)

    async def inserted(self) -> None:
        """Return when a key answers. Raises ReaderLost (see `SerialPort.open`, and ``closed``)."""
        loop = asyncio.get_running_loop()
        first = True
        while True:
            self.turned_at = started_at = loop.time()
            async with self._lock:
                client = await self._opened()
                try:
                    # Any answer will do, also that echo is not supported.
                    await client.ask(messages.echo(), POLL_INTERVAL_S, fresh_line=True)
                except KeyLost:
                    pass
                else:
                    self._begin(went_on_at_once=first)
                    return
            first = False
            # A broken port may fail at once, again and again.
            await asyncio.sleep(max(0.0, started_at + POLL_INTERVAL_S - loop.time()))

    async def removed(self) -> None:
        """Return when the key has stopped answering, is another one, or was lost by a transfer.

        Transfers may run meanwhile.
        """
        loop = asyncio.get_running_loop()
        insertion = self._insertion
        misses = 0
        while insertion is not None and insertion is self._insertion and self._client is not None:
            self.turned_at = loop.time()
            rest_s = self._client.heard_at + ECHO_INTERVAL_S - loop.time() if not misses else 0.0
            if rest_s > 0 or self._lock.locked():
                # Whoever talks to the key notices its silence.
                # Not wait_for: Python 3.11's may swallow a cancellation that comes at the same moment.
                with suppress(TimeoutError):
                    async with asyncio.timeout(max(rest_s, ECHO_INTERVAL_S / 4)):
                        await self._gone.wait()
                continue
            async with self._lock:
                if insertion is not self._insertion:
                    break
                try:
                    # Not an echo: a key swapped for another between two of them would answer it as well.
                    answer = await self._client.ask(messages.download(self._path(KeyFile.ID), 0), ANSWER_TIMEOUT_S)
                except KeyLost:
                    misses += 1
                    # Before it has said which key it is, nobody could tell whether it is still the same afterwards.
                    if misses >= MISSES or insertion.told is None or not self._client.is_open:
                        self._lose()
                else:
                    misses = 0
                    insertion.told = insertion.told or answer.body
                    if answer.body != insertion.told:
                        self._lose()
        self._refuse_closed()

    async def read(self, file: KeyFile, limit_bytes: int = 4096, offset: int = 0) -> bytes:
        """See `KeySocket.read`. KeyRefused: ``too_large``, ``not_supported``, ``key_error``, ``answer_malformed``."""
        async with self._transfer():
            return await self._read(file, limit_bytes, offset)

    async def read_some(self, file: KeyFile, offset: int) -> bytes:
        """See `KeySocket.read_some`. Errors as `read`."""
        async with self._transfer():
            piece, _ = await self._piece(file, offset)
        return piece

    async def holds(self, file: KeyFile, content: bytes) -> bool:
        """See `KeySocket.holds`. By hash, else by size and content."""
        async with self._transfer() as insertion:
            if len(content) > READ_TO_COMPARE_BYTES:
                if insertion.largest_bytes is None:
                    # Who compares is about to write, and somebody may be waiting by then.
                    await self._learn_buffer(insertion)
                if self._upload_open:
                    await self._close_upload()  # until then the hash is that of the old file
                same = await self._holds_by_hash(insertion, file, content)
                if same is None:
                    same = False if await self._differs_in_size(file, content) else None
                if same is not None:
                    return same
            return await self._holds_by_content(file, content)

    async def write(self, file: KeyFile, content: bytes) -> None:
        """See `KeySocket.write`. Nothing to write is a `clear`."""
        async with self._transfer() as insertion:
            await self._upload(insertion, file, content or b"\x00")

    async def rewrite(self, file: KeyFile, content: bytes) -> None:
        """See `KeySocket.rewrite`.

        A key acts on a request only when the whole of it has come, and commits a file with the request that completes
        it: a key that is pulled out in between has the old content or the new. Not so where it takes two requests.
        """
        async with self._transfer() as insertion:
            if insertion.largest_bytes is None:
                await self._learn_buffer(insertion)
            _, size = messages.upload(self._path(file), content, 0, self._largest_bytes(insertion))
            if size < len(content):
                raise KeyRefused("takes_several_requests", file=file.value)
            await self._upload(insertion, file, content)
            told, is_id = insertion.told, file is KeyFile.ID
            if is_id:
                insertion.told = None  # else the key would be taken for another one that has been put in its place
            if await self._holds_by_content(file, content):
                return
            if is_id:
                insertion.told = told  # if it is one, whoever watches for the removal finds out
        raise KeyRefused("write_differs", file=file.value)

    async def clear(self, file: KeyFile) -> None:
        """See `KeySocket.clear`. An upload of no bytes would be answered with success and change nothing."""
        async with self._transfer() as insertion:
            await self._upload(insertion, file, b"\x00")

    async def clock(self) -> KeyClock:
        """See `KeySocket.clock`."""
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
        raise _refused(answer, "clock")

    async def set_clock(self, unix_s: int) -> None:
        """See `KeySocket.set_clock`."""
        async with self._transfer():
            answer = await self._ask(messages.datetime_set(format_datetime(unix_s)))
        if answer.refusal is not None:
            raise _refused(answer, "clock")

    async def close(self) -> None:
        """Let go of the port, for good: whoever waits for a key gets ReaderLost (``closed``)."""
        self._closed = True
        self._lose()
        self._drop_client()

    # ---- insertion

    async def _opened(self) -> SmpClient:
        if self._client is not None and self._client.is_open and not self._closed:
            return self._client
        self._drop_client()
        self._refuse_closed()
        self._client = await SmpClient.open(self._port, self._baud)
        self._refuse_closed()  # meanwhile
        return self._client

    def _refuse_closed(self) -> None:
        if self._closed:
            self._drop_client()
            raise ReaderLost("closed", port=self._port)

    def _drop_client(self) -> None:
        if self._client is not None:
            self._wire_bytes_before += self._client.wire_bytes
            self._client.close()
            self._client = None

    def _begin(self, *, went_on_at_once: bool) -> None:
        # A key that answers at once after a burst that nothing answered was there all the time: it cannot take one.
        if self._lost_burst_bytes and went_on_at_once:
            self._small_bytes = next(size for size in SMALLER_BYTES if size < self._lost_burst_bytes)
            self._bursts_lost += 1
            small_s = SMALL_ONCE_S if self._bursts_lost == 1 else SMALL_FOR_S
            self._small_until = asyncio.get_running_loop().time() + small_s
        self._lost_burst_bytes = 0
        self._lose()
        self._insertion = _Insertion()
        self._gone.clear()

    def _lose(self) -> None:
        if self._insertion is not None:
            self._insertion.over = True
            self._insertion = None
        self._gone.set()

    def _transfer(self) -> "_Transfer":
        """Alone on the wire, in the insertion in which it was called for."""
        return _Transfer(self._lock, self._insertion)

    async def _ask(
        self,
        request: Request,
        timeout_s: float | None = None,
        ahead: Callable[[], Request | None] | None = None,
        early_mark: bytes | None = None,
    ) -> Answer:
        client = self._client
        if client is None:
            raise KeyLost("not_inserted")
        try:
            return await client.ask(request, timeout_s or ANSWER_TIMEOUT_S, ahead=ahead, early_mark=early_mark)
        except KeyLost:
            if client.overlapped:
                self._one_by_one_until = asyncio.get_running_loop().time() + ONE_BY_ONE_S
            self._upload_open = True
            self._lose()
            raise

    # ---- files

    def _path(self, file: KeyFile) -> str:
        return f"{self._folder}/{file.value}"

    async def _read(self, file: KeyFile, limit_bytes: int, offset: int) -> bytes:
        content = bytearray()
        total: int | None = None  # the key says it with the first piece of the file only
        while total is None or offset + len(content) < total:
            at = offset + len(content)
            last = total if total is not None else offset + limit_bytes
            piece, size = await self._piece(file, at, early_mark=self._early_mark(at, last))
            if at == 0 and size is not None:
                total = size
                if total > limit_bytes:
                    raise KeyRefused("too_large", file=file.value, size_bytes=total)
            if not piece:
                break
            content += piece
            if len(content) > limit_bytes:
                raise KeyRefused("too_large", file=file.value, size_bytes=len(content))
        if total is not None and len(content) != total:
            raise KeyRefused("answer_malformed", field="len")
        return b"" if offset + len(content) <= 1 else bytes(content)

    async def _piece(self, file: KeyFile, at: int, early_mark: bytes | None = None) -> tuple[bytes, int | None]:
        """What one answer carries from ``at`` on, and the file's size where the key says it; empty: no more."""
        path = self._path(file)
        ahead = partial(self._next_piece, path, at)
        answer = await self._ask(messages.download(path, at), ahead=ahead, early_mark=early_mark)
        if file is KeyFile.ID and at == 0 and self._insertion is not None and self._insertion.told is None:
            self._insertion.told = answer.body
        refusal = answer.refusal
        if refusal is not None:
            if refusal.is_(FsRc.FILE_NOT_FOUND, FsRc.FILE_EMPTY, Rc.ENOENT):
                return b"", None
            if at and refusal.is_(FsRc.OFFSET_LARGER_THAN_FILE, FsRc.FILE_SEEK_FAILED):
                return b"", None
            raise _refused(answer, file.value)
        data = answer.data("data")
        if answer.uint("off") != at:
            raise KeyRefused("answer_malformed", field="off")
        return data, answer.uint("len") if at == 0 else None

    def _next_piece(self, path: str, at: int) -> Request | None:
        """What asks for the next piece if the key fills its buffer with this one."""
        piece_bytes = self._piece_bytes()
        return messages.download(path, at + piece_bytes) if piece_bytes is not None else None

    def _piece_bytes(self) -> int | None:
        """How much of a file the key's buffer holds; None: it has not been asked, or holds none."""
        largest_bytes = self._insertion.largest_bytes if self._insertion is not None else None
        if largest_bytes is None or largest_bytes <= PIECE_OVERHEAD_BYTES:
            return None
        return largest_bytes - PIECE_OVERHEAD_BYTES

    def _early_mark(self, at: int, last: int) -> bytes | None:
        """What the answer with the piece from ``at`` on has in it when another one follows before ``last``.

        None: none follows, or the key is not to be asked for it before it has answered.
        """
        insertion, piece_bytes = self._insertion, self._piece_bytes()
        if insertion is None or piece_bytes is None or at + piece_bytes >= last:
            return None
        if piece_bytes * CONTENT_BITS_PER_BYTE / self._baud > EARLY_PIECE_S:
            return None
        if not insertion.has_buffers or asyncio.get_running_loop().time() < self._one_by_one_until:
            return None
        return messages.data_head(piece_bytes)

    async def _upload(self, insertion: _Insertion, file: KeyFile, content: bytes) -> None:
        if len(content) > MAX_FILE_BYTES:
            raise KeyRefused("too_large", file=file.value, size_bytes=len(content))
        # The second time is for a key that was still in an upload that somebody else began.
        for _ in range(2):
            if self._upload_open:
                await self._close_upload()
            self._upload_open = True
            if await self._upload_once(insertion, file, content):
                self._upload_open = False
                return
        raise KeyRefused("offset_not_valid", file=file.value)

    async def _upload_once(self, insertion: _Insertion, file: KeyFile, content: bytes) -> bool:
        path = self._path(file)
        largest_bytes = self._largest_bytes(insertion)
        if insertion.largest_bytes is None:
            request, _ = messages.upload(path, content, 0, largest_bytes)
            if len(request) > SMALL_REQUEST_BYTES:
                await self._learn_buffer(insertion)
                largest_bytes = self._largest_bytes(insertion)
        pieces = _Pieces(path, content, messages.even_request_bytes(path, len(content), largest_bytes))
        while True:
            request, end = pieces.at_hand()
            try:
                answer = await self._ask(request, FLASH_TIMEOUT_S, pieces.ahead)
            except KeyLost as lost:
                if lost.code == "no_answer" and len(request) > ONE_LINE_BYTES:
                    self._lost_burst_bytes = len(request)
                raise
            if len(request) > self._small_bytes:
                self._bursts_lost = 0
            refusal = answer.refusal
            if refusal is not None:
                if refusal.is_(FsRc.OFFSET_NOT_VALID):
                    return False
                raise _refused(answer, file.value)
            if answer.uint("off") != end:
                return False  # it counts on from an upload that we know nothing of
            if end == len(content):
                return True

    async def _close_upload(self) -> None:
        answer = await self._ask(messages.close_file(), FLASH_TIMEOUT_S)
        refusal = answer.refusal
        if refusal is not None and not refusal.is_(Rc.ENOTSUP):
            raise _refused(answer, "close")
        self._upload_open = False

    def _largest_bytes(self, insertion: _Insertion) -> int:
        largest_bytes = insertion.largest_bytes or DEFAULT_BUFFER_BYTES - BUFFER_OVERHEAD_BYTES
        if asyncio.get_running_loop().time() < self._small_until:
            return min(largest_bytes, self._small_bytes)
        return largest_bytes

    async def _learn_buffer(self, insertion: _Insertion) -> None:
        answer = await self._ask(messages.parameters())
        buffer_bytes = DEFAULT_BUFFER_BYTES
        if answer.refusal is None:
            buffer_bytes = min(answer.uint("buf_size"), MAX_BUFFER_BYTES)
            count = answer.body.get("buf_count")
            insertion.has_buffers = type(count) is int and count >= BUFFERS
        largest_bytes = max(buffer_bytes - BUFFER_OVERHEAD_BYTES, 1)
        # A key with so little memory may well have a single receive fragment too, and there is no way to ask.
        insertion.largest_bytes = (
            largest_bytes if largest_bytes > SMALL_REQUEST_BYTES else min(largest_bytes, ONE_LINE_BYTES)
        )

    async def _holds_by_hash(self, insertion: _Insertion, file: KeyFile, content: bytes) -> bool | None:
        """None: the key has no hash. The hash comes with the size of what was hashed: no status is needed before it."""
        while insertion.hashes:
            kind = insertion.hashes[0]
            # One byte more than there should be shows a longer file, and a key is not kept busy by one of megabytes.
            answer = await self._ask(messages.file_hash(self._path(file), kind, len(content) + 1), FLASH_TIMEOUT_S)
            refusal = answer.refusal
            if refusal is None:
                expected = hashlib.sha256(content).digest() if kind == "sha256" else zlib.crc32(content)
                return answer.body.get("output") == expected and answer.uint("len") == len(content)
            if refusal.is_(FsRc.FILE_NOT_FOUND, FsRc.FILE_EMPTY, Rc.ENOENT):
                return False
            if refusal.is_(Rc.ENOTSUP):
                insertion.hashes.clear()
            elif refusal.is_(FsRc.HASH_NOT_FOUND, Rc.EINVAL):
                insertion.hashes.remove(kind)
            else:
                return False  # an error for an empty file means "differs", whatever its number
        return None

    async def _holds_by_content(self, file: KeyFile, content: bytes) -> bool:
        try:
            there = await self._read(file, max(len(content), 1), 0)
        except KeyRefused as refused:
            if refused.code == "too_large":
                return False
            raise
        return there == content if len(content) > 1 else there == b""

    async def _differs_in_size(self, file: KeyFile, content: bytes) -> bool:
        answer = await self._ask(messages.status(self._path(file)), FLASH_TIMEOUT_S)
        refusal = answer.refusal
        if refusal is None:
            return answer.uint("len") != len(content)
        return refusal.is_(FsRc.FILE_NOT_FOUND, FsRc.FILE_EMPTY, Rc.ENOENT)


def _refused(answer: Answer, what: str) -> KeyRefused:
    refusal = answer.refusal
    if refusal is None:
        return KeyRefused("answer_malformed", what=what)
    code = "not_supported" if refusal.is_(Rc.ENOTSUP) else "key_error"
    return KeyRefused(code, what=what, group=refusal.group, rc=refusal.rc)
