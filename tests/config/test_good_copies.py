"""The last good files: kept through anything, and none of them taken for what it is not."""

from pathlib import Path

import pytest

from config.good_copies import COPIES_LIMIT, SYSTEM_FOLDER, GoodCopies, folder_of
from config.loading import SYSTEM_FILE, version_of
from config.problems import ConfigFault


def test_where_they_are() -> None:
    assert folder_of(SYSTEM_FILE) == SYSTEM_FOLDER
    assert folder_of(Path("there/station.toml")) == Path("there/station.toml.good")


def test_none_at_first(tmp_path: Path) -> None:
    assert GoodCopies(tmp_path / "good").newest_first() == []


def test_the_last_five_newest_first(tmp_path: Path) -> None:
    copies = GoodCopies(tmp_path / "deep" / "good")
    contents = [b"# %d\n" % n for n in range(COPIES_LIMIT + 2)]
    for content in contents:
        copies.keep(content)
    assert [copy.content for copy in copies.newest_first()] == contents[:1:-1]
    assert [copy.version for copy in copies.newest_first()] == [version_of(content) for content in contents[:1:-1]]
    assert len(list(copies.folder.iterdir())) == COPIES_LIMIT


def test_the_same_again_is_the_same_copy(tmp_path: Path) -> None:
    copies = GoodCopies(tmp_path / "good")
    for content in (b"a", b"a", b"b", b"a"):
        copies.keep(content)
    assert [copy.content for copy in copies.newest_first()] == [b"a", b"b"]


def test_a_damaged_copy_counts_as_none(tmp_path: Path) -> None:
    copies = GoodCopies(tmp_path)
    copies.keep(b"first")
    copies.keep(b"second")
    copies.newest_first()[0].path.write_bytes(b"seco")
    assert [copy.content for copy in copies.newest_first()] == [b"first"]


def test_what_a_power_cut_left_goes_with_the_next_one(tmp_path: Path) -> None:
    copies = GoodCopies(tmp_path)
    (tmp_path / ".000001-abc.toml.x1y2").write_bytes(b"half")
    copies.keep(b"whole")
    assert [path.name for path in tmp_path.iterdir()] == [f"000001-{version_of(b'whole')}.toml"]


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "good").write_bytes(b"a file")
    copies = GoodCopies(tmp_path / "good")
    assert copies.newest_first() == []
    with pytest.raises(ConfigFault) as caught:
        copies.keep(b"whole")
    assert caught.value.code == "config_unwritable"
