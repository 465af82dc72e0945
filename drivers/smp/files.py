"""The files of a key: read, compared and written, piece by piece."""

import hashlib
import zlib
from collections.abc import Awaitable, Callable
from typing import Final

from drivers.smp import messages
from drivers.smp.framing import OVERHEAD_BYTES
from drivers.smp.lost_answers import ONE_LINE_BYTES, SMALL_REQUEST_BYTES, LostAnswers
from drivers.smp.messages import Answer, FsRc, Rc, Request
from station.ports import KeyFile, KeyLost, KeyRefused

DEFAULT_BUFFER_BYTES: Final = 384
"""Zephyr's default, for keys that do not say."""
MAX_BUFFER_BYTES: Final = 4096
"""More is not used: 95 % of the wire's time goes to content then."""
MAX_FILE_BYTES: Final = 65536
"""The largest file of a key (its log)."""
READ_TO_COMPARE_BYTES: Final = 64
"""Up to this, reading a file takes fewer bytes on the wire than asking for its hash."""

_HASHES: Final = ("sha256", "crc32")


class SmpFiles:
    """The files of one key, and how it takes them. One call at a time; raises KeyRefused, and KeyLost as ``ask`` does.

    KeyRefused: ``too_large``, ``not_supported``, ``key_error``, ``answer_malformed``, ``buffer_too_small``.
    """

    def __init__(self, ask: Callable[[Request], Awaitable[Answer]], folder: str, lost_answers: LostAnswers) -> None:
        self._ask = ask
        self._folder = folder.rstrip("/")
        self._lost_answers = lost_answers
        self._largest_bytes: int | None = None
        """The largest request by the key's own word; None until asked."""
        self._hashes = list(_HASHES)
        """Those not yet known to be missing."""

    async def read(self, file: KeyFile, limit_bytes: int) -> bytes:
        """The whole file; empty where it is missing or has at most one byte. KeyRefused also ``too_large``."""
        content = bytearray()
        total: int | None = None  # the key says it with the first piece of the file only
        while total is None or len(content) < total:
            piece, size = await self.piece(file, len(content))
            total = size if size is not None else total
            content += piece
            if max(len(content), total or 0) > limit_bytes:
                raise KeyRefused("too_large", file=file.value, size_bytes=max(len(content), total or 0))
            if not piece:
                break
        if total is not None and len(content) != total:
            raise KeyRefused("answer_malformed", field="len")
        return b"" if len(content) <= 1 else bytes(content)

    async def piece(self, file: KeyFile, offset: int) -> tuple[bytes, int | None]:
        """What one answer carries from ``offset`` on, and the file's size where the key says it; empty: no more."""
        answer = await self._ask(messages.download(self._path(file), offset))
        refusal = answer.refusal
        if refusal is not None:
            if refusal.is_(FsRc.FILE_NOT_FOUND, FsRc.FILE_EMPTY, Rc.ENOENT):
                return b"", None
            if offset and refusal.is_(FsRc.OFFSET_LARGER_THAN_FILE, FsRc.FILE_SEEK_FAILED):
                return b"", None
            raise answer.refused(file.value)
        data = answer.data("data")
        if answer.uint("off") != offset:
            raise KeyRefused("answer_malformed", field="off")
        return data, None if offset else answer.uint("len")

    async def holds(self, file: KeyFile, content: bytes) -> bool:
        """Whether the file is exactly ``content``: by its hash, else by its size and content."""
        if len(content) > READ_TO_COMPARE_BYTES:
            if self._largest_bytes is None:
                # Who compares is about to write, and somebody may be waiting by then.
                await self._ask_for_buffer()
            if self._lost_answers.upload_open:
                await self._close_upload()  # until then the hash is that of the old file
            same = await self._has_hash_of(file, content)
            if same is not None:
                return same
            if await self._differs_in_size(file, content):
                return False
        return await self.reads_as(file, content)

    async def reads_as(self, file: KeyFile, content: bytes) -> bool:
        """Whether the file, read, is ``content``."""
        try:
            there = await self.read(file, max(len(content), 1))
        except KeyRefused as refused:
            if refused.code == "too_large":
                return False
            raise
        return there == content if len(content) > 1 else there == b""

    async def fits_one_request(self, file: KeyFile, content: bytes) -> bool:
        """Whether one request carries all of it."""
        if self._largest_bytes is None:
            await self._ask_for_buffer()
        _, size = messages.upload(self._path(file), content, 0, self._most_bytes())
        return size == len(content)

    async def write(self, file: KeyFile, content: bytes) -> None:
        """Write the file anew; without content, its one byte 0x00 (a key says yes to no bytes, and does nothing)."""
        if len(content) > MAX_FILE_BYTES:
            raise KeyRefused("too_large", file=file.value, size_bytes=len(content))
        # The second time is for a key that was still in an upload that somebody else began.
        for _ in range(2):
            if self._lost_answers.upload_open:
                await self._close_upload()
            self._lost_answers.upload_open = True
            if await self._upload(file, content or b"\x00"):
                self._lost_answers.upload_open = False
                return
        raise KeyRefused("offset_not_valid", file=file.value)

    async def _upload(self, file: KeyFile, content: bytes) -> bool:
        """False: the key goes on with an upload that we know nothing of."""
        path, end = self._path(file), 0
        if self._largest_bytes is None:
            request, _ = messages.upload(path, content, 0, self._most_bytes())
            if len(request) > SMALL_REQUEST_BYTES:
                await self._ask_for_buffer()
        most_bytes = self._most_bytes()
        while end < len(content):
            request, size = messages.upload(path, content, end, most_bytes)
            end += size
            try:
                answer = await self._ask(request)
            except KeyLost as lost:
                if lost.code == "no_answer":
                    self._lost_answers.not_answered(len(request))
                raise
            self._lost_answers.answered(len(request))
            refusal = answer.refusal
            if refusal is not None:
                if refusal.is_(FsRc.OFFSET_NOT_VALID):
                    return False
                raise answer.refused(file.value)
            if answer.uint("off") != end:
                return False
        return True

    async def _close_upload(self) -> None:
        answer = await self._ask(messages.close_file())
        refusal = answer.refusal
        if refusal is not None and not refusal.is_(Rc.ENOTSUP):
            raise answer.refused("close")
        self._lost_answers.upload_open = False

    def _most_bytes(self) -> int:
        return self._lost_answers.most_bytes(self._largest_bytes or DEFAULT_BUFFER_BYTES - OVERHEAD_BYTES)

    async def _ask_for_buffer(self) -> None:
        answer = await self._ask(messages.parameters())
        buffer_bytes = answer.uint("buf_size") if answer.refusal is None else DEFAULT_BUFFER_BYTES
        # The frame's length and CRC share the key's buffer with the request.
        largest_bytes = max(min(buffer_bytes, MAX_BUFFER_BYTES) - OVERHEAD_BYTES, 1)
        if largest_bytes <= SMALL_REQUEST_BYTES:
            # A key with so little memory may well have a single receive fragment too, and there is no way to ask.
            largest_bytes = min(largest_bytes, ONE_LINE_BYTES)
        self._largest_bytes = largest_bytes

    async def _has_hash_of(self, file: KeyFile, content: bytes) -> bool | None:
        """None: the key has no hash. The hash comes with the size of what was hashed: no status is needed before it."""
        while self._hashes:
            kind = self._hashes[0]
            # One byte more than there should be shows a longer file, and a key is not kept busy by one of megabytes.
            answer = await self._ask(messages.file_hash(self._path(file), kind, len(content) + 1))
            refusal = answer.refusal
            if refusal is None:
                expected = hashlib.sha256(content).digest() if kind == "sha256" else zlib.crc32(content)
                return answer.body.get("output") == expected and answer.uint("len") == len(content)
            if refusal.is_(FsRc.FILE_NOT_FOUND, FsRc.FILE_EMPTY, Rc.ENOENT):
                return False
            if refusal.is_(Rc.ENOTSUP):
                self._hashes.clear()
            elif refusal.is_(FsRc.HASH_NOT_FOUND, Rc.EINVAL):
                self._hashes.remove(kind)
            else:
                return False  # an error for an empty file means "differs", whatever its number
        return None

    async def _differs_in_size(self, file: KeyFile, content: bytes) -> bool:
        answer = await self._ask(messages.status(self._path(file)))
        refusal = answer.refusal
        if refusal is None:
            return answer.uint("len") != len(content)
        return refusal.is_(FsRc.FILE_NOT_FOUND, FsRc.FILE_EMPTY, Rc.ENOENT)

    def _path(self, file: KeyFile) -> str:
        return f"{self._folder}/{file.value}"
