"""`station enrol`: both files or none, and no code spent in vain."""

import os
import stat
from pathlib import Path

import pytest

from tests.running_site import RunningSite

pytestmark = pytest.mark.slow


def test_enrol_writes_both_files_and_neither_on_a_bad_code(site: RunningSite, tmp_path: Path) -> None:
    url = site.world.home.url
    refused = site.station("enrol", "--code", "ZZZZ-0000000000", "--url", url, folder=tmp_path)
    assert refused.returncode == 1
    assert refused.stderr.startswith("station enrol: the central server does not know this code; ask for a new one")
    # The code may have been mistyped in a second try, and the first one's answer been lost: its key is kept.
    assert [each.name for each in tmp_path.iterdir()] == ["enrolment-key.json"]
    assert stat.S_IMODE((tmp_path / "enrolment-key.json").stat().st_mode) == 0o600
    code = site.central("enrol-code", "--station", "2")
    told = site.json("enrol", "--code", code, "--url", url, folder=tmp_path)
    assert (told["station"], told["profile"]) == (2, "sync-station")
    assert stat.S_IMODE((tmp_path / "credentials.json").stat().st_mode) == 0o600
    assert not (tmp_path / "enrolment-key.json").exists()
    assert site.json("sync", folder=tmp_path)["mirror_objects"] > 100


def test_enrol_spends_no_code_where_nothing_can_be_written(site: RunningSite, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        target = Path("/proc/station.toml")
    else:
        tmp_path.chmod(0o500)
        target = tmp_path / "station.toml"
    code = site.central("enrol-code", "--station", "2")
    done = site.station("enrol", "--code", code, "--url", site.world.home.url, "--config", str(target))
    assert done.returncode == 2
    assert "nothing can be written to that folder" in done.stderr


def test_a_box_is_enrolled_by_the_same_command_again_once_its_clock_is_set(site: RunningSite, tmp_path: Path) -> None:
    """A real central's answer is the same again for the same key: no token has been used."""
    code = site.central("enrol-code", "--station", "13")
    words = ("enrol", "--code", code, "--url", site.world.home.url)
    done = site.station(*words, folder=tmp_path)
    assert done.returncode == 2
    assert "clock.trust_rtc: expected true" in done.stderr
    assert "the same command again within the code's 15 minutes" in done.stderr
    path = tmp_path / "station.toml"
    path.write_text(path.read_text("utf-8").replace("# trust_rtc = false", "trust_rtc = true"), "utf-8")
    assert site.json(*words, folder=tmp_path)["profile"] == "activation-box"
    assert not (tmp_path / "enrolment-key.json").exists()
