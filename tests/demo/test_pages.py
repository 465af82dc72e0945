"""The reference pages about scenarios are what the code says, and every cell of the table of rules holds."""

import ast
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from tools.pages import rules, scripts
from tools.pages.rules import RULES, Rule

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("maker", [scripts, rules], ids=["scripts", "rules"])
def test_the_committed_page_is_the_generated_one(maker: ModuleType) -> None:
    assert maker.PAGE.read_text(encoding="utf-8") == maker.page(), f"run: python -m {maker.__name__}"


@cache
def of_file(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("rule", [rule for rules in RULES.values() for rule in rules], ids=lambda rule: rule.says)
def test_each_rule_has_its_test_and_its_step(rule: Rule) -> None:
    file, _, name = rule.test.partition("::")
    assert name in of_file(file)
    assert rule.says
    step = rule.shown_by()
    text = (ROOT / "station/demo/scripts" / step.script).read_text(encoding="utf-8")
    assert text.splitlines()[step.line - 1] == step.text


def test_a_step_that_is_not_there_is_noticed() -> None:
    with pytest.raises(LookupError):
        Rule("…", "…", "morning: Anna's shift begins", "see refused").shown_by()
