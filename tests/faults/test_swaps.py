"""Another key in the socket a moment later, in every state of a visit: a visit of its own for each, no key left on."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from station.display.screen import Line
from tests.faults.scenes import AFTER_READY, FULL, ROUNDS, SCENES, Disturbed, Moment, Scene, run
from tests.faults.worst_visit import BETWEEN_S, ENTRY, SAYS_ON
from tests.services.hooked import HookedKey
from tests.services.site import ANNA, BO, HER_KEY, HIS_KEY, PINS

pytestmark = [pytest.mark.slow, pytest.mark.no_cover, pytest.mark.usefixtures("in_memory")]

Tally = Callable[[str, int, float], None]

AWAY_S = [0.1 + n * 0.02 for n in range(21)] if FULL else [0.1, 0.26, 0.5]
HASHES = 200 if FULL else 20
NEVER_SEEN = frozenset({Moment.EMPTY, Moment.BROKEN})
"""Her key was away before the station had heard of it."""
MAY_BE_ON = AFTER_READY | {Moment.CLEARING, Moment.ACTIVATING, Moment.STILL_ON}


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: str(scene.moment))
def test_another_key_a_moment_later(folder: Path, tally: Tally, scene: Scene) -> None:
    async def cases(it: Disturbed) -> int:
        his = await _his(it)
        rounds = [(away_s, n) for away_s in AWAY_S for n in range(ROUNDS if FULL else 2)]
        for away_s, n in rounds:
            chance = random.Random(f"{scene.moment} {away_s} {n}")
            await _swapped(it, his, away_s, chance.uniform(0, scene.delay_s))
        return len(rounds)

    tally(f"swaps in {scene.moment}", run(folder, scene, cases), 0.0)


def test_her_pin_is_sent_off_when_his_key_is_in_the_socket(folder: Path, tally: Tally) -> None:
    """Faster than the station looks which key is there: whatever it was about to write, it asks that key first."""
    scene = Scene(Moment.PROMPT, delay_s=0.9)

    async def cases(it: Disturbed) -> int:
        his = await _his(it)
        it.pin_takes_s = 0.0
        moments = [n * scene.delay_s / HASHES for n in range(HASHES)]
        for delay_s in moments:
            await _swapped(it, his, AWAY_S[0], delay_s, hash_after_s=0.005)
        return len(moments)

    tally("swaps before her #", run(folder, scene, cases), 0.0)


async def _his(it: Disturbed) -> HookedKey:
    """His key, on."""
    his = it.site.key(HIS_KEY)
    await it.site.switch_on(it.station, his, PINS[BO])
    await it.visit.out()
    it.visit.others[HIS_KEY] = his
    it.his_files = {file.value: content for file, content in his.folder.files().items()}
    return his


async def _swapped(
    it: Disturbed, his: HookedKey, away_s: float, delay_s: float, *, hash_after_s: float | None = None
) -> None:
    case = f"{away_s=:.2f} {delay_s=:.3f}"
    visit, station, moment = it.visit, it.station, it.scene.moment
    await visit.restore()
    await visit.new_events()
    for name, content in it.his_files.items():
        his.folder.store(name, content)
    hers, visits, loop = visit.key, station.visits.state.visit, asyncio.get_running_loop()
    put_in: list[float] = []

    def other() -> None:
        put_in.append(loop.time())
        station.insert(his)
        if hash_after_s is not None:
            loop.call_later(hash_after_s, station.type, "#")

    def swap() -> None:
        it.line.pull()
        loop.call_later(away_s, other)

    await it.come_to_it(swap, delay_s)
    if moment in {Moment.CHECKING, Moment.ACTIVATING}:
        await visit.until(Line.PROMPT)
        station.type(ENTRY)
    if hash_after_s is not None:
        # She has typed her digits; her # comes when his key is there, perhaps before anybody has noticed.
        await visit.until(Line.READING, Line.PROMPT)
        station.type(PINS[ANNA])
    # From when the station has seen that it is another key, what the screen says is about that one.
    said: set[Line] = set()
    give_up_s = loop.time() + 20
    # The farewell to an earlier visit of his stays on the screen until his key's first request has gone out.
    state = station.visits.state
    while not put_in or state.visit == visits or state.seen is None or station.screen.key != HIS_KEY:
        said.add(station.screen.line)
        assert loop.time() < give_up_s, (case, station.lines[-20:])
        await visit.change(0.05)
        state = station.visits.state
    assert not visit.opens(HIS_KEY), "his key, on before its visit"
    it.disturbed_at_s = put_in[0]
    await it.typing(f"*{PINS[BO]}#", Line.READY)
    assert visit.opens(HIS_KEY)
    await visit.out()
    assert station.screen.line is Line.OUT_READY
    await visit.later(BETWEEN_S)
    await _audit(it, visits, case)
    if it.site.opens(hers) and moment not in NEVER_SEEN:
        assert moment in MAY_BE_ON, (case, station.lines[-20:])
        assert said & {Line.OUT_UNSURE, Line.STILL_ON, *SAYS_ON}, (case, said, station.lines[-20:])


async def _audit(it: Disturbed, visits: int, case: str) -> None:
    """What was recorded of two visits, of two people."""
    visit, station, moment = it.visit, it.station, it.scene.moment
    events = await visit.new_events()
    told = f"{case} {station.lines[-30:]} {events}"
    by = Counter((str(event["type"]), event.get("key")) for event in events)
    assert not visit.wrong, (visit.wrong, told)
    assert not any(type_ == "pin_rejected" for type_, _ in by), told
    for key in (HER_KEY, HIS_KEY):
        assert (await station.store.real.attempts(key)).failures == 0, told
        assert by["key_synced", key] <= 1, told
    assert by["key_activated", HIS_KEY] == by["key_synced", HIS_KEY] == 1, told
    assert by["key_deactivated", HIS_KEY] == 1, told
    assert by["key_activated", HER_KEY] == (moment in AFTER_READY), told
    seen = 1 if moment in NEVER_SEEN else 2
    assert visits + 1 <= station.visits.state.visit <= visits + seen, told
