"""Where it is measured: the demonstration's site with one station, a real central, a real kiosk and a paced line."""

import asyncio
import time
from collections.abc import Coroutine
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

from drivers.emulated_key.folder import KeyFolder
from station.demo.site import DemoSite
from station.records.claims import KeyKind
from tools.bench.line import KeyLine
from tools.bench.terminal import Terminal, module

EMPTY_MARK = b"Press the button on the key"
PROMPT_MARK = b"Starting: PIN and #"
READY_MARK = b"Key is ON until"
ONLINE_S = 1.0
PEOPLE = 3
"""They take turns: the same key back within seconds would go on with its visit."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Person:
    """A personal key and the PIN that goes with it, both invented."""

    holder: int
    number: int
    pin: bytes = field(repr=False)
    key: KeyFolder


class BenchSite:
    """A context manager: seeded, enrolled and served, with the line up and no kiosk yet."""

    def __init__(self, folder: Path) -> None:
        self.demo = DemoSite(folder, language="en")
        self._runner = asyncio.Runner()
        self._left = ExitStack()
        self.line: KeyLine
        self._people: list[Person] = []
        self._turns = 0

    def __enter__(self) -> Self:
        self._left.enter_context(self._runner)
        self._left.callback(lambda: self.wait_for(self.demo.close()))
        try:
            self.wait_for(self.demo.start())
            home = self.demo.home
            # Its own line and network share its loop, which is not running; the kiosk gets ones that do.
            home.line.close()
            self.line = self._left.enter_context(KeyLine(home.folder / "key-reader"))
            text = home.config_file.read_text("utf-8")
            direct = f"http://127.0.0.1:{self.demo.central_port}"
            home.config_file.write_text(text.replace(home.url, direct), "utf-8")
        except BaseException:
            self._left.close()
            raise
        holders = {person.name: person.holder for person in self.demo.people.values()}
        self._people = [
            Person(holders[key.holder], key.number, key.pin.encode(), self.demo.key_folder(key.number))
            for key in self.demo.keys.values()
            if key.kind is KeyKind.PERSONAL and key.status == "active" and key.pin and key.unit == 1
        ][:PEOPLE]
        return self

    def __exit__(self, *_: object) -> None:
        self._left.close()

    @property
    def folder(self) -> Path:
        """On the disk that is measured."""
        return self.demo.folder

    def wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        """What comes of ``work``, in the loop that central's processes belong to."""
        return self._runner.run(work)

    def next_person(self) -> Person:
        """Whose turn it is."""
        self._turns += 1
        return self._people[self._turns % len(self._people)]

    def command(self) -> list[str]:
        """The command line of the station."""
        return module("station", "run", "--config", str(self.demo.home.config_file))

    def kiosk(self) -> Terminal:
        """`station run` in a terminal of its own, once it has drawn the empty screen and heard of central."""
        self.line.pull()
        kiosk = Terminal(self.command())
        kiosk.until(EMPTY_MARK)
        time.sleep(ONLINE_S)
        return kiosk

    def kill_central(self) -> None:
        """From now on nothing listens there."""
        self.wait_for(self.demo.central.close())
