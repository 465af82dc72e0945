"""The scenarios that come with the program, each played by the command through the real parts."""

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from station.cli import main
from station.demo import expectations, served_station
from station.demo.scenario import Scenario, play
from station.demo.scenarios import morning, names
from station.demo.site import DemoSite
from station.demo.steps import ExpectationFailed
from tools.pages import drill
from tools.pages.rules import RULES

pytestmark = pytest.mark.slow

LIMIT_S = 900
END_LIMIT_S = 90


def test_there_are_seven() -> None:
    assert names() == ["bounce", "boxes", "crisis", "morning", "offline", "pools", "refusals"]


BY_DAY = {"morning", "boxes", "crisis"}
"""Of the rules that the others show, `make test` plays each in tests of its own."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in BY_DAY else [pytest.mark.nightly]) for name in names()]
)
def test_scenario(name: str, site: Path) -> None:
    played = subprocess.run(
        [sys.executable, "-m", "station", "demo", "--script", name, "--state", str(site)],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert (played.returncode, played.stderr) == (0, ""), played.stdout[-3000:]
    assert "Traceback" not in (site / "demo.log").read_text()
    shown = [rule for rules in RULES.values() for rule in rules if rule.scenario == name]
    assert shown
    assert [(rule.chapter, rule.step) for rule in shown if not rule.is_shown(played.stdout)] == []
    if name == "crisis":
        page = drill.shown(drill.PAGE.read_text("utf-8"))
        printed = drill.steady(played.stdout).splitlines()
        assert printed == drill.steady(page).splitlines(), "mended by python -m tools.pages.drill"


async def wrong(scene: Scenario) -> None:
    await scene.say("Not on")
    await scene.insert(5001)
    await scene.light(5001, "blue_blinking")
    await scene.lock(5001, 140, 3, "opened")
    await scene.say("never reached")


def test_what_does_not_come_true_is_one_line_and_exit_code_1(
    site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(morning, "play", wrong)
    assert main(["demo", "--script", "morning", "--state", str(site)]) == 1
    said = capsys.readouterr()
    line = wrong.__code__.co_firstlineno + 4
    where = f"{Path(__file__).name}:{line}"
    assert said.err == f"{where}: lock 5001 140 3 opened: instead the lock says not_active (blue_blinking)\n"
    assert "never reached" not in said.out


def test_a_name_that_there_is_not_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["demo", "--script", "no such"])
    assert caught.value.code == 2
    assert "bounce" in capsys.readouterr().err


async def test_a_kept_site_goes_on_where_it_was(site: Path) -> None:
    async def first(scene: Scenario) -> None:
        await scene.switch_on(5001, 1001)
        await scene.lock(5001, 140, 3, "opened")
        await scene.skip(86400)

    async def second(scene: Scenario) -> None:
        await scene.lock(5001, 140, 3, "expired")
        await scene.switch_on(5001, 1001)

    for scenario in (first, second):
        demo = DemoSite(site, language="en")
        try:
            await demo.start()
            await play(scenario, demo, lambda _: None)
        finally:
            await demo.close()


@pytest.mark.parametrize(
    "how",
    [
        signal.SIGTERM,
        signal.SIGKILL,
        pytest.param(signal.SIGHUP, marks=pytest.mark.nightly),
        pytest.param(signal.SIGINT, marks=pytest.mark.nightly),
    ],
)
def test_nothing_is_left_behind(how: signal.Signals, site: Path) -> None:
    command = [sys.executable, "-m", "station", "demo", "--script", "crisis", "--state", str(site)]
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


Wrong = Callable[[Scenario], Coroutine[Any, Any, None]]
WRONG: list[tuple[Wrong, str]] = [
    (lambda s: s.see("ready"), "see ready: instead the screen says: OFF. Going home"),
    (lambda s: s.see("prompt", "blocked"), "see prompt blocked: instead the screen says: OFF. Going home"),
    (lambda s: s.never("reading"), "never reading: instead the screen has said reading since the key was put in"),
    (lambda s: s.key_shown(5002), "key-shown 5002: instead the screen says: OFF. Going home"),
    (lambda s: s.digits(3), "digits 3: instead 0: OFF. Going home"),
    (lambda s: s.wait(5), "wait 5: instead it counts from None"),
    (lambda s: s.age(3600), "age 3600: instead"),
    (lambda s: s.light(5001, "blue_steady"), "light 5001 blue_steady: instead the key's light is blue_blinking"),
    (lambda s: s.file(5001, "act", "there"), "file 5001 act there: instead empty and unwritten"),
    (lambda s: s.file(5001, "sync", "unwritten"), "file 5001 sync unwritten: instead there and written"),
    (lambda s: s.event("key_activated", 5001), "event key_activated 5001: instead central has heard"),
    (lambda s: s.no_event("station_started"), "no-event station_started: instead central has heard"),
    (lambda s: s.log(140, 5001, 1001), "log 140 5001 1001: instead the opening log has nothing"),
    (lambda s: s.insert(4999), "insert 4999: instead no_such_key key=4999"),
    (lambda s: s.pin(999), "pin 999: instead there is no holder 999"),
    (
        lambda s: s.manage("block-key", 4999),
        "manage block-key 4999: instead central_refuses reason=CommandError: site 1 has no key 4999",
    ),
    (lambda s: s.lamp("green"), "lamp green: instead the screen says: OFF. Going home"),
    (
        lambda s: s.lock(5001, 140, 3, "opened", record=True),
        "lock 5001 140 3 opened record: instead the lock says not_active",
    ),
    (lambda s: s.reconciled(), "reconciled: instead not in the opening log: key 5001 at lock 140: not_active"),
]
MISSPELT: list[Wrong] = [
    lambda s: s.see("redy"),
    lambda s: s.see("refused", "because"),
    lambda s: s.never("redy"),
    lambda s: s.lock(5001, 140, 3, "open"),
    lambda s: s.light(5001, "pink"),
    lambda s: s.event("key_refused", 5001, "because"),
]


async def test_every_expectation_can_fail(world: DemoSite, monkeypatch: pytest.MonkeyPatch) -> None:
    async def all_wrong(scene: Scenario) -> None:
        await scene.say("All")
        await scene.insert(5001)
        await scene.see("prompt")
        await scene.file(5001, "block", "there")
        await scene.light(5001, "blue_blinking")
        await scene.heard(lambda: any(e["type"] == "station_started" for e in world.central.events))
        scene._events_before = 0
        for module in (expectations, served_station):
            monkeypatch.setattr(module, "NOTICE_LIMIT_S", 0.5)
        for step in MISSPELT:
            with pytest.raises(ValueError, match=r"redy|because|open|pink"):
                await step(scene)
        for step, expected in WRONG:
            with pytest.raises(ExpectationFailed) as caught:
                await step(scene)
            assert str(caught.value).startswith(expected)

    await play(all_wrong, world, lambda _: None)
