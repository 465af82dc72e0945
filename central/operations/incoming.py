"""Whether a request has come in whole: its head, and its body by length or in chunks. No socket, no clock."""

import re

HEAD_END = b"\r\n\r\n"
HEAD_LIMIT_BYTES = 64 * 1024
"""Far more than a browser or station sends; the server's own limits refuse less, in words."""
BODY_LIMIT_BYTES = 1024 * 1024 + 64 * 1024
"""As much as any call or form may have, and a form's dress. Of a longer one no more is waited for: it is refused."""
CHUNK_LINE_LIMIT_BYTES = 256

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,12})[ \t]*\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r\n]*chunked[ \t]*\r\n", re.IGNORECASE)
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9a-fA-F]{1,8})[ \t]*(;.*)?")


class HeadTooLong(Exception):
    """Nobody sends that much before a body."""


class Incoming:
    """The bytes of one request so far. What follows it on the same connection may be among them."""

    def __init__(self) -> None:
        self.data = bytearray()
        self._body_at: int | None = None
        self._body_bytes: int | None = None
        self._chunk_at = 0
        """Where the next chunk's line begins."""

    def add(self, data: bytes) -> None:
        """More of it."""
        self.data += data

    def is_whole(self) -> bool:
        """Whether a thread can take it without waiting for its sender; true also for what will be refused as it is.

        Raises HeadTooLong.
        """
        if self._body_at is None and not self._find_body():
            return False
        body_at = self._body_at or 0
        if len(self.data) - body_at >= BODY_LIMIT_BYTES:
            return True
        if self._body_bytes is not None:
            return len(self.data) - body_at >= self._body_bytes
        return self._has_last_chunk()

    def _find_body(self) -> bool:
        end = self.data.find(HEAD_END)
        if end < 0:
            if len(self.data) > HEAD_LIMIT_BYTES:
                raise HeadTooLong
            return False
        head = bytes(self.data[: end + 2])
        self._body_at = self._chunk_at = end + len(HEAD_END)
        length = _LENGTH.search(head)
        if not _CHUNKED.search(head):
            self._body_bytes = int(length[1]) if length else 0
        return True

    def _has_last_chunk(self) -> bool:
        while True:
            line_end = self.data.find(b"\r\n", self._chunk_at)
            if line_end < 0:
                # One that long is none: the server refuses it.
                return len(self.data) - self._chunk_at > CHUNK_LINE_LIMIT_BYTES
            size = _CHUNK_SIZE.fullmatch(bytes(self.data[self._chunk_at : line_end]))
            if size is None:
                return True
            if int(size[1], 16) == 0:
                # Then come trailers, or at once the empty line.
                return self.data.find(HEAD_END, line_end) >= 0
            following = line_end + 2 + int(size[1], 16) + 2
            if following > len(self.data):
                return False
            self._chunk_at = following
