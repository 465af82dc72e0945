"""Finding, reading and refusing station.toml."""

import os
from pathlib import Path

import pytest

import config
from config.loading import FILE_LIMIT_BYTES, SYSTEM_FILE
from config.problems import ConfigFault

MINIMAL = '[station]\nnumber = 7\nname = "Ekbacken"\n[central]\nurl = "https://central.example"\n'


def fault(path: Path) -> ConfigFault:
    with pytest.raises(ConfigFault) as caught:
        config.load(path)
    assert config.check(path) == list(caught.value.problems)
    return caught.value


def written(folder: Path, content: bytes | str) -> Path:
    path = folder / "station.toml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_the_file_of_the_working_directory_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert config.find(None) == SYSTEM_FILE
    written(tmp_path, MINIMAL)
    assert config.find(None) == Path("station.toml")
    assert config.find(Path("other.toml")) == Path("other.toml")


def test_a_missing_file(tmp_path: Path) -> None:
    error = fault(tmp_path / "station.toml")
    assert error.code == "config_missing"
    assert str(error.problems[0]) == f"{tmp_path}/station.toml: there is no such file"


def test_a_folder(tmp_path: Path) -> None:
    assert fault(tmp_path).code == "config_unreadable"


def test_a_fifo_does_not_make_the_station_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert fault(tmp_path / "fifo").code == "config_unreadable"


def test_a_file_in_place_of_a_folder(tmp_path: Path) -> None:
    assert fault(written(tmp_path, MINIMAL) / "station.toml").code == "config_unreadable"


def test_too_large(tmp_path: Path) -> None:
    filler = "#" * (FILE_LIMIT_BYTES - len(MINIMAL))
    assert config.check(written(tmp_path, MINIMAL + filler)) == []
    assert fault(written(tmp_path, MINIMAL + filler + "#")).code == "config_too_large"


def test_not_utf_8(tmp_path: Path) -> None:
    error = fault(written(tmp_path, b'[station]\nname = "\xe5"\n'))
    assert error.code == "config_not_utf8"
    assert error.problems[0].line == 2


def test_a_byte_order_mark_and_windows_line_ends(tmp_path: Path) -> None:
    path = written(tmp_path, b"\xef\xbb\xbf" + MINIMAL.replace("\n", "\r\n").encode())
    assert config.load(path).station.number == 7
    path = written(tmp_path, b"\xef\xbb\xbf" + MINIMAL.replace("7", "0").replace("\n", "\r\n").encode())
    assert fault(path).problems[0].line == 2


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[station\n", 1),
        ("[station]\nnumber = \n", 2),
        ("[station]\nnumber = 1\nnumber = 2\n", 3),
        ('[station]\nname = "open\n', 2),
        ("[station]\nname = '''open\n\n", 4),
        ("[station]\n[station]\n", 2),
        ("a = " + "[" * 100_000, 1),
        ("a = " + "9" * 10_000, 1),
    ],
)
def test_not_toml(tmp_path: Path, text: str, line: int) -> None:
    error = fault(written(tmp_path, text))
    assert error.code == "config_syntax"
    assert error.problems[0].line == line
    assert error.problems[0].expected.startswith("not valid TOML: ")
    assert "(at line" not in str(error.problems[0])


def test_every_mistake_is_named_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        '[station]\nnumber = 0\n\n[policy]\nactive_minuts = 9\nleft_in_s = "long"\n[polcy]\n[central]\nurl = "x"\n',
    )
    assert [str(problem).removeprefix(f"{tmp_path}/") for problem in config.check(path)] == [
        "station.toml:1: station.name: is missing, expected text in quotes, from 1 to 60 characters",
        "station.toml:2: station.number: expected a whole number from 1 to 65535, got 0",
        (
            'station.toml:5: policy.active_minuts: unknown, perhaps "active_minutes" is meant; the keys of [policy] are'
            " active_minutes, mirror_max_age_days, left_in_s"
        ),
        'station.toml:6: policy.left_in_s: expected a whole number from 30 to 600, got "long"',
        (
            'station.toml:7: polcy: unknown, perhaps "policy" is meant; the tables are station, central, key_reader,'
            " keypad, policy, display, storage, clock"
        ),
        (
            "station.toml:9: central.url: expected an https address (http only to this machine itself, as"
            " http://127.0.0.1:8000)"
        ),
    ]


def test_a_value_in_place_of_a_table(tmp_path: Path) -> None:
    (problem,) = fault(written(tmp_path, "policy = 3\n" + MINIMAL)).problems
    assert str(problem).endswith("station.toml:1: policy: expected a table, [policy], got 3")


def test_a_list_of_tables_in_place_of_a_table(tmp_path: Path) -> None:
    (problem,) = fault(written(tmp_path, MINIMAL + "[[policy]]\n")).problems
    assert str(problem).endswith("station.toml:6: policy: expected a table, [policy], got an array")


def test_what_stands_under_an_unknown_key_is_not_repeated(tmp_path: Path) -> None:
    error = fault(written(tmp_path, MINIMAL + 'token = "hidden-word"\n'))
    assert "central.token: unknown" in str(error.problems[0])
    assert "hidden-word" not in f"{error!r} {error} {error.problems} {error.__cause__!r} {error.__context__!r}"


def test_a_long_value_is_shortened(tmp_path: Path) -> None:
    (problem,) = fault(written(tmp_path, MINIMAL.replace("Ekbacken", "å" * 1000))).problems
    assert problem.got is not None
    assert len(problem.got) == 40


def test_thousands_of_mistakes_are_cut_short(tmp_path: Path) -> None:
    text = MINIMAL + "[policy]\n" + "".join(f"key{number} = 1\n" for number in range(5000))
    assert len(fault(written(tmp_path, text)).problems) == 50


def test_an_odd_key_is_shown_quoted(tmp_path: Path) -> None:
    (problem,) = fault(written(tmp_path, '"a b\\n.c" = 1\n' + MINIMAL)).problems
    assert problem.key == '"a b\\n.c"'


def test_the_schema_is_about_the_whole_file() -> None:
    document = config.schema()
    assert set(document["properties"]) == {
        "station",
        "central",
        "key_reader",
        "keypad",
        "policy",
        "display",
        "storage",
        "clock",
    }
    assert document["required"] == ["station"]
    assert document["additionalProperties"] is False
