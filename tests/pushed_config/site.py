"""A station with everything real but central, which is the test's own: key on a pseudo-terminal, database, files."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from config import Argon2Cost, Credentials, Pepper
from config.file_watch import FileWatch
from config.good_copies import GoodCopies, folder_of
from drivers.emulated_key.key import EmulatedKey
from drivers.emulated_key.line import SerialLine
from station.app import Station
from station.display.screen import Line, Screen
from station.ports import KeyFile
from station.pushed_config import PushedConfig
from station.records.base64url import decoded, encoded
from station.records.claims import Role
from station.records.keys import SigningKey
from station.records.pins import pin_tag
from station.rules.clock import ClockReadings
from station.runtime.loop import VisitLoop
from station.secret import Secret
from station.sync.timekeeping import SystemClocks
from station.visit.state import Phase, Presence
from tests.services.lying_central import DAY_S, STATION, LyingCentral

PATIENCE_S = 20.0
PIN = "271828"
KEY, HOLDER = 51, 11
SALT, PEPPER = b"a site's own salt", b"p" * 32
COST = {"time": 1, "memory_kib": 8, "lanes": 1}
LOOK_S = 0.005


class Site:
    """`start` it, `open` the station, `close` it all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "station.toml"
        self.skipped_s = 0.0
        self.central = LyingCentral()
        self.central.clock = lambda: int(self.now())
        self.line: SerialLine
        self.key: EmulatedKey
        self.config: PushedConfig
        self.station: Station
        self.visits: VisitLoop
        self.running: asyncio.Task[None] | None = None
        self.screens: list[Screen] = []
        self.adopted: list[str] = []
        self.looks = 0
        """Examinations of the file that have begun."""
        self.looked = 0
        """The last of them that is over."""

    def now(self) -> float:
        return time.time() + self.skipped_s

    def clocks(self) -> ClockReadings:
        real = SystemClocks(read_rtc=False)()
        return ClockReadings(
            unix_s=int(real.unix_s + self.skipped_s),
            boottime_s=real.boottime_s + self.skipped_s,
            boot_id=real.boot_id,
            ntp_synchronised=False,
        )

    # --- what is there before the station ---

    async def start(self) -> None:
        central, issued = self.central, int(self.now()) - DAY_S
        central.put("site", 0, name="Exempelby", timezone="Europe/Stockholm")
        central.put("unit", 3, name="Norr", closed=False)
        central.put("area", 2, name="Backen")
        tag = pin_tag(PIN.encode(), SALT, PEPPER, **COST)
        central.holder(HOLDER, pin_tag=encoded(tag))
        central.permit(1, HOLDER, 100, issued=issued, pin_tag=tag)
        key = central.key(KEY, HOLDER, issued=issued)
        central.blocklist(100, issued=issued)
        await central.start()
        signing = SigningKey.generate()
        Credentials(
            station=STATION,
            site=1,
            role=Role.SYNC_STATION,
            token=Secret("an-invented-token-of-a-test"),
            signing_seed=Secret(signing.seed()),
            certificate=central.certify(signing.public, issued),
            central_keys=(central.signing.public,),
            site_salt=SALT,
            peppers=(Pepper(version=1, pepper=Secret(PEPPER)),),
            argon2=Argon2Cost(**COST),
            pin_digits=6,
        ).save(self.folder / "credentials.json")
        self.line = SerialLine(self.folder / "key-reader", baud=1_000_000)
        self.key = EmulatedKey(self.folder / "key", now=self.now)
        self.key.folder.store(KeyFile.ID.value, decoded(key["record"]))

    def text(self, **changed: str) -> str:
        """A good file; ``policy="…"`` gives a table its lines."""
        tables = {
            "station": f'number = {STATION}\nname = "Exempelby"',
            "central": f'url = "{self.central.url}"\nmetered = true\npoll_s = 3600',
            "key_reader": f'port = "{self.line.path}"',
            "keypad": "entry_timeout_s = 20",
            "policy": "active_minutes = 660\nleft_in_s = 120",
            "display": 'language = "en"\nreceipt_s = 30',
            "clock": "trust_ntp = true",
        }
        return "".join(f"[{name}]\n{lines}\n" for name, lines in (tables | changed).items()) + "# end\n"

    def push(self, content: str | bytes) -> None:
        """As `rsync` or Ansible do it: whole, by rename."""
        new = self.folder / ".pushed"
        new.write_bytes(content.encode() if isinstance(content, str) else content)
        new.rename(self.path)

    def copies(self) -> list[bytes]:
        return [copy.content for copy in GoodCopies(folder_of(self.path)).newest_first()]

    # --- the station ---

    async def open(self, *, look_every_s: float = 0.01, rest_s: float = 0.01, offline: bool = False) -> None:
        """Open and run it on what is at the path. Raises as `PushedConfig.open`."""
        watch = _CountingWatch(self, look_every_s=look_every_s, rest_s=rest_s)
        self.config = PushedConfig(self.path, watch)
        self.station = await self.config.open(self.clocks)
        self.visits = self.station.visits
        self.running = asyncio.create_task(self._run())
        await self.until(lambda: self.station.mirror.online or offline, "online")

    async def _run(self) -> None:
        """As the kiosk does: until the configuration asks for another process."""
        async with asyncio.TaskGroup() as tasks:
            station = tasks.create_task(self.station.run(self.screens.append))
            await self.config.run(lambda settings: self.adopted.append(settings.version))
            station.cancel()

    async def start_offline(self) -> None:
        """As `open`, where central cannot be reached."""
        await self.open(offline=True)

    async def stop(self) -> None:
        if self.running is None:
            return
        self.running.cancel()
        await asyncio.wait([self.running])
        self.running = None
        await self.station.close()

    async def close(self) -> None:
        await self.stop()
        self.line.close()
        await self.central.stop()

    async def until(self, true: Callable[[], Any], what: str = "") -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not true():
            if self.running is not None and self.running.done() and not self.running.cancelled():
                self.running.result()
            assert time.monotonic() < deadline, (what, self.config.status, self.visits.state.phase, self.visits.state)
            await asyncio.sleep(LOOK_S)

    async def events(self, type_: str) -> list[dict[str, Any]]:
        """The data of all events of a type, oldest first, wherever they are by now."""
        sent = [event for event in self.central.events.values() if event["type"] == type_]
        waiting = [dict(e.body) for e in await self.station.store.pending(1000) if e.body["type"] == type_]
        unique = {event["id"]: event for event in [*sent, *waiting]}
        return [event["data"] for event in sorted(unique.values(), key=lambda event: event["seq"])]

    async def events_once_there(self, type_: str, count: int = 1) -> list[dict[str, Any]]:
        """As `events`, once there are so many: they are told beside everything else."""
        async with asyncio.timeout(PATIENCE_S):
            while len(found := await self.events(type_)) < count:
                await asyncio.sleep(LOOK_S)
        return found

    # --- a person ---

    async def insert(self) -> None:
        self.screens.clear()
        self.key.press()
        self.line.insert(self.key)
        await self.until(lambda: self.visits.state.phase is Phase.PROMPT, "prompt")

    async def start_shift(self) -> None:
        """PIN, ready, and the key out."""
        for stroke in f"*{PIN}#":
            self.visits.press(stroke)
        await self.until(lambda: self.visits.state.phase is Phase.READY, "ready")

    async def pull(self) -> None:
        self.line.pull()
        await self.until(lambda: self.visits.state.presence is Presence.OUT, "gone")

    async def go_away(self) -> None:
        """Take the key out, and let the time pass in which one reads the screen."""
        await self.pull()
        self.skip(4)
        await self.until(lambda: self.visits.state.phase is Phase.EMPTY, "empty")
        self.skip(121)
        await self.until(lambda: self.visits.between_visits, "between visits")

    def skip(self, seconds: float) -> None:
        self.skipped_s += seconds

    @property
    def shown(self) -> list[Line]:
        lines: list[Line] = []
        for screen in self.screens:
            if not lines or lines[-1] is not screen.line:
                lines.append(screen.line)
        return lines


class _CountingWatch(FileWatch):
    def __init__(self, site: Site, **pace: float) -> None:
        super().__init__(site.path, **pace)
        self._site = site

    async def run(self, examine: Callable[[], Awaitable[None]]) -> None:
        async def counted() -> None:
            self._site.looks += 1
            look = self._site.looks
            await examine()
            self._site.looked = look

        await super().run(counted)
