"""The reader's adapter is unplugged and comes back, under the same name or another, at any request and in any phase.

Nothing is left on that the screen did not say, the screen says that the reader is broken, and without a restart the key
that is still in the socket is a new insertion: switched off, its PIN asked for again.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from station.display.screen import Line
from station.ports import KeyFile, ReaderSettings
from station.records.claims import KeyKind
from station.rules.facts import KeyStatus
from station.runtime import loop as visits
from station.visit.state import Phase, Place, Presence
from tests.services.hooked import HookedKey
from tests.services.site import ANNA, HER_KEY, HIS_KEY, PINS, POOL_KEY, Site, StationAt, all_of, notice_removals_quickly

FAREWELLS = (Line.OUT_OFF, Line.OUT_READY, Line.OUT_EARLY, Line.OUT_UNSURE)
ENTRY = f"{PINS[ANNA]}#"


class Adapters:
    """What this machine has plugged in: no USB is at hand where tests run."""

    def __init__(self) -> None:
        self.plugged: set[Path] = set()
        self.asked = 0

    def comports(self, include_links: bool = False) -> list[ListPortInfo]:
        self.asked += 1
        return [ListPortInfo(str(path)) for path in list(self.plugged)]  # a copy: it is asked off the event loop


@pytest.fixture
def adapters(monkeypatch: pytest.MonkeyPatch) -> Adapters:
    notice_removals_quickly(monkeypatch)
    monkeypatch.setattr(visits, "READER_AGAIN_S", 0.1)
    adapters = Adapters()
    monkeypatch.setattr(list_ports, "comports", adapters.comports)
    return adapters


@dataclass
class Unplugging:
    """A station whose reader can be unplugged, with a key that was in it once."""

    site: Site
    station: StationAt
    key: HookedKey
    adapters: Adapters
    renamed: bool

    @classmethod
    async def at(cls, folder: Path, adapters: Adapters, *, renamed: bool) -> "Unplugging":
        site = Site(folder)
        station = await site.station(run=False)
        if renamed:
            adapters.plugged.add(station.line.path)
            # The site's own folder is what these adapters say of themselves.
            port = f"hwgrep://{re.escape(str(folder))}/"
            await station.station.reader.use(ReaderSettings(port, site.baud))
        station.start()
        return cls(site, station, site.key(HER_KEY), adapters, renamed)

    def unplug(self) -> None:
        self.station.line.hang_up()
        self.adapters.plugged.discard(self.station.line.path)

    def plug(self) -> None:
        line = self.station.line
        if line.key is not None:
            self.key.press()
        if self.renamed:
            line.path = line.path.with_name(f"{line.path.name}-again")
        line.reopen()
        if self.renamed:
            self.adapters.plugged.add(line.path)

    async def serves_again(self) -> None:
        """What was in the socket is off, and is served."""
        site, station, key = self.site, self.station, self.key
        assert station.visits.state.phase is Phase.BROKEN
        key.before = key.after = lambda _: True
        before = station.visits.state.insertion
        was_in = station.line.key is key
        self.plug()
        if not was_in:
            await station.until(Line.EMPTY, *FAREWELLS)
            station.insert(key)
        await station.until(Line.PROMPT)
        assert station.visits.state.insertion == before + 1
        assert not site.opens(key), "left on"
        assert key.file(KeyFile.ACT) in {b"", b"\x00"}
        station.type(f"*{ENTRY}")
        await station.until(Line.READY)
        await station.idle()
        assert site.opens(key)
        await station.out()
        assert station.line.pull() is None
        counts = await station.counts()
        assert counts["pin_rejected"] == 0
        assert (await station.store.real.attempts(HER_KEY)).failures == 0
        off = counts["key_deactivated"] + counts["key_write_interrupted"]
        assert off >= counts["key_activated"] - 1, counts


async def _length_of_a_visit(folder: Path, adapters: Adapters) -> int:
    at = await Unplugging.at(folder, adapters, renamed=False)
    try:
        await _one_visit(at)
        began = len(at.key.asked)
        at.station.insert_typing(at.key, ENTRY)
        await at.station.until(Line.READY)
        return len(at.key.asked) - began
    finally:
        await at.site.close()


async def _one_visit(at: Unplugging) -> None:
    await at.site.switch_on(at.station, at.key)
    await at.station.out()
    at.site.skip(60)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("heard", "renamed"), [(False, False), (True, True)], ids=["unheard_same_name", "answer_lost_other_name"]
)
async def test_at_any_request_of_a_visit(tmp_path: Path, adapters: Adapters, heard: bool, renamed: bool) -> None:
    length = await _length_of_a_visit(tmp_path / "whole", adapters)
    assert length > 10

    def case(n: int) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            at = await Unplugging.at(tmp_path / f"{n}", adapters, renamed=renamed)
            try:
                await _unplugged_at(at, n, heard=heard)
            finally:
                await at.site.close()

        return run

    await all_of([case(n) for n in range(length)])  # type: ignore[misc]


async def _unplugged_at(at: Unplugging, n: int, *, heard: bool) -> None:
    station, key = at.station, at.key
    await _one_visit(at)
    first = len(key.asked)

    def unplug(number: int) -> bool:
        if number == first + n:
            asyncio.get_running_loop().call_soon(at.unplug)
        return number != first + n

    if heard:
        key.after = unplug
    else:
        key.before = unplug
    station.shown.clear()
    station.insert_typing(key, ENTRY)
    await station.until(Line.READER_BROKEN)
    await station.idle()
    was = key.asked[first + n]
    if at.site.opens(key):
        # Not yet switched off, or switched on and not yet read back: the screen promised nothing that is not so.
        assert was in {"echo", "write act", "write act…", "read act", "read act…"}, was
    await at.serves_again()


async def _empty(at: Unplugging) -> None:
    await at.station.until(Line.EMPTY)


async def _prompt(at: Unplugging) -> None:
    at.station.insert(at.key)
    await at.station.until(Line.PROMPT)
    at.station.type("*12")


async def _ready(at: Unplugging) -> None:
    await at.site.switch_on(at.station, at.key)


async def _gone_ready(at: Unplugging) -> None:
    await _ready(at)
    await at.station.out()


async def _gone_early(at: Unplugging) -> None:
    await _prompt(at)
    await at.station.out()


async def _left_in(at: Unplugging) -> None:
    await _ready(at)
    at.site.skip(125)
    at.key.press()  # it has been talked to all the while
    await at.station.until(Line.LEFT_IN)


async def _refused(at: Unplugging) -> None:
    blocked = at.site.key(POOL_KEY)
    at.station.insert(blocked)
    await at.station.until(Line.REFUSED)


async def _unreadable(at: Unplugging) -> None:
    other = at.site.key(HIS_KEY)
    other.folder.store(KeyFile.ID.value, b"not a record")
    at.station.insert(other)
    await at.station.until(Line.UNREADABLE, Line.REFUSED)


PLACES: dict[Place, Callable[[Unplugging], Awaitable[None]]] = {
    (Phase.EMPTY, Presence.OUT): _empty,
    (Phase.PROMPT, Presence.IN): _prompt,
    (Phase.READY, Presence.IN): _ready,
    (Phase.READY, Presence.OUT): _gone_ready,
    (Phase.LEFT_IN, Presence.IN): _left_in,
    (Phase.REFUSED, Presence.IN): _refused,
    (Phase.UNREADABLE, Presence.IN): _unreadable,
}


@pytest.mark.parametrize("renamed", [False, True], ids=["same_name", "other_name"])
@pytest.mark.parametrize("place", PLACES, ids="-".join)
async def test_in_any_phase(tmp_path: Path, adapters: Adapters, place: Place, renamed: bool) -> None:
    at = await Unplugging.at(tmp_path / "site", adapters, renamed=renamed)
    try:
        if place[0] is Phase.REFUSED:
            at.site.key_object(POOL_KEY, KeyKind.SUBSTITUTE, None, KeyStatus.BLOCKED)
            await at.site.refresh(at.station)
        await PLACES[place](at)
        assert at.station.visits.state.place == place
        await at.station.idle()
        on_before = at.site.opens(at.key)
        at.unplug()
        await at.station.until(Line.READER_BROKEN)
        await at.station.idle()
        assert at.site.opens(at.key) is on_before
        if at.station.line.key is not at.key:
            at.station.line.pull()  # somebody takes the refused key away
        await at.serves_again()
    finally:
        await at.site.close()


@pytest.mark.parametrize("place", [(Phase.SWITCHING_OFF, Presence.IN), (Phase.READY, Presence.RETURNING)], ids="-".join)
async def test_in_the_phases_that_only_a_key_left_or_returned_has(
    tmp_path: Path, adapters: Adapters, place: Place
) -> None:
    at = await Unplugging.at(tmp_path / "site", adapters, renamed=False)
    try:
        await _ready(at)
        await at.station.idle()
        met: list[Place] = []

        def unplug(number: int) -> bool:
            if at.station.visits.state.place == place and at.key.asked[number] != "echo" and not met:
                met.append(place)
                asyncio.get_running_loop().call_soon(at.unplug)
            return not met

        at.key.before = unplug
        if place[0] is Phase.SWITCHING_OFF:
            at.site.skip(125)
            at.key.press()
        else:
            await at.station.out()
            at.station.insert(at.key)
        await at.station.until(Line.READER_BROKEN)
        assert met == [place]
        await at.serves_again()
    finally:
        await at.site.close()


async def test_it_is_said_once_and_tried_again_and_again(
    tmp_path: Path, adapters: Adapters, caplog: pytest.LogCaptureFixture
) -> None:
    at = await Unplugging.at(tmp_path / "site", adapters, renamed=True)
    try:
        await at.station.until(Line.EMPTY)
        at.unplug()
        await at.station.until(Line.READER_BROKEN)
        tried = adapters.asked
        async with asyncio.timeout(8):
            while adapters.asked < tried + 3:
                await asyncio.sleep(0.01)
        said = [record.getMessage() for record in caplog.records if record.getMessage().startswith("reader.")]
        assert len(said) == 1
        assert "port_missing" in said[0]
        at.plug()
        await at.station.until(Line.EMPTY)
        assert "reader.back" in caplog.text
    finally:
        await at.site.close()
