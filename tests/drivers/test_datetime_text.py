import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.smp.datetime_text import format_datetime, parse_datetime

AT = 1_777_863_721  # 2026-05-04T03:02:01Z


@pytest.mark.parametrize(
    "text",
    [
        "2026-05-04T03:02:01",
        "2026-05-04T03:02:01.7",
        "2026-05-04T03:02:01.999",
        "2026-05-04T03:02:01.123456",
        "2026-05-04T03:02:01Z",
        "2026-05-04T03:02:01+02:00",
        "2026-5-4T3:2:1",
    ],
)
def test_read(text: str) -> None:
    assert parse_datetime(text) == AT


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-05-04",
        "2026-02-30T00:00:00",
        "2026-05-04T24:00:00",
        "2026-05-04T03:02:01 or so",
        "٢٠٢٦-05-04T03:02:01",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_datetime(text)


@given(st.integers(0, 4_102_444_800))
def test_round_trip(unix_s: int) -> None:
    text = format_datetime(unix_s)
    assert len(text) == 19
    assert parse_datetime(text) == unix_s
