"""When a window ends: the contract's examples, daylight saving, and a minute-by-minute reading of the wall clock."""

import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from station.records.claims import Window
from station.rules.windows import FOREVER, HORIZON_S, window_end

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "records.json").read_text())["window_ends"]
STOCKHOLM = ZoneInfo("Europe/Stockholm")
EVERY_DAY = 127


def at(text: str) -> int:
    """Unix seconds of a UTC time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_vector(vector: dict[str, object]) -> None:
    windows = [Window(*w) for w in vector["windows"]]  # type: ignore[attr-defined]
    assert window_end(windows, vector["now"], ZoneInfo(str(vector["time_zone"]))) == vector["end"]  # type: ignore[arg-type]


def test_no_windows_mean_always() -> None:
    assert window_end([], at("2026-03-04T06:00"), STOCKHOLM) == FOREVER


def test_windows_that_cover_the_whole_week_are_not_followed_for_ever() -> None:
    now_s = at("2026-03-04T06:00:17")
    assert window_end([Window(EVERY_DAY, 0, 1440)], now_s, STOCKHOLM) == now_s + HORIZON_S


def test_seconds_before_the_start_and_the_end() -> None:
    window = [Window(EVERY_DAY, 420, 480)]  # 07-08, 06-07 UTC in winter
    assert window_end(window, at("2026-01-07T05:59:59"), STOCKHOLM) is None
    assert window_end(window, at("2026-01-07T06:00:00"), STOCKHOLM) == at("2026-01-07T07:00")
    assert window_end(window, at("2026-01-07T06:59:59"), STOCKHOLM) == at("2026-01-07T07:00")
    assert window_end(window, at("2026-01-07T07:00:00"), STOCKHOLM) is None


# 2026-03-29: 02:00 becomes 03:00 at 01:00 UTC. 2026-10-25: 03:00 becomes 02:00 at 01:00 UTC.
@pytest.mark.parametrize(
    ("window", "now", "end"),
    [
        pytest.param((60, 150), "2026-03-29T00:30", "2026-03-29T01:00", id="ends_inside_the_skipped_hour"),
        pytest.param((150, 240), "2026-03-29T00:59:59", None, id="starts_inside_the_skipped_hour_before"),
        pytest.param((150, 240), "2026-03-29T01:00", "2026-03-29T02:00", id="starts_inside_the_skipped_hour"),
        pytest.param((130, 170), "2026-03-29T01:00", None, id="wholly_skipped"),
        pytest.param((60, 150), "2026-10-24T23:30", "2026-10-25T00:30", id="ends_at_the_first_half_past_two"),
        pytest.param((60, 150), "2026-10-25T00:45", None, id="between_the_two"),
        pytest.param((60, 150), "2026-10-25T01:10", "2026-10-25T01:30", id="runs_again_in_the_repeated_hour"),
        pytest.param((150, 240), "2026-10-25T00:40", "2026-10-25T01:00", id="ends_where_the_clock_goes_back"),
        pytest.param((150, 240), "2026-10-25T01:30", "2026-10-25T03:00", id="starts_at_the_second_half_past_two"),
        pytest.param((120, 180), "2026-10-25T00:00", "2026-10-25T02:00", id="the_repeated_hour_twice"),
    ],
)
def test_daylight_saving(window: tuple[int, int], now: str, end: str | None) -> None:
    got = window_end([Window(EVERY_DAY, *window)], at(now), STOCKHOLM)
    assert got == (None if end is None else at(end))


def test_windows_that_meet_inside_the_repeated_hour_count_as_one() -> None:
    windows = [Window(EVERY_DAY, 60, 150), Window(EVERY_DAY, 150, 240)]
    assert window_end(windows, at("2026-10-24T23:00"), STOCKHOLM) == at("2026-10-25T03:00")


windows_lists = st.lists(
    st.builds(
        lambda days, start, length: Window(days, start, min(1440, start + length)),
        st.integers(1, 127),
        st.integers(0, 1439),
        st.integers(1, 1440),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(
    windows=windows_lists,
    now_s=st.one_of(
        *(st.integers(at(d) - 86400, at(d) + 86400) for d in ("2026-03-29", "2026-10-25", "2028-02-29", "2026-12-31"))
    ),
    zone=st.sampled_from(["Europe/Stockholm", "Europe/Copenhagen", "America/Nuuk", "Australia/Lord_Howe", "UTC"]),
)
def test_agrees_with_reading_the_wall_clock_every_minute(windows: list[Window], now_s: int, zone: str) -> None:
    site = ZoneInfo(zone)

    def runs(unix_s: int) -> bool:
        local = datetime.fromtimestamp(unix_s, site)
        minute = local.hour * 60 + local.minute
        return any(w.weekdays >> local.weekday() & 1 and w.start_minute <= minute < w.end_minute for w in windows)

    expected = None
    if runs(now_s):
        expected = now_s // 60 * 60 + 60
        while runs(expected) and expected < now_s + HORIZON_S:
            expected += 60
        expected = min(expected, now_s + HORIZON_S)
    assert window_end(windows, now_s, site) == expected
