"""`station doctor` finds what is wrong; clocks are looked at closely."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import config
from config import Settings
from station.commands.doctor_checks.clock import check_clock
from station.commands.doctor_checks.finding import Finding, Level
from station.rules.clock import CEILING_S, Anchor, ClockDoubt, ClockMemory, ClockReadings
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
        **dict.fromkeys(("configuration", "credentials", "certificate", "key reader", "central"), "ok"),
        **dict.fromkeys(("time", "token", "system clock", "clock", "database", "mirror", "outbox", "disk"), "ok"),
        "owners": "ok",
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


def settings_of(folder: Path, profile: str, clock: str) -> Settings:
    path = folder / "station.toml"
    path.write_text(
        f'[station]\nnumber = 13\nname = "Krisskåpet"\nprofile = "{profile}"\n[key_reader]\nport = "/dev/null"\n'
        f'[clock]\n{clock}\n[central]\nurl = "http://127.0.0.1:9"\n',
        "utf-8",
    )
    return config.load(path)


def found(settings: Settings, memory: ClockMemory, *, answers: bool = False, **readings: object) -> Finding:
    now = replace(ClockReadings(unix_s=NOW_S, boottime_s=10, boot_id="a"), **readings)  # type: ignore[arg-type]
    return check_clock(settings, None, central_answers=answers, memory=memory, clocks=lambda: now)


@pytest.mark.parametrize(
    ("rtc_unix_s", "said"),
    [
        (NOW_S, "a battery-backed clock answers"),
        (NOW_S - 100 * 86400, "before what central has signed"),
        (NOW_S - 11, "before what central has signed"),
        (0, "before what central has signed"),
        (NOW_S + CEILING_S + 1, "more than a year past"),
        (None, "no battery-backed clock"),
    ],
)
def test_a_boxs_clock_has_to_be_right_by_itself(tmp_path: Path, rtc_unix_s: int | None, said: str) -> None:
    """Central is at hand where it is set up, and not where it will stand."""
    settings = settings_of(tmp_path, "activation-box", "trust_rtc = true")
    memory = ClockMemory(NOW_S, NOW_S, Anchor(NOW_S, 9.0, "a"))
    finding = found(settings, memory, answers=True, rtc_unix_s=rtc_unix_s, ntp_synchronised=True)
    assert said in finding.what
    assert finding.level is (Level.OK if rtc_unix_s == NOW_S else Level.FAIL)
    assert "hwclock" in finding.mend or finding.level is Level.OK


@pytest.mark.parametrize(
    ("clock", "memory", "readings", "level", "said"),
    [
        ("", ClockMemory(NOW_S, 0, Anchor(NOW_S, 5.0, "a")), {}, Level.OK, "central's signed time, in this boot"),
        ("", ClockMemory(NOW_S), {"ntp_synchronised": True}, Level.OK, "the system's, which NTP keeps"),
        ("trust_rtc = true", ClockMemory(NOW_S), {"rtc_unix_s": NOW_S}, Level.OK, "a battery-backed clock"),
        ("", ClockMemory(NOW_S), {"answers": True}, Level.OK, "its signed time is at hand"),
        ("", ClockMemory(NOW_S), {}, Level.FAIL, "nothing that is trusted tells the time"),
        ("", ClockMemory(NOW_S + 1), {"ntp_synchronised": True}, Level.FAIL, "before what central has signed"),
        (
            "",
            ClockMemory(5, NOW_S + 99),
            {"ntp_synchronised": True},
            Level.FAIL,
            "before what a trusted clock has shown",
        ),
    ],
)
def test_which_clock_is_trusted_or_why_none(
    tmp_path: Path, clock: str, memory: ClockMemory, readings: dict[str, Any], level: Level, said: str
) -> None:
    finding = found(settings_of(tmp_path, "sync-station", clock), memory, **readings)
    assert (finding.level, said in finding.what) == (level, True)
    assert "central" in finding.mend or level is Level.OK


@pytest.mark.parametrize(("doubt", "said"), [*((each.value, "central") for each in ClockDoubt), ("new", "central")])
def test_what_mends_a_kiosks_clock(tmp_path: Path, doubt: str, said: str) -> None:
    settings = settings_of(tmp_path, "sync-station", "")
    status = {"clock": {"trusted": False, "source": None, "doubt": doubt}}
    finding = check_clock(settings, status, central_answers=False, memory=ClockMemory())
    assert finding.level is Level.FAIL
    assert said in finding.mend
