"""Keeps ``neighbours.json`` fresh: where the supervisor sends people when this station is out of order."""

import asyncio
import json
import logging
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from station.ports import Json, MirrorObject, Store, StoreFault
from station.rules.support import DAYS, SupportLine, first_of
from station.sync.site_facts import neighbours, support_lines

FILE_NAME = "neighbours.json"
FILE_MODE = 0o644
STATIONS_LIMIT = 6
SUPPORT_LIMIT = 4
REFRESH_EVERY_S = 60.0
TEXT_LIMIT_CHARACTERS = 60

_log = logging.getLogger("station.neighbours")


class NeighboursFile:
    """The file in ``folder``, in ``language``, from the mirror's stations and the site's support.

    Replaced as a whole, and only when it would say something else. It need not survive a power cut: the next kiosk
    writes it again, so it is not synced to the disk.
    """

    def __init__(
        self, store: Store, folder: Path, *, station: int, unit: int, down: Callable[[], Collection[int]], language: str
    ) -> None:
        """``down``: the stations that central has not heard from."""
        self._store, self._language = store, language
        self._station, self._unit, self._down = station, unit, down
        self._path = folder / FILE_NAME
        self._written: bytes | None = None

    async def run(self) -> None:
        """Keep it fresh until cancelled."""
        while True:
            await self.refresh()
            await asyncio.sleep(REFRESH_EVERY_S)

    async def refresh(self) -> None:
        """Write the file if the mirror says something new. Never raises for a disk that fails."""
        try:
            stations = await self._store.objects("station")
            site = await self._store.objects("site")
        except StoreFault as error:
            _log.warning("neighbours.unknown %s", error)
            return
        zone = str(site[0].body.get("timezone") or "") if site else ""
        document = {"stations": self._stations(stations), "support": self._support(site), "time_zone": zone}
        content = json.dumps(document, ensure_ascii=False).encode()
        if content == self._written:
            return
        fresh = self._path.with_suffix(".new")
        try:
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE), "wb") as file:
                file.write(content)
            fresh.replace(self._path)
        except OSError as error:
            _log.warning("neighbours.not_written errno=%s", error.errno)
            return
        self._written = content

    def _stations(self, stations: Sequence[MirrorObject]) -> list[dict[str, str | bool]]:
        nearest = neighbours(stations, self._down(), self._station, self._unit)
        return [
            {**_texts(asdict(each), "name", "address"), **({"silent": True} if each.silent else {})}
            for each in first_of(nearest, STATIONS_LIMIT)
        ]

    def _support(self, site: Sequence[MirrorObject]) -> list[dict[str, str]]:
        lines = support_lines(site[0].body) if site else ()
        return [self._support_line(line) for line in lines[:SUPPORT_LIMIT]]

    def _support_line(self, line: SupportLine) -> dict[str, str]:
        texts = dict(line.texts)
        said = {"text": texts.get(self._language) or texts.get("en"), "phone": line.phone, "days": _days(line.days)}
        said |= {"from": _clock(line.from_min), "to": _clock(line.to_min)}
        return _texts(said, *said)


def _texts(body: Mapping[str, Json], *names: str) -> dict[str, str]:
    return {name: str(body.get(name) or "")[:TEXT_LIMIT_CHARACTERS] for name in names}


def _days(days: Collection[int]) -> str:
    """As ``mon-fri`` where they follow each other."""
    first, last = min(days), max(days)
    if len(days) == last - first + 1:
        return DAYS[first] if first == last else f"{DAYS[first]}-{DAYS[last]}"
    return ", ".join(DAYS[day] for day in sorted(days))


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
