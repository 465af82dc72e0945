"""The parent process: keeps the workers alive, and ends them.

A worker beats once a second from within its event loop. One that is dead is replaced at once, one that has stopped
beating is killed and replaced. uvicorn's own parent starts each worker as a new interpreter, has a thread of its own
answer for it, and reloads when its terminal is closed.
"""

import ctypes
import gc
import logging
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

BEAT_EVERY_S = 1.0
HUNG_AFTER_S = 30.0
"""Longer than a machine stands still that moves to another host, or swaps."""
END_LIMIT_S = 8.0
"""For a worker to answer what it was asked (`central.serving.serve.GRACE_S`), and to end."""
AGAIN_S = 1.0
"""Between two starts in one place."""
STARTS_IN_VAIN = 5
"""Of workers that die before any has ever served: then it is not their fault."""
ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
PR_SET_PDEATHSIG = 1

log = logging.getLogger("central.serving")

Work = Callable[[int, Callable[[], None]], None]
"""What a worker does until SIGTERM: its place (0, 1, …), and what it calls for each beat."""


@dataclass
class _Worker:
    """A living one."""

    place: int
    pid: int
    beats: int
    """The pipe's end that is read here; it ends with the process."""
    last_beat: float
    has_served: bool = False


class Workers:
    """As many as there should be."""

    def __init__(self, count: int, work: Work, all_serve: Callable[[], None]) -> None:
        self._count, self._work = count, work
        self._all_serve = all_serve
        self._alive: dict[int, _Worker] = {}
        """By their pipes."""
        self._due: dict[int, float] = dict.fromkeys(range(count), 0.0)
        """Places without a worker, and when they get one."""
        self._in_vain = 0
        self._have_all_served = False

    def run(self) -> int:
        """Until a signal ends it. Returns the exit status: 1 when no worker ever came to serve."""
        wake, woken = os.pipe()
        for end in (wake, woken):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        for number in ENDING:
            signal.signal(number, lambda *_: None)
        # What is there now is the same in all of them, and stays so.
        gc.freeze()
        while self._in_vain < STARTS_IN_VAIN:
            self._start_due(close_too=(wake, woken))
            readable, _, _ = select.select([wake, *self._alive], [], [], BEAT_EVERY_S)
            if wake in readable and any(number in ENDING for number in os.read(wake, 100)):
                break
            for beats in readable:
                if beats != wake:
                    self._hear(self._alive[beats])
            self._kill_hung()
        self._end_all()
        return 0 if self._have_all_served or self._in_vain < STARTS_IN_VAIN else 1

    def _start_due(self, close_too: tuple[int, int]) -> None:
        now = time.monotonic()
        for place, due in list(self._due.items()):
            if due <= now:
                del self._due[place]
                self._start(place, close_too)

    def _start(self, place: int, close_too: tuple[int, int]) -> None:
        beats, beating = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        pid = os.fork()
        if pid:
            os.close(beating)
            os.set_blocking(beats, False)
            self._alive[beats] = _Worker(place, pid, beats, time.monotonic())
            return
        status = 1
        try:
            _die_with(parent)
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
                # A terminal sends them to all; the parent says what follows.
                signal.signal(number, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            for end in (beats, *close_too, *self._alive):
                os.close(end)
            os.set_blocking(beating, False)

            def beat() -> None:
                with suppress(BlockingIOError):
                    os.write(beating, b".")

            self._work(place, beat)
            status = 0
        except BaseException:
            log.exception("worker.failed place=%d", place)
        finally:
            with suppress(OSError, ValueError):
                sys.stdout.flush()
                sys.stderr.flush()
            # Whatever threads still do: what they have not committed is not done.
            os._exit(status)

    def _hear(self, worker: _Worker) -> None:
        if os.read(worker.beats, 4096):
            worker.last_beat, worker.has_served = time.monotonic(), True
            if not self._have_all_served and not self._due and all(each.has_served for each in self._alive.values()):
                self._have_all_served = True
                self._all_serve()
            return
        _, status = os.waitpid(worker.pid, 0)
        os.close(worker.beats)
        del self._alive[worker.beats]
        log.warning("worker.ended place=%d status=%d", worker.place, os.waitstatus_to_exitcode(status))
        if not worker.has_served and not self._have_all_served:
            self._in_vain += 1
        self._due[worker.place] = 0.0 if worker.has_served else time.monotonic() + AGAIN_S

    def _kill_hung(self) -> None:
        for worker in self._alive.values():
            if time.monotonic() - worker.last_beat > HUNG_AFTER_S:
                log.error("worker.hung place=%d", worker.place)
                os.kill(worker.pid, signal.SIGKILL)
                worker.last_beat = time.monotonic()

    def _end_all(self) -> None:
        for worker in self._alive.values():
            os.kill(worker.pid, signal.SIGTERM)
        deadline = time.monotonic() + END_LIMIT_S
        open_pipes = dict(self._alive)
        while open_pipes and (left_s := deadline - time.monotonic()) > 0:
            for beats in select.select(list(open_pipes), [], [], left_s)[0]:
                if not os.read(beats, 4096):
                    del open_pipes[beats]
        for worker in self._alive.values():
            os.kill(worker.pid, signal.SIGKILL)
            os.waitpid(worker.pid, 0)


def _die_with(parent: int) -> None:
    # A killed server must not live on in its workers and hold the port.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
