"""Storms of deaths, the heartbeat's limits, the typing rate: pure, in invented time."""

import os

from station.supervisor import pulse
from station.supervisor.pulse import SILENCE_LIMIT_S, START_LIMIT_S, Pulse
from station.supervisor.storm import GOOD_LIFE_S, TRY_EVERY_S, Storm
from station.supervisor.supervisor import END_LIMIT_S
from station.supervisor.typing_rate import BURST_STROKES, STROKES_PER_S, TypingRate


def test_a_storm_backs_off_and_ends_out_of_order() -> None:
    storm, now, waits = Storm(), 0.0, []
    for _ in range(9):
        pause = storm.died(now, 0.0)
        assert not pause.out_of_order
        waits.append(pause.wait_s)
        now += pause.wait_s + 0.5
    assert waits == [0, 1, 2, 5, 10, 30, 30, 30, 30]
    for _ in range(5):
        assert storm.died(now, 0.0) == (TRY_EVERY_S, True)
        now += TRY_EVERY_S


def test_a_good_life_ends_the_storm() -> None:
    storm = Storm()
    for _ in range(4):
        storm.died(0.0, 0.0)
    assert storm.died(100.0, GOOD_LIFE_S) == (0.0, False)
    assert storm.died(101.0, 1.0) == (1.0, False)


def test_a_death_now_and_then_is_never_out_of_order() -> None:
    storm = Storm()
    assert all(storm.died(at * 70.0, 69.0) == (0.0, False) for at in range(100))


def test_kiosks_that_hang_at_their_start_are_a_storm_as_well() -> None:
    storm, now, deaths = Storm(), 0.0, 0
    while not (pause := storm.died(now, 0.0)).out_of_order:
        deaths += 1
        now += pause.wait_s + START_LIMIT_S
    assert deaths == 9


def test_silence_after_the_first_beat_and_before() -> None:
    beating = Pulse(100.0)
    assert beating.due_at == 100.0 + START_LIMIT_S
    assert beating.lived_s(120.0) == 0
    beating.beat(110.0)
    beating.beat(112.0)
    assert beating.due_at == 112.0 + SILENCE_LIMIT_S
    assert beating.lived_s(120.0) == 10.0


def test_the_pipe_of_beats() -> None:
    read, write = os.pipe()
    os.set_blocking(read, False)
    try:
        assert pulse.drain(read) is False
        os.write(write, b"..")
        assert pulse.drain(read) is True
        assert pulse.drain(read) is False
    finally:
        os.close(write)
    assert pulse.drain(read) is None
    os.close(read)


def test_the_limits_are_those_that_are_documented() -> None:
    """The tests with real processes go by them, whatever they are."""
    assert (SILENCE_LIMIT_S, START_LIMIT_S, END_LIMIT_S) == (5, 30, 5)
    assert (GOOD_LIFE_S, TRY_EVERY_S) == (60, 60)
    assert (BURST_STROKES, STROKES_PER_S) == (64, 50)


def test_a_person_is_never_too_fast_and_noise_always_is() -> None:
    rate = TypingRate()
    assert all(rate.allows(tick / 33) for tick in range(1000))
    rate = TypingRate()
    assert sum(rate.allows(tick / 100_000) for tick in range(100_000)) <= BURST_STROKES + STROKES_PER_S + 1
