"""Every fault that the code can raise has a plain sentence with what to do about it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import ConfigFault, Problem
from station.commands import error_sentences
from station.errors import StationError
from station.ports import KeyLost, KeyRefused, StoreFault

ROOT = Path(__file__).parents[2]
FOLDERS = ("station", "config", "drivers", "offline_cache", "ui")
# Each of its problems is a sentence already.
OWN_SENTENCES = {"ConfigFault"}


def trees(*folders: str) -> Iterator[tuple[Path, ast.Module]]:
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            yield path, ast.parse(path.read_text("utf-8"))


def fault_classes() -> set[str]:
    """The names of all classes under StationError, wherever they are."""
    bases = {
        node.name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for _, tree in trees(*FOLDERS)
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    found = {"StationError"}
    while more := {name for name, above in bases.items() if above & found} - found:
        found |= more
    return found - OWN_SENTENCES


def words_of(node: ast.expr, constants: dict[str, str]) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(code)):
            yield code
        case ast.IfExp(body=body, orelse=orelse):
            yield from words_of(body, constants)
            yield from words_of(orelse, constants)
        case ast.Name(id=name) if name in constants:
            yield constants[name]
        case ast.Call(args=args):
            for each in args:
                yield from words_of(each, constants)


def raised() -> set[tuple[str, str]]:
    """Class and code of every fault that is made anywhere in the source, and every reason of a database's."""
    classes = fault_classes()
    found = set()
    for path, tree in trees(*FOLDERS):
        constants = {
            target.id: node.value.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name) and isinstance(node.value.value, str)
        }
        if path.parts[-2] == "offline_cache":
            constants |= {"DISK_FULL": "disk_full", "STORE_BROKEN": "store_broken", "STORE_IO": "store_io"}
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=ast.Name(id=name), args=[code, *_], keywords=keywords) if name in classes:
                    found |= {(name, word) for word in words_of(code, constants)}
                    for keyword in keywords:
                        if name == "StoreFault" and keyword.arg == "reason":
                            found |= {(name, word) for word in words_of(keyword.value, constants)}
                case ast.Call(func=ast.Attribute(attr="give_up"), args=[ast.Constant(value=str(code))]):
                    found.add(("KeyLost", code))
                case ast.Dict() if path.name == "port.py":
                    found |= {("ReaderLost", str(each.value)) for each in node.values if isinstance(each, ast.Constant)}
    return found


def centrals() -> set[tuple[str, str]]:
    """The codes that the central server answers stations with; the office's own are for people in a browser."""
    found = set()
    for path, tree in trees("central"):
        if path.is_relative_to(ROOT / "central" / "office"):
            continue
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=ast.Name(id="Refused"), args=[_, ast.Constant(value=str(code)), *_]):
                    found.add(("CentralRefused", code))
    return found


def test_the_search_finds_what_is_there() -> None:
    found = raised()
    assert {
        ("CentralUnreachable", "central_unreachable"),
        ("ReaderLost", "port_denied"),
        ("KeyLost", "no_answer"),
        ("KeyRefused", "act_differs"),
        ("StoreFault", "in_use"),
        ("StoreFault", "store_io"),
        ("UsageError", "bad_url"),
    } <= found
    assert ("CentralRefused", "bad_code") in centrals()


@pytest.mark.parametrize(("kind", "code"), sorted(raised() | centrals()), ids=lambda word: word)
def test_every_code_has_a_sentence(kind: str, code: str) -> None:
    fault = type(kind, (StationError,), {})(code)
    sentence = error_sentences.sentence_for(fault)
    assert sentence, f"{kind}({code!r}) has no sentence in station/commands/error_sentences.py"


def test_every_sentence_is_one_plain_line() -> None:
    for code, sentence in error_sentences.SENTENCES.items():
        assert "\n" not in sentence, code
        assert not sentence.endswith("."), code
        assert 15 <= len(sentence) <= 130, code


def test_a_reason_says_more_than_a_code() -> None:
    (line,) = error_sentences.lines(StoreFault("store_io", reason="in_use"))
    assert line.startswith("the kiosk, or another command, is using the station's database")


def test_the_same_code_of_two_classes_means_two_things() -> None:
    refused = type("CentralRefused", (StationError,), {})("too_large")
    assert error_sentences.sentence_for(refused) != error_sentences.sentence_for(KeyRefused("too_large"))


def test_the_first_fault_of_a_group_is_told() -> None:
    group = ExceptionGroup("tasks", [ValueError("x"), ExceptionGroup("more", [KeyLost("no_key")])])
    found = error_sentences.first_station_error(group)
    assert isinstance(found, KeyLost)
    assert error_sentences.first_station_error(ValueError("x")) is None


def test_a_configuration_has_a_line_for_each_mistake() -> None:
    fault = ConfigFault("config_invalid", [Problem("a", "expected b", 3), Problem("a", "expected c", 4)])
    assert error_sentences.lines(fault) == ["a:3: expected b", "a:4: expected c"]
    assert error_sentences.is_usage_error(fault)
