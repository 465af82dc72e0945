"""A disk that is really full under a running station: a small file system of its own, filled to the last byte."""

import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from offline_cache import SqliteStore
from station.display.screen import Line
from station.ports import Change, LogEvent, StoreFault
from station.rules.facts import OffOnlyReason
from tests.services.parts import eventually
from tests.services.site import ANNA, BO, HER_KEY, HIS_KEY, PINS, Site, StationAt
from ui.words import words

DISK_BYTES = 4 * 1024 * 1024


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """The first station's folder, on a file system of its own."""
    if os.geteuid() != 0:
        pytest.skip("a file system of its own takes an administrator (sudo)")
    folder = tmp_path / "site" / "station1"
    folder.mkdir(parents=True)
    size = f"size={DISK_BYTES}"
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "none", folder], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("this machine's administrator may not mount")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest_asyncio.fixture
async def site(disk: Path) -> AsyncIterator[Site]:
    it = Site(disk.parent)
    yield it
    empty(disk)
    await it.close()


def fill(disk: Path) -> None:
    """Not a byte is left."""
    for size in (65536, 4096, 1):
        with (disk / "filler").open("ab", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                pass
    with pytest.raises(OSError, match="No space"):
        (disk / "more").write_bytes(b"x")
    (disk / "more").unlink()


def empty(disk: Path) -> None:
    (disk / "filler").unlink(missing_ok=True)


async def hindered_by(station: StationAt, off_only: OffOnlyReason | None) -> None:
    await eventually(lambda: station.visits.state.station.off_only is off_only, 10)


async def test_it_says_so_switches_off_activates_nothing_and_recovers_by_itself(site: Site, disk: Path) -> None:
    station, key, other = await site.station(), site.key(HER_KEY), site.key(HIS_KEY)
    await site.switch_on(station, key)
    await station.out()
    await station.idle()
    site.skip(60)
    assert site.opens(key)
    fill(disk)
    # The first key after it is switched off; it cannot be recorded, so it is not switched on again.
    station.insert(key)
    await station.until(Line.PROMPT)
    assert not site.opens(key)
    await hindered_by(station, OffOnlyReason.DISK)
    station.type(f"{PINS[ANNA]}#")
    await station.until(Line.REFUSED)
    await station.idle()
    assert not site.opens(key)
    await station.out()
    site.skip(60)
    # From then on it says so before anybody tries.
    screen = await station.until(Line.EMPTY)
    assert "Its storage does not work." in str(words(screen, "en"))
    station.insert_typing(other, f"{PINS[BO]}#")
    await station.until(Line.REFUSED)
    await station.idle()
    assert not site.opens(other)
    await station.out()
    site.skip(60)
    empty(disk)
    await hindered_by(station, None)
    await site.switch_on(station, key)
    assert site.opens(key)
    await station.idle()
    # What waited for the disk is on it: each once, without gaps.
    counts = await station.counts()
    assert counts["key_activated"] == 2
    assert counts["key_deactivated"] == 1


async def as_it_is(*_: object) -> None:
    """Nothing comes from central."""


async def test_a_start_on_a_full_disk(site: Site, disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    await site.switch_on(station, key)
    await station.out()
    await station.idle()
    await station.close()
    site.skip(60)
    fill(disk)
    # The mirror is as it was left.
    monkeypatch.setattr(site, "fill", as_it_is)
    again = await site.station()
    again.insert_typing(key, f"{PINS[ANNA]}#")
    await again.until(Line.REFUSED)
    await again.idle()
    assert not site.opens(key)
    await hindered_by(again, OffOnlyReason.DISK)
    await again.out()
    site.skip(60)
    empty(disk)
    await hindered_by(again, None)
    await site.switch_on(again, key)
    await again.idle()
    counts = await again.counts()
    assert (counts["key_activated"], counts["key_deactivated"]) == (2, 1)


async def test_what_central_has_taken_can_be_settled_on_a_full_disk(disk: Path) -> None:
    store = await SqliteStore.open(disk / "station.db")
    events = [LogEvent("key_synced", at, 0, data={"n": at}) for at in range(300)]
    await store.commit(Change(events))
    fill(disk)
    with pytest.raises(StoreFault) as caught:  # noqa: PT012 - until the space that it had already is used up
        while True:
            await store.commit(Change(events))
    assert caught.value.code == "disk_full"
    before = await store.pending_count()
    ids = [event.id for event in await store.pending(100)]
    try:
        await store.take_answers(ids, {})
    except StoreFault:
        # No room in the write-ahead log: all of them are still there, none twice.
        assert await store.pending_count() == before
    empty(disk)
    await store.take_answers(ids, {})
    assert await store.pending_count() == before - 100
    await store.close()
