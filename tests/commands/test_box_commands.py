"""`sync`, `status` and `doctor` on an activation box: what it has, and nothing of a mirror."""

import asyncio
from pathlib import Path

import pytest

from tests.commands.sites import START_LIMIT_S, Site

pytestmark = pytest.mark.slow
BOX = 13


@pytest.fixture(scope="module")
def box(site: Site) -> Path:
    placed = asyncio.run_coroutine_threadsafe(site.world.place(BOX), site._loop).result(START_LIMIT_S)
    return placed.folder


def test_what_a_box_has(site: Site, box: Path) -> None:
    told = site.station("doctor", folder=box).stdout
    assert "mirror" not in told
    before = site.json("status", folder=box)
    assert (before["profile"], before["handed_over_at"], before["online"]) == ("activation-box", None, None)
    assert "hand-over      never" in site.station("status", folder=box).stdout

    synced = site.json("sync", folder=box)
    assert (synced["mirror_objects"], synced["mirror_age_before_s"], synced["outbox"]) == (0, None, 0)
    assert "were up to date; certificate until 20" in site.station("sync", folder=box).stdout

    after = site.json("status", folder=box)
    assert after["certificate_expires"] == synced["certificate_expires"]
    assert (after["mirror_age_s"], after["mirror_confirmed_at"]) == (None, None)
    assert after["handed_over_at"] is not None
    assert after["outbox"] == 0
    lines = site.station("status", folder=box).stdout.splitlines()
    assert [line.split("  ")[0] for line in lines[:7]] == [
        "station", "activation", "profile", "hand-over", "outbox", "clock", "configuration",
    ]  # fmt: skip


def test_doctor_on_a_box(site: Site, box: Path) -> None:
    site.json("sync", folder=box)
    checks = {each["check"]: each for each in site.json("doctor", code=1, folder=box)["checks"]}
    assert "mirror" not in checks
    assert checks["hand-over"]["level"] == "ok"
    assert checks["certificate"]["level"] == "ok"
    assert "activation box, until " in checks["certificate"]["what"]
    # This machine has no clock that a box could go by: central's word for it is not enough in a cellar.
    assert checks["clock"]["level"] == "FAIL"
    assert "battery-backed" in checks["clock"]["mend"]
    file = box / "station.toml"
    text = file.read_text("utf-8")
    file.write_text(text.replace('url = "http://127.0.0.1:', 'url = "http://127.0.0.2:'), "utf-8")
    try:
        checks = {each["check"]: each for each in site.json("doctor", code=1, folder=box)["checks"]}
    finally:
        file.write_text(text, "utf-8")
    assert checks["central"]["level"] == "ok", "it does without, until its events are to be handed over"
    assert "station sync" in checks["central"]["what"]
