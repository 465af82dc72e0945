"""The list of licences is what the pins and the installed packages say."""

from tests.setup.pins import FILES, pins
from tools.pages.licences import PAGE, page


def test_the_committed_page_is_the_generated_one() -> None:
    assert PAGE.read_text("utf-8") == page(), "run: python -m tools.pages.licences"


def test_it_has_a_licence_for_every_pin() -> None:
    rows = [line.split(" | ") for line in page().splitlines() if line.startswith("| ")]
    told = {name.removeprefix("| "): (version, licence.removesuffix(" |")) for name, version, licence, *_ in rows}
    for path in FILES:
        for name, version in pins(path).items():
            assert told[name][0] == version
            assert told[name][1].strip(), f"{name} declares none"


def test_a_station_builds_nothing() -> None:
    for name in ("base", "central", "postgresql"):
        (path,) = [each for each in FILES if each.stem == name]
        assert not {"smp", "crcmod"} & pins(path).keys()
