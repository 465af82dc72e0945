"""`supervise`: one process, one wait, and nothing in it that could hang.

Owns the terminal, starts the kiosk, passes strokes in and pictures out, and starts it anew when it dies, stops
beating, or 0 + 2 is held.
"""

import os
import select
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from station.supervisor import glance, neighbours, pictures, pulse
from station.supervisor.child import Child, environment_of
from station.supervisor.chord import RepeatChord, Verdict
from station.supervisor.codes import FAULT_CODE, REFUSED, UPDATE_CODE
from station.supervisor.key_filter import KeyFilter
from station.supervisor.keypad import Keypad
from station.supervisor.log import Log
from station.supervisor.notify import Notify
from station.supervisor.pulse import Pulse
from station.supervisor.sentences import LANGUAGES
from station.supervisor.signals import Signals
from station.supervisor.storm import Storm
from station.supervisor.terminal import Terminal
from station.supervisor.typing_rate import TypingRate

END_LIMIT_S = 5.0
"""How long the kiosk may take to finish what it writes after SIGTERM."""
LOG_NAME = "station.log"
LAST_WORDS_BYTES = 4096
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
    signals = Signals()
    terminal = Terminal.open(0)
    last_words: list[str] = []
    try:
        sentences = LANGUAGES[glance.language(config)]
        terminal.show(pictures.starting(sentences, terminal.size))
        supervisor = Supervisor(command, terminal, signals, config=config, log=log, keypad=keypad)
        code = supervisor.run()
        last_words = supervisor.last_words if code in REFUSED else []
    finally:
        terminal.close()
        signals.close()
    for line in last_words:
        os.write(2, f"{line}\n".encode())
    return code


class Supervisor:
    """The loop. `run` it once."""

    def __init__(
        self,
        command: Sequence[str],
        terminal: Terminal,
        signals: Signals,
        *,
        config: Path,
        log: Path | None,
        keypad: str | None,
    ) -> None:
        self._command = list(command)
        self._terminal, self._signals = terminal, signals
        self._sentences = LANGUAGES[glance.language(config)]
        self._folder = glance.folder(config)
        self._log = Log(log or self._folder / LOG_NAME)
        self._keypad = Keypad(keypad) if keypad is not None else None
        self._notify = Notify()
        self._poll = select.poll()
        self._watched: dict[int, int] = {}

        self._filter, self._chord, self._rate = KeyFilter(), RepeatChord(), TypingRate()
        self._storm = Storm()
        self._child: Child | None = None
        self._pulse = Pulse(0.0)
        self._reasons: list[str] = ["power"]
        """Of this start; the oldest ones are those of starts that no kiosk lived long enough to record."""
        self._killed_for: str | None = None
        self._start_at = 0.0
        self._is_out_of_order = False
        self._ever_beat = False
        self._kill_at = _NEVER
        self._alive_at = 0.0
        self._is_ending = False
        self._code: int | None = None
        self._words = bytearray()
        """The beginning of what the child writes, until it beats: what it says when it cannot start."""
        self._finished: set[int] = set()
        """Descriptors of the child that have come to their end: they would wake us again and again."""

    @property
    def last_words(self) -> list[str]:
        """What a child said that refused to start."""
        lines = self._words.decode("utf-8", "replace").splitlines()
        return [line for line in lines if line and line.isprintable()]

    def run(self) -> int:
        """Run until told to end; the exit code."""
        try:
            self._start(time.monotonic())
            self._notify.ready()
            while self._code is None:
                self._wait()
                # A kiosk that refused to start is not started again: its words would be lost.
                if self._code is None:
                    self._look_after(time.monotonic())
        except Exception as error:  # noqa: BLE001 - no traceback on the screen; systemd starts us anew
            self._log.say("CRITICAL", "supervisor.crashed", type=type(error).__qualname__, place=_place(error))
            return FAULT_CODE
        finally:
            if self._child is not None:
                self._child.kill()
                self._child.close()
            if self._keypad is not None:
                self._keypad.close()
        return self._code

    # --- waiting ----------------------------------------------------------------------------------------------------

    def _wait(self) -> None:
        """Sleep until something happens or is due, and see to what has happened."""
        handlers = self._wanted()
        for descriptor in self._watched.keys() - handlers.keys():
            self._poll.unregister(descriptor)
        for descriptor, (mask, _) in handlers.items():
            self._poll.register(descriptor, mask)
        self._watched = {descriptor: mask for descriptor, (mask, _) in handlers.items()}
        due_in_s = self._due_at() - time.monotonic()
        # Rounded up: else it would turn and turn in the last millisecond.
        timeout_ms = None if due_in_s == _NEVER else max(0, int(due_in_s * 1000) + 1)
        for descriptor, events in self._poll.poll(timeout_ms):
            # An earlier one of these may have ended what a later one is about.
            if descriptor in self._watched:
                handlers[descriptor][1](events)

    def _wanted(self) -> dict[int, tuple[int, Callable[[int], None]]]:
        terminal, child, keypad = self._terminal, self._child, self._keypad
        wanted: dict[int, tuple[int, Callable[[int], None]]] = {
            self._signals.descriptor: (select.POLLIN, self._on_signal)
        }
        if not terminal.gone:
            writing = select.POLLOUT if terminal.is_behind else 0
            wanted[terminal.descriptor] = (select.POLLIN | writing, self._on_terminal)
        if child is not None:
            wanted[child.heartbeat] = (select.POLLIN, self._on_heartbeat)
            reading = 0 if terminal.is_full else select.POLLIN
            wanted[child.master] = (reading | (select.POLLOUT if child.is_behind else 0), self._on_child)
        if keypad is not None and keypad.descriptor is not None:
            wanted[keypad.descriptor] = (select.POLLIN, self._on_keypad)
        return {descriptor: each for descriptor, each in wanted.items() if descriptor not in self._finished}

    def _due_at(self) -> float:
        due = [self._kill_at]
        if self._child is None:
            due.append(self._start_at)
        elif not self._is_ending and self._killed_for is None:
            due.append(self._pulse.due_at)
        if self._keypad is not None:
            due.append(self._keypad.due_at)
        if self._notify.every_s is not None:
            due.append(self._alive_at)
        return min(due)

    def _look_after(self, now: float) -> None:
        """Do what is due."""
        if self._terminal.gone:
            self._end(now)
        if self._notify.every_s is not None and now >= self._alive_at:
            self._alive_at = now + self._notify.every_s
            self._notify.alive()
        if self._keypad is not None:
            if self._keypad.open(now):
                self._log.say("INFO", "keypad.opened")
            if self._keypad.chord(now):
                self._restart("chord", now)
        if self._child is None:
            if self._is_ending:
                self._code = 0 if self._code is None else self._code
            elif now >= self._start_at:
                self._start(now)
        elif now >= self._kill_at:
            self._child.kill()
            self._kill_at = _NEVER
        elif not self._is_ending and self._killed_for is None and now >= self._pulse.due_at:
            self._restart("watchdog", now)

    # --- what happens -----------------------------------------------------------------------------------------------

    def _on_signal(self, _events: int) -> None:
        for number in self._signals.read():
            match number:
                case signal.SIGTERM | signal.SIGHUP:
                    self._end(time.monotonic())
                case signal.SIGCHLD:
                    self._mourn()
                case signal.SIGWINCH:
                    if self._child is not None:
                        self._child.resize(self._terminal.size)
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
            self._log.say("WARNING", "keypad.lost")

    def _type(self, stroke: bytes, now: float) -> None:
        if self._child is not None and self._killed_for is None and self._rate.allows(now):
            self._child.type(stroke)

    def _on_heartbeat(self, _events: int) -> None:
        assert self._child is not None
        beat = pulse.drain(self._child.heartbeat)
        if beat is None:
            self._finished.add(self._child.heartbeat)
        elif beat:
            if self._pulse.first_at is None:
                self._notify.status("the kiosk is running")
                self._words.clear()
            self._pulse.beat(time.monotonic())
            self._ever_beat = True
            self._is_out_of_order = False

    def _on_child(self, events: int) -> None:
        assert self._child is not None
        if events & select.POLLOUT:
            self._child.flush()
        if events & ~select.POLLOUT:
            for _ in range(_READS_IN_A_ROW):
                if self._terminal.is_full:
                    return
                output = self._child.read()
                if output is None:
                    self._finished.add(self._child.master)
                if not output:
                    return
                self._pass_on(output)

    def _pass_on(self, output: bytes) -> None:
        if self._pulse.first_at is None:
            self._words += output[: LAST_WORDS_BYTES - len(self._words)]
        # What a dying kiosk still draws must not paint over the picture that says so.
        if self._killed_for is None:
            self._terminal.write(output)

    # --- lives and deaths -------------------------------------------------------------------------------------------

    def _start(self, now: float) -> None:
        self._words.clear()
        self._finished.clear()
        self._killed_for, self._kill_at = None, _NEVER
        try:
            environment = environment_of(os.environ, self._reasons)
            self._child = Child.start(self._command, environment, self._terminal.size)
        except OSError as error:
            # No memory, no process, no terminal left: later perhaps.
            self._log.say("ERROR", "kiosk.not_started", errno=error.errno)
            self._rest("crash", 0.0, now)
            return
        self._pulse = Pulse(now)
        self._log.say("INFO", "kiosk.started", reasons=",".join(self._reasons))

    def _restart(self, reason: str, now: float) -> None:
        """Kill the kiosk, if there is one, and start it at once."""
        if self._is_ending or self._killed_for is not None:
            return
        self._log.say("WARNING", "kiosk.restarts", reason=reason)
        self._terminal.show(pictures.restarting(self._sentences, self._terminal.size))
        if self._child is None:
            self._because(reason)
            self._start_at = now
            return
        self._killed_for = reason
        if reason == "update":
            self._child.ask_to_end()
            self._kill_at = now + END_LIMIT_S
        else:
            self._child.kill()

    def _mourn(self) -> None:
        """The child has ended, or only stopped."""
        child = self._child
        code = child.reap() if child is not None else None
        if child is None or code is None:
            return
        now = time.monotonic()
        for _ in range(_READS_IN_A_ROW):
            output = child.read()
            if not output:
                break
            self._pass_on(output)
        child.close()
        for descriptor in (child.master, child.heartbeat):
            if self._watched.pop(descriptor, None) is not None:
                self._poll.unregister(descriptor)
        self._child, self._kill_at = None, _NEVER
        if self._is_ending:
            return
        refused = code in REFUSED and not self._ever_beat and self._reasons == ["power"]
        if refused and self._killed_for is None and not self._notify:
            # Somebody at a command line, who can read why and mend it.
            self._code = code
            return
        reason = self._killed_for or ("update" if code == UPDATE_CODE else "crash")
        self._log.say("ERROR", "kiosk.died", code=code, reason=reason, lived_s=round(self._pulse.lived_s(now), 1))
        for line in self.last_words if code in REFUSED else []:
            self._log.say("ERROR", "kiosk.said", words=repr(line[:200]))
        self._rest(reason, self._pulse.lived_s(now), now)

    def _rest(self, reason: str, lived_s: float, now: float) -> None:
        """Between two lives."""
        if self._pulse.first_at is not None:
            self._reasons.clear()
        self._because(reason)
        self._start_at = now
        if reason in {"crash", "watchdog"}:
            pause = self._storm.died(now, lived_s)
            self._start_at = now + pause.wait_s
            self._is_out_of_order = pause.out_of_order
        size = self._terminal.size
        if self._is_out_of_order:
            self._log.say("CRITICAL", "kiosk.out_of_order")
            self._notify.status("out of order: the kiosk dies again and again")
            places = neighbours.load(self._folder)
            self._terminal.show(pictures.out_of_order(self._sentences, size, places))
        else:
            self._terminal.show(pictures.restarting(self._sentences, size))

    def _because(self, reason: str) -> None:
        if reason not in self._reasons:
            self._reasons.append(reason)

    def _end(self, now: float) -> None:
        """SIGTERM, SIGHUP, or the terminal is gone."""
        if self._is_ending:
            return
        self._is_ending = True
        self._log.say("INFO", "supervisor.ends")
        self._notify.stopping()
        if self._child is not None:
            self._child.ask_to_end()
            self._kill_at = now + END_LIMIT_S


def _place(error: BaseException) -> str:
    """Where ``error`` was raised. No values, no message."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "nowhere" if trace is None else f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
