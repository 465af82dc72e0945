"""A site in a folder, as a newcomer sets it up by hand: central seeded and served, a station's configuration."""

import json
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.system.terminals import Pane, Terminals, eventually

ROOT = Path(__file__).parents[2]
SERVING = re.compile(r"central is serving on (http://127\.0\.0\.1:(\d+))")


@pytest.fixture
def terminals(tmp_path: Path) -> Iterator[Terminals]:
    if shutil.which("tmux") is None:
        pytest.skip("tmux is missing: the session in real terminals is not tested")
    opened = Terminals(tmp_path)
    yield opened
    opened.close()


@dataclass
class Site:
    """What `central seed` told, and the folder of it all."""

    folder: Path
    seeded: dict[str, Any] = field(repr=False)
    central: Pane
    url: str = ""

    def person(self, holder: int) -> dict[str, Any]:
        return next(p for p in self.seeded["people"] if p["holder"] == holder)

    def serve(self, port: int = 0) -> None:
        """`central serve` in its terminal."""
        self.central.enter(f"clear; central serve --data central --port {port}")
        found = eventually(lambda: SERVING.search(self.central.words), lambda: self.central.screen)
        self.url = found[1]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def kill_central(self) -> None:
        """As when its machine loses power."""
        subprocess.run(["kill", "-9", str(self.central.child())], check=True)
        self.central.until("Killed")

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Central's own record of what stations reported, in the order of the stations' counters."""
        database = sqlite3.connect(f"file:{self.folder}/central/central.sqlite3?mode=ro", uri=True)
        database.row_factory = sqlite3.Row
        try:
            rows = database.execute("SELECT * FROM central_event WHERE type = ? ORDER BY seq", [kind]).fetchall()
            return [dict(row) | {"data": json.loads(row["data"])} for row in rows]
        finally:
            database.close()

    def sequence(self) -> list[int]:
        """The counters of all events at central."""
        database = sqlite3.connect(f"file:{self.folder}/central/central.sqlite3?mode=ro", uri=True)
        try:
            return [seq for (seq,) in database.execute("SELECT seq FROM central_event ORDER BY seq")]
        finally:
            database.close()


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command to its end."""
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def site(terminals: Terminals, tmp_path: Path) -> Site:
    seeded = run(tmp_path, "central.cli", "seed", "--data", "central", "--keys", "keys", "--json")
    assert seeded.returncode == 0, seeded.stderr
    site = Site(tmp_path, json.loads(seeded.stdout), terminals.open(120, 30))
    site.serve()
    return site


@pytest.fixture
def station_toml(tmp_path: Path) -> Path:
    """The shipped file, in English, with a quick poll."""
    text = (ROOT / "station.toml").read_text("utf-8")
    text = text.replace('# language = "sv"', 'language = "en"').replace("# poll_s = 60", "poll_s = 10")
    path = tmp_path / "station.toml"
    path.write_text(text, encoding="utf-8")
    return path


def end(pane: Pane) -> None:
    """SIGTERM to what runs in a terminal, and wait for the shell."""
    subprocess.run(["kill", f"-{signal.SIGTERM:d}", str(pane.child())], check=True)
    pane.until_prompt()
