"""The widget that shows another program's terminal, with real programs in real pseudo-terminals."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.color import Color
from rich.style import Style
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from ui.terminal import PENDING_LIMIT_BYTES, TerminalView

DEADLINE_S = 60.0
CHILD = Path(__file__).with_name("kiosk_child.py")
ENV = {"PATH": os.environ["PATH"], "PYTHONPATH": str(CHILD.parents[2])}

SIZE_SCRIPT = """
import os, signal
def tell(*_): print("size", *os.get_terminal_size(), flush=True)
signal.signal(signal.SIGWINCH, tell)
tell()
while True: signal.pause()
"""


class Host(App[None]):
    """An app with nothing but a terminal."""

    def __init__(self, *argv: str) -> None:
        super().__init__()
        self.view = TerminalView(argv, ENV, (80, 24))
        self.codes: list[int] = []

    def compose(self) -> ComposeResult:
        yield self.view

    def on_mount(self) -> None:
        self.view.focus()

    def on_terminal_view_exited(self, message: TerminalView.Exited) -> None:
        self.codes.append(message.code)


async def until(pilot: Pilot[None], wanted: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not wanted():
        app = pilot.app
        assert isinstance(app, Host)
        assert time.monotonic() < deadline, app.view.text
        await asyncio.sleep(0.01)


def rows(host: Host) -> list[str]:
    return [strip.text for strip in host.screen._compositor.render_strips()]


async def test_keystrokes_reach_the_child_and_its_output_the_screen() -> None:
    host = Host("cat")
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.press("h", "e", "j", "å", "enter", "1", "backspace", "2", "#", "enter")
        await until(pilot, lambda: "2#\n" in "\n".join(row.rstrip() for row in host.view.text.split("\n")))
        await until(pilot, lambda: any(row.startswith("hejå ") for row in rows(host)))
        host.view.write("skrivet ö\r".encode())
        await until(pilot, lambda: host.view.text.count("skrivet ö") == 2)
        assert host.codes == []
        await pilot.press("ctrl+d")
        await until(pilot, lambda: host.codes == [0])


@pytest.mark.parametrize(("code", "expected"), [("exit 3", 3), ("kill -9 $$", -9)])
async def test_the_end_of_the_child_is_told_after_its_last_words(code: str, expected: int) -> None:
    host = Host("sh", "-c", f"echo last words; {code}")
    async with host.run_test() as pilot:
        await until(pilot, lambda: host.codes != [])
        assert host.codes == [expected]
        assert "last words" in host.view.text
        host.view.write(b"to nobody")


async def test_the_childs_terminal_has_the_widgets_size() -> None:
    host = Host(sys.executable, "-c", SIZE_SCRIPT)
    async with host.run_test(size=(70, 20)) as pilot:
        await until(pilot, lambda: "size 70 20" in host.view.text)
        await pilot.resize_terminal(41, 16)
        await until(pilot, lambda: "size 41 16" in host.view.text)


async def test_colours_and_weights() -> None:
    host = Host("printf", r"\033[31;1mred\033[0m \033[7mback\033[0m \033[38;5;208;44mhex\033[0m \033[105mpink\033[0m")
    async with host.run_test() as pilot:
        await until(pilot, lambda: host.codes == [0])
        styles = {segment.text: segment.style or Style() for segment in host.view.render_line(0)}
        assert styles["red"].bold
        assert styles["red"].color == Color.parse("red")
        assert styles["back"].reverse
        assert styles["hex"].color == Color.parse("#ff8700")
        assert styles["hex"].bgcolor == Color.parse("blue")
        assert styles["pink"].bgcolor == Color.parse("bright_magenta")


@pytest.fixture
def _interruptible() -> Iterator[None]:
    """A shell's background job is started with Ctrl+C ignored, and its children inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_interruptible")
async def test_it_is_the_childs_controlling_terminal() -> None:
    host = Host("cat")
    async with host.run_test() as pilot:
        await pilot.press("x", "enter")
        # The terminal's own echo, and that of `cat`: it runs by now. A signal before that is its parent's to lose.
        await until(pilot, lambda: host.view.text.count("x") == 2)
        await pilot.press("ctrl+c")
        await until(pilot, lambda: host.codes == [-2])


async def test_a_child_that_does_not_read_fills_a_bounded_buffer() -> None:
    host = Host("sh", "-c", "stty raw -echo; echo ready; exec sleep 60")
    async with host.run_test() as pilot:
        await until(pilot, lambda: "ready" in host.view.text)
        for _ in range(200):
            host.view.write(b"x" * 1000)
            await asyncio.sleep(0)
        assert len(host.view._pending) <= PENDING_LIMIT_BYTES


async def test_a_flood_leaves_room_for_keystrokes() -> None:
    host = Host("sh", "-c", "yes & read line; kill $!; wait; clear; echo got $line; read line")
    async with host.run_test() as pilot:
        await until(pilot, lambda: "y" in host.view.text)
        host.view.write(b"through\r")
        await until(pilot, lambda: "got through" in host.view.text)


@pytest.mark.parametrize("script", ["sleep 60", "trap '' HUP TERM; echo deaf; while :; do sleep 1; done"])
async def test_the_child_ends_with_the_widget(script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.terminal.STOP_LIMIT_S", 0.2)
    host = Host("sh", "-c", script)
    async with host.run_test() as pilot:
        if "deaf" in script:
            await until(pilot, lambda: "deaf" in host.view.text)
        pid = host.view.pid
        assert pid is not None
        os.kill(pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_garbage_does_no_harm() -> None:
    host = Host("cat")
    async with host.run_test() as pilot:
        for garbage in (
            b"\xff\xfe",
            b"\x1b[999999999999m",
            b"\x1b[?1;2;3$p",
            b"\x1b[9999;9999H",
            b"\x1b[;;;;;r",
            b"\x1b]0;t\x07",
        ):
            host.view.feed(garbage)
        host.view.feed(b"\x1b[2J\x1b[Hwhole")
        await until(pilot, lambda: rows(host)[0].startswith("whole"))


async def test_the_kiosk_inside_another_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.terminal.STOP_LIMIT_S", DEADLINE_S)
    host = Host(sys.executable, str(CHILD), str(tmp_path))
    async with host.run_test(size=(60, 20)) as pilot:
        await until(pilot, lambda: "Starting: PIN and #." in host.view.text)
        await pilot.press("1", "*", "enter")
        await until(pilot, lambda: (tmp_path / "typed").read_bytes() == b"1*#")
        await pilot.resize_terminal(100, 30)
        await until(pilot, lambda: "Station 12" in host.view.text.split("\n")[-2])
    assert "services ended" in (tmp_path / "log").read_text()
