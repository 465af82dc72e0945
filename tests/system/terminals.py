"""Real terminals, driven as a person drives them: a private tmux server, a shell in each pane, text typed and read."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

DEADLINE_S = 120.0
"""Against hanging only: a slow machine may need ten times what an idle one does."""
POLL_S = 0.05
PROMPT = "ready$ "
FRAMES = re.compile("[\u2500-\u257f]")


class Terminals:
    """A tmux server of its own, so that nothing of the user's is touched. `open` panes, `close` all."""

    def __init__(self, folder: Path) -> None:
        # A socket's path has at most 107 bytes, and pytest's folders are long.
        self._sockets = Path(tempfile.mkdtemp(prefix="tmux-"))
        self._folder = folder
        self._environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "TERM": "xterm-256color",
        }
        self._panes = 0

    def open(self, columns: int = 80, rows: int = 24) -> "Pane":
        """A terminal with a shell in the test's folder."""
        self._panes += 1
        name = f"terminal{self._panes}"
        self.tmux("new-session", "-d", "-s", name, "-x", str(columns), "-y", str(rows), "-c", str(self._folder), "sh")
        pane = Pane(self, name)
        # Typed, not handed on: a superuser's shell has a prompt of its own.
        pane.enter(f"PS1='{PROMPT}'; clear")
        pane.until_prompt()
        return pane

    def tmux(self, *arguments: str) -> str:
        """What tmux answers."""
        command = self._command(*arguments)
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{shlex.join(command)}: {done.stderr}"
        return done.stdout

    def _command(self, *arguments: str) -> list[str]:
        return ["tmux", "-u", "-f", "/dev/null", "-S", str(self._sockets / "s"), *arguments]

    def close(self) -> None:
        """End everything that runs in the panes."""
        # It ends by itself with its last terminal.
        subprocess.run(self._command("kill-server"), env=self._environment, capture_output=True, check=False)
        shutil.rmtree(self._sockets)


class Pane:
    """One terminal."""

    def __init__(self, terminals: Terminals, name: str) -> None:
        self._terminals = terminals
        self._name = f"{name}:"

    @property
    def screen(self) -> str:
        """What is to be seen, without the blanks around it."""
        lines = self._terminals.tmux("capture-pane", "-p", "-J", "-t", self._name).splitlines()
        return "\n".join(line.strip() for line in lines).strip()

    @property
    def words(self) -> str:
        """The screen as running text, without frames: where a sentence is broken depends on the terminal's width."""
        return " ".join(FRAMES.sub(" ", self.screen).split())

    def type(self, text: str) -> None:
        """Type characters."""
        self._terminals.tmux("send-keys", "-t", self._name, "-l", text)

    def press(self, key: str) -> None:
        """Press a key by tmux's name for it."""
        self._terminals.tmux("send-keys", "-t", self._name, key)

    def enter(self, line: str) -> None:
        """Type a line and Enter."""
        self.type(line)
        self.press("Enter")

    def asks(self, question: str) -> str:
        """What tmux knows of the pane, by a format such as ``#{alternate_on}``."""
        return self._terminals.tmux("display-message", "-p", "-t", self._name, question).strip()

    def until(self, *wanted: str, without: str | None = None) -> str:
        """Wait until all of ``wanted`` is on the screen, and ``without`` is not; the screen's words."""
        return str(eventually(lambda: self._has(wanted, without), lambda: f"{wanted} not on:\n{self.screen}"))

    def until_prompt(self) -> None:
        """Wait until the shell asks for the next command."""
        eventually(lambda: self.screen.splitlines()[-1:] == [PROMPT.strip()], lambda: f"no prompt on:\n{self.screen}")

    def close(self) -> None:
        """Close the terminal: what runs in it hears SIGHUP."""
        self._terminals.tmux("kill-session", "-t", self._name)

    def child(self) -> int:
        """The process id of the program that the shell is running."""
        shell = self.asks("#{pane_pid}")
        children = eventually(Path(f"/proc/{shell}/task/{shell}/children").read_text, lambda: "nothing runs")
        return int(children.split()[0])

    def _has(self, wanted: tuple[str, ...], without: str | None) -> str | None:
        words = self.words
        return words if all(text in words for text in wanted) and (without is None or without not in words) else None


def eventually(probe: Callable[[], Any], complaint: Callable[[], str]) -> Any:
    """What ``probe`` gives, once that is true."""
    deadline = time.monotonic() + DEADLINE_S
    while not (found := probe()):
        assert time.monotonic() < deadline, complaint()
        time.sleep(POLL_S)
    return found
