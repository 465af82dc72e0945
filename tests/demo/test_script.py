"""The format of scenarios: what is taken, and the one plain line for what is not."""

from pathlib import Path

import pytest

from station.cli import main
from station.demo.script import FILE_LIMIT_BYTES, STEPS_LIMIT, ScriptFault, load, names, parse
from station.demo.shapes import SHAPES, Shape


def test_a_script_is_one_step_a_line() -> None:
    steps = parse('# heading\n\nsay "A morning"\n  insert 5001\ntype *000000#\n', "own.script")
    assert [(step.line, step.verb, step.words) for step in steps] == [
        (3, "say", ("A morning",)),
        (4, "insert", ("5001",)),
        (5, "type", ("*000000#",)),
    ]
    assert steps[1].text == "insert 5001"
    assert {step.script for step in steps} == {"own.script"}


@pytest.mark.parametrize(
    "line",
    [
        "pin 1001", "pin 1001 start", "pin 1001 end", "pin 1001 only", "type 12<#", "bounce 0.3", "skip 60",
        "skip until 06:55", "skip until sat 23:59", "network cut", "network slow 300", "ntp on", "reader gone",
        "manage block-key 5001", "manage withdraw-permission 1005", "manage withdraw-permission 1005 2",
        "see refused blocked", "see empty clock", "see ready window", "lock 5001 140 3 opened",
        "lock 5001 140 3 opened record", "file 5001 any unwritten", "file 5001 sync there", "event central_lost",
        "event key_refused 5001 blocked", "no-event lock_opened 5001", "log 140 5001 1001", "pull", "restart",
    ],
)  # fmt: skip
def test_taken(line: str) -> None:
    assert len(parse(line, "f")) == 1


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("insert", "insert KEY"),
        ("insert five", "insert KEY"),
        ("insert 0", "insert KEY"),
        ("insert ５００１", "insert KEY"),
        ("insert 5001 5002", "insert KEY"),
        ("pull 5001", "pull"),
        ("type 12a", "type STROKES"),
        ('type ""', "type STROKES"),
        ("pin 1001 begin", "pin HOLDER | pin HOLDER start|end|only"),
        ("skip", "skip SECONDS | skip until HH:MM | skip until DAY HH:MM"),
        ("skip -5", "skip SECONDS | skip until HH:MM | skip until DAY HH:MM"),
        ("skip 99999999999", "skip SECONDS | skip until HH:MM | skip until DAY HH:MM"),
        ("skip until 24:00", "skip SECONDS | skip until HH:MM | skip until DAY HH:MM"),
        ("skip until 7:00", "skip SECONDS | skip until HH:MM | skip until DAY HH:MM"),
        ("see redy", "see LINE | see LINE REASON"),
        ("see refused because", "see LINE | see LINE REASON"),
        ("light 5001 pink", "light KEY LIGHT"),
        ("network down", "network cut|restored | network slow MS"),
        ("event Key_Activated", "event TYPE | event TYPE KEY | event TYPE KEY REASON"),
        ("dance", "one of " + " ".join(SHAPES)),
        ('say "no end', "quotes that are closed"),
    ],
)
def test_refused_with_its_line(line: str, expected: str) -> None:
    with pytest.raises(ScriptFault) as caught:
        parse(f"pull\n\n{line}\npull", "own.script")
    assert str(caught.value) == f"own.script:3: expected {expected}"


def test_limits(tmp_path: Path) -> None:
    with pytest.raises(ScriptFault) as caught:
        parse("pull\n" * (STEPS_LIMIT + 1), "f")
    assert str(caught.value) == f"f:{STEPS_LIMIT + 1}: expected at most {STEPS_LIMIT} steps"
    long = tmp_path / "long"
    long.write_text("#" * (FILE_LIMIT_BYTES + 1))
    with pytest.raises(ScriptFault, match="expected at most"):
        load(str(long))


def test_no_text(tmp_path: Path) -> None:
    file = tmp_path / "latin"
    file.write_bytes('pull\nsay "Nyckel på"'.encode("latin-1"))
    with pytest.raises(ScriptFault) as caught:
        load(str(file))
    assert str(caught.value) == f"{file}:2: expected UTF-8"


def test_the_command_says_it_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "own.script"
    file.write_text("insert 5001\nse prompt\n")
    assert main(["demo", "--script", str(file)]) == 2
    assert capsys.readouterr().err.startswith(f"{file}:2: expected one of say ")
    assert main(["demo", "--script", "no such"]) == 2
    assert capsys.readouterr().err == f"no such: expected a file, or one of {' '.join(names())}\n"


def test_those_that_come_with_the_program_are_right() -> None:
    assert names() == ["bounce", "boxes", "crisis", "morning", "offline", "pools", "refusals"]
    used = {step.verb for name in names() for step in load(name)}
    assert SHAPES.keys() - used == {"press"}


def test_a_form_is_taken_whole() -> None:
    assert Shape("…").fits([])
    assert not Shape("…").fits(["x"])
