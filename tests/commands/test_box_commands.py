"""`sync`, `status` and `doctor` on an activation box: what it has, and nothing of a mirror."""

import asyncio
import re
from pathlib import Path

import pytest

from tests.commands.sites import START_LIMIT_S, Site

pytestmark = pytest.mark.slow
BOX = 13
HAS_RTC = Path("/sys/class/rtc/rtc0/since_epoch").exists()


@pytest.fixture(scope="module")
def box(site: Site) -> Path:
    placed = asyncio.run_coroutine_threadsafe(site.world.install(BOX), site._loop).result(START_LIMIT_S)
    return placed.folder


def test_what_a_box_has(site: Site, box: Path) -> None:
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


def test_doctor_on_a_box(site: Site, box: Path) -> None:
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
