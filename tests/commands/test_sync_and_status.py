"""`station sync` and `station status` on the sample site, with and without a kiosk."""

import stat
from pathlib import Path

import pytest

import config
from station.runtime.status_file import FILE_NAME, WRITE_EVERY_S
from tests.running_site import RunningSite

pytestmark = pytest.mark.slow
KEY = 5003


def test_sync_fetches_the_mirror_and_then_finds_it_up_to_date(site: RunningSite, tmp_path: Path) -> None:
    site.copy_station(tmp_path)
    first = site.json("sync", folder=tmp_path)
    assert first["mirror_changed"] is True
    assert first["mirror_objects"] > 100
    assert first["mirror_age_before_s"] is None
    assert first["outbox"] == 0
    again = site.json("sync", folder=tmp_path)
    assert (again["mirror_changed"], again["mirror_objects"]) == (False, first["mirror_objects"])
    assert again["mirror_age_before_s"] < 60


def test_sync_hands_over_what_an_offline_visit_left(site: RunningSite) -> None:
    site.json("sync")
    site.network(up=False)
    site.insert(KEY)
    try:
        site.station("visit")
        failed = site.station("sync")
        assert failed.returncode == 1
        assert failed.stderr.startswith("station sync: the central server does not answer; check the address")
    finally:
        site.network(up=True)
    waiting = site.json("status")["outbox"]
    assert waiting > 0
    told = site.json("sync")
    assert told["events_sent"] >= waiting
    assert told["outbox"] == 0


def test_status_without_a_kiosk_opens_the_database(site: RunningSite) -> None:
    site.json("sync")
    told = site.json("status")
    assert (told["kiosk"], told["source"], told["station"]) == (False, "database", 1)
    assert told["outbox"] == 0
    assert told["config_version"] == config.load(site.folder / "station.toml").version
    assert told["clock"].keys() == {"trusted", "source", "unix_s", "doubt", "signed_age_s"}
    said = site.station("status")
    assert said.returncode == 0
    assert "no kiosk runs here" in said.stdout


def test_beside_a_kiosk(site: RunningSite) -> None:
    with site.kiosk():
        site.insert(KEY)
        site.until(lambda: site.status_file().get("reader") == "key_in")
        site.pull()
        site.until(lambda: any(v["outcome"] == "off" for v in site.status_file()["visits"]))
        told = site.json("status")
        assert (told["kiosk"], told["source"], told["off_only"], told["online"]) == (True, "kiosk", None, True)
        assert told["age_s"] <= 3 * WRITE_EVERY_S
        assert told["visits"][0]["kind"] == "personal"
        assert told["visits"][0].keys() == {"at", "kind", "outcome", "reason"}
        assert stat.S_IMODE((site.folder / FILE_NAME).stat().st_mode) == 0o644
        text = (site.folder / FILE_NAME).read_text("utf-8")
        assert str(KEY) not in text
        assert site.world.keys[KEY].holder.split()[0] not in text
        assert "kiosk running" in site.station("status").stdout
        checks = {check["check"]: check for check in site.json("doctor")["checks"]}
        assert checks["kiosk"]["level"] == checks["key reader"]["level"] == checks["clock"]["level"] == "ok"
        for words in (["sync"], ["visit"], ["key", "provision", "--code", "0000000000"]):
            done = site.station(*words)
            assert done.returncode == 1
            assert "is using the station's database; stop it first" in done.stderr
        done = site.station("key", "show")
        assert done.returncode == 1
        assert "another program is using the key reader; stop the kiosk first" in done.stderr
    # The last visits outlive the kiosk.
    assert site.json("status")["visits"][0]["outcome"] == "off"
