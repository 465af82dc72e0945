"""`sync`, `status` and `doctor` on an activation box: what it has, and nothing of a mirror."""

import re
from pathlib import Path

import pytest

from station.commands.status import lines
from tests.running_site import RunningSite

BOX = 13
NOW_S = 1_790_000_000
HAS_RTC = Path("/sys/class/rtc/rtc0/since_epoch").exists()


@pytest.fixture(scope="module")
def box(site: RunningSite) -> Path:
    return site.run(site.world.install(BOX)).folder


@pytest.mark.slow
def test_what_a_box_has(site: RunningSite, box: Path) -> None:
    assert "hand-over      never" in site.station("status", folder=box).stdout
    told = site.station("sync", folder=box).stdout
    assert re.fullmatch(
        r"blocklist and central's keys brought up to date; certificate until \d{4}-\d\d-\d\d; "
        r"events: \d+ sent, 0 waiting\n",
        told,
    )
    after = site.json("status", folder=box)
    assert (after["profile"], after["outbox"]) == ("activation-box", 0)
    assert (after["online"], after["mirror_age_s"], after["mirror_confirmed_at"]) == (None, None, None)
    assert after["handed_over_at"] is not None
    lines = site.station("status", folder=box).stdout.splitlines()
    assert [line.split("  ")[0] for line in lines[:7]] == [
        "station", "activation", "profile", "hand-over", "outbox", "clock", "configuration",
    ]  # fmt: skip


@pytest.mark.slow
def test_doctor_on_a_box(site: RunningSite, box: Path) -> None:
    synced = site.json("sync", folder=box)
    assert (synced["mirror_objects"], synced["mirror_age_before_s"]) == (0, None)
    file = box / "station.toml"
    text = file.read_text("utf-8")
    file.write_text(text.replace('url = "http://127.0.0.1:', 'url = "http://127.0.0.2:'), "utf-8")
    try:
        told = site.json("doctor", code=0 if HAS_RTC else 1, folder=box)
    finally:
        file.write_text(text, "utf-8")
    checks = {each["check"]: each for each in told["checks"]}
    assert "mirror" not in checks
    assert checks["hand-over"]["level"] == "ok"
    assert checks["certificate"]["level"] == "ok"
    assert "activation box, until " in checks["certificate"]["what"]
    # Central's word for the time is not enough in a cellar.
    assert checks["clock"]["level"] == ("ok" if HAS_RTC else "FAIL")
    assert HAS_RTC or "battery-backed" in checks["clock"]["mend"]
    assert checks["central"]["level"] == "ok", "it does without, until its events are to be handed over"
    assert "station sync" in checks["central"]["what"]


@pytest.mark.parametrize(
    ("profile", "said"), [("activation-box", "only be switched off (clock)"), ("sync-station", "not known")]
)
def test_status_without_a_kiosk_says_that_a_box_has_no_clock(profile: str, said: str) -> None:
    fields = {
        "station": 13,
        "kiosk": False,
        "source": "database",
        "profile": profile,
        "off_only": "clock",
        "handed_over_at": None,
        "mirror_age_s": None,
        "online": False,
        "outbox": 0,
        "visits": [],
        "clock": {"trusted": False, "source": None, "unix_s": NOW_S, "doubt": "set_back", "signed_age_s": None},
        "reader": "unknown",
        "config_version": "1",
        "config_version_file": "1",
        "config_rejected": None,
        "config_waiting": None,
        "certificate_expires": NOW_S,
    }
    (line,) = [line for line in lines(fields) if line.startswith("activation ")]
    assert said in line
    (line,) = [line for line in lines(fields) if line.startswith("clock ")]
    assert "NOT trusted (it is before what a trusted clock has shown here)" in line
