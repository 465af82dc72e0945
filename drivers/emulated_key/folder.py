"""An emulated key's folder: one file for each file on the key, and ``state.json`` with its clock and its wakefulness.

Whoever looks at a key without a wire (a lock, a key's light, a test) reads it here, also from another process: nothing
is cached.
"""

import json
import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from drivers.emulated_key import key_log
from station.ports import KeyFile
from station.rules.facts import KeyClock, KeyClockState

STATE_FILE: Final = "state.json"
# No dot: no upload can reach state.json, a temporary file or another folder.
_NAME: Final = re.compile(r"[a-z0-9_]{1,32}")


@dataclass(frozen=True, slots=True)
class KeyState:
    """What a key remembers that is in none of its files."""

    clock_offset_s: float | None = None
    """The key's clock less the world's; None: the clock is not set."""
    has_clock: bool = True
    awake_until: float = 0.0
    """World time at which it falls asleep unless someone talks to it."""


class KeyFolder:
    """The folder ``path`` of one key, made when it is not there: a blank key. ``now`` is the world's Unix time."""

    def __init__(self, path: Path, now: Callable[[], float] = time.time) -> None:
        self.path = path
        self._now = now
        path.mkdir(parents=True, exist_ok=True)

    # ---- what a lock can see

    def read(self, file: KeyFile) -> bytes:
        """The content of a file; empty where it is missing or has at most one byte."""
        content = self.stored(file.value) or b""
        return content if len(content) > 1 else b""

    def files(self) -> dict[KeyFile, bytes]:
        """The content of every file, as `read` gives it."""
        return {file: self.read(file) for file in KeyFile}

    @property
    def awake(self) -> bool:
        """Whether the button was pressed (or a socket talked to it) so recently that it is still awake."""
        return self._now() < self.state().awake_until

    def clock(self) -> KeyClock:
        """The key's clock now."""
        state = self.state()
        if not state.has_clock:
            return KeyClock(KeyClockState.ABSENT)
        if state.clock_offset_s is None:
            return KeyClock(KeyClockState.UNSET)
        return KeyClock(KeyClockState.SET, int(self._now() + state.clock_offset_s))

    def append_log_entry(
        self, *, time_s: int | None, lock: int, outcome: str, holder: int | None, battery_percent: int | None = None
    ) -> int:
        """Write what a lock decided, as a lock does; compacts the log when it is full. Returns the entry's seq."""
        content, seq = key_log.append(
            self.stored(KeyFile.LOG.value) or b"",
            self.stored(KeyFile.ACK.value) or b"",
            (time_s, lock, outcome, holder, battery_percent),
        )
        self.store(KeyFile.LOG.value, content)
        return seq

    # ---- what the key's own firmware sees

    def stored(self, name: str) -> bytes | None:
        """The committed bytes of a file as they are; None where there is none."""
        if not is_file_name(name):
            return None
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError:
            return None

    def store(self, name: str, content: bytes) -> None:
        """Commit a file: the old one or the new one, nothing between."""
        if not is_file_name(name):
            raise ValueError(name)
        self._replace(name, content)

    def used_bytes(self, *, without: str) -> int:
        """The size of all files but one."""
        return sum(
            entry.stat().st_size for entry in self.path.iterdir() if is_file_name(entry.name) and entry.name != without
        )

    def state(self) -> KeyState:
        """The state; that of a blank key where there is none, or none that makes sense."""
        try:
            raw = json.loads((self.path / STATE_FILE).read_bytes())
        except (FileNotFoundError, ValueError):
            return KeyState()
        if not isinstance(raw, dict):
            return KeyState()
        offset, awake_until = raw.get("clock_offset_s"), raw.get("awake_until")
        return KeyState(
            clock_offset_s=float(offset) if isinstance(offset, int | float) else None,
            has_clock=raw.get("has_clock") is not False,
            awake_until=float(awake_until) if isinstance(awake_until, int | float) else 0.0,
        )

    def store_state(self, state: KeyState) -> None:
        """Keep the state."""
        self._replace(STATE_FILE, json.dumps(asdict(state)).encode() + b"\n")

    def _replace(self, name: str, content: bytes) -> None:
        temporary = self.path / f".{name}.{os.getpid()}"
        try:
            temporary.write_bytes(content)
            temporary.replace(self.path / name)
        finally:
            with suppress(FileNotFoundError):
                temporary.unlink()


def is_file_name(name: str) -> bool:
    """Whether a key can have a file of that name."""
    return _NAME.fullmatch(name) is not None
