"""A PIN from standard input: a line of a pipe, or typed at a terminal without being shown. Never an argument."""

import asyncio
import os
import sys
import termios
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

from station.commands.command_line import UsageError
from station.core.entry import MAX_DIGITS
from station.secret import Secret

LINE_LIMIT_BYTES = 64


class PinInput:
    """Reads one line beside the event loop; a terminal does not show it, and is as before at the end."""

    def __init__(self) -> None:
        self._descriptor = sys.stdin.fileno() if sys.stdin is not None else -1
        self._line: asyncio.Future[Secret[bytes]] = asyncio.get_running_loop().create_future()
        self._terminal: list[object] | None = None

    def __enter__(self) -> Self:
        with suppress(termios.error, OSError):
            settings = termios.tcgetattr(self._descriptor)
            self._terminal = list(settings)
            settings[3] &= ~termios.ECHO
            termios.tcsetattr(self._descriptor, termios.TCSAFLUSH, settings)
            sys.stderr.write("PIN (is not shown), then Enter: ")
            sys.stderr.flush()
        loop = asyncio.get_running_loop()
        # A daemon: a pipe that nobody writes to must not keep the process.
        threading.Thread(target=self._read, args=(loop,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._terminal is not None:
            with suppress(termios.error, OSError):
                termios.tcsetattr(self._descriptor, termios.TCSAFLUSH, self._terminal)  # type: ignore[arg-type]
            sys.stderr.write("\n")

    async def pin(self) -> Secret[str] | None:
        """The digits, without ``*`` and ``#`` around them; None for an empty line or the end of the input.

        Raises UsageError (``pin_not_digits``).
        """
        line = await asyncio.shield(self._line)
        digits = line.reveal().strip().removeprefix(b"*").removesuffix(b"#")
        if not digits:
            return None
        if not digits.isdigit() or len(digits) > MAX_DIGITS:
            raise UsageError("pin_not_digits")
        return Secret(digits.decode("ascii"))

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        data = b""
        with suppress(OSError):
            # os.read, not sys.stdin: a thread that sleeps in a buffered reader hangs the interpreter's end.
            while b"\n" not in data and len(data) <= LINE_LIMIT_BYTES and (more := os.read(self._descriptor, 1)):
                data += more
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(self._settle, Secret(data.partition(b"\n")[0]))

    def _settle(self, line: Secret[bytes]) -> None:
        if not self._line.done():
            self._line.set_result(line)
