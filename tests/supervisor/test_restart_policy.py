"""When the kiosk is restarted: pure, in invented time."""

from station.supervisor.key_filter import BURST_STROKES, STROKES_PER_S
from station.supervisor.restart_policy import (
    OUT_OF_ORDER_WAIT_S,
    SILENCE_LIMIT_S,
    STABLE_AFTER_S,
    START_LIMIT_S,
    HeartbeatMonitor,
    RestartBackoff,
)
from station.supervisor.supervisor import END_LIMIT_S


def test_many_deaths_back_off_and_end_out_of_order() -> None:
    backoff, now, waits = RestartBackoff(), 0.0, []
    for _ in range(9):
        pause = backoff.pause_after_death(now, 0.0)
        assert not pause.out_of_order
        waits.append(pause.wait_s)
        now += pause.wait_s + 0.5
    assert waits == [0, 1, 2, 5, 10, 30, 30, 30, 30]
    for _ in range(5):
        assert backoff.pause_after_death(now, 0.0) == (OUT_OF_ORDER_WAIT_S, True)
        now += OUT_OF_ORDER_WAIT_S


def test_a_stable_run_ends_the_back_off() -> None:
    backoff = RestartBackoff()
    for _ in range(4):
        backoff.pause_after_death(0.0, 0.0)
    assert backoff.pause_after_death(100.0, STABLE_AFTER_S) == (0.0, False)
    assert backoff.pause_after_death(101.0, 1.0) == (1.0, False)


def test_a_death_now_and_then_is_never_out_of_order() -> None:
    backoff = RestartBackoff()
    assert all(backoff.pause_after_death(at * 70.0, 69.0) == (0.0, False) for at in range(100))


def test_kiosks_that_hang_at_their_start_end_out_of_order_as_well() -> None:
    backoff, now, deaths = RestartBackoff(), 0.0, 0
    while not (pause := backoff.pause_after_death(now, 0.0)).out_of_order:
        deaths += 1
        now += pause.wait_s + START_LIMIT_S
    assert deaths == 2


def test_silence_after_the_first_beat_and_before() -> None:
    monitor = HeartbeatMonitor(100.0)
    assert monitor.stuck_at == 100.0 + START_LIMIT_S
    assert monitor.beating_s(120.0) == 0
    monitor.beat(110.0)
    monitor.beat(112.0)
    assert monitor.stuck_at == 112.0 + SILENCE_LIMIT_S
    assert monitor.beating_s(120.0) == 10.0


def test_the_limits_are_those_that_are_documented() -> None:
    """The tests with real processes go by them, whatever they are."""
    assert (SILENCE_LIMIT_S, START_LIMIT_S, END_LIMIT_S) == (5, 120, 5)
    assert (STABLE_AFTER_S, OUT_OF_ORDER_WAIT_S) == (60, 60)
    assert (BURST_STROKES, STROKES_PER_S) == (64, 50)
