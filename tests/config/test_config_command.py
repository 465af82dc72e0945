"""`station config`: what is in effect, where it comes from, and back."""

import asyncio
import getpass
import json
from pathlib import Path
from typing import Any

import pytest

import config
from config.good_copies import GoodCopies, folder_of
from config.loading import version_of
from station.cli import main
from station.runtime.technician import TechnicianCode
from station.visit.entry import Entry

MINIMAL = '[station]\nnumber = 7\nname = "Ekbacken"\n[central]\nurl = "https://central.example"\n'
HASH = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21l$" + "b" * 43


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "station.toml"


@pytest.fixture
def copies(path: Path) -> GoodCopies:
    return GoodCopies(folder_of(path))


def answer_of(path: Path, capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> dict[str, Any]:
    assert main(["config", *words, "--config", str(path), "--json"]) == code
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_show_says_where_each_value_comes_from(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.write_text(MINIMAL + "[policy]\nactive_minutes = 480\n")
    assert main(["config", "show", "--config", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"# {path}, version {version_of(path.read_bytes())}"
    by_key = {line.split(" = ")[0]: line for line in lines}
    assert by_key["policy.active_minutes"].split() == ["policy.active_minutes", "=", "480", "#", "station.toml:7"]
    assert by_key["policy.left_in_s"].split() == ["policy.left_in_s", "=", "120", "#", "default"]
    assert lines[-1] == "# kept, newest first: none yet"


def test_show_as_json(path: Path, copies: GoodCopies, capsys: pytest.CaptureFixture[str]) -> None:
    path.write_text(MINIMAL)
    copies.keep(path.read_bytes())
    answer = answer_of(path, capsys, "show")
    version = version_of(path.read_bytes())
    assert (answer["version"], answer["problems"], answer["kept"]) == (version, [], [version])
    values = {value["key"]: value for value in answer["values"]}
    assert values["station.number"] == {
        "key": "station.number",
        "value": 7,
        "from": {"file": str(path), "line": 2},
        "reach": "process",
    }
    assert values["storage.database"]["value"] == str(path.parent / "station.db")
    assert values["storage.database"]["from"] is None


def test_show_while_the_file_is_broken(path: Path, copies: GoodCopies, capsys: pytest.CaptureFixture[str]) -> None:
    copies.keep((MINIMAL + "poll_s = 30\n").encode())
    path.write_text(MINIMAL + "poll_s = 1\n")
    answer = answer_of(path, capsys, "show", code=2)
    assert [problem["line"] for problem in answer["problems"]] == [6]
    assert next(value["value"] for value in answer["values"] if value["key"] == "central.poll_s") == 30
    assert main(["config", "show", "--config", str(path)]) == 2
    assert "as it was in" in capsys.readouterr().out.splitlines()[0]


def test_show_without_any_good_file(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "show", "--config", str(path)]) == 2
    assert "there is no such file" in capsys.readouterr().err


def test_the_hash_of_a_code_is_not_shown(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.write_text(MINIMAL + f'[display]\ntechnician_code = "{HASH}"\n')
    for words in (["show"], ["show", "--json"]):
        assert main(["config", *words, "--config", str(path)]) == 0
        out = capsys.readouterr().out
        assert "argon2id" not in out
        assert "(set)" in out


def test_neither_is_a_code_in_its_place(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.write_text(MINIMAL + '[display]\ntechnician_code = "31415926"\n')
    assert main(["config", "check", str(path)]) == 2
    captured = capsys.readouterr()
    assert "display.technician_code" in captured.err
    assert "31415926" not in captured.err + captured.out


def test_rollback_to_the_one_before(path: Path, copies: GoodCopies, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = MINIMAL.encode(), (MINIMAL + "poll_s = 30\n").encode()
    copies.keep(first)
    copies.keep(second)
    path.write_bytes(second)
    path.chmod(0o640)
    assert answer_of(path, capsys, "rollback") == {"file": str(path), "version": version_of(first)}
    assert path.read_bytes() == first
    assert path.stat().st_mode & 0o777 == 0o640


def test_rollback_from_a_broken_file(path: Path, copies: GoodCopies, capsys: pytest.CaptureFixture[str]) -> None:
    copies.keep(MINIMAL.encode())

    def loop() -> None:
        path.unlink()
        path.symlink_to(path)

    for spoil in (lambda: path.write_text("nonsense"), path.unlink, loop):
        spoil()
        assert main(["config", "rollback", "--config", str(path)]) == 0
        assert path.read_text() == MINIMAL
    capsys.readouterr()


def test_rollback_to_a_version(path: Path, copies: GoodCopies, capsys: pytest.CaptureFixture[str]) -> None:
    contents = [(MINIMAL + f"poll_s = {seconds}\n").encode() for seconds in (10, 20, 30)]
    for content in contents:
        copies.keep(content)
    path.write_bytes(contents[-1])
    answer_of(path, capsys, "rollback", version_of(contents[0]))
    assert path.read_bytes() == contents[0]
    assert main(["config", "rollback", "0123456789ab", "--config", str(path)]) == 2
    assert version_of(contents[1]) in capsys.readouterr().err


def test_the_schema_says_how_far_a_change_reaches(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "schema"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["$defs"]["KeyReaderTable"]["properties"]["port"]["reach"] == "part: key reader"


def typed(monkeypatch: pytest.MonkeyPatch, *codes: str) -> None:
    answers = iter(codes)
    monkeypatch.setattr(getpass, "getpass", lambda _prompt: next(answers))


def test_the_technicians_code_becomes_a_line_that_the_file_takes(
    path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, "471147", "471147")
    assert main(["config", "technician-code"]) == 0
    line = capsys.readouterr().out
    assert "471147" not in line
    path.write_text(MINIMAL + "[display]\n" + line)
    encoded = config.load(path).display.technician_code
    assert encoded is not None
    code = TechnicianCode(encoded)
    assert asyncio.run(code.is_right(Entry("471147")))
    assert not asyncio.run(code.is_right(Entry("471148")))


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        (("12345",), "a code has 6 to 16 digits, and nothing else"),
        (("1" * 17,), "a code has 6 to 16 digits, and nothing else"),
        (("12 456",), "a code has 6 to 16 digits, and nothing else"),
        (("471147", "471148"), "the two codes are not the same"),
    ],
)
def test_what_is_no_technicians_code(
    codes: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, *codes)
    assert main(["config", "technician-code"]) == 2
    told = capsys.readouterr()
    assert said in told.err
    assert not told.out
    assert not any(code in told.err for code in codes)
