"""The sample site with one station, for the figures of whole visits: a real central, a real kiosk, a paced line."""

import asyncio
import time
from collections.abc import Coroutine
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self, TypeVar

from config import Credentials
from drivers.emulated_key.folder import KeyFolder
from station.bench.key_line import KeyLine
from station.bench.terminal import Terminal, station_command
from station.demo.world import World
from station.ports import KeyFile
from station.records.claims import KeyKind

EMPTY_MARK = b"Press the button on the key"
PROMPT_MARK = b"Starting: PIN and #"
READY_MARK = b"Key is ON until"
ONLINE_S = 1.0

T = TypeVar("T")


def can_be_served() -> bool:
    """Whether the central server is installed."""
    return find_spec("django") is not None and find_spec("ninja") is not None


@dataclass(frozen=True, slots=True)
class Person:
    """A personal key and the PIN that goes with it, both invented."""

    key: int
    pin: bytes = field(repr=False)
    folder: Path


class BenchPlace:
    """`open` it as a context manager: seeded, enrolled, served, with the line up and no kiosk yet."""

    def __init__(self, folder: Path) -> None:
        self._world = World(folder, language="en")
        self._runner = asyncio.Runner()
        self._left = ExitStack()
        self.line: KeyLine
        self.people: list[Person] = []
        self._turns = 0

    def __enter__(self) -> Self:
        self._left.enter_context(self._runner)
        self._left.callback(lambda: self._runner.run(self._world.close()))
        try:
            self._runner.run(self._world.start())
            place = self._world.home
            # The world's own line shares its loop; ours is paced by a process of its own.
            place.line.close()
            self.line = self._left.enter_context(KeyLine(place.folder / "key-reader"))
            # Without the demonstration's network between them, which would need its loop to run.
            text = place.config_file.read_text("utf-8")
            text = text.replace(place.url, f"http://127.0.0.1:{self.central_port}")
            place.config_file.write_text(text, "utf-8")
        except BaseException:
            self._left.close()
            raise
        self.people = [
            Person(key.number, key.pin.encode(), self._world.key_folder(key.number).path)
            for key in self._world.keys.values()
            if key.kind is KeyKind.PERSONAL and key.status == "active" and key.pin and key.unit == 1
        ][:3]
        return self

    def __exit__(self, *_: object) -> None:
        self._left.close()

    @property
    def config_file(self) -> Path:
        """The station's ``station.toml``."""
        return self._world.home.config_file

    def next_person(self) -> Person:
        """Another one each time: the same key back within seconds goes on with its visit."""
        self._turns += 1
        return self.people[self._turns % len(self.people)]

    def credentials(self) -> Credentials:
        """The station's credentials."""
        return self._world.home.credentials()

    def kiosk(self) -> Terminal:
        """`station run` in a terminal of its own, once it has drawn the empty screen."""
        self.line.pull()
        kiosk = Terminal(station_command("run", "--config", str(self.config_file)))
        kiosk.until(EMPTY_MARK)
        time.sleep(ONLINE_S)
        return kiosk

    @property
    def central_port(self) -> int:
        """Where central listens on the loopback."""
        return self._world.central_port

    def wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        """What comes of ``work``, in the loop that central's processes belong to."""
        return self._runner.run(work)

    def kill_central(self) -> None:
        """From now on nothing listens there."""
        self._runner.run(self._world.central.close())

    @staticmethod
    def lay(person: Person, act: bytes) -> None:
        """Have ``act`` on a key that is not in the line, as another station may have left it."""
        KeyFolder(person.folder).store(KeyFile.ACT.value, act or b"\x00")

    @staticmethod
    def act_of(person: Person) -> bytes:
        """What is on a key."""
        return KeyFolder(person.folder).read(KeyFile.ACT)
