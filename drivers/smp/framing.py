"""SMP's serial framing: lines of base64 that start with ``06 09`` (first) or ``04 14`` (next) and end with a newline.

A frame is a 16-bit length, the message and its CRC-16/XMODEM, in base64, cut into lines of at most 127 bytes (Zephyr's
``MCUMGR_SERIAL_MAX_FRAME``). The codec is ``smp.packet``; this module finds the lines in what the port delivers and
decides what to do with the damaged ones.
"""

import binascii
import logging
import struct
from collections.abc import Generator
from typing import Final

from smp import packet
from smp.exceptions import SMPException

# smp logs every message it encodes or decodes, whole: permits and PIN tags have no place in a log.
logging.getLogger("smp").setLevel(logging.CRITICAL + 1)

START: Final = packet.START_DELIMITER
CONTINUE: Final = packet.CONTINUE_DELIMITER

_LINE_LENGTH: Final = 128  # smp subtracts 4 where 3 would do: this gives the 127 bytes that Zephyr takes and sends
MAX_LINE_BYTES: Final = 512  # four times what the framing allows: a line without an end is noise
MAX_FRAME_LINES: Final = 64  # some 6 KiB of message; no key has a larger buffer


def encode_frame(message: bytes) -> bytes:
    """All lines of the frame that carries ``message``, ready for one write."""
    return b"".join(packet.encode(message, _LINE_LENGTH))


class FrameReader:
    """Bytes in, messages out, whatever the pieces they arrive in."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._decoder: Generator[None, bytes, bytes] | None = None
        self._lines = 0

    def feed(self, data: bytes) -> list[bytes | None]:
        """The messages that ``data`` completes, in order; None for each frame that was damaged.

        Lines that are no SMP (a console's) are passed over. Keeps at most `MAX_LINE_BYTES` and one frame.
        """
        frames: list[bytes | None] = []
        self._line += data
        while (end := self._line.find(b"\n")) >= 0:
            line = bytes(self._line[: end + 1])
            del self._line[: end + 1]
            self._take_line(line, frames)
        if len(self._line) > MAX_LINE_BYTES:
            self._line.clear()
            frames.append(None)
        return frames

    def _take_line(self, line: bytes, frames: list[bytes | None]) -> None:
        # A torn line has no newline of its own, so the next frame is glued to it: what counts is the last start.
        start = line.rfind(START)
        if start >= 0:
            self._decoder = packet.decode()
            next(self._decoder)
            self._lines = 0
            line = line[start:]
        elif not line.startswith(CONTINUE):
            return
        if self._decoder is None:
            frames.append(None)
            return
        self._lines += 1
        try:
            self._decoder.send(line)
        except StopIteration as done:
            self._decoder = None
            frames.append(done.value)
        except (SMPException, binascii.Error, struct.error, ValueError):
            self._decoder = None
            frames.append(None)
        else:
            if self._lines >= MAX_FRAME_LINES:
                self._decoder = None
                frames.append(None)
