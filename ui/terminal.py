"""A widget that shows another program's terminal: a child in a pseudo-terminal of its own, drawn with pyte.

The only module that needs pyte (the ``demo`` extra).
"""

import asyncio
import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence
from functools import lru_cache
from string import ascii_lowercase

import pyte
from pyte.screens import Char
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

READ_BYTES = 16384
"""Read in one go; what is left comes with the next turn of the loop, so that a flood leaves room for keystrokes."""
LAST_READS = 64
"""Reads after the child has ended: its last words, not those of a grandchild that goes on for ever."""
PENDING_LIMIT_BYTES = 4096
"""Keystrokes kept for a child that does not read; more are dropped, as a kernel's terminal does."""
FRAME_S = 0.05
"""At most 20 redraws a second."""
STOP_LIMIT_S = 2.0
"""How long the child may take to end after SIGTERM."""

KEYS: Mapping[str, bytes] = {
    "enter": b"\r",
    "tab": b"\t",
    "shift+tab": b"\x1b[Z",
    "backspace": b"\x7f",
    "escape": b"\x1b",
    "up": b"\x1b[A",
    "down": b"\x1b[B",
    "right": b"\x1b[C",
    "left": b"\x1b[D",
    "home": b"\x1b[H",
    "end": b"\x1b[F",
    "delete": b"\x1b[3~",
    "pageup": b"\x1b[5~",
    "pagedown": b"\x1b[6~",
}
"""What an xterm sends for the keys that have no character of their own."""

_NAMES = {
    "brown": "yellow",
    "brightblack": "bright_black",
    "brightred": "bright_red",
    "brightgreen": "bright_green",
    "brightbrown": "bright_yellow",
    "brightyellow": "bright_yellow",
    "brightblue": "bright_blue",
    "brightmagenta": "bright_magenta",
    "bfightmagenta": "bright_magenta",  # A slip of pyte 0.8.2.
    "brightcyan": "bright_cyan",
    "brightwhite": "bright_white",
}


_HEX = frozenset("0123456789abcdef")


class _Page(pyte.Screen):
    """pyte's screen, whose answers to a program's questions go back to the program."""

    def __init__(self, columns: int, lines: int, answer: "TerminalView") -> None:
        super().__init__(columns, lines)
        self._answer = answer

    def write_process_input(self, data: str) -> None:
        self._answer.write(data.encode())


def bytes_of(event: events.Key) -> bytes:
    """What a terminal sends for this key; nothing for keys that it does not have."""
    if event.key in KEYS:
        return KEYS[event.key]
    if len(event.key) == len("ctrl+x") and event.key.startswith("ctrl+") and event.key[-1] in ascii_lowercase:
        return bytes([ord(event.key[-1]) & 0x1F])
    return event.character.encode() if event.character is not None else b""


@lru_cache(maxsize=512)
def _colour(name: str) -> Color | None:
    if name == "default":
        return None
    name = _NAMES.get(name, name)
    return Color.parse(f"#{name}" if len(name) == 6 and set(name) <= _HEX else name)


@lru_cache(maxsize=2048)
def _style(fg: str, bg: str, bold: bool, underline: bool, reverse: bool) -> Style:  # noqa: FBT001, a cache key
    return Style(color=_colour(fg), bgcolor=_colour(bg), bold=bold, underline=underline, reverse=reverse)


class TerminalView(Widget, can_focus=True):
    """Runs ``argv`` with the environment ``env`` (and ``TERM``), shows its screen, and sends it keys when focused.

    ``size`` is columns and rows until the layout says otherwise; from then on the child's terminal follows the widget.
    The child is started when the widget is mounted and ended with it. Posts `Exited`.
    """

    DEFAULT_CSS = "TerminalView { width: 1fr; height: 1fr; }"

    class Exited(Message):
        """The child has ended; ``code`` is its exit status, negative for a signal."""

        def __init__(self, code: int) -> None:
            super().__init__()
            self.code = code

    def __init__(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        size: tuple[int, int],
        *,
        id: str | None = None,  # noqa: A002, Textual's own name for it
    ) -> None:
        super().__init__(id=id)
        self._argv = list(argv)
        self._env = {"TERM": "xterm-256color", **env}
        columns, rows = size
        self._page = _Page(columns, rows, self)
        self._stream = pyte.ByteStream(self._page)
        self._strips: dict[int, Strip] = {}
        self._master: int | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._waiting: asyncio.Task[None] | None = None
        self._pending = bytearray()
        self._frame: Timer | None = None

    @property
    def text(self) -> str:
        """The child's screen as lines of text."""
        return "\n".join(self._page.display)

    @property
    def pid(self) -> int | None:
        """The child's process id, once started."""
        return None if self._child is None else self._child.pid

    # --- the child ------------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Start the child in a session of its own with the pseudo-terminal as its controlling terminal."""
        master, slave = pty.openpty()
        try:
            _set_size(slave, self._page.columns, self._page.lines)
            self._child = subprocess.Popen(
                self._argv,
                stdin=slave,
                stdout=slave,
                stderr=slave,
                env=self._env,
                start_new_session=True,
                # Nothing but a system call: safe although Textual has threads.
                preexec_fn=_take_terminal,  # noqa: PLW1509
            )
        except BaseException:
            os.close(master)
            raise
        finally:
            os.close(slave)
        os.set_blocking(master, False)
        self._master = master
        loop = asyncio.get_running_loop()
        loop.add_reader(master, self._readable)
        self._waiting = loop.create_task(self._wait(self._child), name="terminal-child")

    async def _wait(self, child: subprocess.Popen[bytes]) -> None:
        code = await asyncio.to_thread(child.wait)
        for _ in range(LAST_READS):
            if not self._read():
                break
        self._close()
        self._redraw()
        self.post_message(self.Exited(code))

    async def on_unmount(self) -> None:
        """End the child: hang up, ask, insist."""
        child, waiting = self._child, self._waiting
        self._close()
        if child is None or waiting is None or waiting.done():
            return
        for ending in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(child.pid, ending)
            except ProcessLookupError:
                return
            done, _ = await asyncio.wait([waiting], timeout=STOP_LIMIT_S)
            if done:
                return

    def _close(self) -> None:
        if self._master is not None:
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._master)
            loop.remove_writer(self._master)
            os.close(self._master)
            self._master = None

    # --- its output -----------------------------------------------------------------------------------------------

    def _readable(self) -> None:
        if not self._read() and self._master is not None:
            # Every descriptor of the other side is closed: it stays readable, and would spin.
            asyncio.get_running_loop().remove_reader(self._master)

    def _read(self) -> bool:
        """Take in some output. False at its end."""
        if self._master is None:
            return False
        try:
            output = os.read(self._master, READ_BYTES)
        except BlockingIOError:
            return self._child is not None and self._child.returncode is None
        except OSError:
            return False
        if output:
            self.feed(output)
        return bool(output)

    def feed(self, output: bytes) -> None:
        """Take ``output`` as if the child had written it."""
        try:
            self._stream.feed(output)
        except (TypeError, ValueError, IndexError, KeyError):
            self._page.dirty.update(
                range(self._page.lines)
            )  # A sequence that pyte cannot take; it has reset its parser.
        if self._frame is None and self.is_attached:
            self._frame = self.set_timer(FRAME_S, self._redraw)

    def _redraw(self) -> None:
        self._frame = None
        for row in self._page.dirty:
            self._strips.pop(row, None)
        self._page.dirty.clear()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Row ``y`` of the child's screen."""
        width = self.size.width
        if y >= self._page.lines:
            return Strip.blank(width)
        strip = self._strips.get(y)
        if strip is None:
            row = self._page.buffer[y]
            strip = Strip([_segment(row[column]) for column in range(self._page.columns)]).simplify()
            self._strips[y] = strip
        return strip.adjust_cell_length(width)

    # --- its input ------------------------------------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        """Send the key to the child."""
        event.stop()
        event.prevent_default()
        self.write(bytes_of(event))

    def write(self, data: bytes) -> None:
        """Type ``data``. Never blocks; dropped when the child has ended or has not read for too long."""
        if self._master is None or not data or len(self._pending) + len(data) > PENDING_LIMIT_BYTES:
            return
        if not self._pending:
            asyncio.get_running_loop().add_writer(self._master, self._writable)
        self._pending += data

    def _writable(self) -> None:
        if self._master is None:
            return
        try:
            del self._pending[: os.write(self._master, self._pending)]
        except BlockingIOError:
            return
        except OSError:
            self._pending.clear()
        if not self._pending:
            asyncio.get_running_loop().remove_writer(self._master)

    def on_resize(self) -> None:
        """The child's terminal follows the widget."""
        columns, rows = self.size
        if columns < 1 or rows < 1 or (columns, rows) == (self._page.columns, self._page.lines):
            return
        self._page.resize(rows, columns)
        self._strips.clear()
        if self._master is not None:
            _set_size(self._master, columns, rows)


def _segment(char: Char) -> Segment:
    return Segment(char.data, _style(char.fg, char.bg, char.bold, char.underscore, char.reverse))


def _set_size(terminal: int, columns: int, rows: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
