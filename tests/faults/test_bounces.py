"""A contact that bounces, in every state of a visit: one visit, no key left on, nothing recorded twice."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.scenes import AFTER_READY, FULL, ROUNDS, SCENES, WITHIN_S, Disturbed, Moment, Scene, run
from tests.faults.worst_visit import BETWEEN_S, ENTRY, SAYS_ON
from tests.services.site import HER_KEY

pytestmark = [pytest.mark.slow, pytest.mark.no_cover, pytest.mark.usefixtures("in_memory")]

Tally = Callable[[str, int, float], None]

BREAKS = range(1, 31) if FULL else (1, 3, 10, 30)


def _bounce(it: Disturbed, breaks: int, chance: random.Random, *, ends_out: bool) -> Callable[[], None]:
    """So many breaks within half a second, the first at once; at the end the contact stays, or stays broken."""

    def begin() -> None:
        loop = asyncio.get_running_loop()
        turns = sorted(chance.uniform(0.001, WITHIN_S) for _ in range(2 * breaks - 1))
        if ends_out:
            turns.append(WITHIN_S)
        it.line.part()
        for n, at_s in enumerate(turns):
            loop.call_later(at_s, it.line.part if n % 2 else it.line.touch)

    return begin


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: str(scene.moment))
def test_a_contact_that_bounces(folder: Path, tally: Tally, scene: Scene) -> None:
    async def cases(it: Disturbed) -> int:
        count = 0
        for breaks in BREAKS:
            for n in range(ROUNDS):
                chance = random.Random(f"{scene.moment} {breaks} {n}")
                try:
                    await _bounced(it, breaks, chance)
                except AssertionError as error:
                    raise AssertionError(f"{breaks} breaks, round {n}: {error}") from error
                count += 1
        return count

    tally(f"bounces in {scene.moment}", run(folder, scene, cases), 0.0)


async def _bounced(it: Disturbed, breaks: int, chance: random.Random) -> None:
    visit, scene = it.visit, it.scene
    await visit.restore()
    visits = it.station.visits.state.visit
    ends_out = scene.moment is Moment.GONE
    await it.come_to_it(_bounce(it, breaks, chance, ends_out=ends_out), chance.uniform(0, scene.delay_s))
    it.types = not ends_out
    await it.typing(ENTRY, *scene.ends)
    assert it.disturbed_at_s is not None
    state = it.station.visits.state
    said = it.station.screen.line
    opens = visit.opens()
    await visit.out()
    await visit.later(BETWEEN_S)
    events = await visit.new_events()
    counts, told = Counter(str(event["type"]) for event in events), f"{it.station.lines[-30:]} {events}"
    assert not visit.wrong, (visit.wrong, told)
    assert opens == (said in SAYS_ON or scene.moment is Moment.STILL_ON), told
    assert counts["pin_rejected"] == 0, told
    assert (await it.station.store.real.attempts(HER_KEY)).failures == 0, told
    if scene.moment not in {Moment.UNREADABLE, Moment.STILL_ON}:
        assert state.visit == visits + 1, told
    if scene.moment not in {Moment.UNREADABLE, Moment.STILL_ON}:
        assert counts["key_synced"] == 1, told
        off = counts["key_deactivated"]
        assert off <= visit.ledger.emptied <= off + counts["key_write_interrupted"], told
    if scene.moment in AFTER_READY or said in SAYS_ON:
        assert counts["key_activated"] == 1, told
    else:
        assert counts["key_activated"] == 0, told
    if scene.moment in {Moment.READY, Moment.IDENTIFYING}:
        assert counts["key_write_interrupted"] == 0, told
    if scene.moment is Moment.REFUSED:
        assert counts["key_refused"] == 1, told
