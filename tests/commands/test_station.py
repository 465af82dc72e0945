"""sync, status, doctor, key, enrol and lock against the sample site."""

import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

import config
from station.runtime.status_file import FILE_NAME, WRITE_EVERY_S
from tests.commands.sites import Site

pytestmark = pytest.mark.slow
KEY = 5003


def test_sync_fetches_the_mirror_and_then_finds_it_up_to_date(site: Site) -> None:
    fresh = site.fresh_station("synced")
    first = site.json("sync", folder=fresh)
    assert first["mirror_changed"] is True
    assert first["mirror_objects"] > 100
    assert first["mirror_age_before_s"] is None
    assert first["outbox"] == 0
    again = site.json("sync", folder=fresh)
    assert (again["mirror_changed"], again["mirror_objects"]) == (False, first["mirror_objects"])
    assert again["mirror_age_before_s"] < 60


def test_sync_hands_over_what_an_offline_visit_left(site: Site) -> None:
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


def test_status_without_a_kiosk_opens_the_database(site: Site) -> None:
    site.json("sync")
    told = site.json("status")
    assert (told["kiosk"], told["source"], told["station"]) == (False, "database", 1)
    assert told["outbox"] == 0
    assert told["config_version"] == config.load(site.folder / "station.toml").version
    assert told["clock"].keys() == {"trusted", "source", "unix_s"}
    said = site.station("status")
    assert said.returncode == 0
    assert "no kiosk runs here" in said.stdout


def test_beside_a_kiosk(site: Site) -> None:
    with site.kiosk():
        site.insert(KEY)
        site.until(lambda: site.status_file().get("reader") == "key_in")
        site.pull()
        site.until(lambda: any(v["outcome"] == "off" for v in site.status_file()["visits"]))
        told = site.json("status")
        assert (told["kiosk"], told["source"], told["hindrance"], told["online"]) == (True, "kiosk", None, True)
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
        for words in (["sync"], ["visit"], ["key", "provision", "--code", "A-B"]):
            done = site.station(*words)
            assert done.returncode == 1
            assert "is using the station's database; stop it first" in done.stderr
        done = site.station("key", "show")
        assert done.returncode == 1
        assert "another program is using the key reader; stop the kiosk first" in done.stderr
    # The last visits outlive the kiosk.
    assert site.json("status")["visits"][0]["outcome"] == "off"


def test_doctor_on_a_station_that_is_well(site: Site) -> None:
    site.json("sync")
    site.insert(KEY)
    told = site.json("doctor")
    assert told["ok"] is True
    levels = {check["check"]: check["level"] for check in told["checks"]}
    assert levels == {
        **dict.fromkeys(("configuration", "credentials", "certificate", "key reader", "central", "token"), "ok"),
        **dict.fromkeys(("system clock", "clock", "database", "mirror", "outbox", "disk"), "ok"),
        "kiosk": "warn",
    }
    assert all(check["mend"] for check in told["checks"])
    lines = site.station("doctor").stdout.splitlines()
    assert all(line[:6] in {"ok    ", "warn  ", "FAIL  "} and " — " in line for line in lines)


@pytest.mark.parametrize(
    ("broken", "check", "mend"),
    [
        ("port", "key reader", "key_reader.port"),
        ("plain file", "key reader", "/dev/serial/by-id"),
        ("url", "central", "central server"),
        ("mode", "credentials", "chmod 600"),
        ("missing", "credentials", "station enrol"),
        ("database", "database", "move it away"),
        ("toml", "configuration", "station config check"),
        ("profile", "certificate", "station.profile"),
    ],
)
def test_doctor_finds(site: Site, broken: str, check: str, mend: str) -> None:
    fresh = site.fresh_station(f"doctor-{broken.replace(' ', '-')}")
    file = fresh / "station.toml"
    text = file.read_text("utf-8")
    match broken:
        case "port":
            file.write_text(text.replace(str(site.world.home.line.path), "/dev/station-no-such-port"), "utf-8")
        case "plain file":
            file.write_text(text.replace(str(site.world.home.line.path), str(file)), "utf-8")
        case "url":
            file.write_text(text.replace(site.world.home.url, "http://127.0.0.1:1"), "utf-8")
        case "mode":
            (fresh / "credentials.json").chmod(0o644)
        case "missing":
            (fresh / "credentials.json").unlink()
        case "database":
            (fresh / "station.db").write_bytes(b"no database at all" * 100)
        case "toml":
            file.write_text(text + "\n[statoin]\n", "utf-8")
        case "profile":
            file.write_text(text.replace("[station]\n", '[station]\nprofile = "update-box"\n'), "utf-8")
    told = site.json("doctor", code=1, folder=fresh)
    assert told["ok"] is False
    failed = {each["check"]: each for each in told["checks"] if each["level"] == "FAIL"}
    assert mend in failed[check]["mend"]


def test_key_show_on_an_emulated_key_and_in_the_reader(site: Site) -> None:
    site.insert(KEY)
    site.json("visit", "--pin-stdin", stdin=site.pin(KEY))
    shown = site.json("key", "show")
    assert (shown["key"], shown["kind"], shown["active"], shown["light"]) == (KEY, "personal", True, "blue_steady")
    assert shown["clock"]["state"] == "set"
    assert abs(shown["clock"]["unix_s"] - time.time()) < 10
    files = shown["files"]
    assert all(files[name]["valid"] for name in ("id", "permit", "cert", "sync", "act", "block"))
    assert files["permit"]["claims"]["holder"] == shown["holder"]
    assert "pin_tag" not in json.dumps(shown)
    folder = site.world.folder / "keys" / str(KEY)
    site.json("lock", "try", "--lock", "102", "--area", "9", "--state", str(folder), "--record", code=1)
    by_folder = site.json("key", "show", "--state", str(folder))
    assert (by_folder["log_entries"], by_folder["files"]["log"]["generation"]) == (shown["log_entries"] + 1, 1)
    assert f"key {KEY}, personal" in site.station("key", "show", "--state", str(folder)).stdout


def test_key_show_says_what_is_wrong_with_a_file(site: Site, tmp_path: Path) -> None:
    folder = tmp_path / "key"
    folder.mkdir()
    good = (site.world.folder / "keys" / str(KEY) / "id").read_bytes()
    (folder / "id").write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    (folder / "permit").write_bytes(b"\xff" * 50)
    (folder / "log").write_bytes(b"not a log")
    shown = site.json("key", "show", "--state", str(folder))
    assert shown["key"] is None
    assert shown["light"] == "purple_blinking"
    assert {name: shown["files"][name]["why"] for name in ("id", "permit", "log", "act")} == {
        "id": "record_bad_signature",
        "permit": "record_malformed",
        "log": "log_garbage",
        "act": None,
    }


def test_provision_hands_out_a_blank_key(site: Site) -> None:
    blanks = sorted(key.number for key in site.world.keys.values() if key.status == "blank")
    blank, another = blanks[:2]
    code = site.central("provision-code", "--key", str(blank))
    site.insert(blank)
    told = site.json("key", "provision", "--code", code)
    assert (told["key"], told["written"], told["clock_set"]) == (blank, True, True)
    shown = site.json("key", "show")
    assert (shown["key"], shown["clock"]["state"]) == (blank, "set")
    # Once more is no harm: the answer may have been lost on the way.
    assert site.json("key", "provision", "--code", code)["written"] is False
    # A key that has been handed out is not made another one.
    refused = site.station("key", "provision", "--code", site.central("provision-code", "--key", str(another)))
    assert refused.returncode == 1
    assert "has been handed out under another number" in refused.stderr
    assert site.json("key", "show")["key"] == blank
    # It is known at once: its first visit is as any other's.
    assert site.json("visit")["key"] == blank


def test_provision_with_a_wrong_code_leaves_the_key_as_it_was(site: Site) -> None:
    site.insert(KEY)
    told = site.json("key", "provision", "--code", "ZZZZ-0000000000", code=1)
    assert told["error"] == "bad_code"
    assert site.json("key", "show")["key"] == KEY


def test_provision_switches_a_key_off_before_anything_else(site: Site) -> None:
    site.insert(KEY)
    assert site.json("visit", "--pin-stdin", stdin=site.pin(KEY))["outcome"] == "ready"
    site.insert(KEY)
    assert site.json("key", "show")["files"]["act"]["bytes"] > 1
    site.json("key", "provision", "--code", "ZZZZ-0000000000", code=1)
    assert site.json("key", "show")["files"]["act"]["bytes"] <= 1


def test_enrol_writes_both_files_and_nothing_on_a_bad_code(site: Site, tmp_path: Path) -> None:
    url = site.world.home.url
    refused = site.station("enrol", "--code", "ZZZZ-0000000000", "--url", url, folder=tmp_path)
    assert refused.returncode == 1
    assert refused.stderr.startswith("station enrol: the central server does not know this code; ask for a new one")
    assert list(tmp_path.iterdir()) == []
    code = site.central("enrol-code", "--station", "2")
    told = site.json("enrol", "--code", code, "--url", url, folder=tmp_path)
    assert (told["station"], told["profile"]) == (2, "sync-station")
    assert stat.S_IMODE((tmp_path / "credentials.json").stat().st_mode) == 0o600
    assert site.json("sync", folder=tmp_path)["mirror_objects"] > 100


def test_enrol_spends_no_code_where_nothing_can_be_written(site: Site, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        target = Path("/proc/station.toml")
    else:
        tmp_path.chmod(0o500)
        target = tmp_path / "station.toml"
    code = site.central("enrol-code", "--station", "2")
    done = site.station("enrol", "--code", code, "--url", site.world.home.url, "--config", str(target))
    assert done.returncode == 2
    assert "nothing can be written to that folder" in done.stderr


def test_a_broken_pipe_ends_quietly(site: Site) -> None:
    script = f"{sys.executable} -m station config schema | true"
    done = subprocess.run(
        ["bash", "-c", script], check=False, capture_output=True, text=True, timeout=60, env=site.env()
    )
    assert done.stderr == ""
