"""The serial port, driven by its descriptor: no thread, no polling, one write per request."""

import asyncio
import errno
import os
import termios
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import serial

from drivers.smp.port_search import found_port, is_search
from station.ports import ReaderLost

_READ_BYTES: Final = 4096
_MAX_UNSENT_BYTES: Final = 65536  # a port that takes nothing for that long is gone

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
        self._descriptor: int = device.fileno()
        self.is_open = True
        self.wire_bytes = 0
        """Bytes of both directions."""
        self.heard_at = 0.0
        """Loop time of the last byte that arrived."""
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
        Raises ReaderLost: ``port_missing``, ``port_denied``, ``port_busy``, ``port_search`` or ``port_unusable``.
        """
        if is_search(port):
            # Nothing is opened in the thread: whoever is cancelled meanwhile leaves no port open behind.
            port = await asyncio.to_thread(found_port, port)
        # Opening a device is immediate; a URL may have to connect to something first.
        device = await asyncio.to_thread(_open_device, port, baud) if "://" in port else _open_device(port, baud)
        try:
            return cls(device, on_bytes, on_lost)
        except (OSError, ValueError) as error:
            device.close()
            raise ReaderLost("port_unusable", port=port) from error

    def write(self, data: bytes) -> None:
        """Send all of it, the rest when the port takes it."""
        if not self.is_open:
            return
        if self._unsent:
            self._unsent += data
            if len(self._unsent) > _MAX_UNSENT_BYTES:
                self._lose()
            return
        sent = self._send(data)
        if sent < len(data) and self.is_open:
            self._unsent += data[sent:]
            self._loop.add_writer(self._descriptor, self._writable)

    def close(self) -> None:
        """Let go of it. Never raises; a second time does nothing."""
        if not self.is_open:
            return
        self.is_open = False
        self._loop.remove_reader(self._descriptor)
        self._loop.remove_writer(self._descriptor)
        with suppress(OSError, termios.error):  # it went away before us
            self._device.close()

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
