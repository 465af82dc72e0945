"""The page of the rules is what the code says, and every test that it names is there.

That every step is, `test_scenarios.py` looks at what the scenarios print.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

from station.demo.scenarios import names
from tools.pages import rules
from tools.pages.rules import RULES, Rule

ROOT = Path(__file__).parents[2]


def test_the_committed_page_is_the_generated_one() -> None:
    assert rules.PAGE.read_text(encoding="utf-8") == rules.page(), f"run: python -m {rules.__name__}"


@cache
def of_file(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("rule", [rule for each in RULES.values() for rule in each], ids=lambda rule: rule.says)
def test_each_rule_has_its_test_and_its_scenario(rule: Rule) -> None:
    file, _, name = rule.test.partition("::")
    assert name in of_file(file)
    assert rule.says
    assert rule.scenario in names()


PRINTED = """
Mon 06:55  Anna's shift begins.
  insert 5001
  see prompt                   -> Key is OFF.

Mon 15:30  Her shift ends.
  see refused                  -> Key is OFF.
"""


def test_a_step_that_is_not_there_is_noticed() -> None:
    def shown(step: str) -> bool:
        return Rule("…", "…", "morning: Anna's shift begins", step).is_shown(PRINTED)

    assert shown("insert 5001")
    assert shown("see prompt")
    assert not shown("see refused"), "that one is in another chapter"
    assert not shown("see")
