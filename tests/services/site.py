"""A small site on one machine: records signed by a central key of its own, stations of real parts, emulated keys.

Nobody is central here: mirrors are filled by hand with what it would have sent, and its port is closed.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import pytest

from config import Settings
from config.models import CentralTable, ClockTable, DisplayTable, KeyReaderTable, StationTable
from drivers.emulated_key.line import SerialLine
from drivers.emulated_key.options import KeyOptions
from drivers.smp import reader, session
from drivers.smp.reader import SmpKeyReader
from offline_cache import SqliteStore
from station.app import Station
from station.display.screen import Line, Screen
from station.ports import KeyFile, MirrorState, MirrorUpdate, ReaderSettings
from station.records import envelope
from station.records.base64url import decoded, encoded
from station.records.central_chain import CentralChain
from station.records.claims import (
    Activation,
    Blocklist,
    Category,
    Claims,
    KeyKind,
    KeyRecord,
    Permit,
    Role,
    StationCertificate,
    Sync,
)
from station.records.keys import SigningKey
from station.records.mirror_digest import MirrorSum, change_of
from station.records.pins import pin_tag
from station.rules.facts import KeyStatus, Policy
from station.rules.locks import Lock, LockDecision, decide
from station.runtime.profiles import PROFILES
from station.secret import Secret
from station.sync.client import CentralClient
from station.sync.confirmation import Gathering
from station.sync.identity import Identity, PinSecrets
from station.sync.intake import ObjectIntake
from station.sync.mirror_follower import KeyLogSeen
from tests.services.hooked import HookedKey, HookedStore, World

T = TypeVar("T")

FAST_BAUD = 1_000_000
DAY_S = 86400
ANNA, BO, TIM = 20, 21, 22
"""Permanent, permanent, hourly."""
PINS = {ANNA: "111111", BO: "222222", TIM: "333333"}
HER_KEY, HIS_KEY, POOL_KEY, SPARE_KEY = 501, 502, 601, 701
UNIT, AREA, LOCK = 7, 2, 101
TIME_ZONE = "Europe/Stockholm"
OFF_LINES = {Line.PROMPT, Line.REFUSED, Line.UNREADABLE}
PIN_SECRETS = PinSecrets(b"a site's own salt", ((1, Secret(b"p" * 32)),), time=1, memory_kib=8, lanes=1, digits=6)


def tag_of(pin: str) -> bytes:
    s = PIN_SECRETS
    return pin_tag(
        pin.encode(), s.site_salt, s.peppers[0][1].reveal(), time=s.time, memory_kib=s.memory_kib, lanes=s.lanes
    )


@dataclass
class StationAt:
    """One station of real parts, and the line of its key reader."""

    site: "Site"
    number: int
    line: SerialLine
    station: Station
    store: HookedStore
    signing: SigningKey
    shown: list[Screen] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _running: asyncio.Task[None] | None = None
    _polling: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.identity, self.mirror, self.outbox = self.station.identity, self.station.mirror, self.station.outbox
        self.readiness, self.visits, self.central = self.station.readiness, self.station.visits, self.station.central

    def show(self, screen: Screen) -> None:
        self.shown.append(screen)
        self._changed.set()

    @property
    def screen(self) -> Screen:
        return self.shown[-1]

    @property
    def lines(self) -> list[Line]:
        """The lines that were shown, without repetitions."""
        lines = [screen.line for screen in self.shown]
        return [line for i, line in enumerate(lines) if i == 0 or line is not lines[i - 1]]

    def start(self, *, poll: bool = True) -> None:
        self._running = asyncio.create_task(
            self.visits.run(lambda screen: self.show(screen))  # noqa: PLW0108, a test may replace it
        )
        if poll and self.station.profile.asks_central:
            self._polling = asyncio.create_task(self.mirror.run())

    async def stop(self) -> None:
        """As on SIGTERM."""
        for task in (self._running, self._polling):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        self._running = self._polling = None

    async def close(self) -> None:
        await self.stop()
        await self.station.close()

    async def until(self, *lines: Line, timeout_s: float = 8) -> Screen:
        """Wait for one of these lines."""
        try:
            async with asyncio.timeout(timeout_s):
                while not self.shown or self.screen.line not in lines:
                    self._changed.clear()
                    self.fail_if_crashed()
                    await asyncio.wait([asyncio.create_task(self._changed.wait())], timeout=0.5)
        except TimeoutError:
            raise AssertionError(f"not {lines} but {self.lines}") from None
        return self.screen

    def fail_if_crashed(self) -> None:
        if self._running is not None and self._running.done():
            self._running.result()

    def insert(self, key: HookedKey) -> None:
        key.press()
        self.line.insert(key)

    def type(self, text: str) -> None:
        for stroke in text:
            self.visits.press(stroke)

    def insert_typing(self, key: HookedKey, text: str) -> None:
        """Put a key in, and type as soon as it has been seen."""
        before, untyped = key.before, [text]

        def type_ahead(number: int) -> bool:
            if untyped and key.asked[number] != "echo":
                asyncio.get_running_loop().call_soon(self.type, untyped.pop())
            return before(number)

        key.before = type_ahead
        self.insert(key)

    async def out(self) -> Screen:
        """Pull the key; the farewell."""
        self.line.pull()
        return await self.until(
            Line.EMPTY, Line.OUT_OFF, Line.OUT_READY, Line.OUT_EARLY, Line.OUT_UNSURE, Line.READER_BROKEN
        )

    def central_has(self, key: int, generation: int, seq: int) -> None:
        """As central's last head said of the log of that key."""
        self.mirror._follower.log_seen = KeyLogSeen(key, (generation, seq))

    def confirmed(self, at_s: int) -> None:
        """As if a head of that time had agreed with the mirror."""
        self.mirror._commit.state = replace(self.mirror.state, confirmed_at=at_s)

    async def idle(self) -> None:
        """Until the work on the key and on events is done."""
        async with asyncio.timeout(8):
            await self.visits.settled()
        self.fail_if_crashed()

    async def events(self, *types: str) -> list[dict[str, Any]]:
        """The outbox, without what the closed port leads to."""
        bodies = [json.loads(json.dumps(dict(e.body))) for e in await self.store.real.pending(5000)]
        assert len({b["id"] for b in bodies}) == len(bodies)
        assert [b["seq"] for b in bodies] == list(range(1, len(bodies) + 1))
        return [b for b in bodies if (b["type"] in types if types else b["type"] != "central_lost")]

    async def counts(self) -> Counter[str]:
        return Counter(e["type"] for e in await self.events())


class Site:
    """Signs what central would sign. `mirrored` is what stations get that are made from now on."""

    def __init__(
        self,
        folder: Path,
        *,
        world: World | None = None,
        line: Callable[[Path, int], SerialLine] = SerialLine,
        baud: int = FAST_BAUD,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.world = world or World()
        self.line, self.baud = line, baud
        self.central = SigningKey.generate()
        self.objects: dict[tuple[str, int], dict[str, Any]] = {}
        self.stations: list[StationAt] = []
        self._permits: dict[int, Permit] = {}
        self.put("site", 0, name="Exempelby", timezone=TIME_ZONE, support=[], privacy={})
        self.put("unit", UNIT, name="Norr", closed=False)
        self.put("area", AREA, name="Backen")
        self.person(ANNA, Category.PERMANENT)
        self.person(BO, Category.PERMANENT)
        self.person(TIM, Category.HOURLY)
        self.blocklist(1)
        for number, kind, holder in (
            (HER_KEY, KeyKind.PERSONAL, ANNA),
            (HIS_KEY, KeyKind.PERSONAL, BO),
            (POOL_KEY, KeyKind.SUBSTITUTE, None),
            (SPARE_KEY, KeyKind.EMERGENCY, None),
        ):
            self.key_object(number, kind, holder)

    @property
    def now_s(self) -> int:
        return int(self.world.now())

    def skip(self, seconds: float) -> None:
        self.world.skipped_s += seconds

    def away_from_midnight(self) -> None:
        """Go on after it, where the day would end during a visit."""
        local = datetime.fromtimestamp(self.now_s, ZoneInfo(TIME_ZONE))
        if (local.hour, local.minute) >= (23, 55):
            self.skip(600)

    def sign(self, claims: Claims) -> bytes:
        return envelope.sign(claims, self.central)

    # --- what central knows

    def put(self, type_: str, id_: int, **fields: Any) -> None:
        revision = self.objects.get((type_, id_), {}).get("revision", 0) + 1
        self.objects[type_, id_] = {"type": type_, "id": id_, "revision": revision, **fields}

    def person(self, holder: int, category: Category, *, status: str = "active", **permit: Any) -> bytes:
        """A holder and their permit, of a revision higher than before; the permit's record."""
        before = self._permits.get(holder)
        claims = Permit(
            expires=self.now_s + 10 * DAY_S,
            not_before=self.now_s - DAY_S,
            issued=self.now_s - DAY_S,
            holder=holder,
            revision=before.revision + 1 if before is not None else 1,
            areas=(AREA,),
            locks=(),
            windows=(),
            pin_tag=tag_of(PINS[holder]),
            category=category,
        )
        claims = self._permits[holder] = replace(claims, **permit)
        record = self.sign(claims)
        unit = UNIT if category is Category.HOURLY else None
        self.put("holder", holder, name=f"Person {holder}", category=int(category), unit=UNIT, status=status)
        self.put("permit", holder, holder=holder, unit=unit, record=encoded(record))
        return record

    def key_object(
        self, number: int, kind: KeyKind, holder: int | None, status: KeyStatus = KeyStatus.ACTIVE, **fields: Any
    ) -> bytes:
        record = self.sign(KeyRecord(issued=self.now_s - DAY_S, key=number, kind=kind, unit=UNIT, holder=holder))
        fields = {"kind": int(kind), "unit": UNIT, "status": status.value, "record": encoded(record)} | fields
        self.put("key", number, **fields, **({"holder": holder} if holder is not None else {}))
        return record

    def blocklist(self, version: int, *keys: int) -> bytes:
        """A list that central has signed; it is not mirrored until `put`."""
        record = self.sign(
            Blocklist(
                expires=self.now_s + 30 * DAY_S,
                issued=self.now_s - DAY_S,
                version=version,
                blocked_keys=keys,
                blocked_stations=(),
            )
        )
        if ("blocklist", 0) not in self.objects:
            self.put("blocklist", 0, version=version, record=encoded(record))
        return record

    def certificate(self, number: int, signing: SigningKey, role: Role = Role.SYNC_STATION) -> bytes:
        return self.sign(
            StationCertificate(
                expires=self.now_s + 60 * DAY_S,
                issued=self.now_s - DAY_S,
                unit=UNIT,
                station=number,
                public_key=signing.public,
                role=role,
            )
        )

    # --- things

    def key(self, number: int, name: str = "", *, clock: bool = True, **options: Any) -> HookedKey:
        """A key as handed out, with its record on it and its clock set."""
        key = HookedKey(self.folder / f"key{name or number}", KeyOptions(**options), self.world)
        record = self.objects["key", number]["record"]
        key.folder.store(KeyFile.ID.value, decoded(record))
        if clock and options.get("has_clock", True):
            key.folder.store_state(replace(key.folder.state(), clock_offset_s=0.0))
        return key

    async def station(
        self,
        number: int = 1,
        *,
        policy: Policy | None = None,
        display: DisplayTable | None = None,
        central: CentralClient | None = None,
        run: bool = True,
        role: Role = Role.SYNC_STATION,
        key_folder: str = "/lfs1",
    ) -> StationAt:
        folder = self.folder / f"station{number}"
        folder.mkdir(exist_ok=True)
        seed = folder / "seed"
        if not seed.exists():
            seed.write_bytes(SigningKey.generate().seed())
        signing = SigningKey(seed.read_bytes())
        settings = Settings(
            station=StationTable(number=number, name="Exempelby", profile=PROFILES[role].name),
            central=CentralTable(poll_s=3600, metered=True),
            key_reader=KeyReaderTable(port=folder / "port"),
            display=display or DisplayTable(),
            clock=ClockTable(trust_ntp=False, trust_rtc=True, time_zone=TIME_ZONE),
        )
        identity = Identity(
            station=number,
            site=1,
            certificate=self.certificate(number, signing, role),
            central_keys=[self.central.public],
            signing=signing,
            pin=PIN_SECRETS,
        )
        store = HookedStore(await SqliteStore.open(folder / "station.db"))
        if PROFILES[role].asks_central:
            await self.fill(store.real)
        line = self.line(folder / "port", self.baud)
        station = await Station.open(
            settings,
            identity=identity,
            store=store,
            # Port 9 discards; on a loopback nobody listens there.
            central=central or CentralClient("http://127.0.0.1:9", Secret("a-token")),
            reader=SmpKeyReader(ReaderSettings(str(folder / "port"), self.baud, key_folder)),
            clocks=self.world.clocks,
        )
        if policy is not None:
            station.use_rules(policy)
        at = StationAt(self, number, line, station, store, signing)
        self.stations.append(at)
        if run:
            at.start()
        return at

    async def fill(self, store: SqliteStore, *, age_s: int = 60) -> None:
        """The mirror as central would have left it."""
        gathering = Gathering(MirrorSum())
        gathering.add(change_of(list(self.objects.values()), []), {})
        chain = CentralChain.enrolled([self.central.public], self.central.public)
        objects = await ObjectIntake(store, chain, latest_s=2**40).judged(gathering.upserts)
        state = MirrorState("epoch", "cursor", 1, self.now_s - age_s, gathering.sum)
        await store.take_mirror(MirrorUpdate(state, objects, whole=True))

    async def refresh(self, station: StationAt) -> None:
        """As after a poll of central that brought news."""
        await self.fill(station.store.real, age_s=0)
        await station.mirror.load()
        await station.station.mirror_changed()

    async def close(self) -> None:
        for station in self.stations:
            await station.close()
            station.line.close()

    # --- what is on a key

    def opens(self, key: HookedKey, lock: int = LOCK, area: int = AREA) -> bool:
        return self.try_lock(key, lock, area).opened

    def try_lock(self, key: HookedKey, lock: int = LOCK, area: int = AREA) -> LockDecision:
        files = {file.value: content for file, content in key.folder.files().items()}
        clock = key.folder.clock()
        now_s = clock.unix_s if key.options.has_clock else self.now_s
        return decide(envelope, (self.central.public,), files, Lock(lock, area), now_s, button=True)

    def activation(self, key: HookedKey, station: StationAt) -> Activation | None:
        return envelope.verified(Activation, key.file(KeyFile.ACT), [station.identity.claims.public_key])

    def sync(self, key: HookedKey, station: StationAt) -> Sync | None:
        return envelope.verified(Sync, key.file(KeyFile.SYNC), [station.identity.claims.public_key])

    async def switch_on(self, station: StationAt, key: HookedKey, pin: str = PINS[ANNA]) -> Screen:
        """Insert, type, ready. The key stays in."""
        station.insert(key)
        await station.until(Line.PROMPT)
        station.type(f"*{pin}#")
        return await station.until(Line.READY)


def notice_removals_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most of a test's time is the driver making sure that a key is really gone."""
    monkeypatch.setattr(session, "LOOK_INTERVAL_S", 0.06)
    monkeypatch.setattr(session, "ANSWER_TIMEOUT_S", 0.1)
    monkeypatch.setattr(reader, "POLL_INTERVAL_S", 0.05)


async def on_sites(folder: Path, cases: Iterable[T], visit: Callable[[Site, T], Coroutine[Any, Any, None]]) -> None:
    """Each case on a site of its own, side by side."""

    async def one(number: int, case: T) -> None:
        site = Site(folder / f"{number}")
        try:
            await visit(site, case)
        finally:
            await site.close()

    await all_of([partial(one, number, case) for number, case in enumerate(cases)])


async def all_of(cases: list[Callable[[], Coroutine[Any, Any, None]]], at_once: int = 8) -> None:
    """Run cases side by side: each of them mostly waits for its line. All failures are told."""
    limit = asyncio.Semaphore(at_once)

    async def one(case: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async with limit:
            await case()

    results = await asyncio.gather(*(one(case) for case in cases), return_exceptions=True)
    if failed := [each for each in results if isinstance(each, BaseException)]:
        raise BaseExceptionGroup(f"{len(failed)} of {len(cases)} cases", failed)
