"""A station with a fault built into it is found out: what is never found proves nothing."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from offline_cache import outbox as stored_outbox
from station.key import log_entries, work
from station.key.activation import ActivationWork
from station.key.pins import PinWork
from station.key.work import KeyWork
from station.ports import KeyFile, KeyRefused, KeySession
from station.rules import access
from station.rules.attempts import AttemptCount
from station.rules.facts import Policy
from station.visit.inputs import ActivationCleared, KeyActivated
from tests.simulation.run import simulate

SEEDS = 80
Patch = pytest.MonkeyPatch


def _any_pin_is_right(patch: Patch) -> None:
    def personal(known: Any, person: Any, pin_tags: Sequence[bytes], own: Any) -> Any:
        del person, pin_tags
        return known.holder, access.newer(own, known.permit, known.holder.holder)

    patch.setattr(access, "_personal", personal)


def _a_colleagues_pin_is_right(patch: Patch) -> None:
    honest = access._personal

    def personal(known: Any, person: Any, pin_tags: Sequence[bytes], own: Any) -> Any:
        entry = access.newer(own, known.permit, known.holder.holder)
        right = pin_tags[0].hex()[0] in "0123456789a"
        return (known.holder, entry) if entry is not None and right else honest(known, person, pin_tags, own)

    patch.setattr(access, "_personal", personal)


def _not_switched_off(patch: Patch) -> None:
    async def clear(self: KeyWork, effect: Any) -> None:
        self._put(ActivationCleared(effect.insertion))

    patch.setattr(KeyWork, "_clear", clear)


def _clearing_is_not_read_back(patch: Patch) -> None:
    async def cleared(session: KeySession) -> bool:
        with suppress(KeyRefused):
            await session.clear(KeyFile.ACT)
        return True

    patch.setattr(work, "cleared", cleared)


def _ready_before_it_is_written(patch: Patch) -> None:
    honest = KeyWork._write_records

    async def write_records(self: KeyWork, effect: Any, activation: ActivationWork, act: bytes) -> None:
        self._put(KeyActivated(effect.insertion))
        await honest(self, effect, activation, act)

    patch.setattr(KeyWork, "_write_records", write_records)


def _activation_is_not_recorded(patch: Patch) -> None:
    async def record(self: ActivationWork) -> None:
        await self._pins.take_back(self._effect.seen, settles=self._number)

    patch.setattr(ActivationWork, "record", record)


def _an_event_is_dropped(patch: Patch) -> None:
    honest = stored_outbox.take_answers

    def take_answers(db: Any, done: Any, set_aside: Any) -> None:
        honest(db, done, set_aside)
        if len(done) > 1:
            db.execute("DELETE FROM outbox WHERE seq = (SELECT MIN(seq) FROM outbox)")

    patch.setattr(stored_outbox, "take_answers", take_answers)


def _a_log_entry_gets_a_new_name_each_time(patch: Patch) -> None:
    honest, read = log_entries.events, iter(range(10**6))

    def events(key: int, entries: Any, before: Any, *rest: Any) -> Any:
        return [
            event if event.id is None else replace(event, id=event.id[:-6] + f"{next(read):06}")
            for event in honest(key, entries, before, *rest)
        ]

    patch.setattr(log_entries, "events", events)


def _counted_in_memory(patch: Patch) -> None:
    async def counted(self: PinWork, effect: Any) -> tuple[AttemptCount, AttemptCount]:
        key = effect.seen.record.key
        kept = self.__dict__.setdefault("kept", {})
        kept[key] = kept.get(key, 0) + 1
        self._owed.add(key)
        return AttemptCount(key, kept[key] - 1), AttemptCount(key, kept[key])

    patch.setattr(PinWork, "_counted", counted)


def _nobody_waits(patch: Patch) -> None:
    patch.setattr("station.rules.attempts.WAITS_S", (0,))


def _twelve_hours(patch: Patch) -> None:
    async def sure(*_: Any) -> None:
        """As locks would not judge it."""

    patch.setattr(ActivationWork, "_make_sure_that_locks_open", sure)
    patch.setattr("config.models.Settings.rules", lambda self: Policy(active_minutes=720))


FAULTS: dict[str, tuple[Callable[[Patch], None], str]] = {
    each.__name__.strip("_"): (each, wanted)
    for each, wanted in (
        (_any_pin_is_right, "without a right PIN"),
        (_a_colleagues_pin_is_right, "without a right PIN"),
        (_not_switched_off, "is not off"),
        (_clearing_is_not_read_back, "is not off"),
        (_ready_before_it_is_written, "on until"),
        (_activation_is_not_recorded, "never told"),
        (_an_event_is_dropped, "never got the events"),
        (_a_log_entry_gets_a_new_name_each_time, "of the log of key"),
        (_counted_in_memory, "are remembered"),
        (_nobody_waits, "was looked at after"),
        (_twelve_hours, "too_long"),
    )
}


FIRST = {"clearing_is_not_read_back": 30}
"""Where it takes a while: a seed shortly before one that finds it."""


@pytest.mark.parametrize("name", FAULTS)
def test_a_built_in_fault_is_found(name: str, monkeypatch: Patch) -> None:
    build_in, wanted = FAULTS[name]
    build_in(monkeypatch)
    for seed in range(FIRST.get(name, 0), SEEDS):
        outcome = simulate(seed)
        if outcome.error is not None:
            assert wanted in outcome.report
            return
    raise AssertionError(f"not found in {SEEDS} seeds")
