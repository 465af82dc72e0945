"""The real kiosk under the real supervisor: crashes, 0 + 2, a key in the socket meanwhile."""

import json
import os
import signal
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyte
import pytest

from station.rules.locks import Light
from tests.running_site import RunningSite
from tests.supervisor.terminal import RESTARTING, RUN_SUPERVISOR, Open, Terminal, alive

pytestmark = pytest.mark.slow

FAULTY = Path(__file__).with_name("faulty_kiosk.py")
MARK = b"MARKED-SECRET-481516"
ROUNDS = 20 if os.environ.get("HYPOTHESIS_PROFILE") == "full" else 3
UP = "Station 1"
"""In the strip at the bottom of each of the kiosk's screens."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    running = RunningSite(tmp_path_factory.mktemp("site"))
    yield running
    running.close()


def offline_copy(site: RunningSite, folder: Path) -> Path:
    """The station of ``site`` once more, without a key reader and offline, so that its events stay with it."""
    return site.copy_station(folder, port=str(folder / "no-key-reader"), url="http://127.0.0.1:9")


def station_run(config: Path) -> list[str]:
    return [sys.executable, "-m", "station", "run", "--config", str(config)]


def seen(terminal: Terminal) -> str:
    """What is on the screen, as running text."""
    page = pyte.Screen(80, 24)
    pyte.ByteStream(page).feed(terminal.output)
    return " ".join(" ".join(page.display).split())


def events(folder: Path) -> list[tuple[str, str | None]]:
    """Type and reason of what the station has kept for central."""
    database = sqlite3.connect(f"file:{folder}/station.db?mode=ro", uri=True)
    try:
        bodies = [json.loads(body) for (body,) in database.execute("SELECT body FROM outbox ORDER BY seq")]
    finally:
        database.close()
    return [(body["type"], body.get("data", {}).get("reason")) for body in bodies]


def events_at_central(folder: Path) -> list[tuple[str, str | None]]:
    database = sqlite3.connect(f"file:{folder}/central/central.sqlite3?mode=ro", uri=True)
    try:
        rows = database.execute("SELECT type, data FROM central_event ORDER BY seq").fetchall()
    finally:
        database.close()
    return [(type_, json.loads(data).get("reason")) for type_, data in rows]


FAULTS = ["screen", "service", "worker", "thread", "call_later", "loop", "abort", "exit"]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_crash_shows_nothing_and_is_over_at_once(
    fault: str, site: RunningSite, tmp_path: Path, open_terminal: Open, report: Callable[[str, object], None]
) -> None:
    config = offline_copy(site, tmp_path)
    kiosk = [sys.executable, str(FAULTY), fault, "kiosk", "--config", str(config)]
    terminal = open_terminal(command=[sys.executable, str(RUN_SUPERVISOR), str(tmp_path), *kiosk])
    terminal.sees(UP)
    before = terminal.child
    terminal.seen_at = len(terminal.output)
    at = time.monotonic()
    terminal.type(b"9")
    dead_s = terminal.sees(RESTARTING) - at
    report("dead_ms", round(dead_s * 1000))
    assert dead_s < 3.0
    terminal.until_another_than(before)
    terminal.until(lambda: ("station_restarted", "crash") in events(tmp_path))
    terminal.process.terminate()
    assert terminal.ended() == 0
    for path in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert MARK not in path.read_bytes(), path
    assert MARK not in terminal.output
    assert b"Traceback" not in terminal.output
    log = terminal.log()
    if fault == "exit":
        assert "kiosk.crashed type=SystemExit place=faulty_kiosk.py:" in log
    elif fault != "abort":
        assert "type=ValueError place=faulty_kiosk.py:" in log
        assert "in fail" in log


def test_a_key_in_the_socket_meanwhile_ends_switched_off(
    site: RunningSite, open_terminal: Open, report: Callable[[str, object], None]
) -> None:
    home = site.world.home
    terminal = open_terminal(command=station_run(home.config_file))
    terminal.folder = home.folder
    number, pin = next((key.number, key.pin) for key in site.world.keys.values() if key.pin is not None)
    shown_at = terminal.sees("Starting …")
    report("first_picture_ms", round((shown_at - terminal.started_at) * 1000))
    terminal.sees(UP)
    status = Path(f"/proc/{terminal.process.pid}/status").read_text()
    report("resident_kib", int(status.partition("VmRSS:")[2].split()[0]))
    # Until it has heard of central's keys it would refuse this one.
    terminal.until(lambda: "updated" in seen(terminal))
    terminal.type(b"5")  # A keystroke on the empty screen is nobody's PIN.
    site.insert(number)
    terminal.until(lambda: "Starting: PIN and #" in seen(terminal))
    terminal.type(f"*{pin}#".encode())
    terminal.until(lambda: site.world.light(number) is Light.BLUE_STEADY)
    pid = terminal.child
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    terminal.holds_until(b"0", b"2", RESTARTING)
    terminal.until(lambda: not alive(pid))
    terminal.until(lambda: site.world.light(number) is not Light.BLUE_STEADY)
    terminal.until(lambda: "Going home: take the key out" in seen(terminal))
    terminal.until((home.folder / "neighbours.json").exists)
    terminal.until(lambda: ("station_restarted", "chord") in events_at_central(site.world.folder))
    assert ("station_started", "power") in events_at_central(site.world.folder)
    site.pull()
    terminal.process.terminate()
    assert terminal.ended() == 0
    assert pin is not None
    assert pin not in terminal.log()


def test_chord_to_visible_restart(
    site: RunningSite, tmp_path: Path, open_terminal: Open, report: Callable[[str, object], None]
) -> None:
    config = offline_copy(site, tmp_path)
    terminal = open_terminal(command=station_run(config))
    terminal.sees(UP)
    dark, back = [], []
    for _ in range(ROUNDS):
        dark.append(terminal.holds_until(b"0", b"2", RESTARTING))
        at = time.monotonic()
        terminal.sees(UP)
        back.append(time.monotonic() - at)
        time.sleep(1.1)  # both keys are deaf for so long
    report("dark_ms", round(statistics.median(dark) * 1000))
    report("back_ms", round(statistics.median(back) * 1000))
    assert min(dark) < 0.5
    assert statistics.median(back) < 30
