"""The serial port, driven by its descriptor: no polling, one write per request, a thread only to open it."""

import asyncio
import errno
import fcntl
import os
import struct
import termios
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import serial

from drivers.smp.port_search import found_port, is_search
from station.daemon_threads import DaemonThreads
from station.ports import ReaderLost

_READ_BYTES: Final = 4096
STUCK_S: Final = 3.0
"""A port that has not got rid of what it was given for so long is stuck; at 9600 baud a long request takes 0.5 s."""
OPEN_LIMIT_S: Final = 3.0
"""An adapter that hangs keeps whoever opens it for as long as its driver waits."""
_THREADS: Final = DaemonThreads("serial-port")

_CODES: Final = {
    errno.ENOENT: "port_missing",
    errno.ENODEV: "port_missing",
    errno.ENXIO: "port_missing",
    errno.EIO: "port_missing",
    errno.ENOTDIR: "port_missing",
    errno.EACCES: "port_denied",
    errno.EPERM: "port_denied",
    errno.EBUSY: "port_busy",
    errno.EAGAIN: "port_busy",
}


class SerialPort:
    """An open port. What arrives goes to ``on_bytes``; ``on_lost`` is called once when the port is gone."""

    def __init__(self, device: Any, on_bytes: Callable[[bytes], None], on_lost: Callable[[], None]) -> None:
        self._device = device
        self._on_bytes = on_bytes
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._unsent = bytearray()
        self._has_written = self._was_refused = False
        self._stuck_since: float | None = None
        self._descriptor: int = device.fileno()
        self.is_open = True
        self.wire_bytes = 0
        """Bytes of both directions."""
        self.heard_at = 0.0
        """Loop time of the last byte that arrived."""
        self.is_stuck = False
        """It was lost because it took nothing."""
        os.set_blocking(self._descriptor, False)
        self._loop.add_reader(self._descriptor, self._readable)

    @classmethod
    async def open(
        cls, port: str, baud: int, on_bytes: Callable[[bytes], None], on_lost: Callable[[], None]
    ) -> "SerialPort":
        """Open a port for ourselves alone.

        ``port`` is a device's path, a search for one (``hwgrep://…``, see `found_port`), or a pyserial URL that has a
        descriptor (``socket://host:port``). A search is made anew at each opening: an adapter that was plugged in again
        may have another name.
        Raises ReaderLost: ``port_missing``, ``port_denied``, ``port_busy``, ``port_search``, ``port_stuck``,
        ``port_unusable``.
        """
        if is_search(port):
            port = await asyncio.to_thread(found_port, port)
        device = await _opened_device(port, baud)
        try:
            return cls(device, on_bytes, on_lost)
        except (OSError, ValueError) as error:
            device.close()
            raise ReaderLost("port_unusable", port=port) from error

    @property
    def flows(self) -> bool:
        """Whether it has got rid of all that it was given, as far as the last write could tell."""
        return self.is_open and self._has_written and self._stuck_since is None

    def write(self, data: bytes) -> None:
        """Send all of it, the rest when the port takes it. A port that takes nothing for too long is lost."""
        if not self.is_open:
            return
        now = self._loop.time()
        if not (self._was_refused or self._unsent or self._unsent_by_kernel()):
            self._stuck_since = None
        elif self._stuck_since is None:
            self._stuck_since = now
        elif now - self._stuck_since > STUCK_S:
            self.is_stuck = True
            self._lose()
            return
        if self._unsent:
            self._unsent += data
            return
        sent = self._send(data)
        self._has_written = True
        self._was_refused = sent < len(data)
        if self._was_refused and self.is_open:
            self._unsent += data[sent:]
            self._loop.add_writer(self._descriptor, self._writable)

    def drop_unsent(self) -> None:
        """Forget what the port has not taken yet: nobody waits for an answer to it any more."""
        if self._unsent:
            self._unsent.clear()
            self._loop.remove_writer(self._descriptor)

    def close(self) -> None:
        """Let go of it. Never raises; a second time does nothing."""
        if not self.is_open:
            return
        self.is_open = False
        self._loop.remove_reader(self._descriptor)
        self._loop.remove_writer(self._descriptor)
        if self._unsent or self._stuck_since is not None:
            with suppress(OSError, termios.error):  # it went away before us, or is no terminal
                # Else the kernel waits, for half a minute, until it has taken what it was given.
                termios.tcflush(self._descriptor, termios.TCOFLUSH)
        if self.is_stuck:
            _THREADS.submit(_close_device, self._device)
        else:
            _close_device(self._device)

    def _unsent_by_kernel(self) -> int:
        try:
            return int(struct.unpack("i", fcntl.ioctl(self._descriptor, termios.TIOCOUTQ, bytes(4)))[0])
        except OSError:  # not every driver knows
            return 0

    def _send(self, data: bytes | bytearray) -> int:
        try:
            sent = os.write(self._descriptor, data)
        except BlockingIOError:
            return 0
        except OSError:
            self._lose()
            return 0
        self.wire_bytes += sent
        return sent

    def _writable(self) -> None:
        del self._unsent[: self._send(self._unsent)]
        if not self._unsent and self.is_open:
            self._was_refused = False
            self._loop.remove_writer(self._descriptor)

    def _readable(self) -> None:
        try:
            data = os.read(self._descriptor, _READ_BYTES)
        except BlockingIOError:
            return
        except OSError:  # EIO: unplugged, or the other end of the pseudo-terminal is closed
            data = b""
        if not data:
            self._lose()
            return
        self.wire_bytes += len(data)
        self.heard_at = self._loop.time()
        self._on_bytes(data)

    def _lose(self) -> None:
        if self.is_open:
            self.close()
            self._on_lost()


async def _opened_device(port: str, baud: int) -> Any:
    """An opened device. Raises ReaderLost. Whoever gives up meanwhile leaves no port open behind."""
    try:
        opening = asyncio.get_running_loop().run_in_executor(_THREADS, _open_device, port, baud)
    except RuntimeError as error:
        raise ReaderLost("port_stuck", port=port) from error
    try:
        async with asyncio.timeout(OPEN_LIMIT_S):
            return await asyncio.shield(opening)
    except (TimeoutError, asyncio.CancelledError) as error:
        opening.add_done_callback(_close_late)
        if isinstance(error, TimeoutError):
            raise ReaderLost("port_stuck", port=port) from None
        raise


def _close_late(opening: "asyncio.Future[Any]") -> None:
    if not opening.cancelled() and opening.exception() is None:
        _close_device(opening.result())


def _close_device(device: Any) -> None:
    with suppress(OSError, termios.error):  # it went away before us
        device.close()


def _open_device(port: str, baud: int) -> Any:
    try:
        device: Any = serial.serial_for_url(
            port, do_not_open=True, baudrate=baud, timeout=0, write_timeout=0, exclusive=True
        )
        device.open()
    except (OSError, ValueError, termios.error) as error:
        number = getattr(error, "errno", None) or next((arg for arg in error.args if isinstance(arg, int)), None)
        code = _CODES.get(number, "port_unusable") if number is not None else "port_unusable"
        raise ReaderLost(code, port=port) from error
    try:
        device.fileno()
    except (OSError, AttributeError) as error:
        device.close()
        raise ReaderLost("port_unusable", port=port) from error
    with suppress(AttributeError, NotImplementedError, OSError, ValueError):  # not every port has it
        # FTDI adapters hold bytes back for up to 16 ms otherwise.
        device.set_low_latency_mode(True)
    return device
