"""The supervisor in a real pseudo-terminal, with a small program in the kiosk's place."""

import json
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from station.supervisor.key_filter import BURST_STROKES, STROKES_PER_S
from station.supervisor.restart_policy import BACKOFF_S, DEATHS_LIMIT
from station.supervisor.screens import NEIGHBOURS_FILE
from tests.supervisor.terminal import DEADLINE_S, HOLDS, RESTARTING, Open, Terminal, alive

OWN_GREEN = b"\x1b]104;2\x1b\\"
"""Puts the palette's green back."""

# --- the terminal and its child ---------------------------------------------------------------------------------------


def test_the_child_has_a_terminal_of_its_own(open_terminal: Open) -> None:
    terminal = open_terminal()
    terminal.sees("Starting …")
    terminal.sees("UP 80x24 raw=True tty=True")
    terminal.resize(100, 30)
    os.kill(terminal.process.pid, signal.SIGWINCH)
    terminal.sees("SIZE 100x30")
    environment = (terminal.folder / "environment").read_text().split()
    assert [name for name in environment if name.startswith("TEXTUAL")] == ["TEXTUAL_DISABLE_KITTY_KEY"]
    assert terminal.starts() == ["power"]


def test_keys_of_a_pin_pass_and_nothing_else(open_terminal: Open) -> None:
    terminal = open_terminal()
    terminal.sees("UP")
    terminal.type(b"\x03\x1a\x1c\x11\x13q\xff\xc3(\x1b[50;1:3u\x1b[200~99\x1b[201~*481\x1bOp\x1bOM\x7f\x08#")
    terminal.until(lambda: terminal.typed().endswith(b"#"))
    assert terminal.typed() == b"*4810\r\x7f\x7f#"
    assert terminal.starts() == ["power"]


def test_a_megabyte_of_noise_and_then_a_pin(open_terminal: Open) -> None:
    terminal = open_terminal()
    terminal.sees("UP")
    began_at = time.monotonic()
    noise = random.Random(20).randbytes(1 << 20)
    for at in range(0, len(noise), 65536):
        terminal.type(noise[at : at + 65536])
    # Whatever sequence the noise has begun is over after a pause, and the rate's bucket is full again.
    terminal.until_noise_is_over()
    assert len(terminal.typed()) <= BURST_STROKES + STROKES_PER_S * (time.monotonic() - began_at)
    before = terminal.typed()
    terminal.type(b"*481516#")
    terminal.until(lambda: terminal.typed().endswith(b"*481516#"))
    assert terminal.typed() == before + b"*481516#"
    assert terminal.starts() == ["power"]
    assert terminal.process.poll() is None


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGHUP])
def test_its_end_ends_the_child_and_gives_the_terminal_back(open_terminal: Open, ending: signal.Signals) -> None:
    terminal = open_terminal()
    terminal.sees("UP")
    assert termios.tcgetattr(terminal.slave) != terminal.before
    child = int((terminal.folder / "pid").read_text())
    terminal.process.send_signal(ending)
    assert terminal.ended() == 0
    assert termios.tcgetattr(terminal.slave) == terminal.before
    assert terminal.output.endswith(b"\x1b[?1049l\x1b[?25h")
    assert OWN_GREEN in terminal.output[terminal.output.rfind(b"UP") :]
    assert not alive(child)
    assert os.get_blocking(terminal.slave)


@pytest.mark.parametrize("stopped", [False, True])
def test_a_child_that_does_not_end_is_killed(open_terminal: Open, stopped: bool) -> None:
    terminal = open_terminal("deaf", TEST_END_S="1")
    terminal.sees("UP")
    child = int((terminal.folder / "pid").read_text())
    if stopped:
        os.kill(child, signal.SIGSTOP)
    at = time.monotonic()
    terminal.process.terminate()
    assert terminal.ended() == 0
    assert time.monotonic() - at >= 1
    assert not alive(child)


def test_a_terminal_that_goes_away_ends_everything(open_terminal: Open) -> None:
    terminal = open_terminal()
    terminal.sees("UP")
    child = int((terminal.folder / "pid").read_text())
    os.close(terminal.slave)
    os.close(terminal.master)
    terminal.slave = terminal.master = -1
    assert terminal.process.wait(DEADLINE_S) == 0
    assert not alive(child)


def test_the_child_does_not_outlive_its_supervisor(open_terminal: Open) -> None:
    terminal = open_terminal("spin")
    terminal.sees("UP")
    child = int((terminal.folder / "pid").read_text())
    terminal.process.kill()
    terminal.process.wait()
    terminal.until(lambda: not alive(child))


def test_nothing_that_the_child_has_started_outlives_it(open_terminal: Open) -> None:
    terminal = open_terminal("fork")
    terminal.sees("UP")
    grandchild = int(terminal.until(lambda: _text(terminal.folder / "grandchild")))
    os.kill(int((terminal.folder / "pid").read_text()), signal.SIGKILL)
    terminal.sees("UP")
    assert OWN_GREEN in terminal.output.partition(b"UP")[2], "what a kiosk has set is undone when it dies"
    terminal.until(lambda: not alive(grandchild))


def test_a_child_that_refuses_at_the_command_line_is_heard(open_terminal: Open) -> None:
    terminal = open_terminal("refuse")
    assert terminal.ended() == 2
    assert terminal.output.rstrip().endswith(b"\x1b[?25hfake kiosk: the number is missing")
    assert termios.tcgetattr(terminal.slave) == terminal.before


def test_a_child_in_the_middle_of_a_sequence(open_terminal: Open) -> None:
    terminal = open_terminal("half")
    terminal.sees("\x1b]0;title")
    terminal.sees("\x18")
    terminal.sees("\x1b[?1003l")
    terminal.sees(RESTARTING)
    terminal.sees("UP")
    assert terminal.starts() == ["power", "crash"]


# --- 0 + 2 ------------------------------------------------------------------------------------------------------------


def restarted_by_hand(open_terminal: Open, mode: str) -> tuple[Terminal, int]:
    """A terminal where 0 + 2 were held before the silence of a child of that mode was noticed, and the child."""
    for _ in range(HOLDS):
        terminal = open_terminal(mode)
        terminal.sees("UP")
        pid = int((terminal.folder / "pid").read_text())
        if mode == "stopped":
            os.kill(pid, signal.SIGSTOP)
        if mode == "unread":
            terminal.type(b"5" * 20_000)
            time.sleep(0.1)
        terminal.holds_until(b"0", b"2", RESTARTING)
        if "reason=watchdog" not in terminal.log():
            return terminal, pid
        # The machine has let the keys go, and the silence was noticed before they could be held once more.
        terminal.close()
        for name in ("starts", "station.log"):
            (terminal.folder / name).unlink()
    raise AssertionError(mode)


@pytest.mark.parametrize("mode", ["stopped", "spin", "descriptors", "unread", "flood", "deaf"])
def test_0_and_2_held_restart_whatever_the_child_does(open_terminal: Open, mode: str) -> None:
    terminal, pid = restarted_by_hand(open_terminal, mode)
    terminal.holds(b"2", b"2", 0.5)
    terminal.sees("UP")
    assert not alive(pid)
    terminal.type(b"7")
    terminal.until(terminal.typed)
    assert terminal.typed() == b"7"
    assert terminal.starts() == ["power", "chord"]


def test_what_is_not_the_chord_passes(open_terminal: Open) -> None:
    terminal = open_terminal()
    terminal.sees("UP")
    typed = b""
    for stroke in b"*0202#" * 3:
        terminal.type(bytes([stroke]))
        typed += bytes([stroke])
        time.sleep(0.05)
    terminal.holds(b"0", b"2", 1.5)
    terminal.type(b"#")
    time.sleep(0.1)
    terminal.holds(b"2", b"2", 2.4)
    terminal.type(b"#")
    terminal.until(lambda: terminal.typed().count(b"#") == 5)
    assert terminal.starts() == ["power"]
    assert terminal.typed().startswith(typed + b"02")


def test_on_a_keypad_read_as_a_device(open_terminal: Open, tmp_path: Path) -> None:
    device = tmp_path / "event0"
    os.mkfifo(device)
    terminal = open_terminal(TEST_KEYPAD=str(device))
    terminal.sees("UP")
    with device.open("wb", buffering=0) as pad:
        terminal.until(lambda: "keypad.opened" in terminal.log())

        def plays(*events: tuple[int, int]) -> None:
            pad.write(b"".join(struct.pack("@llHHi", 0, 0, 1, code, value) for code, value in events))

        plays((55, 1), (55, 0), (76, 1), (76, 2), (76, 0), (96, 1), (96, 0))
        terminal.until(lambda: terminal.typed() == b"*5\r")
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGSTOP)
        plays((82, 1), (80, 1))
        terminal.sees(RESTARTING)
        terminal.sees("UP")
        plays((80, 2), (80, 0), (82, 0), (77, 1))
        terminal.until(terminal.typed)
        assert terminal.typed() == b"6"
    assert terminal.starts() == ["power", "chord"]
    terminal.until(lambda: "keypad.lost" in terminal.log())


def test_a_signal_to_a_child_that_is_just_beginning_is_not_taken_for_ours(open_terminal: Open) -> None:
    terminal = open_terminal()
    terminal.sees("UP")
    for _ in range(30):
        before = terminal.child
        terminal.process.send_signal(signal.SIGUSR1)
        terminal.until_another_than(before)
    terminal.sees("UP")
    assert terminal.process.poll() is None
    assert "supervisor.ends" not in terminal.log()


# --- deaths -----------------------------------------------------------------------------------------------------------


def test_silence_restarts(open_terminal: Open) -> None:
    terminal = open_terminal("silent", TEST_SILENCE_S="2")
    terminal.sees("UP")
    # It has beaten once, some time after it was started.
    assert terminal.sees(RESTARTING) - terminal.started_at > 2
    terminal.sees("UP")
    assert terminal.starts() == ["power", "watchdog"]


def test_a_child_that_asks_for_it_is_started_anew(open_terminal: Open) -> None:
    terminal = open_terminal("update")
    terminal.sees("UP")
    terminal.sees(RESTARTING)
    terminal.sees("UP")
    assert terminal.starts() == ["power", "update"]
    terminal.process.send_signal(signal.SIGUSR1)
    terminal.sees(RESTARTING)
    terminal.sees("UP")
    assert terminal.starts() == ["power", "update", "update"]


def test_a_child_that_cannot_be_started_is_tried_again_later_and_later(open_terminal: Open) -> None:
    terminal = open_terminal("always-die")
    terminal.until(lambda: len(terminal.starts()) >= 4)
    assert terminal.starts()[:4] == ["power", *["power,crash"] * 3]
    # Each dies after it has said when it was, and the next takes a moment to say it.
    _, second, third, fourth = terminal.times()[:4]
    assert third - second > BACKOFF_S[1]
    assert fourth - third > BACKOFF_S[2]


def test_whoever_asks_during_a_pause_does_not_wait(open_terminal: Open) -> None:
    terminal = open_terminal("always-silent", TEST_SILENCE_S="0.5")
    # Killed for its silence each time; before the fourth start there are 2 s.
    terminal.until(lambda: terminal.log().count("kiosk.died code=-9 reason=watchdog") == 3)
    terminal.process.send_signal(signal.SIGUSR1)
    terminal.until(lambda: len(terminal.starts()) >= 4)
    assert terminal.starts()[3] == "watchdog,update"


def test_out_of_order_says_where_to_go(open_terminal: Open, tmp_path: Path) -> None:
    document = {
        "stations": [{"name": "Björkdungen", "address": "Björkstigen 2"}],
        "support": [{"text": "Key support", "phone": "000-000 01", "days": "mon-fri", "from": "08:00", "to": "16:30"}],
    }
    (tmp_path / NEIGHBOURS_FILE).write_text(json.dumps(document))
    terminal = open_terminal()
    for death in range(1, DEATHS_LIMIT + 1):
        terminal.sees("UP")
        pid = terminal.child
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        terminal.until_another_than(pid)
        if 1 < death < DEATHS_LIMIT:
            # Whoever asks does not have to wait, however often it has died.
            terminal.sees(RESTARTING)
            terminal.process.send_signal(signal.SIGUSR1)
    terminal.sees("Out of order")
    terminal.sees("Björkdungen, Björkstigen 2")
    terminal.until(lambda: b"000-000 01" in terminal.output)
    assert terminal.process.poll() is None
    terminal.holds_until(b"2", b"0", RESTARTING)
    terminal.sees("UP")


def test_what_a_key_gets_is_promised_only_where_a_kiosk_has_served(open_terminal: Open, tmp_path: Path) -> None:
    promise = b"switched OFF"
    terminal = open_terminal("always-die")
    terminal.until(lambda: len(terminal.starts()) >= 3)
    assert promise not in terminal.output
    terminal.close()
    (tmp_path / "starts").unlink()
    terminal = open_terminal()
    terminal.sees("UP")
    terminal.process.send_signal(signal.SIGUSR1)
    terminal.sees(promise)
    terminal.sees("UP")
    (tmp_path / "status.json").write_text(json.dumps({"format": 1, "reader": "broken"}))
    promised = terminal.output.count(promise)
    terminal.process.send_signal(signal.SIGUSR1)
    terminal.sees(RESTARTING)
    terminal.sees("UP")
    assert terminal.output.count(promise) == promised


@pytest.mark.parametrize(("watched", "reason"), [("300000", "watchdog"), ("", "crash")])
def test_a_supervisor_that_was_killed_is_told_by_the_next(
    open_terminal: Open, tmp_path: Path, watched: str, reason: str
) -> None:
    environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": watched}
    for ending in (signal.SIGKILL, signal.SIGABRT, signal.SIGTERM):
        terminal = open_terminal(**environment)
        terminal.sees("UP")
        child = terminal.child
        assert child is not None
        terminal.process.send_signal(ending)
        terminal.process.wait()
        terminal.until(lambda: not alive(child))  # noqa: B023 - awaited at once
    terminal = open_terminal(**environment)
    terminal.sees("UP")
    assert terminal.starts() == ["power", reason, reason, "power"]


def test_a_kiosk_in_a_machine_with_no_color_and_another_character_set(open_terminal: Open, tmp_path: Path) -> None:
    terminal = open_terminal(NO_COLOR="", LANG="sv_SE.ISO-8859-1", PYTHONSTARTUP="x", LD_LIBRARY_PATH="/nowhere")
    terminal.sees("UP")
    names = {line.partition("=")[0] for line in (tmp_path / "environment").read_text().splitlines()}
    assert not names & {"NO_COLOR", "PYTHONSTARTUP", "LD_LIBRARY_PATH", "PATH", "TEXTUAL"}


# --- systemd ----------------------------------------------------------------------------------------------------------


def test_systemd_is_told(open_terminal: Open, tmp_path: Path) -> None:
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(address))
        systemd.settimeout(DEADLINE_S)
        terminal = open_terminal("silent", NOTIFY_SOCKET=str(address), WATCHDOG_USEC="300000")
        said = [systemd.recv(1000).decode()]
        terminal.sees("UP")
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGSTOP)
        said += [systemd.recv(1000).decode() for _ in range(6)]
        assert said[0] == "READY=1"
        assert said.count("WATCHDOG=1") >= 4
        terminal.process.terminate()
        while said[-1] != "STOPPING=1":
            said.append(systemd.recv(1000).decode())
    assert "NOTIFY_SOCKET" not in (tmp_path / "environment").read_text()


# --- sizes and times --------------------------------------------------------------------------------------------------


def test_it_is_small_and_quick(open_terminal: Open, report: Callable[[str, object], None]) -> None:
    terminal = open_terminal()
    first_s = terminal.sees("Starting …") - terminal.started_at
    terminal.sees("UP")
    status = Path(f"/proc/{terminal.process.pid}/status").read_text()
    resident_kib = int(status.partition("VmRSS:")[2].split()[0])
    report("first_picture_ms", round(first_s * 1000))
    report("resident_kib", resident_kib)
    assert first_s < 2.0
    assert resident_kib < 30_000


def test_nothing_of_the_station_is_loaded() -> None:
    code = "import sys, station.supervisor.supervisor; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    ours = [name for name in loaded if name.startswith(("station.", "ui", "config", "drivers"))]
    assert all(name.startswith("station.supervisor") for name in ours)
    assert not {"textual", "pydantic", "asyncio", "subprocess", "dataclasses", "ctypes", "socket"} & set(loaded)


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""
