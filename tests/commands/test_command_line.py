"""What every command has: an example, plain errors, a code for each way to end."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from station.cli import COMMANDS, main

ROOT = Path(__file__).parents[2]
ACTIONS = (("key", "show"), ("key", "provision"), ("lock", "try"), ("config", "check"), ("config", "schema"))
WITHOUT_CONFIG = {"emulate", "demo", "config", "enrol", "kiosk", "run", "lock", "key"}


def ended(*words: str) -> int:
    try:
        return main(words)
    except SystemExit as end:
        return int(end.code or 0)


@pytest.mark.parametrize("words", [*((name,) for name in COMMANDS), *ACTIONS], ids=" ".join)
def test_help_has_an_example(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(*words, "--help") == 0
    said = capsys.readouterr()
    assert "example" in said.out
    assert f"station {words[0]}" in said.out
    assert "--config PATH" in said.out
    assert said.err == ""


@pytest.mark.parametrize("name", COMMANDS)
def test_an_unknown_option_is_one_line_and_not_repeated(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    actions = {"key": ["show"], "lock": ["try", "--lock", "1", "--area", "1"], "config": ["schema"]}
    needed = {"enrol": ["--code", "1", "--url", "u"], "emulate": ["--link", "x"]}
    assert ended(name, *actions.get(name, []), *needed.get(name, []), "--pin", "738291") == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "738291" not in said.err


def test_no_command_and_no_such_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended() == 2
    assert "usage: station" in capsys.readouterr().out
    assert ended("open-sesame") == 2
    assert capsys.readouterr().err == "station: there is no command 'open-sesame'; see station --help\n"
    assert ended("--version") == 0


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - WITHOUT_CONFIG - {"doctor"}))
def test_a_missing_configuration_is_wrong_usage(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "station.toml"
    assert ended(name, "--config", str(missing), "--json") == 2
    said = capsys.readouterr()
    assert said.err == f"station {name}: {missing}: there is no such file\n"
    assert json.loads(said.out)["error"] == "config_missing"


def test_config_stands_before_or_after_the_action(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = str(tmp_path / "station.toml")
    assert ended("key", "--config", missing, "show") == 2
    assert ended("key", "show", "--config", missing) == 2
    assert capsys.readouterr().err == f"station key: {missing}: there is no such file\n" * 2


def test_a_mistake_in_the_program_is_one_line_without_what_was_typed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_args: object) -> int:
        raise ValueError("738291")

    monkeypatch.setattr(importlib.import_module("station.commands.sync"), "run", broken)
    assert ended("sync", "--json") == 1
    said = capsys.readouterr()
    assert said.err.startswith("station sync: a mistake in the program: ValueError in test_command_line.py:")
    assert said.err.count("\n") == 1
    assert json.loads(said.out)["error"] == "program_error"
    assert "738291" not in said.err + said.out


def test_config_check_names_the_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "station.toml"
    path.write_text('[station]\nnumber = 0\nname = "Exempel"\n', encoding="utf-8")
    assert ended("config", "check", str(path)) == 2
    assert f"{path}:2: station.number" in capsys.readouterr().err
    assert ended("config", "check", str(path), "--json") == 2
    assert json.loads(capsys.readouterr().out)["valid"] is False


def test_config_schema_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("config", "schema", "--json") == 0
    assert "policy" in json.loads(capsys.readouterr().out)["properties"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("emulate", "--link", "/nowhere/at/all/key0"), 2),
        (("emulate", "--link", "key0", "--baud", "1"), 2),
        (("visit", "--timeout", "0"), 2),
        (("visit", "--timeout", "nan"), 2),
        (("lock", "try", "--lock", "0", "--area", "1"), 2),
        (("enrol", "--code", "A-B", "--url", "http://central.exempelby.example"), 2),
        (("enrol", "--code", "A-B", "--url", "https://user:pass@central.exempelby.example"), 2),
    ],
)
def test_what_makes_no_sense_is_refused(
    words: tuple[str, ...], code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert ended(*words) == code
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "pass" not in said
    assert list(tmp_path.iterdir()) == []


def test_a_broken_pipe_ends_quietly() -> None:
    script = f"{sys.executable} -m station config schema | true"
    done = subprocess.run(["bash", "-c", script], check=False, capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.stderr == ""


@pytest.mark.parametrize("words", [("--help",), *((name, "--help") for name in sorted(COMMANDS))])
def test_help_in_a_locale_without_our_characters(words: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "station", *words],
        capture_output=True,
        env={**os.environ, "LANG": "sv_SE.ISO-8859-1", "PYTHONIOENCODING": "latin-1", "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_kiosk_without_a_terminal_says_that_it_needs_one(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "station", "run"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("station run: this needs a terminal")
