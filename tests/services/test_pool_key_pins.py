"""On a pool key, a right PIN that may not use it and one that nobody has: the same work, the same screens."""

import asyncio
from itertools import groupby
from typing import Any

import argon2.low_level
import pytest

from station.display.screen import Line, Screen
from station.records import pins
from station.records.claims import Category
from tests.services.site import ANNA, PINS, POOL_KEY, SPARE_KEY, TIM, UNIT, Site

NOBODYS = "999999"


async def tried(
    site: Site, number: int, pin: str, times: int, monkeypatch: pytest.MonkeyPatch
) -> tuple[list[Any], list[dict[str, Any]]]:
    """What a station does and shows for a PIN that is typed so many times; and the events of it."""
    station, key = await site.station(number), site.key(POOL_KEY, f"at{number}")
    hashed: list[int] = []
    honest = argon2.low_level.hash_secret_raw

    def hashing(*args: Any, **options: Any) -> bytes:
        hashed.append(options["memory_cost"])
        return honest(*args, **options)

    monkeypatch.setattr(pins, "hash_secret_raw", hashing)
    station.insert(key)
    await station.until(Line.PROMPT)
    await station.idle()
    station.store.asked.clear()
    del station.shown[:-1]
    done: list[Any] = []
    for _ in range(times):
        station.type(f"*{pin}#")
        async with asyncio.timeout(8):
            while Line.CHECKING not in station.lines or station.screen.line is Line.CHECKING:
                await asyncio.sleep(0.005)
        await station.idle()
        site.skip(400)
        key.press()  # it has been talked to all the while
        await station.mirror.refreshed(0)
        station.visits.tick()
        await station.idle()
        # The same screen may be shown again: a second has gone by.
        done += [list(hashed), station.store.asked.count("commit")]
        done += [screen for screen, _ in groupby(map(_timeless, station.shown))]
        hashed.clear()
        station.store.asked.clear()
        del station.shown[:-1]
    events = [e for e in await station.events() if e["type"] in {"pin_rejected", "key_refused", "key_locked_out"}]
    return done, events


def _timeless(screen: Screen) -> Any:
    return (
        screen.line,
        screen.refusal,
        screen.holder_name,
        screen.language,
        screen.kind,
        screen.unit_name,
        screen.digits,
    )


@pytest.mark.parametrize("times", [1, 10])
async def test_a_pin_that_may_not_and_one_that_nobody_has_do_and_show_the_same(
    site: Site, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    may_not, told = await tried(site, 1, PINS[ANNA], times, monkeypatch)
    nobodys, of_nobody = await tried(site, 2, NOBODYS, times, monkeypatch)
    assert may_not == nobodys
    # The PIN is hashed once, and two commits are made: the count, and what is told.
    assert may_not[:2] == [[8], 2]
    assert [e["type"] for e in of_nobody].count("key_refused") == 0
    refused = [e for e in told if e["type"] == "key_refused"]
    assert [(e["holder"], e["data"]["reason"]) for e in refused] == [(ANNA, "not_hourly")] * times
    without = [e for e in told if e["type"] != "key_refused"]
    assert [(e["type"], e.get("holder")) for e in without] == [(e["type"], e.get("holder")) for e in of_nobody]
    assert len(of_nobody) == times + (times == 10)


@pytest.mark.parametrize(
    ("key", "holder", "reason"),
    [(SPARE_KEY, TIM, "not_permanent"), (POOL_KEY, ANNA, "not_hourly"), (POOL_KEY, TIM, "no_permit")],
)
async def test_the_coordinator_learns_whose_it_was_and_why(site: Site, key: int, holder: int, reason: str) -> None:
    if reason == "no_permit":
        site.objects["permit", TIM]["unit"] = UNIT + 1
    station = await site.station()
    station.insert(site.key(key))
    await station.until(Line.PROMPT)
    station.type(f"{PINS[holder]}#")
    await station.until(Line.WRONG_PIN)
    await station.idle()
    events = await station.events("pin_rejected", "key_refused")
    assert [(e["type"], e["key"], e.get("holder"), e["data"]) for e in events] == [
        ("pin_rejected", key, None, {}),
        ("key_refused", key, holder, {"reason": reason}),
    ]
    assert (await station.store.real.attempts(key)).failures == 1


async def test_outside_the_window_counts_nowhere(site: Site) -> None:
    site.person(TIM, Category.HOURLY, expires=site.now_s - 1)
    station = await site.station()
    station.insert(site.key(POOL_KEY))
    await station.until(Line.PROMPT)
    station.type(f"{PINS[TIM]}#")
    await station.until(Line.REFUSED)
    await station.idle()
    assert not await station.events("pin_rejected")
    assert (await station.store.real.attempts(POOL_KEY)).failures == 0
