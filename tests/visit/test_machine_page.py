"""The reference page of the visit machine is what its table makes."""

import inspect
import re

import pytest

from station.visit import hand_out_handlers as visit_hand_out
from station.visit import key_handlers as visit_key
from station.visit import machine as visit
from station.visit import pin_handlers as visit_pin
from station.visit import state as visit_state
from station.visit.machine import TABLE, ignore, report
from station.visit.state import Phase, Presence
from tools.pages.visit_machine import PAGE, page, says


def test_each_rule_is_named_where_it_is_checked() -> None:
    listed = set(re.findall(r"^ ?(\d+)\. ", visit.__doc__ or "", re.MULTILINE))
    checks = "".join(inspect.getsource(module) for module in (visit, visit_key, visit_pin, visit_hand_out, visit_state))
    named = re.findall(r"# Rules? (\d+)(?: and (\d+))?", checks)
    assert {number for pair in named for number in pair if number} == listed


def test_the_committed_page_is_the_generated_one() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tools.pages.visit_machine"


@pytest.mark.parametrize(("phase", "presence"), TABLE)
def test_everything_that_happens_is_on_it(phase: Phase, presence: Presence) -> None:
    text = page()
    for received, row in TABLE[phase, presence].items():
        if row.handler not in {ignore, report}:
            assert f"| `{received.__name__}` | {says(row)} |" in text
    own = [h for h in text.splitlines() if h.startswith("#### ") and phase in h.removeprefix("#### ").split(", ")]
    assert own


def test_every_way_from_phase_to_phase_with_the_key_in_is_drawn() -> None:
    text = page()
    for (phase, presence), rows in TABLE.items():
        for row in rows.values() if presence is Presence.IN else ():
            for target, there in row.targets:
                assert there is not Presence.IN or f"    {phase} --> {target}: " in text
