"""The tests' own loop: a machine that stands still makes nothing late, and what is waited for takes its time."""

import asyncio
import subprocess
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from tests.steady_time import UNNOTICED_S, SteadyLoop

R = TypeVar("R")
STOOD_STILL_S = 0.3


def run(work: Coroutine[Any, Any, R]) -> R:
    with asyncio.Runner(loop_factory=SteadyLoop) as runner:
        return runner.run(work)


def test_a_process_that_stands_still_makes_nothing_late() -> None:
    async def work() -> float:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        async with asyncio.timeout(STOOD_STILL_S / 3):
            time.sleep(STOOD_STILL_S)  # noqa: ASYNC251  (as when others have the processor)
            await asyncio.sleep(0)
        return loop.time() - began_s

    assert run(work()) < STOOD_STILL_S / 3


def test_what_is_waited_for_counts_in_full() -> None:
    async def work() -> tuple[float, float]:
        loop = asyncio.get_running_loop()
        began_s, really_s = loop.time(), time.monotonic()
        await asyncio.sleep(0.05)
        await asyncio.to_thread(time.sleep, 0.05)
        child = await asyncio.create_subprocess_exec("sleep", "0.05", stdout=subprocess.DEVNULL)
        await child.wait()
        return loop.time() - began_s, time.monotonic() - really_s

    steady_s, real_s = run(work())
    assert 0.14 < steady_s <= real_s + UNNOTICED_S


def test_what_the_loop_computes_counts_in_full() -> None:
    async def work() -> float:
        loop = asyncio.get_running_loop()
        began_s, until_s = loop.time(), time.thread_time() + 0.05
        while time.thread_time() < until_s:
            pass
        return loop.time() - began_s

    assert run(work()) >= 0.05


def test_a_timer_that_is_due_fires() -> None:
    async def work() -> None:
        async with asyncio.timeout(0.05):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        run(work())
