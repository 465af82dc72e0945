"""What ``station emulate`` does: one key on one line, and a person who presses, inserts and pulls it by text lines."""

import asyncio
import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from drivers.emulated_key.key import EmulatedKey
from drivers.emulated_key.line import SocketLine

_READ_BYTES: Final = 4096
_MAX_COMMAND_BYTES: Final = 1024
COMMANDS: Final = ("press", "insert", "pull", "lose-power")


async def emulate(link: Path, state: Path, baud: int = 115200, commands: int = 0) -> None:
    """Run an emulated key with the files of folder ``state`` on a pseudo-terminal at ``link``, until SIGTERM or SIGINT.

    It starts pressed and inserted. ``commands`` is the file descriptor that `COMMANDS` are read from, one a line; its
    end does not end the key. Raises LineFault, OSError.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    key = EmulatedKey(state)
    line = SocketLine(link, baud)
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        key.press()
        line.insert(key)
        lines: asyncio.Queue[str] = asyncio.Queue()
        # A thread, because standard input may be anything: a terminal that must stay blocking, a file, /dev/null.
        threading.Thread(target=_read_lines, args=(commands, loop, lines), daemon=True).start()
        obeying = asyncio.create_task(_obey(lines, key, line))
        await stop.wait()
        obeying.cancel()
    finally:
        line.close()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def perform(command: str, key: EmulatedKey, line: SocketLine) -> bool:
    """Do one of `COMMANDS`; False: there is no such command."""
    match command:
        case "press":
            key.press()
        case "insert":
            if line.key is not key:
                line.insert(key)
        case "pull":
            line.pull()
        case "lose-power":
            key.lose_power()
        case _:
            return False
    return True


async def _obey(lines: "asyncio.Queue[str]", key: EmulatedKey, line: SocketLine) -> None:
    while True:
        command = (await lines.get()).strip()
        if command and not perform(command, key, line):
            sys.stderr.write(f"unknown command {command[:40]!r}: use {', '.join(COMMANDS)}\n")
            sys.stderr.flush()


def _read_lines(descriptor: int, loop: asyncio.AbstractEventLoop, lines: "asyncio.Queue[str]") -> None:
    # os.read, not sys.stdin: a thread that sleeps in a buffered reader hangs the interpreter's end.
    pending = b""
    with suppress(OSError, RuntimeError):  # the descriptor, or the loop, is closed
        while data := os.read(descriptor, _READ_BYTES):
            *whole, pending = (pending + data).split(b"\n")
            pending = pending[:_MAX_COMMAND_BYTES]
            for text in whole:
                loop.call_soon_threadsafe(lines.put_nowait, text.decode(errors="replace"))
        if pending:
            loop.call_soon_threadsafe(lines.put_nowait, pending.decode(errors="replace"))
