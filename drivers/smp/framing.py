"""SMP's serial framing: lines of base64 that start with ``06 09`` (first) or ``04 14`` (next) and end with a newline.

A frame is a 16-bit length, the message and its CRC-16/XMODEM, in base64, cut into lines of at most 127 bytes (Zephyr's
``MCUMGR_SERIAL_MAX_FRAME``). Ours keeps one line and one frame at most, whatever noise comes; the tests compare it with
that of the package ``smp``.
"""

import binascii
import struct
from typing import Final

START: Final = b"\x06\x09"
CONTINUE: Final = b"\x04\x14"

MAX_LINE_BYTES: Final = 512  # four times what the framing allows: a line without an end is noise
MAX_FRAME_LINES: Final = 64  # some 6 KiB of message; no key has a larger buffer
OVERHEAD_BYTES: Final = 4
"""What a frame has beside its message: the length and the CRC."""

_LINE_CHARACTERS: Final = 124
_NUMBER: Final = struct.Struct("!H")


def encode_frame(message: bytes) -> bytes:
    """All lines of the frame that carries ``message``, ready for one write."""
    crc = _NUMBER.pack(binascii.crc_hqx(message, 0))
    text = binascii.b2a_base64(_NUMBER.pack(len(message) + len(crc)) + message + crc, newline=False)
    if len(text) > _LINE_CHARACTERS:
        lines = [text[at : at + _LINE_CHARACTERS] for at in range(0, len(text), _LINE_CHARACTERS)]
        text = (b"\n" + CONTINUE).join(lines)
    return START + text + b"\n"


class FrameReader:
    """Bytes in, messages out, whatever the pieces they arrive in."""

    def __init__(self) -> None:
        self._line = b""
        self._frame: bytes | None = None
        """The frame as far as it has come."""
        self._lines = 0

    def feed(self, data: bytes) -> list[bytes | None]:
        """The messages that ``data`` completes, in order; None for each frame that was damaged.

        Lines that are no SMP (a console's) are passed over. Keeps at most `MAX_LINE_BYTES` and one frame.
        """
        frames: list[bytes | None] = []
        *lines, self._line = (self._line + data).split(b"\n")
        for line in lines:
            self._take_line(line, frames)
        if len(self._line) > MAX_LINE_BYTES:
            self._line = b""
            frames.append(None)
        return frames

    def _take_line(self, line: bytes, frames: list[bytes | None]) -> None:
        # A torn line has no newline of its own, so the next frame is glued to it: what counts is the last start.
        start = line.rfind(START)
        if start >= 0:
            self._frame, self._lines = b"", 0
        elif line.startswith(CONTINUE):
            start = 0
        else:
            return
        if self._frame is None:
            frames.append(None)
            return
        self._lines += 1
        try:
            frame = self._frame + binascii.a2b_base64(line[start + 2 :])
            (length,) = _NUMBER.unpack_from(frame)
        except (binascii.Error, struct.error):
            self._frame = None
            frames.append(None)
            return
        message, crc = frame[_NUMBER.size : -_NUMBER.size], frame[-_NUMBER.size :]
        if len(frame) - _NUMBER.size >= length:
            self._frame = None
            right = len(frame) >= OVERHEAD_BYTES and crc == _NUMBER.pack(binascii.crc_hqx(message, 0))
            frames.append(message if right else None)
        elif self._lines < MAX_FRAME_LINES:
            self._frame = frame
        else:
            self._frame = None
            frames.append(None)
