"""Everything outside the kiosk: the sample site's central server, the network, the keys, the locks, the time."""

import asyncio
import json
import os
import re
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import config
from config import Credentials, Settings
from drivers.emulated_key.folder import KeyFolder
from drivers.emulated_key.key import EmulatedKey
from drivers.emulated_key.line import SocketLine
from station.commands.enrol import credentials_of
from station.core.clock import ClockReadings
from station.core.facts import KeyClockState
from station.core.lights import key_light
from station.core.locks import Light, Lock, LockDecision, decide
from station.demo.network import Network
from station.errors import StationError
from station.ports import KeyFile
from station.records import envelope
from station.records.claims import EVERY_AREA, Category, KeyKind, Permit
from station.records.keys import SigningKey
from station.secret import Secret
from station.services.central_link import CentralLink
from station.services.timekeeping import SystemClocks

START_LIMIT_S = 60.0
_SERVING = re.compile(rb"http://127\.0\.0\.1:(\d+)")


class DemoFault(StationError):
    """A part of the demonstration did not start."""


@dataclass(frozen=True, slots=True)
class SampleKey:
    """A key of the sample site. ``pin`` is printed on purpose: it is an invented person's."""

    number: int
    kind: KeyKind
    unit: int
    holder: str
    pin: str | None


@dataclass(frozen=True, slots=True)
class SamplePerson:
    """A person of the sample site, for pool keys."""

    holder: int
    name: str
    category: Category
    pin: str


class World:
    """A site on one machine, in ``folder``. `start` it, `close` it."""

    def __init__(self, folder: Path, *, language: str) -> None:
        self.folder = folder
        self.language = language
        self.keys: dict[int, SampleKey] = {}
        self.people: dict[int, SamplePerson] = {}
        self.network: Network
        self.line: SocketLine
        self.skipped_s = 0.0
        self._emulated: dict[int, EmulatedKey] = {}
        self._central: asyncio.subprocess.Process | None = None
        self._central_log = folder / "central.log"
        self._central_keys: tuple[bytes, ...] = ()
        self._locks: dict[int, int] = {}

    # --- time ---

    def now(self) -> float:
        """The world's Unix time: real time, and what has been skipped."""
        return time.time() + self.skipped_s

    def clocks(self) -> ClockReadings:
        """The station's clocks, in the world's time."""
        real = SystemClocks(read_rtc=False)()
        return ClockReadings(
            unix_s=int(real.unix_s + self.skipped_s),
            boottime_s=real.boottime_s + self.skipped_s,
            boot_id=real.boot_id,
            ntp_synchronised=False,
        )

    # --- beginning and end ---

    @property
    def config_file(self) -> Path:
        """The station's ``station.toml``."""
        return self.folder / "station.toml"

    async def start(self) -> None:
        """Seed and serve central, enrol the station, open the line. Raises DemoFault, and the faults of enrolling."""
        self.folder.mkdir(parents=True, exist_ok=True)
        seeded = await self._seed()
        self.people = {
            int(p["holder"]): SamplePerson(int(p["holder"]), p["name"], Category(p["category"]), p["pin"])
            for p in seeded["people"]
        }
        self.keys = {int(k["key"]): self._sample_key(k) for k in seeded["keys"]}
        self._locks = {int(lock["area"]): int(lock["lock"]) for lock in reversed(seeded.get("locks", []))}
        self.network = Network(await self._serve())
        await self.network.restore()
        self.line = SocketLine(self.folder / "key-reader")
        await self._enrol(seeded["enrol_code"])

    async def close(self) -> None:
        """Take everything down."""
        if hasattr(self, "line"):
            self.line.close()
        if hasattr(self, "network"):
            await self.network.cut()
        if self._central is not None and self._central.returncode is None:
            self._central.terminate()
            await self._central.wait()

    async def _seed(self) -> dict[str, Any]:
        process = await asyncio.create_subprocess_exec(
            *self._central_command("seed"),
            "--keys",
            str(self.folder / "keys"),
            "--json",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(START_LIMIT_S):
            answer, complaint = await process.communicate()
        if process.returncode:
            self._central_log.write_bytes(complaint)
            raise DemoFault("central_not_seeded", log=self._central_log)
        return json.loads(answer)  # type: ignore[no-any-return]

    async def _serve(self) -> int:
        with self._central_log.open("ab") as log:
            self._central = await asyncio.create_subprocess_exec(
                *self._central_command("serve"), "--port", "0", stdout=asyncio.subprocess.PIPE, stderr=log
            )
        assert self._central.stdout is not None
        try:
            async with asyncio.timeout(START_LIMIT_S):
                while line := await self._central.stdout.readline():
                    if found := _SERVING.search(line):
                        return int(found[1])
        except TimeoutError:
            pass
        raise DemoFault("central_not_started", log=self._central_log)

    def _central_command(self, command: str) -> list[str]:
        return [sys.executable, "-m", "central.cli", command, "--data", str(self.folder / "central")]

    async def _enrol(self, code: object) -> None:
        url = f"http://127.0.0.1:{self.network.port}"
        signing = SigningKey.generate()
        link = CentralLink(url)
        try:
            enrolled = await link.enrol(Secret(str(code)), signing.public)
        finally:
            await link.close()
        credentials = credentials_of(enrolled, signing)
        self._central_keys = credentials.central_keys
        credentials.save(self.folder / "credentials.json")
        self.config_file.write_text(
            f'[station]\nnumber = {enrolled.station}\nname = "Exempelby"\n'
            f'[central]\nurl = "{url}"\npoll_s = 10\n'
            f'[key_reader]\nport = "{self.line.path}"\n'
            f'[display]\nlanguage = "{self.language}"\n'
            "# end\n",
            encoding="utf-8",
        )

    def settings(self) -> Settings:
        """The station's settings."""
        return config.load(self.config_file)

    def credentials(self) -> Credentials:
        """The station's credentials."""
        return Credentials.load(self.folder / "credentials.json")

    # --- keys and locks ---

    def _sample_key(self, key: Mapping[str, Any]) -> SampleKey:
        person = self.people.get(int(key["holder"])) if key.get("holder") else None
        kind = KeyKind(key["kind"])
        return SampleKey(
            int(key["key"]), kind, int(key["unit"]), person.name if person else "", person.pin if person else None
        )

    def key_folder(self, number: int) -> Path:
        """Where the files of a key are."""
        return self.folder / "keys" / str(number)

    def key(self, number: int) -> EmulatedKey:
        """An emulated key of the sample site."""
        if number not in self._emulated:
            self._emulated[number] = EmulatedKey(self.key_folder(number), now=self.now)
        return self._emulated[number]

    @property
    def inserted(self) -> int | None:
        """The number of the key in the socket."""
        inside = self.line.key
        return next((number for number, key in self._emulated.items() if key is inside), None)

    def insert(self, number: int) -> None:
        """Press a key's button and put it in."""
        key = self.key(number)
        key.press()
        self.line.insert(key)

    def try_lock(self, number: int, lock: int, area: int, *, button: bool = True, record: bool = False) -> LockDecision:
        """Turn a key in a lock."""
        folder = KeyFolder(self.key_folder(number), self.now)
        now_s = self._key_time(folder)
        files = {file.value: content for file, content in folder.files().items()}
        decision = decide(envelope, self._central_keys, files, Lock(lock, area), now_s, button=button)
        if record:
            folder.append_log_entry(
                time_s=now_s, lock=lock, outcome=decision.reason.value, holder=decision.holder, battery_percent=80
            )
        return decision

    def light(self, number: int) -> Light:
        """What a key's own light shows."""
        folder = KeyFolder(self.key_folder(number), self.now)
        files = {file.value: content for file, content in folder.files().items()}
        return key_light(envelope, self._central_keys, files, self._key_time(folder))

    def areas_of(self, number: int) -> tuple[int, ...]:
        """The areas in the permit on a key; none for every area."""
        record = KeyFolder(self.key_folder(number), self.now).read(KeyFile.PERMIT)
        permit = envelope.verified(Permit, record, self._central_keys)
        return permit.areas if permit is not None and permit.areas != EVERY_AREA else ()

    def lock_in(self, area: int) -> int | None:
        """The number of one of the sample locks in ``area``."""
        return self._locks.get(area)

    def _key_time(self, folder: KeyFolder) -> int | None:
        clock = folder.clock()
        return int(self.now()) if clock.state is KeyClockState.ABSENT else clock.unix_s


def kiosk_command(world: World) -> list[str]:
    """The command line of the kiosk of ``world``."""
    return [sys.executable, "-m", "station", "run", "--config", str(world.config_file)]


def kiosk_environment() -> dict[str, str]:
    """The environment of a kiosk: nothing that would change how Textual behaves."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TEXTUAL")}
    return kept | {"TERM": "xterm-256color", "TEXTUAL_DISABLE_KITTY_KEY": "1"}
