"""The emulated key by itself: no wire, no time but the test's."""

import hashlib
import logging
import zlib
from itertools import pairwise
from pathlib import Path
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.emulated_key.folder import KeyFolder
from drivers.emulated_key.key import EmulatedKey
from drivers.emulated_key.options import KeyOptions
from drivers.smp import messages
from drivers.smp.framing import FrameReader, encode_frame
from drivers.smp.messages import HEADER, Answer, Request
from station.ports import KeyFile
from station.rules.facts import KeyClock, KeyClockState


@pytest.fixture
def make(tmp_path: Path, world: Any) -> Any:
    def make(*, pressed: bool = True, **options: Any) -> EmulatedKey:
        key = EmulatedKey(
            tmp_path / "key", KeyOptions(**options), now=lambda: world.unix_s, monotonic=lambda: world.mono_s
        )
        if pressed:
            key.press()
        return key

    return make


def ask(key: EmulatedKey, request: Request) -> dict[str, Any]:
    raw = key.handle(request.to_bytes(5))
    assert raw is not None
    answer = Answer.from_bytes(raw)
    assert answer is not None
    assert answer.answers(request, 5)
    return answer.body


def upload(name: str, data: bytes, offset: int = 0, length: int | None = None) -> Request:
    body = {"off": offset, "data": data, "name": f"/lfs1/{name}"}
    if length is not None:
        body["len"] = length
    return Request(2, 8, 0, cbor2.dumps(body))


def test_asleep_it_answers_nothing_and_pressed_it_stays_awake_for_as_long_as_it_is_talked_to(
    make: Any, world: Any
) -> None:
    key = make(pressed=False)
    assert key.handle(messages.echo().to_bytes(1)) is None
    assert key.receive(encode_frame(messages.echo().to_bytes(1))) == b""
    assert not key.folder.awake
    key.press()
    assert key.folder.awake
    for _ in range(10):
        world.forward(15)
        assert ask(key, messages.echo()) == {"r": ""}
        assert key.folder.awake
    world.forward(21)
    assert key.handle(messages.echo().to_bytes(1)) is None
    assert not key.folder.awake


def test_whether_it_is_awake_outlives_the_process_but_never_grows(make: Any, world: Any) -> None:
    make().press()
    world.forward(12)
    again = make(pressed=False)
    assert again.awake
    world.forward(9)
    assert not again.awake
    again.press()
    world.unix_s -= 86400  # the world's clock was wrong
    assert make(pressed=False).awake
    world.forward(21)
    assert not make(pressed=False).awake


def test_what_is_on_it_reaches_no_log(make: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    key = make()
    key.folder.store("permit", b"an invented permit")
    assert key.receive(encode_frame(messages.download("/lfs1/permit", 0).to_bytes(1)))
    assert caplog.text == ""


def test_echo_as_read_and_as_write(make: Any) -> None:
    for operation in (0, 2):
        assert ask(make(), Request(operation, 0, 0, cbor2.dumps({"d": "hej"}))) == {"r": "hej"}
    only_write = make(echo_operations=(2,))
    assert ask(only_write, Request(0, 0, 0, cbor2.dumps({"d": "hej"}))) == {"rc": 8}


def test_an_upload_truncates_at_once_and_is_committed_when_complete(make: Any) -> None:
    key = make()
    key.folder.store("permit", b"the old permit")
    assert ask(key, upload("permit", b"new", 0, 6)) == {"off": 3}
    assert key.folder.read(KeyFile.PERMIT) == b"the old permit"  # not committed: a power cut keeps it
    assert ask(key, messages.status("/lfs1/permit")) == {"len": 14}
    assert ask(key, upload("permit", b"est", 3)) == {"off": 6}
    assert key.folder.read(KeyFile.PERMIT) == b"newest"
    assert not key.has_open_file


@pytest.mark.parametrize("how", ["close", "another", "download", "idle"])
def test_what_commits_a_torn_file(make: Any, world: Any, how: str) -> None:
    key = make()
    key.folder.store("act", b"whole")
    ask(key, upload("act", b"to", 0, 9))
    world.forward(3.9)
    key.commit_idle_file()
    assert key.folder.read(KeyFile.ACT) == b"whole"
    match how:
        case "close":
            ask(key, messages.close_file())
        case "another":
            ask(key, upload("cert", b"x", 0, 2))
        case "download":
            assert ask(key, messages.download("/lfs1/act", 0)) == {"off": 0, "data": b"to", "len": 2}
        case "idle":
            world.forward(0.2)
            key.commit_idle_file()
    assert key.folder.read(KeyFile.ACT) == b"to"


def test_power_loss_keeps_the_old_file_and_unsets_the_clock(make: Any, world: Any) -> None:
    key = make()
    key.folder.store("act", b"whole")
    ask(key, messages.datetime_set("2026-05-04T03:02:01"))
    ask(key, upload("act", b"to", 0, 9))
    key.lose_power()
    assert not key.awake
    assert key.folder.clock() == KeyClock(KeyClockState.UNSET)
    key.press()
    world.forward(10)
    ask(key, messages.close_file())
    assert key.folder.read(KeyFile.ACT) == b"whole"


def test_an_upload_of_no_bytes_changes_nothing_and_succeeds(make: Any) -> None:
    key = make()
    key.folder.store("act", b"still here")
    assert ask(key, upload("act", b"", 0, 0)) == {"off": 0}
    ask(key, messages.close_file())
    assert key.folder.read(KeyFile.ACT) == b"still here"
    assert ask(key, upload("act", b"\0", 0, 1)) == {"off": 1}
    assert key.folder.read(KeyFile.ACT) == b""
    assert key.folder.files()[KeyFile.ACT] == b""


def test_the_offset_counts_on_after_a_lost_answer(make: Any) -> None:
    key = make()
    key.folder.store("permit", b"old one")
    assert ask(key, upload("permit", b"abc", 0, 9)) == {"off": 3}
    assert ask(key, upload("permit", b"abc", 0, 9)) == {"off": 6}  # truncated again, but the count goes on
    assert ask(key, upload("permit", b"def", 3)) == {"err": {"group": 8, "rc": 11}, "len": 6}
    assert key.folder.read(KeyFile.PERMIT) == b"abc"


def test_a_file_that_was_empty_on_disk_is_appended_to(make: Any) -> None:
    key = make()
    assert ask(key, upload("permit", b"abc", 0, 9)) == {"off": 3}
    assert ask(key, upload("permit", b"abcdef", 0, 6)) == {"off": 9}
    assert key.folder.read(KeyFile.PERMIT) == b"abcabcdef"


def test_after_close_a_restart_starts_at_nothing(make: Any) -> None:
    key = make()
    ask(key, upload("permit", b"abc", 0, 9))
    assert ask(key, messages.close_file()) == {}
    assert ask(key, upload("permit", b"abcdef", 0, 6)) == {"off": 6}
    assert key.folder.read(KeyFile.PERMIT) == b"abcdef"


def test_download_pieces_are_the_buffer_less_44(make: Any) -> None:
    key = make(buffer_bytes=256)
    content = bytes(range(250)) * 2
    key.folder.store("permit", content)
    assert ask(key, messages.download("/lfs1/permit", 0)) == {"off": 0, "data": content[:212], "len": 500}
    assert ask(key, messages.download("/lfs1/permit", 424)) == {"off": 424, "data": content[424:]}
    assert ask(key, messages.download("/lfs1/permit", 500)) == {"off": 500, "data": b""}


def test_requests_over_the_buffer_less_4_vanish(make: Any) -> None:
    key = make(buffer_bytes=512)
    assert ask(key, messages.parameters()) == {"buf_size": 512, "buf_count": 4}
    fits = messages.upload("/lfs1/permit", bytes(999), 0, 508)[0]
    larger = messages.upload("/lfs1/permit", bytes(999), 0, 509)[0]
    assert (len(fits), len(larger)) == (508, 509)
    assert key.receive(encode_frame(larger.to_bytes(1))) == b""
    assert key.receive(encode_frame(fits.to_bytes(2))) != b""


def test_a_burst_of_too_many_lines_vanishes(make: Any) -> None:
    key = make(max_request_lines=2)
    assert key.receive(encode_frame(messages.upload("/lfs1/permit", bytes(999), 0, 380)[0].to_bytes(1))) == b""
    assert key.receive(encode_frame(messages.upload("/lfs1/permit", bytes(999), 0, 124)[0].to_bytes(2))) != b""


def test_a_half_line_spoils_the_next_request_unless_a_newline_ends_it(make: Any) -> None:
    echo = encode_frame(messages.echo().to_bytes(1))
    key = make()
    assert key.receive(echo[:9]) == b""
    assert key.receive(echo) == b""
    assert key.receive(echo) != b""
    assert key.receive(echo[:9]) == b""
    assert key.receive(b"\n" + echo) != b""


@given(st.lists(st.integers(0, 700), max_size=8))
def test_it_takes_its_bytes_in_any_pieces(tmp_path_factory: pytest.TempPathFactory, cuts: list[int]) -> None:
    key = EmulatedKey(tmp_path_factory.mktemp("keys") / "key")
    key.press()
    sent = b"".join(encode_frame(messages.upload("/lfs1/act", bytes(340), 0, 380)[0].to_bytes(n)) for n in range(2))
    points = [0, *sorted(min(c, len(sent)) for c in cuts), len(sent)]
    answers = b"".join(key.receive(sent[a:b]) for a, b in pairwise(points))
    assert len(FrameReader().feed(answers)) == 2


@given(st.binary(max_size=400))
def test_it_survives_anything(tmp_path_factory: pytest.TempPathFactory, noise: bytes) -> None:
    key = EmulatedKey(tmp_path_factory.mktemp("keys") / "key")
    key.press()
    key.receive(noise)
    key.handle(noise)
    for group, command in ((0, 0), (0, 4), (8, 0), (8, 1), (8, 2)):
        for operation in (0, 2):
            assert key.handle(HEADER.pack(8 | operation, 0, len(noise), group, 1, command) + noise) is not None or noise
    assert key.receive(b"\n" + encode_frame(messages.echo().to_bytes(1))) != b""


def test_errors_of_version_2_and_1(make: Any) -> None:
    nothing = messages.download("/lfs1/nothing", 0)
    key = make()
    assert ask(key, nothing) == {"err": {"group": 8, "rc": 3}}
    assert ask(key, messages.datetime_get()) == {"err": {"group": 0, "rc": 4}}
    assert ask(key, Request(0, 0, 7, b"\xa0")) == {"rc": 8}
    key = make(error_version=1)
    assert ask(key, nothing) == {"rc": 5}
    assert ask(key, messages.datetime_get()) == {"rc": 5}
    assert ask(key, messages.status("/lfs1/nothing")) == {"rc": 5}
    assert ask(key, messages.echo()) == {"rc": 0, "r": ""}


@pytest.mark.parametrize(
    ("options", "request_"),
    [
        ({"has_clock": False}, messages.datetime_get()),
        ({"has_clock": False}, messages.datetime_set("2026-05-04T03:02:01")),
        ({"has_status": False}, messages.status("/lfs1/id")),
        ({"hashes": ()}, messages.file_hash("/lfs1/id", "sha256", 99)),
        ({"has_parameters": False}, messages.parameters()),
        ({"has_close": False}, messages.close_file()),
        ({}, Request(2, 8, 1, b"\xa0")),
        ({}, Request(0, 1, 0, b"\xa0")),
    ],
)
def test_what_is_configured_away_is_not_supported(make: Any, options: dict[str, Any], request_: Request) -> None:
    assert ask(make(**options), request_) == {"rc": 8}


def test_hashes(make: Any) -> None:
    key = make()
    key.folder.store("id", b"record")
    key.folder.store("act", b"")
    sha = {"type": "sha256", "len": 6, "output": hashlib.sha256(b"record").digest()}
    assert ask(key, messages.file_hash("/lfs1/id", "sha256", 99)) == sha
    assert ask(key, Request(0, 8, 2, cbor2.dumps({"name": "/lfs1/id"}))) == {
        "type": "crc32",
        "len": 6,
        "output": zlib.crc32(b"record"),
    }
    assert ask(key, messages.file_hash("/lfs1/act", "sha256", 99)) == {"err": {"group": 8, "rc": 16}}
    assert ask(make(hashes=("crc32",)), messages.file_hash("/lfs1/id", "sha256", 99)) == {"err": {"group": 8, "rc": 13}}


def test_the_clock_runs_with_the_world_and_takes_what_zephyr_takes(make: Any, world: Any) -> None:
    key = make(milliseconds=True)
    assert key.folder.clock() == KeyClock(KeyClockState.UNSET)
    assert ask(key, messages.datetime_set("2026-05-04T03:02:01")) == {}
    assert ask(key, messages.datetime_get()) == {"datetime": "2026-05-04T03:02:01.0"}
    world.forward(61.007)
    key.press()
    assert ask(key, messages.datetime_get())["datetime"] in {"2026-05-04T03:03:02.7", "2026-05-04T03:03:02.6"}
    assert key.folder.clock() == KeyClock(KeyClockState.SET, 1_777_863_782)
    assert ask(key, messages.datetime_set("2026-05-04T03:02:01+02:00")) == {}
    assert ask(key, messages.datetime_get()) == {"datetime": "2026-05-04T03:02:01.0"}
    for refused in ("2026-05-04T03:02:01.123456", "2026-05-04T03:02", "2026-13-04T03:02:01"):
        assert ask(key, messages.datetime_set(refused)) == {"rc": 3}
    assert make(has_clock=False).folder.clock() == KeyClock(KeyClockState.ABSENT)


def test_the_clock_outlives_the_process(make: Any, world: Any) -> None:
    ask(make(), messages.datetime_set("2026-05-04T03:02:01"))
    world.forward(3600)
    assert make(pressed=False).folder.clock() == KeyClock(KeyClockState.SET, 1_777_863_721 + 3600)


def test_nothing_outside_its_own_folder_can_be_reached(make: Any, tmp_path: Path) -> None:
    key = make()
    (tmp_path / "secret").write_bytes(b"secret")
    before = (tmp_path / "key" / "state.json").read_bytes()
    for path in ("/lfs1/../secret", "/lfs1/state.json", "/lfs1/.x", "/lfs1/", "/lfs2/id", "id", "/lfs1/Ä"):
        assert "err" in ask(key, messages.download(path, 0))
        assert "err" in ask(key, messages.upload(path, b"evil", 0, 380)[0])
    assert (tmp_path / "key" / "state.json").read_bytes() == before
    assert ask(key, messages.download("x" * 65, 0)) == {"rc": 3}


def test_a_full_file_system(make: Any) -> None:
    key = make(capacity_bytes=100)
    assert ask(key, upload("permit", bytes(101), 0, 101)) == {"err": {"group": 8, "rc": 10}}


def test_a_fresh_folder_is_a_blank_key(tmp_path: Path) -> None:
    folder = KeyFolder(tmp_path / "new")
    assert set(folder.files().values()) == {b""}
    assert folder.clock() == KeyClock(KeyClockState.UNSET)
    assert not folder.awake


@pytest.mark.parametrize("state", [b"", b"[]", b'{"clock_offset_s": "x", "awake_until": null}'])
def test_a_spoiled_state_is_that_of_a_blank_key(tmp_path: Path, state: bytes) -> None:
    (tmp_path / "state.json").write_bytes(state)
    assert KeyFolder(tmp_path).clock() == KeyClock(KeyClockState.UNSET)
    assert not KeyFolder(tmp_path).awake
