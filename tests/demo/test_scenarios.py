"""The scenarios that come with the program, each played by the command through the real parts."""

import contextlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from station.demo import checks, served_station
from station.demo.checks import ExpectationFailed
from station.demo.player import Player
from station.demo.script import names, parse
from station.demo.world import World
from tools.pages import drill

pytestmark = pytest.mark.slow

LIMIT_S = 900
END_LIMIT_S = 90


def play(script: str, site: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "station", "demo", "--script", script, "--state", str(site)],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("name", names())
def test_scenario(name: str, site: Path) -> None:
    played = play(name, site)
    assert (played.returncode, played.stderr) == (0, ""), played.stdout[-3000:]
    assert "Traceback" not in (site / "demo.log").read_text()
    if name == "crisis":
        shown = drill.shown(drill.PAGE.read_text("utf-8"))
        printed = drill.steady(played.stdout).splitlines()
        assert printed == drill.steady(shown).splitlines(), "mended by python -m tools.pages.drill"


def test_what_does_not_come_true_is_one_line_and_exit_code_1(site: Path, tmp_path: Path) -> None:
    script = tmp_path / "own.script"
    script.write_text(
        'say "Not on"\ninsert 5001\nlight 5001 blue_blinking\nlock 5001 140 3 opened\nsay "never reached"\n'
    )
    played = play(str(script), site)
    assert played.returncode == 1
    assert played.stderr == (f"{script}:4: lock 5001 140 3 opened: instead the lock says not_active (blue_blinking)\n")
    assert "never reached" not in played.stdout


def test_a_kept_site_goes_on_where_it_was(site: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.script", tmp_path / "second.script"
    first.write_text("insert 5001\nsee prompt\npin 1001\nsee ready\npull\nlock 5001 140 3 opened\nskip 86400\n")
    second.write_text("lock 5001 140 3 expired\ninsert 5001\nsee prompt\npin 1001\nsee ready\n")
    for script in (first, second):
        played = play(str(script), site)
        assert (played.returncode, played.stderr) == (0, ""), played.stdout


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_behind(how: signal.Signals, site: Path, tmp_path: Path) -> None:
    script = tmp_path / "own.script"
    script.write_text("insert 5001\nsee prompt\nbounce 600\n")
    command = [sys.executable, "-m", "station", "demo", "--script", str(script), "--state", str(site)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as demo:
        assert demo.stdout is not None
        while "see prompt" not in demo.stdout.readline():
            assert demo.poll() is None
        assert len(processes_on(site)) >= 2
        demo.send_signal(how)
        demo.wait(END_LIMIT_S)
    deadline = time.monotonic() + END_LIMIT_S
    while left := processes_on(site):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def processes_on(site: Path) -> list[str]:
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            command = file.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            if str(site) in command:
                found.append(command)
    return found


WRONG = """\
see ready | instead the screen says: Key is OFF.
see prompt blocked | instead the screen says: Key is OFF.
never reading | instead the screen has said reading since the key was put in
key-shown 5002 | instead the screen says: Key is OFF.
digits 3 | instead 0: Key is OFF.
wait 5 | instead it counts from None
age 3600 | instead
light 5001 blue_steady | instead the key's light is blue_blinking
file 5001 act there | instead empty and unwritten
file 5001 sync unwritten | instead there and written
event key_activated 5001 | instead central has heard
no-event station_started | instead central has heard
log 140 5001 1001 | instead the opening log has nothing
insert 4999 | instead no_such_key key=4999
pin 999 | instead there is no holder 999
manage block-key 4999 | instead central_refuses reason=CommandError: site 1 has no key 4999
lamp green | instead the screen says: Key is OFF.
lock 5001 140 3 opened record | instead the lock says not_active
reconciled | instead not in the opening log: key 5001 at lock 140: not_active
"""


async def test_every_expectation_can_fail(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    player = Player(world, told.append)
    for step in parse('say "All"\ninsert 5001\nsee prompt\nfile 5001 block there\nlight 5001 blue_blinking', "f"):
        if step.verb == "say":
            await player._go_to(1)
            await world.central.follow()
            await player._at.hand_over()
        await player._do(step)
    try:
        await player._checks._heard(lambda: any(e["type"] == "station_started" for e in world.central.events))
        player._checks._events_before = 0
        for module in (checks, served_station):
            monkeypatch.setattr(module, "NOTICE_LIMIT_S", 0.5)
        for number, line in enumerate(WRONG.splitlines(), start=1):
            text, expected = line.split(" | ")
            (step,) = parse("\n" * (number - 1) + text, "f")
            with pytest.raises(ExpectationFailed) as caught:
                await player._do(step)
            assert str(caught.value).startswith(f"f:{number}: {text}: {expected}")
    finally:
        for station in player._stations.values():
            await station.stop()
