"""`station doctor` finds what is wrong; an activation box's clock, which it looks at closely."""

from pathlib import Path

import pytest

import config
from config import Settings
from station.commands.doctor_checks.clock import check_clock
from station.commands.doctor_checks.finding import Level
from station.rules.clock import CEILING_S, ClockReadings
from tests.running_site import RunningSite

KEY = 5003
NOW_S = 1_790_000_000


@pytest.mark.slow
def test_doctor_on_a_station_that_is_well(site: RunningSite) -> None:
    site.json("sync")
    site.insert(KEY)
    told = site.json("doctor")
    assert told["ok"] is True
    levels = {check["check"]: check["level"] for check in told["checks"]}
    assert levels == {
        **dict.fromkeys(("configuration", "credentials", "certificate", "key reader", "central", "token"), "ok"),
        **dict.fromkeys(("system clock", "clock", "database", "mirror", "outbox", "disk", "owners"), "ok"),
        "kiosk": "warn",
    }
    assert all(check["mend"] for check in told["checks"])
    lines = site.station("doctor").stdout.splitlines()
    assert all(line[:6] in {"ok    ", "warn  ", "FAIL  "} and " — " in line for line in lines)


@pytest.mark.slow
def test_doctor_says_when_a_key_keeps_nothing_where_it_should(site: RunningSite) -> None:
    site.insert(max(key.number for key in site.world.keys.values() if key.status == "blank"))
    checks = {each["check"]: each for each in site.json("doctor")["checks"]}
    assert checks["key reader"]["what"].endswith("a key answers that has no record in /lfs1")
    assert "mend key_reader.folder" in checks["key reader"]["mend"]


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
