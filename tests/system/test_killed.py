"""kill -9 of the kiosk and of central at random moments of many visits, with real processes.

The kiosk runs in a pseudo-terminal of its own and is driven with digits; central is a process that is started again on
its port; keys are emulated in this process, on a real pseudo-terminal.
"""

import asyncio
import contextlib
import fcntl
import json
import os
import pty
import random
import signal
import socket
import sqlite3
import struct
import sys
import termios
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from drivers.emulated_key.key import EmulatedKey
from drivers.emulated_key.line import SerialLine
from station.commands.enrol import credentials_of, enrol
from station.ports import KeyFile
from station.records import envelope
from station.records.keys import SigningKey
from station.rules.locks import Lock, decide
from station.secret import Secret

pytestmark = pytest.mark.slow

VISITS = 50 if os.environ.get("HYPOTHESIS_PROFILE") == "full" else 12
SEED = int(os.environ.get("KILL_SEED", "20260303"))
ROOT = Path(__file__).parents[2]
TEST_LOCK = Lock(1, 0)
TRIES = 5
START_LIMIT_S = 60.0


class Processes:
    """central and the kiosk, and how they are killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("TEXTUAL")} | {
            "TERM": "xterm-256color",
            "PYTHONPATH": str(ROOT),
        }
        self.central: asyncio.subprocess.Process | None = None
        self.kiosk: asyncio.subprocess.Process | None = None
        self.terminal = -1
        self.starts: Counter[str] = Counter()

    async def start_central(self) -> None:
        self.starts["central"] += 1
        with (self.folder / "central.log").open("ab") as log:
            self.central = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "central.cli", "serve", "--data", str(self.folder / "central")),
                *("--port", str(self.port)),
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    async def start_kiosk(self) -> None:
        self.starts["kiosk"] += 1
        self.terminal, far = pty.openpty()
        fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        os.set_blocking(self.terminal, False)
        asyncio.get_running_loop().add_reader(self.terminal, self._swallow)
        self.kiosk = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "station", "kiosk", "--config", str(self.folder / "station.toml")),
            env=self.environment,
            stdin=far,
            stdout=far,
            stderr=far,
            start_new_session=True,
        )
        os.close(far)

    def _swallow(self) -> None:
        try:
            os.read(self.terminal, 65536)
        except OSError:
            asyncio.get_running_loop().remove_reader(self.terminal)

    def type(self, text: str) -> None:
        # Killed in this instant, and not yet heard of.
        with contextlib.suppress(OSError):
            os.write(self.terminal, text.encode())

    @property
    def has_kiosk(self) -> bool:
        return self.kiosk is not None and self.kiosk.returncode is None

    async def kill(self, which: str) -> None:
        """As when the power is cut: the process and all that it has started."""
        process = self.kiosk if which == "kiosk" else self.central
        assert process is not None
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        if which == "kiosk" and self.terminal >= 0:  # the last visit may have killed it already
            asyncio.get_running_loop().remove_reader(self.terminal)
            os.close(self.terminal)
            self.terminal = -1

    async def close(self) -> None:
        for which in ("kiosk", "central"):
            if getattr(self, which) is not None:
                await self.kill(which)


async def _seeded(processes: Processes) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "central.cli", "seed", "--data", str(processes.folder / "central")),
        *("--keys", str(processes.folder / "keys"), "--json"),
        env=processes.environment,
        stdout=asyncio.subprocess.PIPE,
    )
    answer, _ = await process.communicate()
    return json.loads(answer)  # type: ignore[no-any-return]


async def _enrolled(processes: Processes, code: str, line: SerialLine) -> tuple[bytes, ...]:
    url = f"http://127.0.0.1:{processes.port}"
    signing = SigningKey.generate()
    assert await _until(lambda: _listens(("127.0.0.1", processes.port)), START_LIMIT_S)
    credentials = credentials_of(await enrol(url, Secret(code), signing), signing)
    credentials.save(processes.folder / "credentials.json")
    (processes.folder / "station.toml").write_text(
        f'[station]\nnumber = {credentials.station}\nname = "Exempelby"\n[central]\nurl = "{url}"\npoll_s = 10\n'
        f'[key_reader]\nport = "{line.path}"\n',
        encoding="utf-8",
    )
    return credentials.central_keys


def _rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    if not path.exists():
        return []
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
    try:
        return database.execute(query).fetchall()
    except sqlite3.OperationalError:
        return []
    finally:
        database.close()


async def _until(condition: Any, limit_s: float) -> bool:
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        if condition():
            return True
        await asyncio.sleep(0.02)
    return False


async def test_kill_9_of_kiosk_and_central(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    processes = Processes(tmp_path)
    chance = random.Random(SEED)
    seeded = await _seeded(processes)
    line = SerialLine(tmp_path / "port", 1_000_000)
    try:
        await processes.start_central()
        central_keys = await _enrolled(processes, seeded["enrol_code"], line)
        await processes.start_kiosk()
        counts = await _visits(processes, seeded, line, central_keys, chance)
        await _drained(processes)
        _compare(processes, counts)
    finally:
        await processes.close()
        line.close()
    with capsys.disabled():
        print(f"\nkill -9, seed {SEED}: {dict(counts)}; started: {dict(processes.starts)}")  # noqa: T201


async def _visits(
    processes: Processes,
    seeded: dict[str, Any],
    line: SerialLine,
    central_keys: tuple[bytes, ...],
    chance: random.Random,
) -> Counter[str]:
    pins = {int(p["holder"]): p["pin"] for p in seeded["people"]}
    owned = [k for k in seeded["keys"] if k.get("holder") and k.get("status", "active") == "active"][:8]
    keys = {int(k["key"]): EmulatedKey(processes.folder / "keys" / str(k["key"])) for k in owned}
    holders = {int(k["key"]): int(k["holder"]) for k in owned}
    counts: Counter[str] = Counter()
    for _ in range(VISITS):
        number = chance.choice(list(keys))
        key = keys[number]
        await _serving(processes, line)
        victim = chance.choice(["kiosk", "central", "both", "nobody", "nobody", "nobody", "nobody"])
        killing = asyncio.create_task(_kill_at(processes, victim, chance.uniform(0.0, 1.0)))
        was_on = _is_on(key)
        key.press()
        line.insert(key)
        await asyncio.sleep(chance.uniform(0.2, 0.35))
        counts["switched off"] += was_on and not _is_on(key)
        for _ in range(TRIES):
            if not processes.has_kiosk:
                break
            # Where the key had not been noticed yet, or was taken for gone, it is typed once more.
            processes.type(f"*{pins[holders[number]]}#")
            if await _until(lambda: _is_on(key) or not processes.has_kiosk, 1.5):  # noqa: B023
                break
        if processes.has_kiosk:
            # Perhaps it is read back and recorded, perhaps not.
            await asyncio.sleep(chance.uniform(0.0, 0.1))
        line.pull()
        counts[_verified(key, central_keys)] += 1
        # A key that is followed by another sooner than this has not been missed.
        await asyncio.sleep(0.66)
        await killing
        counts[f"killed {victim}"] += 1
    return counts


async def _serving(processes: Processes, line: SerialLine) -> None:
    """What was killed is started again; return when the kiosk asks the empty socket for a key."""
    if processes.central is None or processes.central.returncode is not None:
        await processes.start_central()
    if processes.kiosk is None or processes.kiosk.returncode is not None:
        await processes.start_kiosk()
    asked = line.wire_bytes
    assert await _until(lambda: line.wire_bytes > asked, START_LIMIT_S), "the kiosk does not come up"


async def _kill_at(processes: Processes, victim: str, moment_s: float) -> None:
    await asyncio.sleep(moment_s)
    for which in ("kiosk", "central"):
        process = getattr(processes, which)
        if victim in {which, "both"} and process.returncode is None:
            await processes.kill(which)


def _is_on(key: EmulatedKey) -> bool:
    return key.folder.read(KeyFile.ACT) != b""


def _verified(key: EmulatedKey, central_keys: tuple[bytes, ...]) -> str:
    """Off, or properly on; a torn activation counts as off only because no lock believes it."""
    key.commit_open_file()
    files = {file.value: content for file, content in key.folder.files().items()}
    decision = decide(envelope, central_keys, files, TEST_LOCK, key.folder.clock().unix_s, button=True)
    assert decision.reason.value in {"opened", "not_active", "bad_activation", "clock_unset"}, decision
    return decision.reason.value


async def _drained(processes: Processes) -> None:
    """Both run undisturbed until the outbox is empty. A kiosk that starts does not wait before it tries central."""
    await processes.kill("kiosk")
    if processes.central is None or processes.central.returncode is not None:
        await processes.start_central()
    url = ("127.0.0.1", processes.port)
    assert await _until(lambda: _listens(url), START_LIMIT_S)
    await processes.start_kiosk()
    station = processes.folder / "station.db"
    database = station if station.exists() else next(processes.folder.glob("**/station*.db"))
    assert await _until(lambda: _rows(database, "SELECT COUNT(*) FROM outbox") == [(0,)], 3 * START_LIMIT_S), (
        "the outbox is not empty"
    )


def _listens(address: tuple[str, int]) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(address) == 0


def _compare(processes: Processes, counts: Counter[str]) -> None:
    """Central has every event that the station committed, each once."""
    station = processes.folder / "station.db"
    database = station if station.exists() else next(processes.folder.glob("**/station*.db"))
    ((last,),) = _rows(database, "SELECT IFNULL(MAX(seq), 0) FROM sqlite_sequence WHERE name = 'outbox'")
    central = processes.folder / "central" / "central.sqlite3"
    seqs = [seq for (seq,) in _rows(central, "SELECT seq FROM central_event ORDER BY seq")]
    assert seqs == list(range(1, last + 1)), "lost or doubled"
    types = Counter(type_ for (type_,) in _rows(central, "SELECT type FROM central_event"))
    counts["events"] = len(seqs)
    counts["activations on record"] = types["key_activated"]
    assert types["station_started"] >= processes.starts["kiosk"] // 2
    # Many visits ended in an activation, or what follows would prove nothing.
    assert types["key_activated"] >= VISITS / 5
    # The log of the kiosk says "activated" only after the commit: each such line is an event at central.
    log = (database.with_name("station.log")).read_text("utf-8")
    assert types["key_activated"] >= log.count("key.activated")
    assert "Traceback" not in log
