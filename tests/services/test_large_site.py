"""What a site costs its station, however large it is: real HTTP, a real database, a process of its own."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.services.large_site import Cost, LargeCentral, cost_of

SMALL, MORE, LARGE = 100, 4000, 108_542
RATIO_MAX = 1.5
CHANGE_MS_MAX = 10
FIRST_PROCESSOR_S_MAX = 15
FIRST_MIB_MAX = 200
STALL_S_MAX = 1.0
"""Of the loop that draws the screen; 4.8 s were measured when a snapshot was judged on it."""


@pytest_asyncio.fixture
async def central() -> AsyncIterator[LargeCentral]:
    it = LargeCentral()
    await it.start()
    yield it
    await it.stop()


async def _cost(central: LargeCentral, objects: int, changes: int) -> Cost:
    central.fill(objects)
    return await cost_of(central, changes)


@pytest.mark.slow
async def test_one_changed_key_costs_the_same_at_any_size(central: LargeCentral) -> None:
    small = await _cost(central, SMALL, 3)
    other = LargeCentral()
    await other.start()
    large = await _cost(other, MORE, 3)
    await other.stop()
    assert large.objects == MORE
    assert 0 < large.change_steps < RATIO_MAX * small.change_steps


@pytest.mark.nightly
async def test_a_large_municipality(central: LargeCentral) -> None:
    cost = await _cost(central, LARGE, 20)
    assert cost.objects == LARGE
    assert cost.first_processor_s < FIRST_PROCESSOR_S_MAX
    assert cost.first_mib < FIRST_MIB_MAX
    assert cost.change_ms < CHANGE_MS_MAX
    assert cost.longest_stall_s < STALL_S_MAX
