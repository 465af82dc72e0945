"""`supervise`: one process, one wait, and nothing in it that could hang.

Owns the terminal, starts the kiosk, passes strokes in and screens out, and starts it anew when it dies, stops
beating, or 0 + 2 is held.
"""

import os
import select
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from station.supervisor import screens
from station.supervisor.key_filter import KeyFilter, TypingRateLimit
from station.supervisor.keypad import Keypad
from station.supervisor.kiosk_process import FAULT_CODE, REFUSED_CODES, UPDATE_CODE, KioskProcess, kiosk_environment
from station.supervisor.last_run import LastRun
from station.supervisor.reporting import Log, Systemd
from station.supervisor.restart_chord import TerminalChord, Verdict
from station.supervisor.restart_policy import HeartbeatMonitor, RestartBackoff
from station.supervisor.settings import database_folder, read_language
from station.supervisor.signals import SignalPipe
from station.supervisor.terminal import Terminal

END_LIMIT_S = 5.0
"""How long the kiosk may take to finish what it writes after SIGTERM."""
LOG_NAME = "station.log"
STARTUP_OUTPUT_LIMIT_BYTES = 4096
_READS_IN_A_ROW = 4
"""A kiosk that never stops drawing must not keep us from hearing its keypad."""
_NEVER = float("inf")


def supervise(command: Sequence[str], *, config: Path, log: Path | None = None, keypad: str | None = None) -> int:
    """Keep ``command`` (found by its full path) running on the terminal of standard input until SIGTERM or SIGHUP.

    ``config`` is the ``station.toml``, ``log`` where to log when standard error is the terminal, ``keypad`` an input
    device to take for ourselves. The exit code: 0; 1 or 2 with the command's own words on standard error when it
    refuses to start at all; 70 for a fault of ours. Raises OSError or termios.error when there is no terminal.
    """
    # First, so that nobody ends us with a raw terminal left behind.
    signals = SignalPipe()
    terminal = Terminal.open(0)
    try:
        terminal.show(screens.starting(screens.LANGUAGES[read_language(config)], terminal.size))
        supervisor = Supervisor(command, terminal, signals, config=config, log=log, keypad=keypad)
        ending = supervisor.run()
    finally:
        terminal.close()
        signals.close()
    for line in ending.refusal:
        os.write(2, f"{line}\n".encode())
    return ending.exit_code


class Ending(NamedTuple):
    """How the supervisor ended."""

    exit_code: int
    refusal: Sequence[str] = ()
    """What a kiosk said that refused to start at all."""


class _KioskRun:
    """One run of the kiosk, from its start to its death."""

    def __init__(self, process: KioskProcess, now: float) -> None:
        self.process = process
        self.heartbeat = HeartbeatMonitor(now)
        self.kill_reason: str | None = None
        """Why we have told it to end, or killed it."""
        self.kill_at = _NEVER
        self.startup_output = bytearray()
        """The beginning of what it writes, until it beats: what it says when it cannot start."""
        self.ended: set[int] = set()
        """Those of its descriptors that have come to their end: they would wake us again and again."""

    def startup_lines(self) -> list[str]:
        lines = self.startup_output.decode("utf-8", "replace").splitlines()
        return [line for line in lines if line and line.isprintable()]


class Supervisor:
    """The loop that keeps a kiosk alive. `run` it once."""

    def __init__(
        self,
        command: Sequence[str],
        terminal: Terminal,
        signals: SignalPipe,
        *,
        config: Path,
        log: Path | None,
        keypad: str | None,
    ) -> None:
        self._command = list(command)
        self._terminal, self._signals = terminal, signals
        self._words = screens.LANGUAGES[read_language(config)]
        self._folder = database_folder(config)
        self._log = Log(log or self._folder / LOG_NAME)
        self._keypad = Keypad(keypad) if keypad is not None else None
        self._systemd = Systemd()
        self._filter, self._chord, self._rate_limit = KeyFilter(), TerminalChord(), TypingRateLimit()
        self._backoff = RestartBackoff()

        self._kiosk: _KioskRun | None = None
        self._start_at = 0.0
        """When to start the next kiosk, while there is none."""
        self._last_run = LastRun(self._folder)
        # systemd kills one that hangs; whoever else does is told as a crash.
        killed = "watchdog" if self._systemd.is_watched else "crash"
        self._reasons: list[str] = [killed if self._last_run.begin() else "power"]
        """Of this start; the oldest ones are those of starts that no kiosk lived long enough to record."""
        self._is_first = True
        """No kiosk has ended yet."""
        self._is_out_of_order = False
        self._is_ending = False
        self._ending: Ending | None = None

    def run(self) -> Ending:
        """Run until told to end."""
        try:
            self._start(time.monotonic())
            self._systemd.ready()
            while self._ending is None:
                self._wait()
                # A kiosk that refused to start is not started again: its words would be lost.
                if self._ending is None:
                    self._do_what_is_due(time.monotonic())
        except Exception as error:  # noqa: BLE001 - no traceback on the screen; systemd starts us anew
            self._log.write("CRITICAL", "supervisor.crashed", type=type(error).__qualname__, place=_place(error))
            return Ending(FAULT_CODE)
        finally:
            if self._kiosk is not None:
                self._kiosk.process.kill()
                self._kiosk.process.close()
            if self._keypad is not None:
                self._keypad.close()
        self._last_run.end()
        return self._ending

    # --- waiting ----------------------------------------------------------------------------------------------------

    def _wait(self) -> None:
        """Sleep until something happens or is due, and handle what has happened."""
        handlers = self._handlers()
        poll = select.poll()
        for descriptor, (mask, _) in handlers.items():
            poll.register(descriptor, mask)
        due_in_s = self._due_at() - time.monotonic()
        # Rounded up: else it would turn and turn in the last millisecond.
        timeout_ms = None if due_in_s == _NEVER else max(0, int(due_in_s * 1000) + 1)
        for descriptor, events in poll.poll(timeout_ms):
            handlers[descriptor][1](events)

    def _handlers(self) -> dict[int, tuple[int, Callable[[int], None]]]:
        """What to wait for, and who handles it. A handler may find that an earlier one has ended what it is about."""
        terminal, kiosk, keypad = self._terminal, self._kiosk, self._keypad
        found: dict[int, tuple[int, Callable[[int], None]]] = {
            self._signals.descriptor: (select.POLLIN, self._on_signal)
        }
        if not terminal.is_gone:
            writing = select.POLLOUT if terminal.is_behind else 0
            found[terminal.descriptor] = (select.POLLIN | writing, self._on_terminal)
        if kiosk is not None:
            process = kiosk.process
            reading = 0 if terminal.is_full else select.POLLIN
            writing = select.POLLOUT if process.is_behind else 0
            found[process.heartbeat] = (select.POLLIN, self._on_heartbeat)
            found[process.terminal] = (reading | writing, self._on_kiosk)
            for descriptor in kiosk.ended:
                del found[descriptor]
        if keypad is not None and keypad.descriptor is not None:
            found[keypad.descriptor] = (select.POLLIN, self._on_keypad)
        return found

    def _due_at(self) -> float:
        due = [self._systemd.watchdog_due_at]
        if self._kiosk is None:
            due.append(self._start_at)
        else:
            due.append(self._kiosk.kill_at)
            if not self._is_ending and self._kiosk.kill_reason is None:
                due.append(self._kiosk.heartbeat.stuck_at)
        if self._keypad is not None:
            due.append(self._keypad.due_at)
        return min(due)

    def _do_what_is_due(self, now: float) -> None:
        if self._terminal.is_gone:
            self._end(now)
        self._systemd.watchdog(now)
        if self._keypad is not None:
            if self._keypad.try_to_open(now):
                self._log.write("INFO", "keypad.opened")
            if self._keypad.chord(now):
                self._restart("chord", now)
        kiosk = self._kiosk
        if kiosk is None:
            if self._is_ending:
                self._ending = Ending(0)
            elif now >= self._start_at:
                self._start(now)
        elif now >= kiosk.kill_at:
            kiosk.process.kill()
            kiosk.kill_at = _NEVER
        elif now >= kiosk.heartbeat.stuck_at:
            self._restart("watchdog", now)

    # --- what happens -----------------------------------------------------------------------------------------------

    def _on_signal(self, _events: int) -> None:
        for number in self._signals.read():
            match number:
                case signal.SIGTERM | signal.SIGHUP:
                    self._end(time.monotonic())
                case signal.SIGCHLD:
                    self._on_child_signal()
                case signal.SIGWINCH:
                    if self._kiosk is not None:
                        self._kiosk.process.resize(self._terminal.size)
                case signal.SIGCONT:
                    self._terminal.make_raw()
                case signal.SIGUSR1:
                    self._restart("update", time.monotonic())

    def _on_terminal(self, events: int) -> None:
        if events & select.POLLOUT:
            self._terminal.flush()
        if events & ~select.POLLOUT:
            now = time.monotonic()
            for code in self._filter.feed(self._terminal.read(), now):
                match self._chord.stroke(code, now):
                    case Verdict.RESTART:
                        self._restart("chord", now)
                    case Verdict.PASS:
                        self._type(bytes([code]), now)
                    case Verdict.SWALLOW:
                        pass

    def _on_keypad(self, _events: int) -> None:
        assert self._keypad is not None
        now = time.monotonic()
        for code in self._keypad.read(now):
            self._type(bytes([code]), now)
        if self._keypad.descriptor is None:
            self._log.write("WARNING", "keypad.lost")

    def _type(self, stroke: bytes, now: float) -> None:
        kiosk = self._kiosk
        if kiosk is not None and kiosk.kill_reason is None and self._rate_limit.allows(now):
            kiosk.process.type(stroke)

    def _on_heartbeat(self, _events: int) -> None:
        kiosk = self._kiosk
        if kiosk is None:
            return
        beaten = kiosk.process.has_beaten()
        if beaten is None:
            kiosk.ended.add(kiosk.process.heartbeat)
        elif beaten:
            if kiosk.heartbeat.first_at is None:
                self._systemd.status("the kiosk is running")
                kiosk.startup_output.clear()
            kiosk.heartbeat.beat(time.monotonic())
            self._is_out_of_order = False

    def _on_kiosk(self, events: int) -> None:
        kiosk = self._kiosk
        if kiosk is None:
            return
        if events & select.POLLOUT:
            kiosk.process.flush()
        if events & ~select.POLLOUT:
            for _ in range(_READS_IN_A_ROW):
                if self._terminal.is_full:
                    return
                output = kiosk.process.read()
                if output is None:
                    kiosk.ended.add(kiosk.process.terminal)
                if not output:
                    return
                self._pass_on(kiosk, output)

    def _pass_on(self, kiosk: _KioskRun, output: bytes) -> None:
        if kiosk.heartbeat.first_at is None:
            kiosk.startup_output += output[: STARTUP_OUTPUT_LIMIT_BYTES - len(kiosk.startup_output)]
        # What a dying kiosk still draws must not paint over the screen that says so.
        if kiosk.kill_reason is None:
            self._terminal.write(output)

    # --- starts and deaths ------------------------------------------------------------------------------------------

    def _start(self, now: float) -> None:
        try:
            environment = kiosk_environment(os.environ, self._reasons)
            process = KioskProcess.start(self._command, environment, self._terminal.size)
        except OSError as error:
            # No memory, no process, no terminal left: later perhaps.
            self._log.write("ERROR", "kiosk.not_started", errno=error.errno)
            self._pause("crash", None, now)
            return
        self._kiosk = _KioskRun(process, now)
        self._log.write("INFO", "kiosk.started", reasons=",".join(self._reasons))

    def _restart(self, reason: str, now: float) -> None:
        """Kill the kiosk, if there is one, and start it at once."""
        kiosk = self._kiosk
        if self._is_ending or (kiosk is not None and kiosk.kill_reason is not None):
            return
        self._log.write("WARNING", "kiosk.restarts", reason=reason)
        self._show_restarting(kiosk)
        if kiosk is None:
            self._add_reason(reason)
            self._start_at = now
            return
        kiosk.kill_reason = reason
        if reason == "update":
            kiosk.process.terminate()
            kiosk.kill_at = now + END_LIMIT_S
        else:
            kiosk.process.kill()

    def _on_child_signal(self) -> None:
        """Reap the kiosk if it has ended (it may only have stopped), and decide what comes next."""
        kiosk = self._kiosk
        code = kiosk.process.reap() if kiosk is not None else None
        if kiosk is None or code is None:
            return
        now = time.monotonic()
        for _ in range(_READS_IN_A_ROW):
            output = kiosk.process.read()
            if not output:
                break
            self._pass_on(kiosk, output)
        kiosk.process.close()
        self._kiosk = None
        if self._is_ending:
            return
        is_first = self._is_first and kiosk.heartbeat.first_at is None and kiosk.kill_reason is None
        self._is_first = False
        if code in REFUSED_CODES and is_first and not self._systemd:
            # Somebody at a command line, who can read why and mend it.
            self._ending = Ending(code, kiosk.startup_lines())
            return
        reason = kiosk.kill_reason or ("update" if code == UPDATE_CODE else "crash")
        lived_s = round(kiosk.heartbeat.beating_s(now), 1)
        self._log.write("ERROR", "kiosk.died", code=code, reason=reason, lived_s=lived_s)
        for line in kiosk.startup_lines() if code in REFUSED_CODES else ():
            self._log.write("ERROR", "kiosk.said", words=repr(line[:200]))
        if kiosk.heartbeat.first_at is not None:
            # It has lived long enough to record them.
            self._reasons.clear()
        self._pause(reason, kiosk, now)

    def _pause(self, reason: str, kiosk: _KioskRun | None, now: float) -> None:
        """Decide when to start the next kiosk, and show meanwhile that it restarts or is out of order.

        ``kiosk`` is the one that has died; None: it could not even be started.
        """
        self._add_reason(reason)
        self._start_at = now
        if reason in {"crash", "watchdog"}:
            pause = self._backoff.pause_after_death(now, kiosk.heartbeat.beating_s(now) if kiosk is not None else 0.0)
            self._start_at = now + pause.wait_s
            self._is_out_of_order = pause.out_of_order
        if self._is_out_of_order:
            self._log.write("CRITICAL", "kiosk.out_of_order")
            self._systemd.status("out of order: the kiosk dies again and again")
            where_to_go = screens.read_where_to_go(self._folder)
            self._terminal.show(screens.out_of_order(self._words, self._terminal.size, where_to_go))
        else:
            self._show_restarting(kiosk)

    def _show_restarting(self, kiosk: _KioskRun | None) -> None:
        # A kiosk that did not come to serve keys says nothing for the next one.
        served = kiosk is not None and kiosk.heartbeat.first_at is not None
        switches_off = served and not screens.reader_is_broken(self._folder)
        self._terminal.show(screens.restarting(self._words, self._terminal.size, switches_off=switches_off))

    def _add_reason(self, reason: str) -> None:
        if reason not in self._reasons:
            self._reasons.append(reason)

    def _end(self, now: float) -> None:
        """End the kiosk and then ourselves: SIGTERM or SIGHUP has come, or the terminal is gone."""
        if self._is_ending:
            return
        self._is_ending = True
        self._log.write("INFO", "supervisor.ends")
        self._systemd.stopping()
        if self._kiosk is not None:
            self._kiosk.process.terminate()
            self._kiosk.kill_at = now + END_LIMIT_S


def _place(error: BaseException) -> str:
    """Where ``error`` was raised. No values, no message."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "nowhere" if trace is None else f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
