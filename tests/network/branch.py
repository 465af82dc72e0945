"""A real station at the end of a link of some quality: enrolled, over TLS, with an emulated key reader."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import config
from drivers.emulated_key.key import EmulatedKey
from drivers.emulated_key.line import SerialLine
from station.app import Station, trust_of
from station.commands.enrol import credentials_of, enrol
from station.demo.central_server import CentralServer
from station.display.screen import Line, Screen
from station.records.claims import KeyKind
from station.records.keys import SigningKey
from station.sync.server_trust import ServerTrust
from station.visit.state import Phase
from tests.network.slow_link import Quality, Relay, SlowLink, Traffic, certified

LIMIT_S = 60.0
STROKE_S = 0.15
"""Between two keystrokes of somebody in a hurry."""


@dataclass(frozen=True, slots=True)
class Phases:
    """Of a visit, in seconds: from the key going in to the prompt, and from ``#`` to ready."""

    prompt_s: float
    ready_s: float


class Branch:
    """One station. `visit` it; `link` is its way to central."""

    def __init__(self, station: Station, link: SlowLink, line: SerialLine) -> None:
        self.station, self.link, self._line = station, link, line
        self.visits = station.visits
        self._screen: Screen | None = None
        self._news = asyncio.Event()

    def show(self, screen: Screen) -> None:
        self._screen = screen
        self._news.set()

    async def visit(self, key: EmulatedKey, pin: str) -> Phases:
        """Put the key in, type, wait for ready, take it out, and wait until central has been told."""
        async with asyncio.timeout(LIMIT_S):
            # Sooner, it would be the last one that comes back.
            while self.visits.state.phase is not Phase.EMPTY:
                await asyncio.sleep(0.02)
        key.press()
        time = asyncio.get_running_loop().time
        begun = time()
        self._line.insert(key)
        await self._until(Line.PROMPT)
        prompted = time()
        for stroke in f"*{pin}":
            self.visits.press(stroke)
            await asyncio.sleep(STROKE_S)
        entered = time()
        self.visits.press("#")
        await self._until(Line.READY)
        ready = time()
        self._line.pull()
        await self._until(Line.OUT_READY)
        await self.quiet()
        return Phases(prompted - begun, ready - entered)

    async def poll(self) -> None:
        """Ask central for news, and wait for what comes of it."""
        mirror = self.station.mirror
        await mirror.refreshed(None)
        mirror.wake()
        await mirror.refreshed(None)
        assert mirror.online

    def trust(self) -> ServerTrust:
        """The authorities whose word counts."""
        return trust_of(self.station.settings)

    async def quiet(self) -> None:
        """Until the outbox is empty."""
        async with asyncio.timeout(LIMIT_S):
            while await self.station.store.pending_count():
                await asyncio.sleep(0.02)

    async def traffic_of(self, what: Callable[[], Any]) -> Traffic:
        """What passes while ``what`` is done."""
        before = self.link.traffic
        await what()
        return self.link.traffic.since(before)

    async def _until(self, line: Line) -> None:
        async with asyncio.timeout(LIMIT_S):
            while self._screen is None or self._screen.line is not line:
                self._news.clear()
                await self._news.wait()


class Central:
    """A seeded central server behind a TLS proxy."""

    def __init__(self, server: CentralServer, sample: Mapping[str, Any], folder: Path, tls: Relay, root: Path) -> None:
        self.server, self.sample, self.tls = server, sample, tls
        self._folder, self._root = folder, root

    def someone(self) -> tuple[int, EmulatedKey, str]:
        """The number of a personal key in use, the key, and its holder's PIN."""
        people = {int(each["holder"]): each for each in self.sample["people"]}
        for each in self.sample["keys"]:
            holder = people.get(int(each["holder"] or 0))
            in_use = each["status"] == "active" and holder is not None and holder["status"] == "active"
            if in_use and holder is not None and each["kind"] == KeyKind.PERSONAL:
                number = int(each["key"])
                return number, EmulatedKey(self._folder / "keys" / str(number)), str(holder["pin"])
        raise AssertionError

    @asynccontextmanager
    async def branch(self, number: int, quality: Quality) -> AsyncIterator[Branch]:
        """Enrol that station and run it over a link of that quality; nothing is asked while nobody asks."""
        folder = self._folder / f"station-{number}"
        folder.mkdir()
        link = SlowLink(self.tls.port, quality)
        await link.start()
        signing = SigningKey.generate()
        code = await self.server.enrolment_code(number)
        enrolled = await enrol(f"http://127.0.0.1:{self.server_port}", code, signing)
        credentials_of(enrolled, signing).save(folder / "credentials.json")
        line = SerialLine(folder / "key-reader")
        file = folder / "station.toml"
        file.write_text(
            f'[station]\nnumber = {number}\nname = "Exempelby {number}"\n'
            f'[central]\nurl = "https://127.0.0.1:{link.port}"\nmetered = true\npoll_s = 3600\n'
            f'ca_file = "{self._root}"\n'
            f'[key_reader]\nport = "{line.path}"\n'
        )
        station = await Station.open(config.load(file))
        it = Branch(station, link, line)
        running = asyncio.create_task(station.run(it.show))
        try:
            await it.poll()
            await it.quiet()
            yield it
        finally:
            running.cancel()
            await asyncio.wait([running])
            await station.close()
            line.close()
            await link.stop()

    server_port = 0


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[Central]:
    """A central server on sample data."""
    server = CentralServer(folder / "central", folder / "keys")
    try:
        sample = await server.prepare()
        port = await server.serve()
        context, root = certified(folder)
        tls = Relay(port, context=context)
        await tls.start()
        it = Central(server, sample, folder, tls, root)
        it.server_port = port
        yield it
        await tls.stop()
    finally:
        await server.close()
