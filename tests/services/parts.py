"""One station's services on a real database, with clocks turned by hand."""

import asyncio
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from offline_cache import SqliteStore
from station.ports import MirrorObject
from station.records.keys import SigningKey
from station.rules.clock import ClockReadings, ClockRules
from station.rules.facts import Policy
from station.secret import Secret
from station.sync.client import CentralClient
from station.sync.identity import Identity, PinSecrets
from station.sync.mirror import MirrorSync
from station.sync.outbox import Outbox
from station.sync.readiness import Readiness
from station.sync.timekeeping import Timekeeper
from tests.services.lying_central import NOW_S, STATION, LyingCentral

RULES = ClockRules(trust_ntp=False, trust_rtc=False, holdover_days=10)
PINS = PinSecrets(b"a site's own salt", Secret(b"p" * 32), time=1, memory_kib=8, lanes=1)


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


@dataclass
class Parts:
    """The services of one station, on a real database, in front of the central server in the same loop."""

    central: LyingCentral
    clocks: HandClocks
    signing: SigningKey
    path: Path
    store: SqliteStore
    link: CentralClient
    time: Timekeeper
    identity: Identity
    mirror: MirrorSync
    outbox: Outbox
    readiness: Readiness
    refreshes: int = 0

    @classmethod
    async def start(
        cls, central: LyingCentral, clocks: HandClocks, path: Path, signing: SigningKey, certificate: bytes, **how: Any
    ) -> "Parts":
        store = await SqliteStore.open(path)
        link = CentralClient(central.url, Secret("a-token-of-a-station"), verify=how.get("verify", True))
        time = Timekeeper(clocks, how.get("rules", RULES))
        identity = Identity(
            station=STATION,
            certificate=certificate,
            central_keys=how.setdefault("roots", [central.signing.public]),
            signing=signing,
            pin=PINS,
        )

        async def changed() -> None:
            await it.changed()

        mirror = MirrorSync(link, store, time, identity, poll_s=how.get("poll_s", 60), changed=changed)
        readiness = Readiness(store, time, identity, mirror, Policy())
        it = cls(central, clocks, signing, path, store, link, time, identity, mirror, Outbox(link, store), readiness)
        it.how = how
        it.first_certificate = certificate
        await mirror.load()
        await readiness.reload()
        return it

    how: dict[str, Any] = field(default_factory=dict)
    first_certificate: bytes = b""

    async def changed(self) -> None:
        self.refreshes += 1
        await self.readiness.reload()

    async def poll(self) -> bool:
        """One round of polling as `run` makes it; whether central was there."""
        await self.mirror._refresh()
        return self.mirror.online

    async def close(self) -> None:
        await self.link.close()
        await self.store.close()

    async def restarted(self, **how: Any) -> "Parts":
        """The program anew, on the same database and credentials."""
        await self.close()
        return await Parts.start(
            self.central, self.clocks, self.path, self.signing, self.first_certificate, **(self.how | how)
        )

    # --- what is left on the disk ---

    async def object(self, type_: str, id_: int) -> MirrorObject | None:
        return next((each for each in await self.store.objects(type_) if each.id == id_), None)

    async def field(self, type_: str, id_: int, name: str) -> Any:
        found = await self.object(type_, id_)
        return None if found is None else found.body.get(name)

    async def told(self, type_: str = "") -> list[dict[str, Any]]:
        """The events kept, or the data of those of a type."""
        bodies = [dict(event.body) for event in await self.store.pending(1000)]
        return [body["data"] for body in bodies if body["type"] == type_] if type_ else bodies

    async def reasons(self) -> list[str]:
        return [data["reason"] for data in await self.told("record_refused")]


async def eventually(true: Any, within_s: float = 20.0) -> None:
    """Wait until it holds."""
    async with asyncio.timeout(within_s):
        while not true():
            await asyncio.sleep(0.005)
