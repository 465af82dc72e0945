"""What `doctor` and `status` say of the clock that an activation box goes by."""

from pathlib import Path

import pytest

import config
from config import Settings
from station.commands.doctor_checks.finding import Level
from station.commands.doctor_checks.machine import check_clock
from station.commands.status import lines
from station.core.clock import CEILING_S, ClockReadings

NOW_S = 1_790_000_000


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    path = tmp_path / "station.toml"
    path.write_text(
        '[station]\nnumber = 13\nname = "Krisskåpet"\nprofile = "activation-box"\n'
        '[key_reader]\nport = "/dev/null"\n[clock]\ntrust_rtc = true\n',
        "utf-8",
    )
    return config.load(path)


@pytest.mark.parametrize(
    ("rtc_unix_s", "level"),
    [
        (NOW_S, Level.OK),
        (NOW_S - 100 * 86400, Level.FAIL),
        (0, Level.FAIL),
        (NOW_S + CEILING_S + 1, Level.FAIL),
        (None, Level.FAIL),
    ],
)
def test_a_battery_clock_that_cannot_be_right_is_none(settings: Settings, rtc_unix_s: int | None, level: Level) -> None:
    def clocks() -> ClockReadings:
        return ClockReadings(unix_s=NOW_S, boottime_s=10, boot_id="a", rtc_unix_s=rtc_unix_s)

    found = check_clock(settings, None, central_answers=True, floor_s=NOW_S, clocks=clocks)
    assert found.level is level
    assert "hwclock" in found.mend or level is Level.OK


@pytest.mark.parametrize(
    ("profile", "said"), [("activation-box", "only be switched off (clock)"), ("sync-station", "not known")]
)
def test_status_without_a_kiosk_says_that_a_box_has_no_clock(profile: str, said: str) -> None:
    fields = {
        "station": 13,
        "kiosk": False,
        "source": "database",
        "profile": profile,
        "hindrance": "clock",
        "handed_over_at": None,
        "mirror_age_s": None,
        "online": False,
        "outbox": 0,
        "visits": [],
        "clock": {"trusted": False, "source": None, "unix_s": NOW_S},
        "reader": "unknown",
        "config_version": "1",
        "config_version_file": "1",
        "config_rejected": None,
        "config_waiting": None,
        "certificate_expires": NOW_S,
    }
    (line,) = [line for line in lines(fields) if line.startswith("activation ")]
    assert said in line
