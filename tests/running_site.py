"""The sample site in full: a served central, emulated keys on a real pseudo-terminal, stations run as processes."""

import asyncio
import fcntl
import json
import os
import pty
import shutil
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from station.demo.site import DemoSite
from station.runtime.status_file import FILE_NAME

ROOT = Path(__file__).parents[1]
START_LIMIT_S = 180.0
COMMAND_LIMIT_S = 180.0

T = TypeVar("T")


class RunningSite:
    """A `DemoSite` on an event loop in a thread of its own, and the console scripts beside it."""

    def __init__(self, folder: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._kiosk_pid = 0
        self.world = DemoSite(folder, language="en")
        self.run(self.world.start())

    def close(self) -> None:
        self.run(self.world.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_LIMIT_S)
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run ``work`` where the world lives."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(START_LIMIT_S)

    def _call(self, work: Callable[[], Any]) -> None:
        async def once() -> None:
            work()

        self.run(once())

    @property
    def folder(self) -> Path:
        """The first station's."""
        return self.world.home.folder

    def insert(self, key: int) -> None:
        self._call(lambda: self.world.insert(key, self.world.home))

    def pull(self) -> None:
        self._call(self.world.home.line.pull)

    def network(self, *, up: bool) -> None:
        network = self.world.home.network
        self.run(network.restore() if up else network.cut())

    def pin(self, key: int) -> str:
        pin = self.world.keys[key].pin
        assert pin is not None
        return pin

    def key_with(self, status: str) -> int:
        return next(key.number for key in self.world.keys.values() if key.status == status)

    def env(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(ROOT), "CENTRAL_DATA": str(self.world.folder / "central")}

    def station(self, *words: str, stdin: str = "", folder: Path | None = None) -> "subprocess.CompletedProcess[str]":
        """Run ``python -m station`` in a folder with a station.toml; no traceback, whatever it is asked."""
        done = subprocess.run(
            [sys.executable, "-m", "station", *words],
            check=False,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=COMMAND_LIMIT_S,
            cwd=folder or self.folder,
            env=self.env(),
        )
        assert "Traceback" not in done.stdout + done.stderr
        return done

    def json(self, *words: str, code: int = 0, stdin: str = "", folder: Path | None = None) -> dict[str, Any]:
        """The one JSON object that a command prints."""
        done = self.station(*words, "--json", stdin=stdin, folder=folder)
        assert done.returncode == code, done
        told = json.loads(done.stdout)
        assert isinstance(told, dict)
        assert done.stdout.count("\n") == 1
        return told

    def central(self, *words: str) -> str:
        command: Sequence[str] = [sys.executable, "-m", "central.cli", *words]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=COMMAND_LIMIT_S, env=self.env(), check=True
        )
        return done.stdout.strip()

    def copy_station(self, folder: Path, *, port: str | None = None, url: str | None = None) -> Path:
        """The first station in ``folder``, with nothing in its database; its station.toml."""
        home = self.world.home
        text = home.config_file.read_text("utf-8")
        text = text.replace(str(home.line.path), port or str(home.line.path)).replace(home.url, url or home.url)
        shutil.copy(self.folder / "credentials.json", folder)
        path = folder / "station.toml"
        path.write_text(text, "utf-8")
        return path

    def status_file(self) -> dict[str, Any]:
        """What the running kiosk says of itself; empty before it says anything."""
        path = self.folder / FILE_NAME
        found = json.loads(path.read_bytes()) if path.exists() else {}
        return found if found.get("pid") == self._kiosk_pid else {}

    @staticmethod
    def until(true: Callable[[], object], limit_s: float = 60.0) -> None:
        """Look until it is so."""
        deadline = time.monotonic() + limit_s
        while not true():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    @contextmanager
    def kiosk(self) -> Iterator[None]:
        """A kiosk on a pseudo-terminal, from when it has said that it runs."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        env = {name: value for name, value in self.env().items() if not name.startswith("TEXTUAL")}
        process = subprocess.Popen(
            [sys.executable, "-m", "station", "kiosk"],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=self.folder,
            env=env | {"TERM": "xterm-256color", "TEXTUAL_DISABLE_KITTY_KEY": "1"},
        )
        os.close(theirs)
        self._kiosk_pid = process.pid
        drawing = threading.Thread(target=_drain, args=(ours,), daemon=True)
        drawing.start()
        try:
            self.until(lambda: self.status_file().get("online"))
            yield
        finally:
            process.terminate()
            process.wait(START_LIMIT_S)
            drawing.join(START_LIMIT_S)
            os.close(ours)


def _drain(terminal: int) -> None:
    # Reading ends with EIO when the last process has let go of the other end.
    with suppress(OSError):
        while os.read(terminal, 65536):
            pass
