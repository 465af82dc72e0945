"""The sample site for tests of the command line: a served central, emulated keys on a real pseudo-terminal."""

import asyncio
import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from station.demo.site import DemoSite
from station.services.status_file import FILE_NAME

ROOT = Path(__file__).parents[2]
START_LIMIT_S = 180.0
COMMAND_LIMIT_S = 180.0


class Site:
    """A `DemoSite` on an event loop in a thread of its own, and the console scripts beside it."""

    def __init__(self, folder: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._kiosk_pid = 0
        self.world = DemoSite(folder, language="en")
        asyncio.run_coroutine_threadsafe(self.world.start(), self._loop).result(START_LIMIT_S)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self.world.close(), self._loop).result(START_LIMIT_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_LIMIT_S)
        self._loop.close()

    def do(self, work: Callable[[], Any]) -> Any:
        """Run ``work`` where the world lives."""

        async def once() -> Any:
            return work()

        return asyncio.run_coroutine_threadsafe(once(), self._loop).result(COMMAND_LIMIT_S)

    @property
    def folder(self) -> Path:
        """The first station's."""
        return self.world.home.folder

    def insert(self, key: int) -> None:
        self.do(lambda: self.world.insert(key, self.world.home))

    def pull(self) -> None:
        self.do(self.world.home.line.pull)

    def network(self, *, up: bool) -> None:
        work = self.world.home.network.restore if up else self.world.home.network.cut
        asyncio.run_coroutine_threadsafe(work(), self._loop).result(COMMAND_LIMIT_S)

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

    def fresh_station(self, name: str, port: str | None = None) -> Path:
        """The first station with nothing in its database, in a folder of its own."""
        folder = self.world.folder / name
        folder.mkdir()
        text = (self.folder / "station.toml").read_text("utf-8")
        if port is not None:
            text = text.replace(str(self.world.home.line.path), port)
        (folder / "station.toml").write_text(text, "utf-8")
        (folder / "credentials.json").touch(0o600)
        (folder / "credentials.json").write_bytes((self.folder / "credentials.json").read_bytes())
        return folder

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
