"""A site that signs for itself, in a folder: one station, its mirror filled by hand, nobody at central's address.

For the figures that need no central server, so that they can be measured wherever a station is installed.
"""

import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import config
from config import Credentials
from config.credentials import Argon2Cost
from offline_cache import SqliteStore
from station.app import Station
from station.core.clock import ClockReadings
from station.ports import MirrorObject, MirrorState
from station.records.base64url import encoded
from station.records.claims import (
    Blocklist,
    Category,
    Claims,
    KeyKind,
    KeyRecord,
    Permit,
    Role,
    StationCertificate,
)
from station.records.envelope import sign
from station.records.keys import SigningKey
from station.records.pins import pin_tag
from station.secret import Secret

DAY_S = 86400
STATION, UNIT, AREA = 1, 7, 2
HOLDER, KEY = 20, 501
PIN = b"481516"
LOCKS = 40
COST = Argon2Cost(time=1, memory_kib=8, lanes=1)
CLOSED_URL = "http://127.0.0.1:9"
"""The discard port: on a loopback nobody listens there."""


class TrustedClocks:
    """The machine's clocks, with a real-time clock that a site would trust."""

    def __call__(self) -> ClockReadings:
        """All readings of one moment."""
        now_s = int(time.time())
        return ClockReadings(unix_s=now_s, boottime_s=time.monotonic(), boot_id="bench", rtc_unix_s=now_s)


class BenchSite:
    """Signs what central would sign, and lays it where a station finds it."""

    def __init__(self, folder: Path, reader: Path) -> None:
        self.folder = folder
        self._central, self._station = SigningKey.generate(), SigningKey.generate()
        self._salt, self._pepper = os.urandom(16), os.urandom(32)
        self._now_s = int(time.time())
        certificate = self._sign(
            StationCertificate(
                expires=self._now_s + 60 * DAY_S,
                issued=self._now_s - DAY_S,
                unit=UNIT,
                station=STATION,
                public_key=self._station.public,
                role=Role.SYNC_STATION,
            )
        )
        Credentials(
            station=STATION,
            site=1,
            role=Role.SYNC_STATION,
            token=Secret("a-token-of-the-bench"),
            signing_seed=Secret(self._station.seed()),
            certificate=certificate,
            central_keys=(self._central.public,),
            site_salt=self._salt,
            pepper=Secret(self._pepper),
            argon2=COST,
        ).save(folder / "credentials.json")
        self.config_file = folder / "station.toml"
        self.config_file.write_text(
            f'[station]\nnumber = {STATION}\nname = "Exempelby"\n[central]\nurl = "{CLOSED_URL}"\n'
            f'[key_reader]\nport = "{reader}"\n[display]\nlanguage = "en"\n[clock]\ntrust_rtc = true\n# end\n',
            "utf-8",
        )
        self.id_record = self._sign(
            KeyRecord(issued=self._now_s - DAY_S, key=KEY, kind=KeyKind.PERSONAL, unit=UNIT, holder=HOLDER)
        )

    def permit(self, revision: int) -> bytes:
        """The holder's permit: one area and forty locks."""
        cost = COST
        tag = pin_tag(PIN, self._salt, self._pepper, time=cost.time, memory_kib=cost.memory_kib, lanes=cost.lanes)
        return self._sign(
            Permit(
                expires=self._now_s + 20 * DAY_S,
                not_before=self._now_s - DAY_S,
                issued=self._now_s - DAY_S,
                holder=HOLDER,
                revision=revision,
                areas=(AREA,),
                locks=tuple(range(1001, 1001 + LOCKS)),
                windows=(),
                pin_tag=tag,
                category=Category.PERMANENT,
            )
        )

    def objects(self, permit_revision: int = 2) -> list[MirrorObject]:
        """What the mirror of this site holds."""
        blocklist = self._sign(
            Blocklist(
                expires=self._now_s + 30 * DAY_S,
                issued=self._now_s - DAY_S,
                version=1,
                blocked_keys=(),
                blocked_stations=(),
            )
        )
        record = {"kind": 0, "unit": UNIT, "status": "active", "holder": HOLDER, "record": encoded(self.id_record)}
        permit, tag = self.permit(permit_revision), encoded(self.tag())
        return [
            _object("site", 0, name="Exempelby", timezone="Europe/Stockholm"),
            _object("unit", UNIT, name="Norr", closed=False),
            _object("area", AREA, name="Backen"),
            _object("holder", HOLDER, name="Anna Apelsin", category=0, unit=UNIT, status="active"),
            _object("permit", HOLDER, holder=HOLDER, unit=None, record=encoded(permit), pin_tag=tag),
            _object("key", KEY, **record),
            _object("blocklist", 0, version=1, record=encoded(blocklist)),
        ]

    async def fill(self, objects: Sequence[MirrorObject]) -> None:
        """Make these the mirror. Raises StoreFault."""
        store = await SqliteStore.open(config.load(self.config_file).storage.database)
        try:
            await store.replace_mirror(MirrorState("bench", "bench", self._now_s), objects)
        finally:
            await store.close()

    @asynccontextmanager
    async def station(self) -> AsyncIterator[Station]:
        """The station, opened."""
        station = await Station.open(config.load(self.config_file), TrustedClocks())
        try:
            yield station
        finally:
            await station.close()

    def tag(self) -> bytes:
        """What the mirror finds the holder by."""
        return pin_tag(PIN, self._salt, self._pepper, time=COST.time, memory_kib=COST.memory_kib, lanes=COST.lanes)

    def _sign(self, claims: Claims) -> bytes:
        return sign(claims, self._central)


def _object(type_: str, id_: int, **fields: Any) -> MirrorObject:
    return MirrorObject(type_, id_, 1, {"type": type_, "id": id_, "revision": 1, **fields})
