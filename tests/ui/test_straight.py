"""Frames that go straight to a terminal: at once, in order, and never waited for."""

import os
import pty
import select
import tty
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from textual.drivers._writer_thread import WriterThread

from ui import straight


class Driver:
    """What Textual's driver has to do with it."""

    def __init__(self) -> None:
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        self.file = os.fdopen(self.slave, "w", encoding="utf-8")
        self._writer_thread = WriterThread(self.file)
        self.given: list[str] = []

    def write(self, text: str) -> None:
        self.given.append(text)
        self._writer_thread.write(text)

    def flush(self) -> None:
        pass

    def read(self, wait_s: float = 5.0) -> bytes:
        if not select.select([self.master], [], [], wait_s)[0]:
            return b""
        return os.read(self.master, 65536)

    def start(self) -> None:
        """Have the thread run, and wait until it has nothing to do."""
        self._writer_thread.start()
        while not straight._is_idle(self._writer_thread):
            pass


@pytest.fixture
def driver() -> Iterator[Driver]:
    driver = Driver()
    yield driver
    if driver._writer_thread.is_alive():
        driver._writer_thread.stop()
    if driver.master >= 0:
        os.close(driver.master)
    driver.file.close()


def test_with_nothing_before_it_a_frame_is_out_when_the_call_returns(driver: Driver) -> None:
    driver.start()
    straight.write(driver, "Nyckeln är PÅ")
    assert driver.read(0.0).decode() == "Nyckeln är PÅ"
    assert driver.given == []


def test_nothing_overtakes_what_was_given_before(driver: Driver) -> None:
    driver.write("first ")
    straight.write(driver, "second")
    assert driver.given == ["first ", "second"]
    driver.start()
    assert driver.read() == b"first second"


def test_a_terminal_that_takes_nothing_is_the_threads_to_wait_for(driver: Driver) -> None:
    driver.start()
    os.set_blocking(driver.slave, False)
    while straight._takes(driver.slave):
        with suppress(BlockingIOError):
            os.write(driver.slave, bytes(256))
    os.set_blocking(driver.slave, True)
    straight.write(driver, "later")
    assert driver.given == ["later"]
    seen = b""
    while not seen.endswith(b"later"):
        seen += driver.read()


def test_a_whole_page_of_a_large_console_too(driver: Driver) -> None:
    driver.start()
    straight.write(driver, "x" * (straight.LIMIT_BYTES + 1))
    assert len(driver.given) == 1
    assert driver.read()


def test_a_terminal_that_is_gone_raises_nothing(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    driver.start()
    monkeypatch.setattr(straight, "_takes", lambda _: True)
    os.close(driver.master)
    driver.master = -1
    straight.write(driver, "farewell")


def test_a_driver_without_a_thread_writes_itself() -> None:
    class Plain:
        def __init__(self) -> None:
            self.given: list[Any] = []

        def write(self, text: str) -> None:
            self.given.append(text)

        def flush(self) -> None:
            self.given.append(None)

    plain = Plain()
    straight.write(plain, "text")
    assert plain.given == ["text", None]
