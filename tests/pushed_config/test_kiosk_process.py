"""The kiosk itself, on a real pseudo-terminal: told, mended, restarted and set up by files alone."""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from config.loading import version_of
from station.commands import kiosk as kiosk_command
from station.ports import StoreFault
from station.supervisor.kiosk_process import UPDATE_CODE
from tests.pushed_config.site import Site

ROOT = Path(__file__).parents[2]
PATIENCE_S = 40.0

pytestmark = pytest.mark.slow


class Kiosk:
    """`station kiosk` as a supervisor starts it."""

    def __init__(self, site: Site, reasons: str, *through: str) -> None:
        """``through``: what runs it in its own surroundings."""
        self._site = site
        self.master, slave = pty.openpty()
        self.beats, beat = os.pipe()
        self.process = subprocess.Popen(
            [*through, sys.executable, "-m", "station", "kiosk", "--config", str(site.path)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=ROOT,
            pass_fds=[beat],
            start_new_session=True,
            env={**os.environ, "TERM": "linux", "STATION_HEARTBEAT_FD": str(beat), "STATION_START_REASONS": reasons},
        )
        os.close(slave)
        os.close(beat)
        os.set_blocking(self.master, False)
        self.output = b""

    def status(self) -> dict[str, Any]:
        try:
            told = json.loads((self._site.folder / "status.json").read_bytes())
        except (OSError, ValueError):
            return {}
        assert isinstance(told, dict)
        return told

    def look(self) -> None:
        with contextlib.suppress(BlockingIOError, OSError):
            while data := os.read(self.master, 65536):
                self.output += data

    async def until(self, true: Callable[[], Any]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not true():
                self.look()
                await asyncio.sleep(0.02)

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.master)
        os.close(self.beats)


@pytest.fixture
def start(site: Site) -> Iterator[Callable[..., Kiosk]]:
    kiosks = []

    def started(reasons: str = "power") -> Kiosk:
        kiosks.append(Kiosk(site, reasons))
        return kiosks[-1]

    yield started
    for kiosk in kiosks:
        kiosk.end()


async def test_what_is_pushed_at_a_kiosk_is_in_its_status(site: Site, start: Callable[..., Kiosk]) -> None:
    kiosk = start()
    await kiosk.until(lambda: kiosk.status().get("config_version") == version_of(site.path.read_bytes()))
    site.push(site.text(display='language = "da"'))
    await kiosk.until(lambda: kiosk.status()["config_version"] == version_of(site.path.read_bytes()))
    running = kiosk.status()["config_version"]
    site.push(site.text(policy="left_in_s = 1"))
    await kiosk.until(lambda: kiosk.status()["config_rejected"] is not None)
    told = kiosk.status()
    assert told["config_version"] == running
    assert (told["config_rejected"]["line"], told["config_rejected"]["key"]) == (13, "policy.left_in_s")
    done = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "station", "status", "--config", str(site.path)), cwd=ROOT, stdout=subprocess.PIPE
    )
    said = (await done.communicate())[0].decode()
    assert f"{running}; the file that is there is REJECTED: {site.path}:13: policy.left_in_s: expected" in said
    site.push(site.text(storage='database = "other.db"'))
    await kiosk.until(lambda: kiosk.process.poll() is not None)
    assert kiosk.process.returncode == UPDATE_CODE


async def test_what_is_wrong_at_the_start_is_in_the_log(site: Site, start: Callable[..., Kiosk]) -> None:
    first = start()
    await first.until(site.copies)
    first.process.send_signal(signal.SIGTERM)
    await first.until(lambda: first.process.poll() is not None)
    assert first.process.returncode == 0
    site.push(site.text(policy="left_in_s = 1"))
    again = start()
    await again.until(lambda: again.status().get("config_rejected"))
    assert "config.rejected" in (site.folder / "station.log").read_text("utf-8")


def test_what_is_logged_before_a_start_that_fails_is_said(
    site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(_path: Path) -> NoReturn:
        logging.getLogger("station.config").error("config.copy_damaged file=x")
        raise StoreFault("disk_full")

    monkeypatch.setattr(kiosk_command, "_ready", fails)
    with pytest.raises(StoreFault):
        kiosk_command.run(argparse.Namespace(config=site.path, log=None))
    logging.basicConfig(force=True)
    assert capsys.readouterr().err.endswith("ERROR station.config config.copy_damaged file=x\n")


async def test_started_by_hand_it_says_what_is_wrong_and_ends(site: Site, start: Callable[..., Kiosk]) -> None:
    site.push(site.text(policy="left_in_s = 1"))
    kiosk = start()
    await kiosk.until(lambda: kiosk.process.poll() is not None)
    kiosk.look()
    assert kiosk.process.returncode == 2
    assert b"station.toml:13: policy.left_in_s" in kiosk.output


async def test_never_set_up_it_says_what_to_do_and_goes_on_by_itself(site: Site, start: Callable[..., Kiosk]) -> None:
    site.push(site.text(policy="left_in_s = 1"))
    kiosk = start("power,crash")
    for said in (b"This station is not set up yet", b"What is wrong now", b"station.toml:13:"):
        await kiosk.until(lambda: said in kiosk.output.replace(b"\r\n    ", b""))  # noqa: B023 - awaited at once
    assert kiosk.process.poll() is None
    assert os.read(kiosk.beats, 100), "a supervisor must not take the page for a stuck kiosk"
    site.push(site.text())
    await kiosk.until(lambda: kiosk.status().get("config_version") == version_of(site.path.read_bytes()))
    await kiosk.until(lambda: site.copies() == [site.path.read_bytes()])
