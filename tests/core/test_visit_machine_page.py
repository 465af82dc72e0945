"""The reference page of the visit machine is what its table makes."""

from station.core.visit import TABLE
from station.core.visit_state import Phase
from tools.pages.visit_machine import PAGE, page


def test_the_committed_page_is_the_generated_one() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tools.pages.visit_machine"


def test_every_phase_and_every_target_is_on_it() -> None:
    text = page()
    for phase, rows in TABLE.items():
        assert f"\n### {phase}\n" in text
        for row in rows.values():
            for target in row.targets - {Phase.GONE, Phase.BROKEN}:
                assert f"    {phase} --> {target}: " in text
