"""People at a worn socket: the PIN is typed while the contact bounces, and a key that is left in bounces on."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from station.display.screen import Line
from station.ports import KeyFile
from tests.faults.scenes import FULL, Disturbed, Moment, Scene, run
from tests.faults.worst_visit import ENTRY
from tests.services.site import ANNA, HER_KEY, HIS_KEY, PINS

pytestmark = [pytest.mark.no_cover, pytest.mark.usefixtures("in_memory")]

Tally = Callable[[str, int, float], None]

BREAKS = range(2, 13) if FULL else (2, 5, 12)
ROUNDS = 12 if FULL else 3
STROKE_S = 0.35
"""Between two strokes of a person, at most."""


def test_the_right_pin_is_never_a_wrong_one(folder: Path, tally: Tally) -> None:
    async def cases(it: Disturbed) -> int:
        count, at_once = 0, 0
        for breaks in BREAKS:
            for n in range(ROUNDS):
                at_once += await _typed_while_it_goes_in(it, breaks, random.Random(f"{breaks} {n}"))
                count += 1
        return count

    tally("PINs typed at a bouncing contact", run(folder, Scene(Moment.EMPTY), cases), 0.0)


async def _typed_while_it_goes_in(it: Disturbed, breaks: int, chance: random.Random) -> bool:
    """Whether the key was on without typing twice."""
    visit, station, loop = it.visit, it.station, asyncio.get_running_loop()
    await visit.restore()
    await visit.new_events()
    visit.insert()
    bounces_for_s = chance.uniform(1.5, 2.5)
    for n, at_s in enumerate(sorted(chance.uniform(0, bounces_for_s) for _ in range(2 * breaks))):
        loop.call_later(at_s, it.line.touch if n % 2 else it.line.part)
    # Some begin before the contact does, and nobody presses *.
    wait_s = chance.uniform(-0.5, 1.5)
    if wait_s < 0:
        it.line.part()
        loop.call_later(-wait_s, it.line.touch)
    else:
        await visit.sleep(wait_s)
    for stroke in f"{PINS[ANNA]}#":
        station.type(stroke)
        await visit.sleep(chance.uniform(0.05, STROKE_S))
    await visit.sleep(2.0)
    on = station.screen.line is Line.READY
    if not on:
        assert station.screen.line is Line.PROMPT, station.lines[-20:]
        station.type(f"{PINS[ANNA]}#" if chance.random() < 0.5 else ENTRY)
        await visit.until(Line.READY)
    assert visit.opens()
    await visit.out()
    events = [event["type"] for event in await visit.new_events()]
    assert "pin_rejected" not in events, station.lines[-30:]
    assert (await station.store.real.attempts(HER_KEY)).failures == 0
    return on


def test_two_minutes_are_two_minutes_however_often_the_contact_bounces(folder: Path) -> None:
    async def cases(it: Disturbed) -> int:
        visit, loop = it.visit, asyncio.get_running_loop()
        visit.insert()
        await visit.until(Line.PROMPT)
        it.station.type(ENTRY)
        await visit.until(Line.READY)
        ready_s, warned_s = loop.time(), None
        chance = random.Random(13)
        break_at_s = ready_s + 5
        while visit.opens():
            assert loop.time() < ready_s + 125, it.station.lines[-10:]
            if it.station.screen.off_in_s is not None and warned_s is None:
                warned_s = loop.time()
            if loop.time() >= break_at_s:
                it.line.part()
                await visit.sleep(chance.uniform(0.5, 1.5))
                it.line.touch()
                break_at_s = loop.time() + chance.uniform(5, 15)
            await visit.sleep(0.05)
        assert 119.5 <= loop.time() - ready_s <= 121.5
        assert warned_s is not None
        assert 104 <= warned_s - ready_s <= 108
        return 1

    run(folder, Scene(Moment.EMPTY), cases)


@pytest.mark.parametrize("lost", range(1, 3))
def test_a_screen_does_not_speak_of_a_key_that_it_has_not_seen(folder: Path, lost: int) -> None:
    """Hers is on and out; his, which is off, breaks off before it has said which it is."""

    async def cases(it: Disturbed) -> int:
        visit, station = it.visit, it.station
        visit.insert()
        await visit.until(Line.PROMPT)
        station.type(ENTRY)
        await visit.until(Line.READY)
        await visit.sleep(0.6)
        await visit.out()
        await visit.sleep(0.7)
        his = it.site.key(HIS_KEY)

        def heard(number: int) -> bool:
            if number == lost:
                it.line.part()
            return True

        his.before = heard
        station.insert(his)
        await visit.until(Line.READING)
        await visit.until(Line.OUT_UNSURE)
        shown = station.screen
        if lost == 1:  # it was asked which it is, and did not come to say so
            assert shown.unseen
        assert (shown.key, shown.holder_name, shown.receipt, shown.still_on_until) == (None, None, None, None)
        it.line.touch()
        await visit.until(Line.PROMPT)
        assert station.screen.key == HIS_KEY
        assert not his.file(KeyFile.ACT)
        return 1

    run(folder, Scene(Moment.EMPTY), cases)
