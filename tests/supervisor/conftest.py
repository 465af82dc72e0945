"""Terminals that are closed after the test, whatever became of it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.supervisor.terminal import Open, Terminal, supervised_fake


@pytest.fixture
def open_terminal(tmp_path: Path) -> Iterator[Open]:
    """Opens a terminal with a supervised fake kiosk of a mode, or with a supervisor of any other command."""
    opened: list[Terminal] = []

    def open_one(mode: str = "", *, command: list[str] | None = None, **environment: str) -> Terminal:
        config = tmp_path / "station.toml"
        if not config.exists():
            config.write_text('[display]\nlanguage = "en"\n')
        opened.append(Terminal(tmp_path, command or supervised_fake(tmp_path, mode), environment))
        return opened[-1]

    yield open_one
    for terminal in opened:
        terminal.close()


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Callable[[str, object], None]:
    """Prints a number that was measured (to be seen with ``pytest -rP``)."""

    def say(name: str, value: object) -> None:
        print(f"{request.node.name}: {name} = {value}")  # noqa: T201

    return say
