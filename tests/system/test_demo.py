"""`station demo` in a real terminal, as a first visitor plays with it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.terminals import Pane, Terminals

pytestmark = pytest.mark.slow

# The kiosk and the key ring share the terminal's lines.
OFF = ("Going home: take the key out.", "Starting: PIN and #.")
FIRST_KEY = re.compile(r">? ?(\d+) (\w+ \w+) +PIN (\d{6})")


@pytest.fixture
def demo(terminals: Terminals, tmp_path: Path) -> Iterator[Pane]:
    pane = terminals.open(132, 40)
    pane.enter(f"station demo --state {tmp_path}/site")
    pane.until("Network: up", "Press the button on the key and put it in.", "updated")
    yield pane
    if pane.asks("#{alternate_on}") == "1":
        pane.press("q")
        pane.until_prompt()


def test_a_first_visit(demo: Pane) -> None:
    found = FIRST_KEY.search(demo.screen)
    assert found is not None
    number, _, pin = found.groups()
    demo.type("i")
    demo.until(*OFF, f"Key {number}: button pressed")
    demo.type(f"*{pin}#")
    demo.until("Key is ON until", "Take it out.", "[*] blue, ON")
    demo.type("t")
    demo.until(f"Key {number} is in the socket")
    demo.type("p")
    demo.until(f"Key {number} is out.")
    demo.type("t")
    demo.until(f"Key {number} in the test lock: green")
    demo.type("n")
    demo.until("Network: CUT", "OFFLINE")
    demo.type("q")
    demo.until_prompt()
    demo.enter("echo ended with $?; stty -a")
    demo.until("ended with 0", " icanon", " echo ")
    assert demo.asks("#{alternate_on} #{cursor_flag}") == "0 1"
