import logging
import struct
from base64 import b64encode

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smp import packet
from smp.file_management import (
    FileCloseRequest,
    FileDownloadRequest,
    FileHashChecksumRequest,
    FileStatusRequest,
    FileUploadRequest,
)
from smp.os_management import DateTimeReadRequest, DateTimeWriteRequest, EchoWriteRequest, MCUMgrParametersReadRequest

from drivers.smp import messages
from drivers.smp.framing import MAX_FRAME_LINES, MAX_LINE_BYTES, FrameReader, encode_frame
from drivers.smp.messages import HEADER, Answer, FsRc, OsRc, Rc, Refusal
from station.ports import KeyRefused

MESSAGES = st.binary(min_size=1, max_size=1500)


@st.composite
def chunked(draw: st.DrawFn, data: bytes) -> list[bytes]:
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=12)))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


@given(st.lists(MESSAGES, min_size=1, max_size=4), st.data())
def test_any_messages_in_any_pieces_come_out_whole_and_in_order(sent: list[bytes], data: st.DataObject) -> None:
    reader = FrameReader()
    received = [m for piece in data.draw(chunked(b"".join(map(encode_frame, sent)))) for m in reader.feed(piece)]
    assert received == sent


@given(MESSAGES)
def test_lines_are_as_zephyr_takes_them(message: bytes) -> None:
    lines = encode_frame(message).splitlines(keepends=True)
    assert all(len(line) <= 127 and line.endswith(b"\n") for line in lines)
    assert lines[0].startswith(b"\x06\x09")
    assert all(line.startswith(b"\x04\x14") for line in lines[1:])


@given(st.binary(max_size=2000), st.data())
def test_noise_neither_raises_nor_is_kept(noise: bytes, data: st.DataObject) -> None:
    reader = FrameReader()
    for piece in data.draw(chunked(noise)):
        reader.feed(piece)
    assert len(reader._line) <= MAX_LINE_BYTES
    # Whatever was said before, the next whole frame is understood.
    assert reader.feed(b"\n" + encode_frame(b"hello"))[-1] == b"hello"


@given(MESSAGES, st.data())
def test_one_changed_byte_is_never_a_message(message: bytes, data: st.DataObject) -> None:
    frame = bytearray(encode_frame(message))
    at = data.draw(st.integers(0, len(frame) - 1))
    frame[at] ^= 1 << data.draw(st.integers(0, 6))
    received = FrameReader().feed(bytes(frame) + b"\n")
    assert all(m is None or m == message for m in received)


@given(st.binary(max_size=2000))
def test_frames_are_those_of_the_smp_package(message: bytes) -> None:
    assert encode_frame(message) == b"".join(packet.encode(message, 128))


@pytest.mark.parametrize("size", [85, 88, 89, 90, 181, 182, 183, 274, 275, 276])
def test_a_frame_that_fills_its_lines_ends_with_a_newline(size: int) -> None:
    assert encode_frame(bytes(size)) == b"".join(packet.encode(bytes(size), 128))
    assert FrameReader().feed(encode_frame(bytes(size))) == [bytes(size)]


@pytest.mark.parametrize("length", [0, 1, 2, 3])
def test_a_frame_without_room_for_its_crc_is_damaged(length: int) -> None:
    line = b"\x06\x09" + b64encode(struct.pack("!H", length) + bytes(min(length, 1))) + b"\n"
    assert FrameReader().feed(line + encode_frame(b"next"))[-1] == b"next"
    assert b"next" not in FrameReader().feed(line)


def test_a_torn_frame_does_not_take_the_next_one_with_it() -> None:
    assert FrameReader().feed(encode_frame(b"torn" * 9)[:20] + encode_frame(b"whole")) == [b"whole"]


def test_a_frame_without_its_first_line_is_damaged() -> None:
    second_line = encode_frame(bytes(150)).splitlines(keepends=True)[1]
    assert FrameReader().feed(second_line) == [None]


def test_console_lines_are_passed_over() -> None:
    assert FrameReader().feed(b"*** Booting\r\n\nuart:~$ " + encode_frame(b"x") + b"bye\n") == [b"x"]


def test_limits() -> None:
    assert FrameReader().feed(b"\x06\x09" + b"A" * MAX_LINE_BYTES) == [None]
    endless = b"\x06\x09" + b64encode(struct.pack("!H", 0xFFFF) + b"x") + b"\n"
    assert FrameReader().feed(endless + b"\x04\x14AAAA\n" * MAX_FRAME_LINES)[0] is None


def test_the_codec_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        FrameReader().feed(encode_frame(b"PLANTED-SECRET"))
    assert not caplog.records


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (messages.echo(), EchoWriteRequest(d="", sequence=7)),
        (messages.datetime_get(), DateTimeReadRequest(sequence=7)),
        (
            messages.datetime_set("2026-05-04T03:02:01"),
            DateTimeWriteRequest(datetime="2026-05-04T03:02:01", sequence=7),
        ),
        (messages.parameters(), MCUMgrParametersReadRequest(sequence=7)),
        (messages.download("/lfs1/act", 340), FileDownloadRequest(name="/lfs1/act", off=340, sequence=7)),
        (
            messages.upload("/lfs1/act", b"12345", 0, 380)[0],
            FileUploadRequest(name="/lfs1/act", off=0, data=b"12345", len=5, sequence=7),
        ),
        (messages.status("/lfs1/act"), FileStatusRequest(name="/lfs1/act", sequence=7)),
        (
            messages.file_hash("/lfs1/act", "crc32", 301),
            FileHashChecksumRequest(name="/lfs1/act", type="crc32", len=301, sequence=7),
        ),
        (messages.close_file(), FileCloseRequest(sequence=7)),
    ],
)
def test_requests_are_those_of_the_smp_package(ours: messages.Request, theirs: object) -> None:
    mine, other = ours.to_bytes(7), bytes(theirs)  # type: ignore[call-overload]
    assert mine[:8] == other[:8]
    assert cbor2.loads(mine[8:]) == cbor2.loads(other[8:])
    assert len(ours) == len(mine)


@given(st.integers(1, 5000), st.integers(60, 2044), st.data())
def test_an_upload_request_fills_the_buffer_and_no_more(size: int, largest: int, data: st.DataObject) -> None:
    offset = data.draw(st.integers(0, size - 1))
    request, taken = messages.upload("/lfs1/permit", bytes(size), offset, largest)
    assert len(request) <= largest
    assert 0 < taken <= size - offset
    if taken < size - offset:
        assert len(request) >= largest - 2  # a byte string's length may have no encoding that fits exactly


PATHS = st.sampled_from(["/lfs1/act", "/lfs1/permit", "/an/other/folder/than/usual/permit"])


@given(PATHS, st.integers(0, 70000), st.integers(90, 2044), st.data())
def test_an_upload_request_has_the_length_of_the_whole_at_the_beginning_only(
    path: str, size: int, largest: int, data: st.DataObject
) -> None:
    offset = data.draw(st.integers(0, max(0, size - 1)))
    request, taken = messages.upload(path, bytes(size), offset, largest)
    body = cbor2.loads(request.body)
    assert body == {"off": offset, "data": bytes(taken), "name": path} | ({"len": size} if not offset else {})


def test_no_room_for_a_single_byte() -> None:
    with pytest.raises(KeyRefused, match="buffer_too_small"):
        messages.upload("/lfs1/permit", b"x", 0, 40)


def answer(body: object, **changes: int) -> bytes:
    payload = cbor2.dumps(body)
    h = {"op": 9, "flags": 0, "length": len(payload), "group": 8, "sequence": 3, "command": 0} | changes
    return HEADER.pack(*h.values()) + payload


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({}, None),
        ({"rc": 0, "off": 5}, None),
        ({"rc": 8}, Refusal(None, 8)),
        ({"rc": 3, "rsn": "why"}, Refusal(None, 3)),
        ({"err": {"group": 8, "rc": 11}, "len": 300}, Refusal(8, 11)),
        ({"err": {"group": 8, "rc": 0}}, None),
        ({"err": {"group": "x", "rc": 1}}, Refusal(None, 1)),
        ({"rc": "x"}, Refusal(None, 1)),
    ],
)
def test_both_kinds_of_error_are_understood(body: object, refusal: Refusal | None) -> None:
    read = Answer.from_bytes(answer(body))
    assert read is not None
    assert read.refusal == refusal


def test_an_error_code_means_what_its_group_says() -> None:
    assert Refusal(0, 4).is_(OsRc.RTC_NOT_SET)
    assert not Refusal(None, 4).is_(OsRc.RTC_NOT_SET)
    assert not Refusal(8, 8).is_(Rc.ENOTSUP)
    assert Refusal(8, 3).is_(Rc.ENOENT, FsRc.FILE_NOT_FOUND)


@pytest.mark.parametrize(
    "message",
    [b"", bytes(7), answer([1]), answer({}, length=9), answer({})[:-1], answer({}, length=1)[:-1] + b"\xff"],
)
def test_what_is_no_answer(message: bytes) -> None:
    assert Answer.from_bytes(message) is None


@given(st.binary(max_size=60))
def test_any_body_is_an_answer_or_none(body: bytes) -> None:
    read = Answer.from_bytes(HEADER.pack(9, 0, len(body), 8, 3, 0) + body)
    assert read is None or read.refusal is None or isinstance(read.refusal, Refusal)


@pytest.mark.parametrize("changes", [{"sequence": 4}, {"group": 0}, {"command": 1}, {"op": 11}, {"op": 8}])
def test_only_ones_own_answer_counts(changes: dict[str, int]) -> None:
    request = messages.download("/lfs1/id", 0)
    mine, other = Answer.from_bytes(answer({})), Answer.from_bytes(answer({}, **changes))
    assert mine is not None
    assert mine.answers(request, 3)
    assert other is not None
    assert other.answers(request, 3) is False
