"""A pushed file that is only the beginning of one."""

from pathlib import Path

import pytest

from config.config_file import ConfigFile
from config.good_copies import GoodCopies, GoodCopy
from config.problems import ConfigFault

PLAIN = b'[station]\nnumber = 7\nname = "Ekbacken"\n[central]\nurl = "https://central.example"\n'
ENDED = PLAIN + b"[policy]\nactive_minutes = 480\n# end\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "station.toml"


def kept(folder: Path, *contents: bytes) -> list[GoodCopy]:
    copies = GoodCopies(folder / "good")
    for content in contents:
        copies.keep(content)
    return copies.newest_first()


@pytest.mark.parametrize("end", [b"# end", b"# end\n", b"# end\r\n", b"# end\n\n \n"])
def test_whole(path: Path, end: bytes) -> None:
    path.write_bytes(PLAIN + end)
    assert ConfigFile.read(path, kept(path.parent, ENDED)).settings.station.number == 7


@pytest.mark.parametrize("length", [*range(len(PLAIN), len(ENDED) - len("# end\n"), 7), len(ENDED) - 2])
def test_no_beginning_of_a_file_passes_for_one(path: Path, length: int) -> None:
    path.write_bytes(ENDED[:length])
    with pytest.raises(ConfigFault) as caught:
        ConfigFile.read(path, kept(path.parent, ENDED))
    assert caught.value.code == "config_incomplete"
    (problem,) = caught.value.problems
    assert problem.line == ENDED[:length].rstrip().count(b"\n") + 1
    assert '"# end"' in problem.expected


def test_where_no_good_file_ended_so_it_is_not_asked_for(path: Path) -> None:
    path.write_bytes(PLAIN)
    assert ConfigFile.read(path, []).content == PLAIN
    assert ConfigFile.read(path, kept(path.parent, PLAIN + b"# other\n")).content == PLAIN


def test_a_kept_file_is_whole_even_without(path: Path) -> None:
    path.write_bytes(PLAIN)
    assert ConfigFile.read(path, kept(path.parent, PLAIN, ENDED)).content == PLAIN


def test_a_copy_speaks_of_the_files_own_folder(path: Path) -> None:
    (copy,) = kept(path.parent, ENDED)
    assert ConfigFile.from_copy(path, copy).settings.storage.database == path.parent / "station.db"


def test_problems_found_later_have_a_line_too(path: Path) -> None:
    path.write_bytes(ENDED)
    problem = ConfigFile.read(path, []).problem(("policy", "active_minutes"), "expected less")
    assert str(problem) == f"{path}:7: policy.active_minutes: expected less"
