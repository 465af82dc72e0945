"""A served sample site with a real station, real keys and locks: what the tests of keeping a site going play on."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from station.demo.served_station import ServedStation
from station.demo.site import DemoSite
from station.display.screen import Screen
from station.records.base64url import decoded
from station.records.claims import Permit
from station.records.envelope import verified

ROOT = Path(__file__).parents[2]
KEYS = {5001: 1001, 5002: 1002, 5003: 1003}
"""Personal keys of the sample, and whose they are."""


class Town:
    """A served sample site with one station, and what people do there."""

    def __init__(self, world: DemoSite, station: ServedStation) -> None:
        self.world, self.station = world, station

    async def comes(self, wanted: Any) -> None:
        assert await self.station.comes_to_show(wanted), self.station.says()

    async def switch_on(self, key: int) -> None:
        """A whole visit: in, PIN, ready, out."""

        def is_line(line: str) -> Any:
            def shows(screen: Screen) -> bool:
                return screen.line == line

            return shows

        await self.station.insert(key)
        await self.comes(is_line("prompt"))
        await self.station.type(f"*{self.world.people[KEYS[key]].pin}#")
        await self.comes(is_line("ready"))
        await self.station.pull()

    def opens(self, key: int) -> Any:
        area = (self.world.areas_of(key) or (0,))[0]
        lock = self.world.lock_in(area)
        assert lock is not None
        return self.world.try_lock(key, lock, area).reason.value

    async def central(self, *words: str) -> str:
        """What a command of central said."""
        return await self.world.central.command(*words)

    async def command(self, *words: str) -> tuple[int | None, str]:
        """A ``station`` command in the station's folder: its exit status, and what it says."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "station", *words,
            cwd=self.world.home.folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        said, _ = await process.communicate()
        return process.returncode, said.decode()

    async def take_in_all_but(self, *keys: int) -> None:
        """Every other key in use is handed in."""
        found = f"Key.objects.filter(status='active').exclude(number__in={keys})"
        words = "from central.actions.keys import take_back_key", "from central.models import Key"
        await self.world.central.manage("shell", "-c", "; ".join([*words, f"[take_back_key(key) for key in {found}]"]))

    async def catch_up(self) -> None:
        """The station has fetched what there is, and has asked again since: central knows that it has it."""
        await self.station.refresh()
        await self.station.refresh()

    async def end_central(self) -> None:
        """Central's server is gone."""
        await self.world.central.stop_serving()

    async def begin_central(self) -> None:
        """It is back, and found again where the station looks for it."""
        self.world.home.network.to = await self.world.central.serve()

    def revision(self, permit: Any) -> int:
        """The number of a permit's record."""
        claims = verified(Permit, decoded(permit["record"]), self.station.station.identity.central_keys)
        assert claims is not None
        return claims.revision
