"""What gets through to the kiosk: keys of a PIN, whatever else is on the line."""

import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.supervisor.key_filter import BURST_STROKES, STROKES_PER_S, KeyFilter, TypingRateLimit

ALLOWED = frozenset(b"0123456789*#\r\x7f")


def strokes(data: bytes) -> bytes:
    return KeyFilter().feed(data, 0.0)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"0123456789*#", b"0123456789*#"),
        (b"\r\n", b"\r\r"),
        (b"\x7f\x08", b"\x7f\x7f"),
        (b"\x1bOM", b"\r"),
        (b"\x1bOj", b"*"),
        (b"\x1bOp\x1bOq\x1bOr\x1bOs\x1bOt\x1bOu\x1bOv\x1bOw\x1bOx\x1bOy", b"0123456789"),
        (b"\x1b[2~\x1b[F\x1b[B\x1b[6~\x1b[D\x1b[E\x1b[C\x1b[H\x1b[A\x1b[5~\x1b[3~", b"0123456789\x7f"),
        (b"\x1b[4~\x1b[G\x1b[1~\x1b[8~\x1b[7~", b"15717"),
        (b"\x1bOF\x1bOB\x1bOD\x1bOE\x1bOC\x1bOH\x1bOA", b"1245678"),
        (b"\x1b[1;2A\x1b[1;5C\x1bO2A\x1b[[A\x1b[[B\x1b[?1A5", b"5"),
        (b"\x1b[15~\x1b[1;5P\x1bOS\x1bO5P\x1b[I\x1b[O5", b"5"),
        (b"\x1b[50;1:3u\x1b[50u\x1b[57400;1:1u7", b"7"),
        (b"\x1b[200~0202#\r\x1b[A481516\x1b[201~8", b"8"),
        (b"\x1b[200~12\x1b\x1b[201~9", b"9"),
        (b"\x1b[2048;0$y\x1b[?2026;2$y\x1b[?1u3", b"3"),
        (b"\x1bP1$r0 q\x1b\\4", b"4"),
        (b"\x1b]11;rgb:0000/2222/4444\x075", b"5"),
        (b"\x1b]11;rgb:0000/2222\x1b\\6", b"6"),
        (b"\x1b[M 002", b"2"),
        (b"\x1b[[A1", b"1"),
        (b"\x1b(01", b"1"),
        (b"\x1b51", b"1"),
        (b"\x1b[12\x18" + b"3", b"3"),
        ("åäö٣²½5".encode(), b"5"),
        (b"\xff\xc3\xa4\x80\xed\xa0\x805", b"5"),
        (b"\x00\x01\x03\x04\x1a\x1c q:wQ", b""),
    ],
)
def test_what_passes(data: bytes, expected: bytes) -> None:
    assert strokes(data) == expected


@pytest.mark.parametrize("begun", [b"\x1b", b"\x1b[", b"\x1b[1;", b"\x1bO", b"\x1b]0;", b"\x1b[M ", b"\x1b[200~12"])
def test_a_sequence_that_never_ends_takes_no_later_digit(begun: bytes) -> None:
    filter_ = KeyFilter()
    assert filter_.feed(begun, 0.0) == b""
    assert filter_.feed(b"7", 0.7) == b"7"


def test_an_endless_paste_does_not_lock_the_keypad() -> None:
    filter_ = KeyFilter()
    filter_.feed(b"\x1b[200~", 0.0)
    passed = [filter_.feed(b"2", tick / 30) for tick in range(1, 150)]
    assert passed[0] == b""
    assert passed[-1] == b"2"


@given(st.binary())
def test_nothing_but_keys_of_a_pin_passes(data: bytes) -> None:
    assert set(strokes(data)) <= ALLOWED


@given(st.binary(), st.integers(1, 7))
def test_how_the_bytes_come_makes_no_difference(data: bytes, size: int) -> None:
    filter_ = KeyFilter()
    pieces = b"".join(filter_.feed(data[at : at + size], 0.0) for at in range(0, len(data), size))
    assert pieces == strokes(data)


@given(st.binary())
def test_after_any_noise_and_a_pause_a_key_is_heard(data: bytes) -> None:
    filter_ = KeyFilter()
    filter_.feed(data, 0.0)
    assert filter_.feed(b"4", 1.0) == b"4"


def test_a_megabyte_of_noise_is_not_kept() -> None:
    noise = random.Random(4).randbytes(1 << 20)
    filter_ = KeyFilter()
    tracemalloc.start()
    try:
        for at in range(0, len(noise), 4096):
            assert set(filter_.feed(noise[at : at + 4096], at / 1e6)) <= ALLOWED
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 10_000


def test_a_person_is_never_too_fast_and_noise_always_is() -> None:
    rate = TypingRateLimit()
    assert all(rate.allows(tick / 33) for tick in range(1000))
    rate = TypingRateLimit()
    assert sum(rate.allows(tick / 100_000) for tick in range(100_000)) <= BURST_STROKES + STROKES_PER_S + 1
