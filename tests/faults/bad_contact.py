"""The contact between a key and its socket when it is at its worst: one fault at one byte, in either direction."""

import errno
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar

from drivers.emulated_key.key import EmulatedKey
from drivers.emulated_key.line import SerialLine
from station.ports import ReaderLost

SPLIT_S = 0.004
DELAY_S = 0.1
LATE_S = 0.7
"""Longer than any patience of the driver."""
AWAY_S = 2.5


class Fault(StrEnum):
    """What happens at the byte."""

    DROP = "drop"
    FLIP = "flip"
    DUPLICATE = "duplicate"
    SPLIT = "split"
    """The rest of what was sent comes in a piece of its own."""
    MERGE = "merge"
    """The rest waits for what is sent next the same way, and both come in one piece."""
    DELAY = "delay"
    """The rest comes `DELAY_S` later."""
    LATE = "late"
    """The rest comes `LATE_S` later."""
    SILENCE = "silence"
    """Nothing gets through any more, until the key is put in again."""
    EIO = "eio"
    """The port fails; it can be opened again at once."""
    HANG_UP = "hang_up"
    """The port is gone for `AWAY_S`."""


LASTING = frozenset({Fault.SILENCE, Fault.HANG_UP})
"""The key is not there for the station until somebody does something, or for long."""


class BadContact(SerialLine):
    """A line with a fault at the ``at``-th byte that passes after `arm`, counted over both directions."""

    def __init__(self, path: Path, baud: int) -> None:
        self._fault: Fault | None = None
        self._at = 0
        self._fired: Callable[[], None] = lambda: None
        self._torn = False
        self._held: dict[bool, bytearray] = {}
        self._merging: set[bool] = set()
        self.passed_bytes = 0
        """Since `arm`."""
        super().__init__(path, baud)

    def arm(self, fault: Fault | None, at: int, fired: Callable[[], None] = lambda: None) -> None:
        """Have ``fault`` at the byte ``at``, counted from here; ``fired`` is called when it happens."""
        self._fault, self._at, self._fired = fault, at, fired
        self.passed_bytes = 0

    @property
    def is_armed(self) -> bool:
        """Whether the fault is still to come."""
        return self._fault is not None

    def part(self) -> None:
        """The contacts part: nothing gets through, until they touch again."""
        self._torn = True

    def touch(self) -> None:
        """They touch again, whatever was lost meanwhile."""
        self._torn = False

    def insert(self, key: EmulatedKey) -> None:
        super().insert(key)
        self._torn = False
        self._held.clear()
        self._merging.clear()

    def _to_key_now(self, key: EmulatedKey, data: bytes, passed_at: float) -> None:
        self._pass(True, data, lambda piece: super(BadContact, self)._to_key_now(key, piece, passed_at))

    def _send(self, data: bytes) -> None:
        if data and self._key is not None:
            self._pass(False, data, super()._send)

    def _pass(self, to_key: bool, data: bytes, deliver: Callable[[bytes], None]) -> None:
        k = self._at - self.passed_bytes
        self.passed_bytes += len(data)
        if self._torn:
            return
        if to_key in self._held:
            self._held[to_key] += data
            if to_key in self._merging:
                self._merging.discard(to_key)
                deliver(bytes(self._held.pop(to_key)))
            return
        if self._fault is None or not 0 <= k < len(data):
            deliver(data)
            return
        fault, self._fault = self._fault, None
        self._fired()
        self._spoil(fault, to_key, data, k, deliver)

    def _spoil(self, fault: Fault, to_key: bool, data: bytes, k: int, deliver: Callable[[bytes], None]) -> None:
        def some(piece: bytes) -> None:
            if piece:
                deliver(piece)

        match fault:
            case Fault.DROP:
                some(data[:k] + data[k + 1 :])
            case Fault.FLIP:
                some(data[:k] + bytes([data[k] ^ 1 << self._at % 8]) + data[k + 1 :])
            case Fault.DUPLICATE:
                some(data[: k + 1] + data[k:])
            case Fault.SPLIT | Fault.DELAY | Fault.LATE | Fault.MERGE:
                self._held[to_key] = bytearray(data[k:])
                some(data[:k])
                if fault is Fault.MERGE:
                    self._merging.add(to_key)
                    return
                wait_s = {Fault.SPLIT: SPLIT_S, Fault.DELAY: DELAY_S, Fault.LATE: LATE_S}[fault]
                self._loop.call_later(wait_s, self._release, to_key)
            case Fault.SILENCE:
                some(data[:k])
                self._torn = True
            case Fault.EIO | Fault.HANG_UP:
                some(data[:k])
                self._torn = True
                self._loop.call_soon(self._away, 0.0 if fault is Fault.EIO else AWAY_S)

    def _release(self, to_key: bool) -> None:
        data = bytes(self._held.pop(to_key, b""))
        if not data or self._torn or self._key is None:
            return
        if to_key:
            super()._to_key_now(self._key, data, self._loop.time())
            self._run()
        else:
            super()._send(data)

    def _away(self, for_s: float) -> None:
        self.hang_up()
        if for_s:
            self._loop.call_later(for_s, self._come_back)
        else:
            self._come_back()

    def _come_back(self) -> None:
        self._torn = False
        self.reopen()


class ContactInMemory(BadContact):
    """The same without a pseudo-terminal, whose bytes take a moment of real time: for virtual time.

    `open_device` stands where the driver opens the device; all else of the driver is as ever.
    """

    _ends: ClassVar[dict[str, int]] = {}

    def reopen(self) -> None:
        if self._master >= 0:
            return
        near, far = socket.socketpair()
        self._master, self._slave = near.detach(), far.detach()
        os.set_blocking(self._master, False)
        self._ends[str(self.path)] = self._slave
        self._loop.add_reader(self._master, self._readable)

    def hang_up(self) -> None:
        self._ends.pop(str(self.path), None)
        super().hang_up()

    @classmethod
    def open_device(cls, port: str, _baud: int) -> Any:
        if port not in cls._ends:
            raise ReaderLost("port_missing", port=port) from OSError(errno.ENOENT, port)
        return _Device(os.dup(cls._ends[port]))


class _Device:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor

    def close(self) -> None:
        with suppress(OSError):
            os.close(self._descriptor)
