"""`station key show` and `station key provision`."""

import json
import time
from pathlib import Path

import pytest

from tests.running_site import RunningSite

pytestmark = pytest.mark.slow
KEY = 5003


def test_key_show_on_an_emulated_key_and_in_the_reader(site: RunningSite) -> None:
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


def test_key_show_says_what_is_wrong_with_a_file(site: RunningSite, tmp_path: Path) -> None:
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


def test_provision_hands_out_a_blank_key(site: RunningSite) -> None:
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


def test_provision_with_a_wrong_code_leaves_the_key_as_it_was(site: RunningSite) -> None:
    site.insert(KEY)
    told = site.json("key", "provision", "--code", "0000000000", code=1)
    assert told["error"] == "bad_code"
    assert site.json("key", "show")["key"] == KEY


def test_provision_switches_a_key_off_before_anything_else(site: RunningSite) -> None:
    site.insert(KEY)
    assert site.json("visit", "--pin-stdin", stdin=site.pin(KEY))["outcome"] == "ready"
    site.insert(KEY)
    assert site.json("key", "show")["files"]["act"]["bytes"] > 1
    site.json("key", "provision", "--code", "0000000000", code=1)
    assert site.json("key", "show")["files"]["act"]["bytes"] <= 1


@pytest.mark.slow
def test_a_lock_is_tried_on_a_folder_without_any_configuration(site: RunningSite, tmp_path: Path) -> None:
    (key,) = json.loads((site.folder / "credentials.json").read_text())["central_keys"]
    folder = str(site.world.folder / "keys/5001")
    tried = site.json("lock", "try", "--lock", "1", "--state", folder, "--central-key", key, code=1, folder=tmp_path)
    assert tried["reason"] != "bad_key_record"
    assert not list(tmp_path.iterdir())
    done = site.station("lock", "try", "--lock", "1", "--state", folder, folder=tmp_path)
    assert (done.returncode, "--central-key" in done.stderr) == (2, True)
    done = site.station("lock", "try", "--lock", "2", "--state", folder, "--central-key", key, folder=tmp_path)
    assert (done.returncode, "--area is needed" in done.stderr) == (2, True)
