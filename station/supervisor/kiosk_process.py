"""The kiosk as a process: in a pseudo-terminal and a session of its own, with a pipe for its heartbeat."""

import contextlib
import fcntl
import os
import signal
import termios
from collections.abc import Mapping, Sequence
from typing import NoReturn, Self

from station.supervisor.terminal import Size, raw, set_size

REFUSED_CODES = frozenset({1, 2})
"""Exit codes of a kiosk that says itself why it cannot start: see ``station.cli``."""
FAULT_CODE = 70
"""EX_SOFTWARE of sysexits.h."""
UPDATE_CODE = 75
"""EX_TEMPFAIL of sysexits.h: it wants to be started anew, for a new configuration or program."""

HEARTBEAT_VARIABLE = "STATION_HEARTBEAT_FD"
REASONS_VARIABLE = "STATION_START_REASONS"

READ_BYTES = 16384
UNREAD_LIMIT_BYTES = 256
"""Strokes for a kiosk that does not read; more are dropped, nobody has so long a PIN."""
DESCRIPTORS_LIMIT = 1024
"""None of ours is above it; the kiosk gets none of them."""

_PR_SET_PDEATHSIG = 1
_EXEC_FAILED = 127
_INHERITED = ("TERM", "LANG", "CREDENTIALS_DIRECTORY")
"""Any other variable of a machine may change how Textual or Python behave on a screen: ``NO_COLOR`` ended kiosks."""


class KioskProcess:
    """A running kiosk. `start` makes one; `reap` tells when it is dead; `close` lets go of its descriptors."""

    def __init__(self, pid: int, terminal: int, heartbeat: int) -> None:
        self.pid, self.terminal, self.heartbeat = pid, terminal, heartbeat
        self._unread = bytearray()

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
        """Read what it has written; None at the end."""
        try:
            return os.read(self.terminal, READ_BYTES) or None
        except BlockingIOError:
            return b""
        except OSError:
            return None

    def has_beaten(self) -> bool | None:
        """Whether it has beaten since the last time; None when it has closed its end of the pipe."""
        try:
            return bool(os.read(self.heartbeat, READ_BYTES)) or None
        except BlockingIOError:
            return False
        except OSError:
            return None

    @property
    def is_behind(self) -> bool:
        """Whether it has not taken what was typed."""
        return bool(self._unread)

    def type(self, stroke: bytes) -> None:
        """Type ``stroke``; dropped when the kiosk does not read."""
        if len(self._unread) < UNREAD_LIMIT_BYTES:
            self._unread += stroke
            self.flush()

    def flush(self) -> None:
        """Write what it takes now of what was typed."""
        try:
            while self._unread:
                del self._unread[: os.write(self.terminal, self._unread)]
        except BlockingIOError:
            return
        except OSError:
            self._unread.clear()

    def resize(self, size: Size) -> None:
        """Give its terminal another size."""
        with contextlib.suppress(OSError):
            set_size(self.terminal, size)

    def terminate(self) -> None:
        """Send SIGTERM, also to one that was stopped."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
            os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """Send SIGKILL to its whole process group: it cannot be stopped, blocked or caught."""
        for send in (os.killpg, os.kill):  # It may not have come to making the group.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                send(self.pid, signal.SIGKILL)

    def reap(self) -> int | None:
        """Its exit code once it is dead (negative: the signal that killed it); kills whatever it has started."""
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
        os.close(self.terminal)
        os.close(self.heartbeat)


def kiosk_environment(own: Mapping[str, str], reasons: Sequence[str]) -> dict[str, str]:
    """The environment of a kiosk: a few names of ``own``, and what we set ourselves."""
    kept = {name: own[name] for name in _INHERITED if name in own}
    kept.setdefault("TERM", "linux")
    # The screens are UTF-8, whatever the locale of the machine.
    return kept | {"PYTHONUTF8": "1", "TEXTUAL_DISABLE_KITTY_KEY": "1", REASONS_VARIABLE: ",".join(reasons)}


def _become(command: Sequence[str], environment: Mapping[str, str], slave: int, beat: int, supervisor: int) -> NoReturn:
    """Turn the new process into ``command``: everything between fork and exec. Never returns."""
    try:
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        for descriptor in (0, 1, 2):
            os.dup2(slave, descriptor)
        os.closerange(3, beat)
        os.closerange(beat + 1, DESCRIPTORS_LIMIT)
        os.set_inheritable(beat, True)  # noqa: FBT003, the name of the parameter is not an argument
        signal.set_wakeup_fd(-1)
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
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
    """Dump no memory: it holds PINs and the pepper. A limit of 1 keeps it from programs that collect dumps, too."""
    import resource  # noqa: PLC0415

    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    limit = 1 if hard in {-1, resource.RLIM_INFINITY} or hard >= 1 else 0
    resource.setrlimit(resource.RLIMIT_CORE, (limit, limit))
