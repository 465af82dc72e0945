"""A station that cannot start: it says why and whom to ring, and switches keys off all the same.

Under its real supervisor, on real disks that take no writes, are full or hold damaged databases.
"""

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyte
import pytest

from station.ports import KeyFile
from tests.pushed_config.site import Site
from tests.services.test_full_disk import fill
from tests.supervisor.terminal import Terminal

pytestmark = pytest.mark.slow

WITHIN_S = 10.0
AN_ACTIVATION = b"an activation, which only has to be there"
NEIGHBOURS = {
    "stations": [{"name": "Söderby", "address": "Exempelgatan 2"}],
    "support": [{"text": "Nyckelsupport", "phone": "000-000 01", "days": "mon-fri", "from": "08:00", "to": "16:30"}],
}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, for the database."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("a file system of its own takes an administrator (sudo)")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", folder], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("this machine's administrator may not mount")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def run(site: Site) -> Iterator[Callable[..., Terminal]]:
    opened = []

    def open_one(**environment: str) -> Terminal:
        command = [sys.executable, "-m", "station", "run", "--config", str(site.path)]
        opened.append(Terminal(site.folder, command, environment))
        return opened[-1]

    yield open_one
    for terminal in opened:
        terminal.close()


def seen(terminal: Terminal) -> str:
    page = pyte.Screen(80, 24)
    pyte.ByteStream(page).feed(terminal.output)
    return " ".join(" ".join(page.display).split())


async def until(site: Site, terminal: Terminal, true: Callable[[], object]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not true():
        terminal.drain(0)
        assert time.monotonic() < deadline, (seen(terminal), terminal.log())
        await asyncio.sleep(0.01)


async def switched_off(site: Site, terminal: Terminal, *said: str) -> None:
    """A key that is on is switched off, and ``said`` is to be read, all of it within 10 s."""
    site.key.folder.store(KeyFile.ACT.value, AN_ACTIVATION)
    site.key.press()
    site.line.insert(site.key)
    await until(site, terminal, lambda: len(site.key.folder.read(KeyFile.ACT)) <= 1)
    # A kiosk that serves asks for the PIN, under a word that is drawn large.
    await until(site, terminal, lambda: any(each in seen(terminal) for each in ("Key is OFF", "PIN and #.")))
    await until(site, terminal, lambda: all(each in seen(terminal) for each in said))


def remount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", disk], check=True)


def on(site: Site, disk: Path) -> None:
    """The station's data are on ``disk``."""
    (disk / "neighbours.json").write_text(json.dumps(NEIGHBOURS))
    site.push(site.text(storage=f'database = "{disk}/station.db"'))


async def test_a_read_only_disk(site: Site, disk: Path, run: Callable[..., Terminal]) -> None:
    on(site, disk)
    remount(disk, "ro")
    terminal = run()
    await switched_off(site, terminal, "read-only", "This station cannot start", "000-000 01 (Mon-Fri", "Söderby")
    assert "not set up" not in seen(terminal)
    remount(disk, "rw")
    site.line.pull()
    await until(site, terminal, lambda: "Press the button" in seen(terminal))


@pytest.mark.parametrize("has_database", [True, False])
async def test_a_full_disk(site: Site, disk: Path, run: Callable[..., Terminal], *, has_database: bool) -> None:
    on(site, disk)
    if has_database:
        await site.open()
        await site.stop()
    fill(disk)
    await switched_off(site, run(), *([] if has_database else ["the disk is full", "000-000 01"]))


@pytest.mark.parametrize("notify", [False, True])
async def test_a_damaged_database(site: Site, tmp_path: Path, run: Callable[..., Terminal], *, notify: bool) -> None:
    (site.folder / "station.db").write_bytes(os.urandom(9999))
    terminal = run(**({"NOTIFY_SOCKET": str(tmp_path / "notify")} if notify else {}))
    await switched_off(site, terminal, "damaged", "This station cannot start")


async def test_a_database_of_a_newer_program(site: Site, run: Callable[..., Terminal]) -> None:
    await site.open()
    await site.stop()
    with sqlite3.connect(site.folder / "station.db") as db:
        db.execute("INSERT INTO _sqlite_migrations (migration_set, name) VALUES ('station', 'of the future')")
    await switched_off(site, run(), "newer program")


async def test_credentials_that_are_missing(site: Site, tmp_path: Path, run: Callable[..., Terminal]) -> None:
    (site.folder / "credentials.json").unlink()
    await switched_off(site, run(NOTIFY_SOCKET=str(tmp_path / "notify")), "station enrol")


async def test_without_a_reader_nothing_is_promised(site: Site, tmp_path: Path, run: Callable[..., Terminal]) -> None:
    (site.folder / "station.db").write_bytes(os.urandom(9999))
    site.push(site.text(key_reader=f'port = "{tmp_path}/nothing"'))
    terminal = run()
    await until(site, terminal, lambda: "This station cannot be used" in seen(terminal))
    assert "OFF" not in seen(terminal)
