"""A serial line with a key's socket at its end: a pseudo-terminal as slow as the line, that keys are put into."""

import asyncio
import os
import pty
import tty
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Final

from drivers.emulated_key.key import EmulatedKey
from station.errors import StationError

BITS_PER_BYTE: Final = 10
MAX_QUEUED_BYTES: Final = 65536
"""What a sender may be ahead of the line; what is beyond is lost, as in any full buffer."""
_READ_BYTES: Final = 4096
EARLY_S: Final = 0.0005
"""An event loop on epoll wakes at whole milliseconds, late: half a millisecond early is right on average."""
_COMMIT_MARGIN_S: Final = 0.05


class LineFault(StationError):
    """The line cannot be set up: ``link_exists`` when there is something at the path that is no link."""


class PacedBytes:
    """One direction of a serial line as arithmetic: which bytes have passed by when.

    Times are worked out from the end of the byte before, never from when somebody looked: looking late delays nothing
    that comes after.
    """

    def __init__(self, baud: int) -> None:
        self._byte_s = BITS_PER_BYTE / baud
        self._pieces: deque[tuple[float, bytes]] = deque()
        self._queued_bytes = 0
        self._free_at = 0.0

    def put(self, data: bytes, at: float) -> None:
        """``data`` is ready to be sent at ``at``; it starts when the line is free."""
        data = data[: MAX_QUEUED_BYTES - self._queued_bytes]
        start = 0
        self._free_at = max(self._free_at, at)
        # Line by line: whoever listens acts at a newline.
        while start < len(data):
            end = data.find(b"\n", start) + 1 or len(data)
            self._pieces.append((self._free_at, data[start:end]))
            self._free_at += (end - start) * self._byte_s
            start = end
        self._queued_bytes += len(data)

    def due(self) -> float | None:
        """When the next line (or what there is of one) will have passed."""
        if not self._pieces:
            return None
        started_at, piece = self._pieces[0]
        return started_at + len(piece) * self._byte_s

    def take(self, now: float) -> list[tuple[float, bytes]]:
        """The lines that have passed by ``now``, each with the time of its last bit."""
        passed = []
        while (due := self.due()) is not None and due <= now:
            piece = self._pieces.popleft()[1]
            self._queued_bytes -= len(piece)
            passed.append((due, piece))
        return passed

    def cut(self, now: float) -> bytes:
        """The line is cut: the bytes of the next line that had passed; everything else is gone. Take first."""
        passed = b""
        if self._pieces:
            started_at, piece = self._pieces[0]
            passed = piece[: max(0, int((now - started_at) / self._byte_s + 1e-6))]
        self._pieces.clear()
        self._queued_bytes = 0
        self._free_at = now
        return passed


class SerialLine:
    """A pseudo-terminal, found at ``path`` (a symbolic link), paced to ``baud`` (10 bits a byte) in both directions.

    Lives in the running event loop. Without a key in it every byte vanishes. ``turnaround_s`` is how long a key thinks
    before it answers; it may be changed at any time. ``early_s`` is how much too late the loop wakes on average.
    Raises LineFault, OSError.
    """

    def __init__(self, path: Path, baud: int = 115200, turnaround_s: float = 0.0, *, early_s: float = EARLY_S) -> None:
        self.path = path
        self.baud = baud
        self.turnaround_s = turnaround_s
        self.wire_bytes = 0
        """Bytes of both directions, those included that nobody heard."""
        self._early_s = early_s
        self._loop = asyncio.get_running_loop()
        self._key: EmulatedKey | None = None
        self._to_key = PacedBytes(baud)
        self._to_station = PacedBytes(baud)
        self._timer: asyncio.TimerHandle | None = None
        self._commit_timers: dict[EmulatedKey, asyncio.TimerHandle] = {}
        self._master = self._slave = -1
        self.reopen()

    @property
    def key(self) -> EmulatedKey | None:
        """The key in the socket."""
        return self._key

    def insert(self, key: EmulatedKey) -> None:
        """Put a key in; the one that was there is pulled. It hears what is sent from now on."""
        self.pull()
        self._key = key

    def pull(self) -> EmulatedKey | None:
        """Pull the key out, in the middle of a byte if need be; None when there is none."""
        key = self._key
        now = self._loop.time()
        self._pass_on(now)
        half = self._to_key.cut(now)
        if key is not None and half:
            self._to_key_now(key, half, now)
        self._send(self._to_station.cut(now))
        self._key = None
        return key

    def hang_up(self) -> None:
        """The port disappears, as when a USB adapter is unplugged: who has it open gets EIO; the path is gone."""
        if self._master < 0:
            return
        self._loop.remove_reader(self._master)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = self._loop.time()
        self._to_key.cut(now)
        self._to_station.cut(now)
        with suppress(OSError):
            if self.path.is_symlink() and self.path.readlink() == Path(self._slave_name):
                self.path.unlink()
        os.close(self._master)
        os.close(self._slave)
        self._master = self._slave = -1

    def reopen(self) -> None:
        """The port comes back under the same path. Does nothing while it is there."""
        if self._master >= 0:
            return
        if self.path.exists() and not self.path.is_symlink():
            raise LineFault("link_exists", path=self.path)
        # The line's own handle on the far side stays open: the near side would get EIO whenever no station has it.
        self._master, self._slave = pty.openpty()
        try:
            tty.setraw(self._slave)
            os.set_blocking(self._master, False)
            self._slave_name = os.ttyname(self._slave)
            self._link()
        except OSError:
            os.close(self._master)
            os.close(self._slave)
            self._master = self._slave = -1
            raise
        self._loop.add_reader(self._master, self._readable)

    def close(self) -> None:
        """Take everything down; keys commit what they have."""
        self.pull()
        self.hang_up()
        for key, timer in self._commit_timers.items():
            timer.cancel()
            key.commit_open_file()
        self._commit_timers.clear()

    def _link(self) -> None:
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        with suppress(FileNotFoundError):
            temporary.unlink()
        temporary.symlink_to(self._slave_name)
        temporary.replace(self.path)

    def _readable(self) -> None:
        try:
            data = os.read(self._master, _READ_BYTES)
        except (BlockingIOError, OSError):
            return
        self._to_key.put(data, self._loop.time())
        self._run()

    def _run(self) -> None:
        """Do what is due, and come back for the next."""
        self._pass_on(self._loop.time() + self._early_s)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        dues = [due for due in (self._to_key.due(), self._to_station.due()) if due is not None]
        if dues and self._master >= 0:
            self._timer = self._loop.call_at(min(dues) - self._early_s, self._run)

    def _pass_on(self, until: float) -> None:
        for passed_at, line in self._to_key.take(until):
            self.wire_bytes += len(line)
            if self._key is not None:
                self._to_key_now(self._key, line, passed_at)
        for _, line in self._to_station.take(until):
            self._send(line)

    def _to_key_now(self, key: EmulatedKey, data: bytes, passed_at: float) -> None:
        answer = key.receive(data)
        if answer:
            # From when the request had passed, not from now: the loop's own delays are not the line's.
            self._to_station.put(answer, passed_at + self.turnaround_s)
        if key.has_open_file and key not in self._commit_timers:
            self._commit_later(key)

    def _commit_later(self, key: EmulatedKey) -> None:
        delay_s = key.options.idle_close_s + _COMMIT_MARGIN_S
        self._commit_timers[key] = self._loop.call_later(delay_s, self._commit_idle_file, key)

    def _commit_idle_file(self, key: EmulatedKey) -> None:
        del self._commit_timers[key]
        key.commit_idle_file()
        if key.has_open_file:
            self._commit_later(key)

    def _send(self, data: bytes) -> None:
        if not data or self._master < 0:
            return
        self.wire_bytes += len(data)
        # Nobody reads, the buffer is full: lost, as on a real line.
        with suppress(BlockingIOError, OSError):
            os.write(self._master, data)
