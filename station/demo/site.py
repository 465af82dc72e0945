"""Everything outside the kiosk: central, the places of the stations, the keys, the locks, the time."""

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from drivers.emulated_key.folder import KeyFolder
from drivers.emulated_key.key import EmulatedKey
from station.demo.central_server import CentralServer, DemoFault
from station.demo.installation import Installation
from station.demo.reconciliation import LockEntry
from station.ports import KeyFile
from station.records import envelope
from station.records.claims import Category, KeyKind, Permit, Role
from station.rules.clock import ClockReadings
from station.rules.facts import KeyClockState
from station.rules.lights import key_light
from station.rules.locks import Light, Lock, LockDecision, decide
from station.secret import Secret

HOME = 1
"""The station at which the demonstration plays, unless a scenario goes elsewhere."""

BATTERY_PERCENT = 80


@dataclass(frozen=True, slots=True)
class SampleKey:
    """A key of the sample site. ``pin`` is printed on purpose: it is an invented person's."""

    number: int
    kind: KeyKind
    unit: int
    status: str
    holder: str
    pin: str | None


@dataclass(frozen=True, slots=True)
class SamplePerson:
    """A person of the sample site, for pool keys."""

    holder: int
    name: str
    category: Category
    unit: int
    active: bool
    pin: str


@dataclass(frozen=True, slots=True)
class SamplePlace:
    """A station or box of the sample site."""

    number: int
    name: str
    unit: int
    role: Role


@dataclass(frozen=True, slots=True)
class OfficeLogIn:
    """Where the office is, and who may log in there. ``password`` is printed on purpose: it is a sample's."""

    url: str
    user: str
    password: str


class DemoSite:
    """A site on one machine, in ``folder``. `start` it, `close` it."""

    def __init__(self, folder: Path, *, language: str, central: CentralServer | None = None) -> None:
        self.folder = folder
        self.language = language
        self.keys: dict[int, SampleKey] = {}
        self.people: dict[int, SamplePerson] = {}
        self.places: tuple[SamplePlace, ...] = ()
        self.office: OfficeLogIn | None = None
        self.installations: dict[int, Installation] = {}
        self.central = central or CentralServer(folder / "central", folder / "keys")
        self._zone = ZoneInfo("UTC")
        self._skipped_s = 0.0
        self._emulated: dict[int, EmulatedKey] = {}
        self._central_port = 0
        self.central_keys: tuple[bytes, ...] = ()
        """Whose signatures the locks and the keys' own lights believe."""
        self._locks: dict[int, int] = {}
        self._blocklists: dict[int, bytes] = {}
        self.lock_entries: list[LockEntry] = []
        """What locks have written to keys' logs, but for the test lock's."""

    # --- time ---

    def now(self) -> float:
        """The site's Unix time: real time, and what has been skipped."""
        return time.time() + self._skipped_s

    def skip(self, seconds: float) -> None:
        """Let time pass, for central, stations, keys and locks alike."""
        self._skipped_s += seconds
        self.central.set_clock_ahead(self._skipped_s)
        for installation in self.installations.values():
            # A socket keeps the key in it awake; in no time it had no chance to.
            if installation.line.key is not None:
                installation.line.key.press()

    def seconds_until(self, clock: str, weekday: int | None) -> float:
        """From now to the next time that the site's clocks show ``clock`` (HH:MM), on that weekday (Monday is 0)."""
        now = datetime.fromtimestamp(self.now(), self._zone)
        hour, minute = (int(part) for part in clock.split(":"))
        days = range(8)
        for day in (now.date() + timedelta(days=ahead) for ahead in days):
            then = datetime(day.year, day.month, day.day, hour, minute, tzinfo=self._zone)
            seconds = then.timestamp() - now.timestamp()
            if seconds > 0 and weekday in {None, day.weekday()}:
                return seconds
        raise AssertionError(clock)

    def clocks_of(self, installation: Installation) -> ClockReadings:
        """A station's clocks, in the site's time and since its own last boot."""
        now = self.now()
        return ClockReadings(
            unix_s=int(now - installation.clock_behind_s),
            boottime_s=self.boottime_s() - installation.booted_at,
            boot_id=installation.boot_id,
            ntp_synchronised=installation.ntp_synchronised,
            rtc_unix_s=int(now) if installation.has_rtc else None,
        )

    def boottime_s(self) -> float:
        """The machine's CLOCK_BOOTTIME, and what has been skipped."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) + self._skipped_s

    # --- beginning and end ---

    async def start(self) -> None:
        """Start central and put up the first station's installation. Raises DemoFault, and the faults of enrolling."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._skipped_s = self.central.clock_ahead_s()
        sample, self._central_port = await self.central.prepare_and_serve()
        self.people = {person.holder: person for person in map(_sample_person, sample["people"])}
        self.keys = {int(k["key"]): self._sample_key(k) for k in sample["keys"]}
        self.places = tuple(
            SamplePlace(int(s["station"]), str(s["name"]), int(s["unit"]), Role(s["role"])) for s in sample["stations"]
        )
        admin = sample["admin"]
        self.office = OfficeLogIn(f"http://127.0.0.1:{self._central_port}/", str(admin["user"]), str(admin["password"]))
        self._locks = {int(lock["area"]): int(lock["lock"]) for lock in reversed(sample["locks"])}
        await self.install(HOME)
        self._zone = ZoneInfo(self.home.settings().clock.time_zone)
        self.central_keys = self.home.credentials().central_keys

    async def close(self) -> None:
        """Take everything down."""
        for installation in self.installations.values():
            await installation.close()
        await self.central.close()

    @property
    def central_port(self) -> int:
        """Where central listens on the loopback."""
        return self._central_port

    @property
    def home(self) -> Installation:
        """The first station's installation."""
        return self.installations[HOME]

    async def install(self, number: int) -> Installation:
        """Where that station stands; put up and enrolled the first time. Raises StationError."""
        if number not in self.installations:
            folder = self.folder / f"station-{number}"
            installation = Installation(number, folder, self.central, self._central_port, language=self.language)
            self.installations[number] = installation
            await installation.prepare()
        return self.installations[number]

    # --- keys ---

    def _sample_key(self, key: Mapping[str, Any]) -> SampleKey:
        person = self.people.get(int(key["holder"])) if key.get("holder") else None
        return SampleKey(
            number=int(key["key"]),
            kind=KeyKind(key["kind"]),
            unit=int(key["unit"]),
            status=str(key["status"]),
            holder=person.name if person else "",
            pin=person.pin if person else None,
        )

    def key_folder(self, number: int) -> KeyFolder:
        """The files of a key, as anybody without a wire sees them."""
        return KeyFolder(self.folder / "keys" / str(number), self.now)

    def key(self, number: int) -> EmulatedKey:
        """An emulated key of the sample site. Raises DemoFault when it has none of that number."""
        if number not in self.keys:
            raise DemoFault("no_such_key", key=number)
        if number not in self._emulated:
            self._emulated[number] = EmulatedKey(self.folder / "keys" / str(number), now=self.now)
        return self._emulated[number]

    def inserted(self, installation: Installation) -> int | None:
        """The number of the key in the socket there."""
        inside = installation.line.key
        return next((number for number, key in self._emulated.items() if key is inside), None)

    def insert(self, number: int, installation: Installation) -> None:
        """Press a key's button and put it in."""
        key = self.key(number)
        for other in self.installations.values():
            if other.line.key is key:
                other.line.pull()
        key.press()
        installation.line.insert(key)

    async def hand_out(self, number: int, installation: Installation) -> None:
        """Hand out a blank key: its record, against a one-time code. Raises StationError."""
        folder = self.key(number).folder
        record = await installation.hand_out(await self.central.provision_code(number))
        folder.store(KeyFile.ID.value, record)

    async def give_new_pin(self, holder: int) -> None:
        """Have central give somebody a new PIN, and learn it. Raises DemoFault."""
        pin = Secret(await self.central.manage("new_pin", str(holder)))
        old = self.people[holder]
        self.people[holder] = SamplePerson(old.holder, old.name, old.category, old.unit, old.active, pin.reveal())

    # --- locks ---

    def try_lock(self, number: int, lock: int, area: int, *, button: bool = True, record: bool = False) -> LockDecision:
        """Turn a key in a lock. Raises DemoFault when there is no such key."""
        folder = self.key(number).folder
        now_s = self._key_time(folder)
        files = {file.value: content for file, content in folder.files().items()}
        at = Lock(lock, area, self._blocklists.get(lock))
        decision = decide(envelope, self.central_keys, files, at, now_s, button=button)
        if decision.adopted_blocklist is not None:
            self._blocklists[lock] = decision.adopted_blocklist
        if record:
            folder.append_log_entry(
                time_s=now_s,
                lock=lock,
                outcome=decision.reason.value,
                holder=decision.holder,
                battery_percent=BATTERY_PERCENT,
            )
            if now_s is not None:
                outcome = decision.reason.value
                self.lock_entries.append(LockEntry(number, lock, now_s, outcome, decision.holder))
        return decision

    def light(self, number: int) -> Light:
        """What a key's own light shows."""
        folder = self.key_folder(number)
        files = {file.value: content for file, content in folder.files().items()}
        return key_light(envelope, self.central_keys, files, self._key_time(folder))

    def areas_of(self, number: int) -> tuple[int, ...] | None:
        """The areas in the permit on a key: `EVERY_AREA` for every one, None when there is no permit."""
        record = self.key_folder(number).read(KeyFile.PERMIT)
        permit = envelope.verified(Permit, record, self.central_keys)
        return permit.areas if permit is not None else None

    def lock_in(self, area: int) -> int | None:
        """The number of one of the sample locks in ``area``."""
        return self._locks.get(area)

    @property
    def areas(self) -> tuple[int, ...]:
        """Every area that has a lock."""
        return tuple(sorted(self._locks))

    def _key_time(self, folder: KeyFolder) -> int | None:
        clock = folder.clock()
        return int(self.now()) if clock.state is KeyClockState.ABSENT else clock.unix_s

    def say_time(self, unix_s: float | None = None) -> str:
        """What the site's clocks show now, or showed then."""
        then = self.now() if unix_s is None else unix_s
        return datetime.fromtimestamp(then, UTC).astimezone(self._zone).strftime("%a %H:%M")


def _sample_person(person: Mapping[str, Any]) -> SamplePerson:
    return SamplePerson(
        holder=int(person["holder"]),
        name=str(person["name"]),
        category=Category(person["category"]),
        unit=int(person["unit"]),
        active=person["status"] == "active",
        pin=str(person["pin"]),
    )


def kiosk_command(installation: Installation) -> list[str]:
    """The command line of the kiosk at ``installation``."""
    return [sys.executable, "-m", "station", "run", "--config", str(installation.config_file)]


def kiosk_environment() -> dict[str, str]:
    """The environment of a kiosk: nothing that would change how Textual behaves."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TEXTUAL")}
    return kept | {"TERM": "xterm-256color", "TEXTUAL_DISABLE_KITTY_KEY": "1"}
