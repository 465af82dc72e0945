"""An emulated key on a pseudo-terminal, as slow as its line and as unpleasant as a real one.

Its files are in the folder --state, one for each file on the key; a new folder is a blank key. It starts pressed and
inserted, and reads press, insert, pull and lose-power from standard input, one a line, until SIGTERM.
"""

import argparse
import asyncio
import fcntl
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from drivers.emulated_key.key import EmulatedKey
from drivers.emulated_key.line import SerialLine
from station.commands.command_line import UsageError

SLOWEST_BAUD, FASTEST_BAUD = 300, 4_000_000
READ_BYTES = 4096
LINE_LIMIT_BYTES = 1024
KEY_ACTIONS = ("press", "insert", "pull", "lose-power")
EXAMPLE = "example: station emulate --link ./key0 --state ./keys/1001"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--link", type=Path, required=True, metavar="PATH", help="name for the pseudo-terminal")
    parser.add_argument("--state", type=Path, metavar="DIR", help="the key's files (default: a temporary folder)")
    parser.add_argument("--baud", type=int, default=115200, metavar="N", help="the line's speed (default: 115200)")


def run(args: argparse.Namespace) -> int:
    """Emulate until SIGTERM."""
    if not args.link.absolute().parent.is_dir():
        raise UsageError("link_folder_missing", path=args.link.absolute().parent)
    if not SLOWEST_BAUD <= args.baud <= FASTEST_BAUD:
        raise UsageError("baud_out_of_range", baud=args.baud)
    with _alone_at(args.link), ExitStack() as made:
        state = args.state or Path(made.enter_context(tempfile.TemporaryDirectory(prefix="station-key-")))
        _say(f"emulated key at {args.link}, its files in {state}, {args.baud} baud; pressed and inserted")
        _say(f"one a line, until SIGTERM: {', '.join(KEY_ACTIONS)}")
        asyncio.run(emulate_key(args.link, state, args.baud, sys.stdin.fileno()))
    return 0


@contextmanager
def _alone_at(link: Path) -> Iterator[None]:
    """Keep a second key from taking the link away. Unlike a link, a lock ends with its process."""
    path = link.with_name(f".{link.name}.lock")
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError("link_in_use", path=link) from None
        yield
        path.unlink(missing_ok=True)
    finally:
        os.close(lock)


def _say(text: str) -> None:
    # Whoever has started it may not read, or be gone: the key goes on.
    with suppress(OSError, ValueError):
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


async def emulate_key(link: Path, state: Path, baud: int = 115200, actions: int = 0) -> None:
    """Run an emulated key with the files of folder ``state`` on a pseudo-terminal at ``link``, until SIGTERM or SIGINT.

    It starts pressed and inserted. ``actions`` is the file descriptor that `KEY_ACTIONS` are read from, one a line; its
    end does not end the key. Raises LineFault, OSError.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    key = EmulatedKey(state)
    line = SerialLine(link, baud)
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        key.press()
        line.insert(key)
        lines: asyncio.Queue[str] = asyncio.Queue()
        # A thread, because standard input may be anything: a terminal that must stay blocking, a file, /dev/null.
        threading.Thread(target=_read_lines, args=(actions, loop, lines), daemon=True).start()
        performing = asyncio.create_task(_perform_lines(lines, key, line))
        await stop.wait()
        performing.cancel()
    finally:
        line.close()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def _perform(action: str, key: EmulatedKey, line: SerialLine) -> bool:
    """Do one of `KEY_ACTIONS`; False: there is no such command."""
    match action:
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


async def _perform_lines(lines: "asyncio.Queue[str]", key: EmulatedKey, line: SerialLine) -> None:
    while True:
        action = (await lines.get()).strip()
        if action and _perform(action, key, line):
            _say(f"{action}: the key is {'inserted' if line.key is key else 'out'}")
        elif action:
            sys.stderr.write(f"unknown command {action[:40]!r}: use {', '.join(KEY_ACTIONS)}\n")
            sys.stderr.flush()


def _read_lines(descriptor: int, loop: asyncio.AbstractEventLoop, lines: "asyncio.Queue[str]") -> None:
    # os.read, not sys.stdin: a thread that sleeps in a buffered reader hangs the interpreter's end.
    pending = b""
    with suppress(OSError, RuntimeError):  # the descriptor, or the loop, is closed
        while data := os.read(descriptor, READ_BYTES):
            *whole, pending = (pending + data).split(b"\n")
            pending = pending[:LINE_LIMIT_BYTES]
            for text in whole:
                loop.call_soon_threadsafe(lines.put_nowait, text.decode(errors="replace"))
        if pending:
            loop.call_soon_threadsafe(lines.put_nowait, pending.decode(errors="replace"))
