"""What a station costs on a mobile network, measured: ``python -m tests.network.measure``.

A real station, enrolled, over TLS to a real central server, through a link of 600 ms round trip and 20 kbit/s. Bytes
are TCP payload in both directions, TLS included.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.network.branch import Branch, Central, Phases, served
from tests.network.slow_link import GSM, LAN, Traffic

VISITS_MAX = 12
POLLS_AN_HOUR = 60
TIMES_AN_HOUR = 2
"""How often signed time is asked for (`station.sync.mirror.TIME_AGAIN_S`)."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured."""

    handshake: Traffic
    poll: Traffic
    time: Traffic
    visit: Traffic
    permission: Traffic
    on_lan: Phases
    on_gsm: Phases

    @property
    def idle_hour_bytes(self) -> int:
        return POLLS_AN_HOUR * self.poll.both_bytes + TIMES_AN_HOUR * self.time.both_bytes

    @property
    def idle_day_bytes(self) -> int:
        return 24 * self.idle_hour_bytes + self.handshake.both_bytes

    def lines(self) -> list[str]:
        """For people."""
        return [
            f"a connection           {_told(self.handshake)}",
            f"a poll without news    {_told(self.poll)}",
            f"signed time            {_told(self.time)}",
            f"a visit                {_told(self.visit)}",
            f"a changed permission   {_told(self.permission)}",
            f"an hour without visits {self.idle_hour_bytes} bytes",
            f"a day without visits   {self.idle_day_bytes} bytes, its connection included",
            f"key in to prompt       LAN {self.on_lan.prompt_s:.2f} s, GSM {self.on_gsm.prompt_s:.2f} s",
            f"# to ready             LAN {self.on_lan.ready_s:.2f} s, GSM {self.on_gsm.ready_s:.2f} s",
        ]


async def figures(
    central: Central, visits: int = 3, until: Callable[[Phases, Phases], bool] = lambda _lan, _gsm: True
) -> Figures:
    """Measure all of it, at two stations of ``central``.

    ``visits`` are made, and more, `VISITS_MAX` at most, until it is so of the quickest by LAN and by GSM: a busy
    machine disturbs some visits, a slow network all.
    """
    number, key, pin = central.someone()
    async with central.branch(1, LAN) as lan, central.branch(2, GSM) as gsm:
        handshake = await _handshake(gsm)
        poll = await gsm.traffic_of(gsm.poll)
        time = await gsm.traffic_of(lambda: gsm.station.central.time(gsm.station.identity.site, os.urandom(16)))
        # The first puts records on the key that the others find there.
        await lan.visit(key, pin)
        on_lan: list[Phases] = []
        on_gsm: list[Phases] = []
        traffic: list[Traffic] = []
        while len(on_gsm) < visits or (len(on_gsm) < VISITS_MAX and not until(_quickest(on_lan), _quickest(on_gsm))):
            on_lan.append(await lan.visit(key, pin))
            before = gsm.link.traffic
            on_gsm.append(await gsm.visit(key, pin))
            traffic.append(gsm.link.traffic.since(before))
        await gsm.poll()
        await central.server.manage("block_key", str(number))
        permission = await gsm.traffic_of(gsm.poll)
        visit = sorted(traffic, key=lambda each: each.both_bytes)[len(traffic) // 2]
        return Figures(handshake, poll, time, visit, permission, _quickest(on_lan), _quickest(on_gsm))


async def _handshake(branch: Branch) -> Traffic:
    """What a new connection costs beyond the call that needed it."""
    kept = await branch.traffic_of(branch.poll)
    await branch.station.central.move(str(branch.station.settings.central.url), trust=branch.trust())
    anew = await branch.traffic_of(branch.poll)
    return anew.since(Traffic(kept.up_bytes, kept.down_bytes, kept.connections))


def _quickest(visits: list[Phases]) -> Phases:
    """What the machine's other work has disturbed least."""
    return Phases(min(each.prompt_s for each in visits), min(each.ready_s for each in visits))


def _told(traffic: Traffic) -> str:
    return f"{traffic.both_bytes} bytes ({traffic.up_bytes} up, {traffic.down_bytes} down)"


async def main() -> int:
    """Print the figures."""
    with TemporaryDirectory() as folder:
        async with served(Path(folder)) as central:
            print(*(await figures(central)).lines(), sep="\n")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
