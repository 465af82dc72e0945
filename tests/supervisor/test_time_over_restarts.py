"""Central's signed time over restarts of the program: three processes, one after the other, in one boot."""

import asyncio
import contextlib
import json
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import config
from station.app import Station
from station.records.keys import SigningKey
from station.sync import clock_note
from station.sync.refused_records import RefusalReports
from station.sync.signed_time import SignedTime
from tests.services.credentials import credentials_for
from tests.services.lying_central import DAY_S, STATION, LyingCentral
from tests.supervisor.terminal import RESTARTING, Open, Terminal

pytestmark = pytest.mark.slow


async def meets_central_once(folder: Path) -> Path:
    """A station that trusts no clock but central's, which it has met, and which is gone. Its station.toml."""
    central, signing = LyingCentral(), SigningKey.generate()
    central.clock = lambda: int(time.time())
    await central.start()
    certificate = central.certify(signing.public, central.clock() - DAY_S)
    credentials_for(central, signing, certificate).save(folder / "credentials.json")
    path = folder / "station.toml"
    path.write_text(
        f'[station]\nnumber = {STATION}\nname = "Exempelby"\n[central]\nurl = "{central.url}"\n'
        '[key_reader]\nport = "/dev/null"\n[clock]\ntrust_ntp = false\n[display]\nlanguage = "en"\n',
        "utf-8",
    )
    station = await Station.open(config.load(path))
    time_ = SignedTime(station.central, station.time, station.identity, RefusalReports(station.store, station.time))
    assert await time_.ask()
    await station.close()
    await central.stop()
    return path


def clock_of(terminal: Terminal) -> dict[str, Any]:
    """What the present kiosk says of its clock; empty before it has said anything."""
    with contextlib.suppress(OSError, ValueError):
        said = json.loads((terminal.folder / "status.json").read_bytes())
        return dict(said["clock"]) if said["pid"] == terminal.child else {}
    return {}


def test_0_and_2_during_an_outage_leave_the_time_as_it_was(tmp_path: Path, open_terminal: Open) -> None:
    path = asyncio.run(meets_central_once(tmp_path))
    terminal = open_terminal(command=[sys.executable, "-m", "station", "run", "--config", str(path)])
    first = terminal.until(lambda: clock_of(terminal))
    before = terminal.child
    terminal.holds_until(b"0", b"2", RESTARTING)
    terminal.until_another_than(before)
    second = terminal.until(lambda: clock_of(terminal))
    for clock in (first, second):
        assert (clock["trusted"], clock["source"], clock["doubt"]) == (True, "synced", None)
        assert abs(clock["unix_s"] - time.time()) < 120
    assert second["signed_age_s"] >= first["signed_age_s"]
    terminal.process.terminate()
    assert terminal.ended() == 0
    with contextlib.closing(sqlite3.connect(f"file:{tmp_path}/station.db?mode=ro", uri=True)) as database:
        ((note,),) = database.execute("SELECT value FROM note WHERE name = ?", [clock_note.NOTE])
    assert clock_note.read(note).memory.last_trusted_s >= second["unix_s"], "kept at the end too"
