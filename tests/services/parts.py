"""One station's services on a real database, with clocks turned by hand."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from config import Settings
from config.models import CentralTable, ClockTable, KeyReaderTable, StationTable
from offline_cache import SqliteStore
from station.app import Station
from station.ports import MirrorObject, MirrorState
from station.records.keys import PublicKey, SigningKey
from station.rules.clock import ClockReadings
from station.secret import Secret
from station.sync.client import CentralClient
from station.sync.identity import Identity, PinSecrets
from tests.services.lying_central import NOW_S, STATION, LyingCentral

NO_CLOCK = ClockTable(trust_ntp=False, trust_rtc=False)
"""Time rests on central's signed answers alone."""
PINS = PinSecrets(b"a site's own salt", ((1, Secret(b"p" * 32)),), time=1, memory_kib=8, lanes=1, digits=6)


def settings_of(number: int, trusted: ClockTable) -> Settings:
    """A station's settings, where all that is outside them is given to it."""
    return Settings(
        station=StationTable(number=number, name="Exempelby", profile="sync-station"),
        central=CentralTable(metered=True),
        key_reader=KeyReaderTable(port=Path("/nowhere/port")),
        clock=trusted,
    )


@dataclass
class HandClocks:
    """Every clock of a machine, turned by hand."""

    readings: ClockReadings = field(default_factory=lambda: ClockReadings(NOW_S, 1000.0, "boot-a"))

    def __call__(self) -> ClockReadings:
        return self.readings

    def advance(self, seconds: float) -> None:
        """As time goes by, also in suspend."""
        self.turn(
            unix_s=self.readings.unix_s + int(seconds),
            boottime_s=self.readings.boottime_s + seconds,
            rtc_unix_s=None if self.readings.rtc_unix_s is None else self.readings.rtc_unix_s + int(seconds),
        )

    def turn(self, **changes: Any) -> None:
        self.readings = replace(self.readings, **changes)


class CountedStation(Station):
    """A station that counts the refreshes of its mirror."""

    refreshes = 0

    async def mirror_changed(self) -> None:
        """Take up what a refresh of the mirror has brought."""
        self.refreshes += 1
        await super().mirror_changed()


@dataclass
class StationParts:
    """The services of one station that nobody stands at, on a real database."""

    station: CountedStation
    store: SqliteStore

    def __post_init__(self) -> None:
        station = self.station
        self.link, self.time, self.identity = station.central, station.time, station.identity
        self.mirror, self.outbox, self.readiness = station.mirror, station.outbox, station.readiness

    async def poll(self) -> bool:
        """One round of polling as `run` makes it; whether central was there."""
        await self.mirror.poll_once()
        return self.mirror.online

    async def close(self) -> None:
        await self.station.close()

    # --- what is left on the disk ---

    async def on_disk(self) -> tuple[MirrorState, list[Any]]:
        """The whole mirror: what is held, what of it is used, and what has been confirmed."""
        rows = await self.store.thread.run(
            lambda db: db.execute("SELECT type, id, hash, received, used FROM mirror ORDER BY type, id").fetchall()
        )
        return await self.store.mirror_state(), rows

    async def object(self, type_: str, id_: int) -> MirrorObject | None:
        return next((each for each in await self.store.objects(type_) if each.id == id_), None)

    async def field(self, type_: str, id_: int, name: str) -> Any:
        found = await self.object(type_, id_)
        return None if found is None else found.body.get(name)

    async def events(self, type_: str = "") -> list[dict[str, Any]]:
        """The events kept, or the data of those of a type."""
        bodies = [dict(event.body) for event in await self.store.pending(1000)]
        return [body["data"] for body in bodies if body["type"] == type_] if type_ else bodies

    async def reasons(self) -> list[str]:
        return [data["reason"] for data in await self.events("record_refused")]


@dataclass
class Parts(StationParts):
    """They are enrolled at the central server in the same loop, and their clocks are turned by hand."""

    central: LyingCentral
    clocks: HandClocks
    signing: SigningKey
    path: Path
    first_certificate: bytes
    roots: Sequence[PublicKey]

    @classmethod
    async def start(
        cls,
        central: LyingCentral,
        clocks: HandClocks,
        path: Path,
        signing: SigningKey,
        certificate: bytes,
        *,
        roots: Sequence[PublicKey] = (),
        trusted: ClockTable = NO_CLOCK,
    ) -> Self:
        """``roots``: the central keys it was enrolled with; none given: the one that central signs with."""
        roots = roots or [central.signing.public]
        store = await SqliteStore.open(path)
        identity = Identity(
            station=STATION,
            site=1,
            certificate=certificate,
            central_keys=roots,
            signing=signing,
            pin=PINS,
        )
        link = CentralClient(central.url, Secret("a-token-of-a-station"))
        settings = settings_of(STATION, trusted)
        station = await CountedStation.open(settings, identity=identity, store=store, central=link, clocks=clocks)
        return cls(station, store, central, clocks, signing, path, certificate, roots)

    async def restarted(self, *, roots: Sequence[PublicKey] = (), trusted: ClockTable = NO_CLOCK) -> Self:
        """The program anew, on the same database and credentials."""
        await self.close()
        roots = roots or self.roots
        return await self.start(
            self.central, self.clocks, self.path, self.signing, self.first_certificate, roots=roots, trusted=trusted
        )


async def eventually(true: Any, within_s: float = 20.0) -> None:
    """Wait until it holds."""
    async with asyncio.timeout(within_s):
        while not true():
            await asyncio.sleep(0.005)
