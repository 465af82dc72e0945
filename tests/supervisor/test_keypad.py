"""A keypad as an input device: recorded `input_event` structs through a pipe."""

import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.supervisor.keypad import (
    EV_KEY,
    EV_SYN,
    RETRY_EVERY_S,
    STROKES,
    SYN_DROPPED,
    EventDecoder,
    InputEvent,
    Keypad,
    PressedKeys,
)

KP0, KP2, KP5, KP_ENTER, KP_STAR, TOP0, BACKSPACE, KEY_A = 82, 80, 76, 96, 55, 11, 14, 30
DOWN, UP, REPEAT = 1, 0, 2


def event(type_: int, code: int, value: int) -> bytes:
    return struct.pack("@llHHi", 1_774_868_400, 250_000, type_, code, value)


def key(code: int, value: int) -> bytes:
    """As a USB keypad sends it: scan code, key, report."""
    return event(4, 4, 0x70062) + event(EV_KEY, code, value) + event(EV_SYN, 0, 0)


class Recorded:
    """The pad, and the pipe that stands for its device."""

    def __init__(self, folder: Path) -> None:
        path = folder / "event0"
        os.mkfifo(path)
        self.pad = Keypad(str(path))
        assert self.pad.try_to_open(0.0)
        self.write = os.open(path, os.O_WRONLY)

    def plays(self, data: bytes, now: float) -> bytes:
        os.write(self.write, data)
        return self.pad.read(now)


@pytest.fixture
def recorded(tmp_path: Path) -> Iterator[Recorded]:
    made = Recorded(tmp_path)
    yield made
    made.pad.close()
    if made.write >= 0:
        os.close(made.write)


def test_presses_are_strokes_releases_and_repeats_are_not(recorded: Recorded) -> None:
    pressed = b"".join(key(code, DOWN) + key(code, REPEAT) + key(code, UP) for code in (KP5, KP_STAR, KEY_A, BACKSPACE))
    assert recorded.plays(pressed + key(KP_ENTER, DOWN), 0.0) == b"5*\x7f\r"


LEFT_SHIFT, RIGHT_SHIFT = 42, 54


@pytest.mark.parametrize("shift", [LEFT_SHIFT, RIGHT_SHIFT])
def test_a_keypad_types_number_sign_and_star_with_shift(recorded: Recorded, shift: int) -> None:
    top_row = [11, *range(2, 11)]
    recorded.plays(key(shift, DOWN) + key(shift, REPEAT), 0.0)
    shifted = [recorded.plays(key(code, DOWN) + key(code, REPEAT) + key(code, UP), 0.0) for code in top_row]
    assert shifted == [b"", b"", b"", b"#", b"", b"", b"", b"", b"*", b""]
    assert recorded.plays(key(shift, UP) + key(4, DOWN) + key(9, DOWN), 0.1) == b"38"


def test_one_of_two_shifts_is_shift(recorded: Recorded) -> None:
    assert recorded.plays(key(LEFT_SHIFT, DOWN) + key(RIGHT_SHIFT, DOWN) + key(LEFT_SHIFT, UP), 0.0) == b""
    assert recorded.plays(key(4, DOWN) + key(4, UP), 0.1) == b"#"


def test_a_shift_that_was_lost_is_not_held_for_ever(recorded: Recorded) -> None:
    recorded.plays(key(LEFT_SHIFT, DOWN) + event(EV_SYN, SYN_DROPPED, 0), 0.0)
    assert recorded.plays(key(4, DOWN), 0.1) == b"3"


def test_number_pads_work_whatever_their_num_lock(recorded: Recorded) -> None:
    numbers = [82, 79, 80, 81, 75, 76, 77, 71, 72, 73]
    without = [110, 107, 108, 109, 105, 355, 106, 102, 103, 104]
    for codes in (numbers, without):
        strokes = [recorded.plays(key(code, DOWN) + key(code, UP), 0.0) for code in (*codes, 111, KP_ENTER)]
        assert b"".join(strokes) == b"0123456789\x7f\r"


def test_the_chord_is_heard_without_num_lock(recorded: Recorded) -> None:
    recorded.plays(key(110, DOWN) + key(108, DOWN), 0.0)
    assert recorded.pad.chord(2.0)


def test_half_an_event_waits_for_its_other_half(recorded: Recorded) -> None:
    data = key(KP5, DOWN)
    assert recorded.plays(data[:30], 0.0) == b""
    assert recorded.plays(data[30:], 0.0) == b"5"


def test_both_keys_for_two_seconds(recorded: Recorded) -> None:
    assert recorded.plays(key(KP0, DOWN), 0.0) == b"0"
    assert recorded.plays(key(KP2, DOWN), 0.3) == b"2"
    assert recorded.pad.due_at == 2.3
    assert not recorded.pad.chord(2.2)
    assert recorded.pad.chord(2.3)
    assert recorded.plays(key(KP2, REPEAT) * 20, 2.5) == b""
    assert not recorded.pad.chord(9.0)
    assert recorded.plays(key(KP2, UP) + key(KP2, DOWN) + key(KP2, UP) + key(KP0, UP), 9.1) == b""
    assert recorded.plays(key(KP0, DOWN), 9.2) == b"0"


@pytest.mark.parametrize(
    "steps",
    [
        [(key(KP0, DOWN), 0.0), (key(KP2, DOWN), 0.1), (key(KP2, UP), 1.9)],
        [(key(KP2, DOWN), 0.0), (key(KP2, REPEAT), 3.0)],
        [(key(KP0, DOWN), 0.0), (key(TOP0, DOWN), 0.1)],
        [(key(KP0, DOWN) + key(KP0, UP) + key(KP2, DOWN), 0.0)],
        [(key(KP0, DOWN) + key(KP2, DOWN), 0.0), (event(EV_SYN, SYN_DROPPED, 0), 1.0)],
    ],
    ids=["short", "2 alone", "two zeros", "one after the other", "events were lost"],
)
def test_not_the_chord(recorded: Recorded, steps: list[tuple[bytes, float]]) -> None:
    for data, now in steps:
        recorded.plays(data, now)
    assert not recorded.pad.chord(20.0)


def test_an_unplugged_pad_is_looked_for_again(recorded: Recorded) -> None:
    recorded.plays(key(KP0, DOWN) + key(KP2, DOWN), 0.0)
    os.close(recorded.write)
    recorded.write = -1
    assert recorded.pad.read(1.5) == b""
    assert recorded.pad.descriptor is None
    assert not recorded.pad.chord(20.0)
    assert recorded.pad.try_to_open(1.5 + RETRY_EVERY_S)


def test_a_device_that_is_not_there_is_no_fault(tmp_path: Path) -> None:
    pad = Keypad(str(tmp_path / "nowhere"))
    assert not pad.try_to_open(0.0)
    assert pad.due_at == RETRY_EVERY_S
    assert not pad.try_to_open(0.5)


@given(st.binary(max_size=200), st.integers(1, 50))
def test_any_bytes_are_events_or_wait(data: bytes, size: int) -> None:
    whole, pieces = EventDecoder(), EventDecoder()
    expected = list(whole.feed(data))
    assert len(expected) == len(data) // struct.calcsize("@llHHi")
    found = [each for at in range(0, len(data), size) for each in pieces.feed(data[at : at + size])]
    assert found == expected
    assert all(isinstance(each, InputEvent) for each in found)


@given(
    st.lists(
        st.tuples(st.sampled_from([KP0, KP2, TOP0, KP5, KP_ENTER]), st.sampled_from([UP, DOWN, REPEAT])), max_size=40
    ),
    st.lists(st.floats(0, 3), min_size=40, max_size=40),
)
def test_only_both_held_restarts(events: list[tuple[int, int]], gaps_s: list[float]) -> None:
    keys, now = PressedKeys(), 0.0
    down: set[int] = set()
    both_since: float | None = None
    for (code, value), gap_s in zip(events, gaps_s, strict=False):
        now += gap_s
        held_for_s = now - both_since if both_since is not None else 0.0
        if keys.chord(now):
            assert held_for_s >= 2.0
        stroke = keys.stroke(code, value, now)
        assert stroke in {b"", STROKES[code]}
        if value == DOWN:
            down.add(code)
        elif value == UP:
            down.discard(code)
        both = KP2 in down and bool({KP0, TOP0} & down)
        both_since = (both_since if both_since is not None else now) if both else None
