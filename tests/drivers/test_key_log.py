from io import BytesIO
from pathlib import Path
from typing import Any

import cbor2
import pytest

from drivers.emulated_key import key_log
from drivers.emulated_key.folder import KeyFolder
from station.ports import KeyFile


def sequence(data: bytes) -> list[Any]:
    stream, items = BytesIO(data), []
    while stream.tell() < len(data):
        items.append(cbor2.load(stream))
    return items


def write(folder: KeyFolder, time_s: int | None = 1_790_000_000, holder: int | None = 4711) -> int:
    return folder.append_log_entry(time_s=time_s, lock=300, outcome="opened", holder=holder, battery_percent=81)


def test_a_log_is_a_generation_and_entries(tmp_path: Path) -> None:
    folder = KeyFolder(tmp_path)
    assert write(folder) == 1
    assert write(folder, time_s=None, holder=None) == 2
    assert sequence(folder.read(KeyFile.LOG)) == [
        1,
        [1, 1_790_000_000, 300, "opened", 4711, 81],
        [2, None, 300, "opened", None, 81],
    ]


def test_it_only_grows_within_a_generation(tmp_path: Path) -> None:
    folder = KeyFolder(tmp_path)
    before = b""
    for _ in range(50):
        write(folder)
        now = folder.read(KeyFile.LOG)
        assert now.startswith(before)
        assert len(now) > len(before)
        before = now


def filled(folder: KeyFolder) -> int:
    """Fill the log to the last entry that fits; returns its seq."""
    entry = cbor2.dumps([1000, 1_790_000_000, 300, "opened", 4711, 81])
    count = (key_log.MAX_LOG_BYTES - 1) // len(entry)
    body = b"".join(cbor2.dumps([n, 1_790_000_000, 300, "opened", 4711, 81]) for n in range(1000, 1000 + count))
    folder.store("log", cbor2.dumps(7) + body)
    return 999 + count


def test_what_is_acknowledged_is_forgotten_when_space_is_needed_and_seq_runs_on(tmp_path: Path) -> None:
    folder = KeyFolder(tmp_path)
    last = filled(folder)
    folder.store("ack", cbor2.dumps([7, last - 10]))
    assert write(folder) == last + 1
    generation, *entries = sequence(folder.read(KeyFile.LOG))
    assert generation == 8
    assert [entry[0] for entry in entries] == list(range(last - 9, last + 2))


def test_with_everything_acknowledged_seq_still_runs_on(tmp_path: Path) -> None:
    folder = KeyFolder(tmp_path)
    last = filled(folder)
    folder.store("ack", cbor2.dumps([7, last + 1]))
    assert [write(folder), write(folder)] == [last + 1, last + 2]
    assert [entry[0] for entry in sequence(folder.read(KeyFile.LOG))[1:]] == [last + 1, last + 2]


@pytest.mark.parametrize("ack", [b"", b"\x00", b"\xff\xff", cbor2.dumps([8, 99999]), cbor2.dumps(["7", 99999])])
def test_without_an_ack_the_oldest_go_and_the_gap_shows(tmp_path: Path, ack: bytes) -> None:
    folder = KeyFolder(tmp_path)
    last = filled(folder)
    folder.store("ack", ack)
    assert write(folder) == last + 1
    content = folder.read(KeyFile.LOG)
    assert len(content) <= key_log.MAX_LOG_BYTES
    generation, *entries = sequence(content)
    assert generation == 8
    assert entries[0][0] > 1000
    assert [entry[0] for entry in entries] == list(range(entries[0][0], last + 2))


@pytest.mark.parametrize("content", [b"\xff", b"\x80", b"\x20"])
def test_a_log_that_is_none_begins_again(tmp_path: Path, content: bytes) -> None:
    folder = KeyFolder(tmp_path)
    folder.store("log", content)
    assert write(folder) == 1
    assert sequence(folder.read(KeyFile.LOG))[0] == 1
