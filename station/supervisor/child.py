"""The kiosk as a process: in a pseudo-terminal and a session of its own, with a pipe to beat on."""

import contextlib
import fcntl
import os
import signal
import termios
from collections.abc import Mapping, Sequence
from typing import NoReturn, Self

from station.supervisor.signals import HEARD, IGNORED
from station.supervisor.sizes import Size, set_size
from station.supervisor.terminal import raw

READ_BYTES = 16384
PENDING_LIMIT_BYTES = 256
"""Strokes for a kiosk that does not read; more are dropped, nobody has so long a PIN."""
DESCRIPTORS = 1024
HEARTBEAT_VARIABLE = "STATION_HEARTBEAT_FD"
REASONS_VARIABLE = "STATION_START_REASONS"

_PR_SET_PDEATHSIG = 1
_EXEC_FAILED = 127


class Child:
    """A running child. `start` makes one; `reap` tells when it is dead; `close` lets go of its descriptors."""

    def __init__(self, pid: int, master: int, heartbeat: int) -> None:
        self.pid, self.master, self.heartbeat = pid, master, heartbeat
        self._pending = bytearray()

    @classmethod
    def start(cls, command: Sequence[str], environment: Mapping[str, str], size: Size) -> Self:
        """Start ``command``, found by its path. Raises OSError when there is no room for a process or a terminal."""
        master, slave = os.openpty()
        opened = [master, slave]
        try:
            # Before there is anybody to be hurt: a Ctrl+C during the imports would end the kiosk.
            termios.tcsetattr(slave, termios.TCSANOW, raw(termios.tcgetattr(slave)))
            set_size(slave, size)
            beats, beat = os.pipe()
            opened += [beats, beat]
            supervisor = os.getpid()
            # Until it is another program, a signal to it would be written into our own pipe of signals.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
            try:
                pid = os.fork()
            finally:
                if os.getpid() == supervisor:
                    signal.pthread_sigmask(signal.SIG_SETMASK, before)
        except BaseException:
            for descriptor in opened:
                os.close(descriptor)
            raise
        if pid == 0:
            _become(command, {**environment, HEARTBEAT_VARIABLE: str(beat)}, slave, beat, supervisor)
        os.close(slave)
        os.close(beat)
        os.set_blocking(master, False)
        os.set_blocking(beats, False)
        return cls(pid, master, beats)

    def read(self) -> bytes | None:
        """What it has written; None at the end."""
        try:
            return os.read(self.master, READ_BYTES) or None
        except BlockingIOError:
            return b""
        except OSError:
            return None

    @property
    def is_behind(self) -> bool:
        """Whether it has not taken what was typed."""
        return bool(self._pending)

    def type(self, stroke: bytes) -> None:
        """Type ``stroke``; dropped when the child does not read."""
        if len(self._pending) < PENDING_LIMIT_BYTES:
            self._pending += stroke
            self.flush()

    def flush(self) -> None:
        """Send it what it takes."""
        try:
            while self._pending:
                del self._pending[: os.write(self.master, self._pending)]
        except BlockingIOError:
            return
        except OSError:
            self._pending.clear()

    def resize(self, size: Size) -> None:
        """Its terminal has another size now."""
        with contextlib.suppress(OSError):
            set_size(self.master, size)

    def ask_to_end(self) -> None:
        """SIGTERM, also to one that was stopped."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
            os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL to its whole process group: it cannot be stopped, blocked or caught."""
        for send in (os.killpg, os.kill):  # It may not have come to making the group.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                send(self.pid, signal.SIGKILL)

    def reap(self) -> int | None:
        """Its exit code (negative: the signal that killed it) once it is dead; whatever it started dies with it."""
        try:
            if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                return None
            # While its number still is its own.
            self.kill()
            return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        except ChildProcessError:
            return _EXEC_FAILED

    def close(self) -> None:
        """Let go of the terminal and of the pipe."""
        os.close(self.master)
        os.close(self.heartbeat)


def environment_of(own: Mapping[str, str], reasons: Sequence[str]) -> dict[str, str]:
    """The environment of a kiosk: ``own`` without what would change how Textual or Python behave on a screen."""
    kept = {
        name: value
        for name, value in own.items()
        if not name.startswith("TEXTUAL")
        and name
        not in {
            "COLUMNS",
            "LINES",
            "PYTHONFAULTHANDLER",
            "PYTHONINSPECT",
            "NOTIFY_SOCKET",
            "WATCHDOG_USEC",
            "WATCHDOG_PID",
        }
    }
    kept.setdefault("TERM", "linux")
    return kept | {"TEXTUAL_DISABLE_KITTY_KEY": "1", REASONS_VARIABLE: ",".join(reasons)}


def _become(command: Sequence[str], environment: Mapping[str, str], slave: int, beat: int, supervisor: int) -> NoReturn:
    """In the new process: everything between fork and exec. Nothing comes back from here."""
    try:
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        for descriptor in (0, 1, 2):
            os.dup2(slave, descriptor)
        os.closerange(3, beat)
        os.closerange(beat + 1, DESCRIPTORS)
        os.set_inheritable(beat, True)  # noqa: FBT003, the name of the parameter is not an argument
        signal.set_wakeup_fd(-1)
        for number in (*HEARD, *IGNORED, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        _die_with_parent(supervisor)
        _leave_no_core()
        os.execve(command[0], list(command), dict(environment))  # noqa: S606, a fixed command
    finally:
        os._exit(_EXEC_FAILED)


def _die_with_parent(supervisor: int) -> None:
    # Imported here: the supervisor itself stays small.
    import ctypes  # noqa: PLC0415

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != supervisor:
        os._exit(_EXEC_FAILED)


def _leave_no_core() -> None:
    """A dump of memory would hold PINs and the pepper. A limit of 1 keeps it from programs that collect them, too."""
    import resource  # noqa: PLC0415

    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    limit = 1 if hard in {-1, resource.RLIM_INFINITY} or hard >= 1 else 0
    resource.setrlimit(resource.RLIMIT_CORE, (limit, limit))
