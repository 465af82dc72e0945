"""What enrolment writes into station.toml."""

import stat
from pathlib import Path

import pytest

import config
from config.enrolment import template
from config.problems import ConfigFault

ENROLLED = {"number": 12, "name": 'Norra "Ängen"', "url": "https://central.example", "profile": "update-box"}


def enrol(path: Path) -> None:
    config.write_enrolled(path, number=12, name='Norra "Ängen"', url="https://central.example", profile="update-box")


def test_a_new_station_begins_with_the_template(tmp_path: Path) -> None:
    path = tmp_path / "station.toml"
    enrol(path)
    settings = config.load(path)
    found = settings.station.model_dump() | {"url": settings.central.url}
    assert found == ENROLLED
    before, after = template().splitlines(), path.read_text("utf-8").splitlines()
    assert [new for old, new in zip(before, after, strict=True) if old != new] == [
        "number = 12",
        'name = "Norra \\"Ängen\\""',
        'profile = "update-box"',
        'url = "https://central.example"',
    ]
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(tmp_path.iterdir()) == [path]


def test_an_existing_file_keeps_everything_else(tmp_path: Path) -> None:
    path = tmp_path / "station.toml"
    path.write_text(
        '[key_reader] # ours\nport = "/dev/ours"\n[station]\nname="Old"   # the name\nnumber=1\n'
        '[central]\n# where\nurl = "https://old.example"\n# end\n',
        "utf-8",
    )
    enrol(path)
    assert path.read_text("utf-8") == (
        '[key_reader] # ours\nport = "/dev/ours"\n[station]\nprofile = "update-box"\n'
        'name="Norra \\"Ängen\\""   # the name\nnumber=12\n'
        '[central]\n# where\nurl = "https://central.example"\n# end\n'
    )
    enrol(path)
    assert config.load(path).station.number == 12


def test_a_missing_table_is_added(tmp_path: Path) -> None:
    path = tmp_path / "station.toml"
    path.write_text('[station]\nname="Old"\nnumber=1\nprofile = "activation-box"\n[clock]\ntrust_rtc = true\n', "utf-8")
    enrol(path)
    assert config.load(path).central.url == "https://central.example"


@pytest.mark.parametrize("wrong", [{"number": 0}, {"name": ""}, {"url": "http://central.example"}])
def test_nothing_invalid_is_written_beside_the_template(tmp_path: Path, wrong: dict[str, object]) -> None:
    path = tmp_path / "station.toml"
    with pytest.raises(ConfigFault) as caught:
        config.write_enrolled(path, **{**ENROLLED, **wrong})  # type: ignore[arg-type]
    assert caught.value.code == "config_invalid"
    assert path.read_text("utf-8") == template()


def test_a_broken_file_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "station.toml"
    path.write_text("[station\n", "utf-8")
    with pytest.raises(ConfigFault):
        enrol(path)
    assert path.read_text("utf-8") == "[station\n"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigFault) as caught:
        enrol(tmp_path / "missing" / "station.toml")
    assert caught.value.code == "config_unwritable"
