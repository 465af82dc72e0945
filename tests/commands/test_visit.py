"""One visit without a screen: a real key on a real pseudo-terminal, a real central."""

import os
import pty
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from station.rules.facts import OffOnlyReason
from tests.running_site import COMMAND_LIMIT_S, RunningSite

pytestmark = pytest.mark.slow
KEY, OTHER = 5001, 5002


def test_without_a_pin_the_key_is_off(site: RunningSite) -> None:
    site.insert(KEY)
    told = site.json("visit")
    assert (told["outcome"], told["reason"], told["off"], told["key"]) == ("off", None, True, KEY)
    assert told["holder"] == 1001
    assert told["source"] == "online"
    assert told["expires"] is told["areas"] is told["locks"] is None
    assert 0 < told["timings_ms"]["off"] < told["timings_ms"]["read"] <= told["timings_ms"]["total"]
    assert 500 < told["wire_bytes"] < 20_000


def test_with_its_pin_the_key_is_ready_and_a_lock_opens(site: RunningSite) -> None:
    site.insert(KEY)
    told = site.json("visit", "--pin-stdin", stdin=f"*{site.pin(KEY)}#\n")  # as at the keypad
    assert (told["outcome"], told["off"], told["key"]) == ("ready", False, KEY)
    assert 10 * 3600 < told["expires"] - time.time() <= 11 * 3600 + 5
    assert told["areas"] == [2, 3]
    assert isinstance(told["locks"], list)
    assert told["mirror_age_s"] <= 5
    assert told["timings_ms"]["pin_checked"] < told["timings_ms"]["ready"]
    opened = site.json("lock", "try", "--lock", "1")
    assert (opened["opened"], opened["light"]) == (True, "green")
    site.insert(KEY)
    assert site.json("visit")["outcome"] == "off"
    shut = site.json("lock", "try", "--lock", "1", "--state", str(site.world.folder / "keys/5001"), code=1)
    assert shut["reason"] == "not_active"


def test_no_pin_on_standard_input_is_as_without(site: RunningSite) -> None:
    site.insert(KEY)
    assert site.json("visit", "--pin-stdin", stdin="\n")["outcome"] == "off"


def test_a_wrong_pin_is_refused_and_the_key_stays_off(site: RunningSite) -> None:
    site.insert(OTHER)
    told = site.json("visit", "--pin-stdin", stdin=site.pin(KEY), code=1)
    assert (told["outcome"], told["reason"], told["off"]) == ("refused", "wrong_pin", True)
    # Takes the count back, so that no test has to wait for another's.
    site.insert(OTHER)
    assert site.json("visit", "--pin-stdin", stdin=site.pin(OTHER))["outcome"] == "ready"


def test_a_blocked_key_is_refused_with_the_reason(site: RunningSite) -> None:
    site.insert(site.key_with("blocked"))
    told = site.json("visit", code=1)
    assert (told["outcome"], told["reason"], told["off"]) == ("refused", "blocked", True)


def test_a_station_that_cannot_activate_says_why_and_switches_off(site: RunningSite, tmp_path: Path) -> None:
    site.copy_station(tmp_path)
    site.network(up=False)
    try:
        site.insert(KEY)
        told = site.json("visit", "--pin-stdin", stdin=site.pin(KEY), code=1, folder=tmp_path)
    finally:
        site.network(up=True)
    assert (told["outcome"], told["off"], told["source"]) == ("refused", True, "mirror")
    # Of a new station's mirror there is nothing: it does not know any key, or whether it is that time.
    assert told["reason"] in {"unknown", *OffOnlyReason}


def test_no_key_in_time(site: RunningSite) -> None:
    told = site.json("visit", "--timeout", "0.3", code=1)
    assert (told["outcome"], told["reason"], told["key"]) == ("no_key", "no_key", None)


def test_no_reader(site: RunningSite, tmp_path: Path) -> None:
    site.copy_station(tmp_path, port="/dev/station-no-such-port")
    done = site.station("visit", folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("station visit: there is no such serial port; plug the key reader in")


def test_what_is_no_pin_is_not_repeated(site: RunningSite) -> None:
    site.insert(KEY)
    done = site.station("visit", "--pin-stdin", stdin="73x8291\n")
    assert done.returncode == 2
    assert done.stderr.startswith("station visit: expected a PIN of 1 to 16 digits on standard input")
    assert "8291" not in done.stderr + done.stdout


def test_a_terminal_does_not_show_the_pin_and_is_as_before(site: RunningSite) -> None:
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    site.insert(KEY)
    command = [sys.executable, "-m", "station", "visit", "--pin-stdin", "--json"]
    with subprocess.Popen(
        command, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, cwd=site.folder, env=site.env(), text=True
    ) as process:
        shown = b""
        while b"Enter" not in shown:
            shown += os.read(ours, 1024)
        os.write(ours, site.pin(KEY).encode() + b"\n")
        out, _ = process.communicate(timeout=COMMAND_LIMIT_S)
    assert '"outcome": "ready"' in out
    os.set_blocking(ours, False)
    shown += os.read(ours, 65536)
    assert site.pin(KEY).encode() not in shown
    assert termios.tcgetattr(theirs) == before
    os.close(ours)
    os.close(theirs)


def test_a_key_with_garbage_in_its_files_is_told_plainly(site: RunningSite) -> None:
    folder = site.world.folder / "keys" / str(OTHER)
    whole = {file.name: file.read_bytes() for file in folder.iterdir() if "." not in file.name}
    try:
        for name in ("id", "permit", "act", "log", "ack"):
            (folder / name).write_bytes(b"\x9b\x7f\xff\xff\xff\xff\xff\xff\xff" + name.encode() * 400)
        site.insert(OTHER)
        told = site.json("visit", code=1)
        assert (told["outcome"], told["reason"], told["off"], told["key"]) == ("failed", "unreadable", True, None)
        (folder / "id").write_bytes(whole["id"])
        assert site.json("visit", "--pin-stdin", stdin=site.pin(OTHER))["outcome"] == "ready"
    finally:
        for name, content in whole.items():
            (folder / name).write_bytes(content)
