"""One fault at one byte of a whole visit, at every byte of it in turn.

After each: nothing opens that the screen does not say is on, the next insertion works, the station has not crashed,
every event is there once, and the screen said something plain within 1.5 s. `WorstVisit` says how that is looked at.
"""

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import virtual_time
from tests.faults.bad_contact import BadContact, ContactInMemory, Fault
from tests.faults.worst_visit import WorstVisit
from tests.services.site import all_of

pytestmark = [pytest.mark.slow, pytest.mark.no_cover]  # what decides is covered elsewhere; it would take twice as long

FULL = os.environ.get("HYPOTHESIS_PROFILE") == "full"
SHARES = 16 if FULL else 1
"""In so many tests each fault's bytes are looked at, for several processes to share."""
SAMPLE = 40
SEED = 20
ONE_CASE = os.environ.get("FAULT_CASE", "")
"""``drop:1234``: only that one."""

Tally = Callable[[str, int, float], None]


class Cases:
    """Cases one after the other at one station; a station that failed in one is not asked again."""

    def __init__(self, folder: Path, options: dict[str, Any]) -> None:
        self._folder, self._options = folder, options
        self._stations = 0
        self._visit: WorstVisit | None = None
        self.failed: list[str] = []
        self.ran = 0
        self.worst_s = 0.0

    async def visit(self) -> WorstVisit:
        if self._visit is None:
            self._stations += 1
            self._visit = await WorstVisit.at(self._folder / f"{self._stations}", ContactInMemory, **self._options)
        return self._visit

    async def run(self, fault: Fault, at: int) -> None:
        visit = await self.visit()
        try:
            came = await visit.case(fault, at)
        except Exception as error:  # noqa: BLE001, whatever it is, it is told with the case that it came of
            self.failed.append(f"FAULT_CASE={fault}:{at} {type(error).__name__}: {error}")
            await self.close()
            return
        assert came.happened, f"{fault}:{at} is not within the visit"
        self.ran += 1
        self.worst_s = max(self.worst_s, came.plain_after_s)

    async def close(self) -> None:
        visit, self._visit = self._visit, None
        if visit is not None:
            await visit.close()


def _run(folder: Path, choose: Callable[[int], list[tuple[Fault, int]]], **options: Any) -> Cases:
    """``choose`` is told how many bytes a visit has."""

    async def work() -> Cases:
        cases = Cases(folder, options)
        try:
            length = await (await cases.visit()).length()
            for fault, at in choose(length):
                await cases.run(fault, at)
        finally:
            await cases.close()
        return cases

    return virtual_time.run(work())


@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("fault", Fault, ids=str)
@pytest.mark.usefixtures("in_memory")
def test_a_fault_at_every_byte(folder: Path, tally: Tally, fault: Fault, share: int) -> None:
    def chosen(length: int) -> list[tuple[Fault, int]]:
        some = random.Random(f"{SEED} {fault}")
        places = range(share, length, SHARES) if FULL else sorted(some.sample(range(length), SAMPLE))
        return [(fault, at) for at in places]

    cases = _run(folder, chosen)
    tally(f"contact {fault}", cases.ran, cases.worst_s)
    assert not cases.failed, "\n".join(cases.failed)


OTHER_KEYS: dict[str, dict[str, Any]] = {
    "small buffer": {"buffer_bytes": 128, "milliseconds": True},
    "bare": {"hashes": (), "has_status": False, "has_close": False, "has_parameters": False},
    "no hash": {"hashes": (), "buffer_bytes": 160},  # a record takes two requests
    "old errors": {"error_version": 1, "hashes": ("crc32",), "has_clock": False},
}


@pytest.mark.parametrize("kind", OTHER_KEYS)
@pytest.mark.usefixtures("in_memory")
def test_a_fault_in_a_visit_of_another_make_of_key(folder: Path, tally: Tally, kind: str) -> None:
    some = random.Random(f"{SEED} {kind}")

    def chosen(length: int) -> list[tuple[Fault, int]]:
        return [(fault, at) for fault in Fault for at in some.sample(range(length), 60 if FULL else 2)]

    cases = _run(folder, chosen, **OTHER_KEYS[kind])
    tally(f"contact, other key: {kind}", cases.ran, cases.worst_s)
    assert not cases.failed, "\n".join(cases.failed)


if ONE_CASE:

    @pytest.mark.usefixtures("in_memory")
    def test_one_case(folder: Path) -> None:
        fault, _, at = ONE_CASE.partition(":")
        cases = _run(folder, lambda _: [(Fault(fault), int(at))])
        assert not cases.failed, "\n".join(cases.failed)


PTY_FAULTS = [*Fault] * 10 if FULL else [Fault.EIO, Fault.HANG_UP, Fault.SILENCE, Fault.LATE, Fault.FLIP]


async def test_a_fault_on_a_pseudo_terminal(tmp_path: Path, tally: Tally) -> None:
    """The same with the real device and real time, some of them."""
    length = 4000  # at least; where exactly they happen is the machine's load's choice
    chosen = random.Random(SEED)
    pairs = [(fault, chosen.randrange(length)) for fault in PTY_FAULTS]
    worst: list[float] = []

    async def case(n: int, fault: Fault, at: int) -> None:
        visit = await WorstVisit.at(tmp_path / f"{n}", BadContact, real_time=True)
        try:
            worst.append((await visit.case(fault, at)).plain_after_s)
        except Exception as error:
            raise AssertionError(f"{fault}:{at}") from error
        finally:
            await visit.close()

    await all_of([lambda n=n, f=f, at=at: case(n, f, at) for n, (f, at) in enumerate(pairs)], at_once=10)  # type: ignore[misc]
    tally("contact, on a pseudo-terminal", len(pairs), max(worst))
