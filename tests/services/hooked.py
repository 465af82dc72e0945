"""One time for everybody at a site, and real parts that tell a test what is asked of them."""

import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import cbor2

from drivers.emulated_key.key import EmulatedKey
from drivers.emulated_key.options import KeyOptions
from offline_cache import SqliteStore
from station.ports import KeyFile
from station.rules.clock import ClockReadings


class World:
    """One time for everybody; it can be skipped."""

    def __init__(self) -> None:
        self.skipped_s = 0.0
        self.has_rtc = True

    def now(self) -> float:
        return time.time() + self.skipped_s

    def monotonic(self) -> float:
        return time.monotonic()

    def clocks(self) -> ClockReadings:
        return ClockReadings(
            unix_s=int(self.now()),
            boottime_s=self.monotonic() + self.skipped_s,
            boot_id="a-boot",
            rtc_unix_s=int(self.now()) if self.has_rtc else None,
        )


class HookedKey(EmulatedKey):
    """An emulated key that tells what is asked of it, and may be made to answer nothing."""

    def __init__(self, path: Path, options: KeyOptions, world: World) -> None:
        super().__init__(path, options, now=world.now, monotonic=world.monotonic)
        self.asked: list[str] = []
        self.exchanged_bytes = 0
        """Of requests and answers, without framing."""
        self.before: Callable[[int], bool] = lambda _: True
        """With the number of the request, from 0: False when it is not heard."""
        self.after: Callable[[int], bool] = lambda _: True
        """False when its answer is not."""
        self.clock_text: str | None = None
        """What it answers when it is asked for the time; None: the time."""

    def handle(self, request: bytes) -> bytes | None:
        number = len(self.asked)
        self.asked.append(_named(request))
        if not self.before(number):
            return None
        answer = super().handle(request)
        self.exchanged_bytes += len(request) + len(answer or b"")
        return answer if self.after(number) else None

    def _datetime(self) -> str:
        return super()._datetime() if self.clock_text is None else self.clock_text

    @property
    def steps(self) -> list[str]:
        """What was asked, less the echoes, each piece of a file by its first."""
        return [step for step in self.asked if step != "echo" and not step.endswith("…")]

    def file(self, file: KeyFile) -> bytes:
        return self.folder.read(file)


def _named(request: bytes) -> str:
    group, command, write = int.from_bytes(request[4:6]), request[7], request[0] & 7 == 2
    body = cbor2.load(BytesIO(request[8:]))
    if group == 0:
        return {0: "echo", 4: "set clock" if write else "clock", 6: "parameters"}[command]
    name = str(body.get("name", "")).rpartition("/")[2]
    verb = {0: "write" if write else "read", 1: "size", 2: "hash", 4: "close"}[command]
    return f"{verb} {name}{'…' if body.get('off') else ''}".strip()


class HookedStore:
    """A real store that tells what is asked of it; ``before`` may raise instead."""

    def __init__(self, real: SqliteStore) -> None:
        self.real = real
        self.asked: list[str] = []
        self.before: Callable[[str], None] = lambda _: None

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.real, name)

        async def call(*args: Any, **kwargs: Any) -> Any:
            self.asked.append(name)
            self.before(name)
            return await method(*args, **kwargs)

        return call
