"""Values, bounds and defaults of station.toml, and how far a change of each reaches."""

from pathlib import Path
from typing import Annotated

import pytest
from pydantic import BaseModel

import config
from config.models import Reach, Settings, changed_keys, keys_with_reach
from station.rules.facts import Policy

MINIMAL = '[station]\nnumber = 7\nname = "Ekbacken"\n[central]\nurl = "https://central.example"\n'


def load(folder: Path, text: str) -> Settings:
    path = folder / "station.toml"
    path.write_text(text, "utf-8")
    return config.load(path)


def problems(folder: Path, text: str) -> list[str]:
    path = folder / "station.toml"
    path.write_text(text, "utf-8")
    return [str(problem).removeprefix(f"{folder}/") for problem in config.check(path)]


def test_the_least_that_a_station_needs(tmp_path: Path) -> None:
    settings = load(tmp_path, MINIMAL)
    assert settings.station.number == 7
    assert settings.station.profile == "sync-station"
    assert settings.rules() == Policy()


def test_relative_paths_start_from_the_files_folder(tmp_path: Path) -> None:
    settings = load(tmp_path, MINIMAL + '[key_reader]\nport = "key0"\n[storage]\ncredentials = "/etc/secret.json"\n')
    assert settings.key_reader.port == tmp_path / "key0"
    assert settings.storage.credentials == Path("/etc/secret.json")
    assert settings.storage.database == tmp_path / "station.db"


def test_default_paths_too_when_their_table_is_missing(tmp_path: Path) -> None:
    assert load(tmp_path, MINIMAL).storage.database == tmp_path / "station.db"


def test_rules_reach_the_core(tmp_path: Path) -> None:
    text = MINIMAL + (
        "refresh_deadline_ms = 250\n[policy]\nactive_minutes = 30\nmirror_max_age_days = 1\nleft_in_s = 60\n"
        "[display]\nreceipt_s = 5\n[keypad]\nentry_timeout_s = 10\n"
    )
    rules = load(tmp_path, text).rules()
    assert rules == Policy(
        active_minutes=30,
        mirror_max_age_days=1,
        refresh_deadline_s=0.25,
        receipt_s=5,
        left_in_s=60,
        entry_timeout_s=10,
    )


def test_settings_do_not_change(tmp_path: Path) -> None:
    settings = load(tmp_path, MINIMAL)
    with pytest.raises(ValueError, match="frozen"):
        settings.policy.active_minutes = 700


def test_the_version_tells_files_apart(tmp_path: Path) -> None:
    first = load(tmp_path, MINIMAL).version
    assert len(first) == 12
    assert load(tmp_path, MINIMAL).version == first
    assert load(tmp_path, MINIMAL + "# a word\n").version != first


@pytest.mark.parametrize("value", ["30", "660"])
def test_active_minutes_within_bounds(tmp_path: Path, value: str) -> None:
    assert problems(tmp_path, MINIMAL + f"[policy]\nactive_minutes = {value}\n") == []


@pytest.mark.parametrize("value", ["29", "661", "0", "-1", "660.0", "true", '"660"', "1979-05-27", "[1]", "{}"])
def test_active_minutes_out_of_bounds(tmp_path: Path, value: str) -> None:
    (problem,) = problems(tmp_path, MINIMAL + f"[policy]\nactive_minutes = {value}\n")
    expected = "expected a whole number from 30 to 660 (11 hours are the most that locks accept)"
    assert problem.startswith(f"station.toml:7: policy.active_minutes: {expected}, got ")


@pytest.mark.parametrize(
    "url",
    [
        "https://central.example",
        "https://central.example:8443/sync/",
        "http://127.0.0.1:8000",
        "http://127.9.9.9",
        "http://[::1]:8000",
        "http://localhost:8000",
    ],
)
def test_addresses_of_central(tmp_path: Path, url: str) -> None:
    settings = load(tmp_path, MINIMAL.replace("https://central.example", url))
    assert settings.central.url == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "http://central.example",
        "http://127.0.0.1.example",
        "http://192.0.2.7",
        "https://someone:hidden-word@central.example",
        "https://",
        "https://central.example/?token=hidden-word",
        "https://central.example:99999",
        "https://[::1",
        "ftp://central.example",
        "central.example",
        "",
    ],
)
def test_addresses_that_are_not_safe(tmp_path: Path, url: str) -> None:
    (problem,) = problems(tmp_path, MINIMAL.replace("https://central.example", url))
    assert problem.startswith("station.toml:5: central.url: expected an https address")
    assert "hidden-word" not in problem


def test_only_a_box_goes_without_central(tmp_path: Path) -> None:
    station = '[station]\nnumber = 7\nname = "Ekbacken"\n'
    (problem,) = problems(tmp_path, station)
    assert problem.startswith("station.toml:1: central.url: expected the central server's address")
    assert problems(tmp_path, station + 'profile = "activation-box"\n[clock]\ntrust_rtc = true\n') == []


def test_a_box_needs_its_own_clock(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, '[station]\nnumber = 7\nname = "Box"\nprofile = "activation-box"\n[clock]\n')
    assert problem.startswith("station.toml:5: clock.trust_rtc: expected true")


@pytest.mark.parametrize("zone", ["Europe/Stockholm", "Europe/Copenhagen", "UTC"])
def test_time_zones(tmp_path: Path, zone: str) -> None:
    assert load(tmp_path, MINIMAL + f'[clock]\ntime_zone = "{zone}"\n').clock.time_zone == zone


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "../../etc/passwd", "/etc/localtime", "Europe", ""])
def test_no_time_zones(tmp_path: Path, zone: str) -> None:
    (problem,) = problems(tmp_path, MINIMAL + f'[clock]\ntime_zone = "{zone}"\n')
    assert problem.startswith("station.toml:7: clock.time_zone: expected the name of a time zone")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('[display]\nlanguage = "xx"', 'display.language: expected "sv", "en", "da", "nb" or "fi", got "xx"'),
        ("[display]\nbell = 1", "display.bell: expected true or false, got 1"),
        ("[key_reader]\nbaud = 115201", "key_reader.baud: expected 9600, 19200"),
        ('[key_reader]\nfolder = "lfs1"', 'key_reader.folder: expected a folder on the key, as /lfs1, got "lfs1"'),
        ("[key_reader]\nport = 3", "key_reader.port: expected the path of a serial port"),
        ('[storage]\ndatabase = ""', 'storage.database: expected the path of a file, got ""'),
    ],
)
def test_what_was_expected(tmp_path: Path, line: str, message: str) -> None:
    (problem,) = problems(tmp_path, MINIMAL + line + "\n")
    assert problem.startswith(f"station.toml:7: {message}")


def test_every_setting_has_a_description_and_an_expectation(tmp_path: Path) -> None:
    document = config.schema()
    count = 0
    for table, reference in document["properties"].items():
        for key, about in document["$defs"][reference["$ref"].rpartition("/")[2]]["properties"].items():
            count += 1
            assert about["description"].endswith("."), key
            # An inline table is never right: each setting says what would be.
            text = f"{table}.{key} = {{}}\n"
            (problem,) = [p for p in problems(tmp_path, text) if f" {table}.{key}: " in p]
            assert problem.startswith(f"station.toml:1: {table}.{key}: expected "), problem
            assert problem.endswith(", got a table") or key in {"url", "technician_code"}
    assert count >= 20


@pytest.mark.parametrize("port", ["hwgrep://0403:6001", "hwgrep://SER=READER7&n=2", "HWGREP://key reader"])
def test_a_serial_port_may_be_searched_for(tmp_path: Path, port: str) -> None:
    assert load(tmp_path, MINIMAL + f'[key_reader]\nport = "{port}"\n').key_reader.port == port


@pytest.mark.parametrize("port", ["hwgrep://", "hwgrep://([", "hwgrep://a\\tb", "hwgrep://" + "x" * 1000])
def test_no_searches_for_a_serial_port(tmp_path: Path, port: str) -> None:
    (problem,) = problems(tmp_path, MINIMAL + f'[key_reader]\nport = "{port}"\n')
    assert problem.startswith("station.toml:7: key_reader.port: expected the path of a serial port"), problem
    assert "hwgrep://EXPRESSION" in problem


def test_every_key_is_marked() -> None:
    marked = [(table, key) for table, key, _ in keys_with_reach(Settings)]
    document = config.schema()
    assert marked == [
        (table, key)
        for table, reference in document["properties"].items()
        for key in document["$defs"][reference["$ref"].rpartition("/")[2]]["properties"]
    ]


def test_an_unmarked_key_is_found() -> None:
    class Table(BaseModel):
        marked: Annotated[int, Reach.LIVE] = 1
        bare: int = 2

    class Model(BaseModel):
        table: Table

    with pytest.raises(LookupError, match=r"table\.bare"):
        list(keys_with_reach(Model))


def test_what_cannot_change_live_says_so() -> None:
    reach = {f"{table}.{key}": mark for table, key, mark in keys_with_reach(Settings)}
    assert reach["policy.active_minutes"] is Reach.LIVE
    assert reach["key_reader.port"] is Reach.KEY_READER
    assert reach["central.url"] is Reach.CENTRAL
    assert reach["storage.database"] is Reach.PROCESS


def test_only_what_differs_in_effect(tmp_path: Path) -> None:
    old = load(tmp_path, MINIMAL)
    assert changed_keys(old, load(tmp_path, MINIMAL + "# a word\n[policy]\nactive_minutes = 660\n")) == {}
    new = load(tmp_path, MINIMAL + "poll_s = 30\n[key_reader]\nbaud = 9600\n")
    assert changed_keys(old, new) == {"central.poll_s": Reach.LIVE, "key_reader.baud": Reach.KEY_READER}
