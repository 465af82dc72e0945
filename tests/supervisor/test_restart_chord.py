"""0 + 2 as a terminal sends it, and everything that is not 0 + 2."""

from collections.abc import Sequence
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.supervisor.restart_chord import HELD_S, QUIET_S, TerminalChord, Verdict

TERMINALS = {
    "linux console": (0.25, 0.092),
    "X": (0.66, 0.04),
    "X, older": (0.66, 0.033),
    "Windows, slowest": (1.0, 0.1),
    "tmux over a slow line": (0.5, 0.15),
}


def held(
    first: str, second: str, delay_s: float, repeat_s: float, *, apart_s: float = 0.05, for_s: float = 3.0
) -> list[tuple[str, float]]:
    """The strokes of two keys held, with their times from the first one's press on."""
    strokes = [(first, 0.0), (second, apart_s)]
    at = apart_s + delay_s
    while at <= for_s:
        strokes.append((second, at))
        at += repeat_s
    return strokes


def verdicts(strokes: Sequence[tuple[str, float]], chord: TerminalChord | None = None) -> list[Verdict]:
    chord = chord or TerminalChord()
    return [chord.stroke(ord(stroke), 100.0 + at) for stroke, at in strokes]


@pytest.mark.parametrize("terminal", TERMINALS)
@pytest.mark.parametrize("keys", ["02", "20"])
@pytest.mark.parametrize("apart_s", [0.0, 0.2, 0.55])
def test_held_for_two_seconds_restarts_once(terminal: str, keys: str, apart_s: float) -> None:
    strokes = held(keys[0], keys[1], *TERMINALS[terminal], apart_s=apart_s, for_s=12.0)
    found = verdicts(strokes)
    assert found.count(Verdict.RESTART) == 1
    at = found.index(Verdict.RESTART)
    assert -1e-6 <= strokes[at][1] - apart_s - HELD_S <= 0.25
    assert set(found[:at]) == {Verdict.PASS}
    assert set(found[at + 1 :]) == {Verdict.SWALLOW}


def test_the_first_key_may_have_begun_to_repeat() -> None:
    first = [("0", at / 10) for at in range(10)]
    second = [(key, at + 1.0) for key, at in held("0", "2", 0.25, 0.09)]
    assert Verdict.RESTART in verdicts(first + second)


@pytest.mark.parametrize(
    "strokes",
    [
        [(key, number * 0.08) for number, key in enumerate("*0202#")],
        [(key, number * 0.03) for number, key in enumerate("*0202#" * 40)],
        [("2", number * 0.03) for number in range(200)],
        [("0", number * 0.03) for number in range(200)],
        held("0", "2", 0.25, 0.09, apart_s=0.7),
        held("0", "2", 0.25, 0.09, for_s=1.9),
        held("5", "2", 0.25, 0.03),
        held("0", "3", 0.25, 0.03),
        [("0", 0.0), ("1", 0.05), *((key, at + 0.1) for key, at in held("2", "2", 0.25, 0.03))],
        [("0", 0.0), ("2", 0.1), ("2", 3.0), ("2", 6.0)],
        [("0", 0.0), *(("2", 0.3 + number * 0.3) for number in range(12))],
        [("0", 0.0), *(("2", 0.1) for number in range(500))],
        [(key, number * 0.11) for number, key in enumerate("0222222#" * 4)],
    ],
    ids=[
        "fast typing",
        "faster, again and again",
        "2 alone",
        "0 alone",
        "not together",
        "short hold",
        "another first key",
        "another second key",
        "a key in between",
        "slow typing",
        "one key again and again, by hand",
        "a burst",
        "a PIN of many twos, four times",
    ],
)
def test_not_the_chord(strokes: list[tuple[str, float]]) -> None:
    assert set(verdicts(strokes)) == {Verdict.PASS}


@given(
    st.lists(st.sampled_from("0123456789*#\r\x7f"), max_size=60),
    st.lists(st.floats(0.0, 3.0), min_size=60, max_size=60),
)
def test_typing_without_long_runs_of_a_key_never_restarts(keys: list[str], gaps_s: list[float]) -> None:
    runs_kept = [key for number, key in enumerate(keys) if keys[max(0, number - 7) : number] != [key] * 7]
    strokes = list(zip(runs_kept, accumulate(gaps_s), strict=False))
    assert set(verdicts(strokes)) <= {Verdict.PASS}


@given(
    st.sampled_from(["02", "20"]),
    st.floats(0.0, 0.55),
    st.floats(0.2, 1.0),
    st.floats(0.02, 0.12),
    st.floats(4.0, 8.0),
    st.sampled_from("13456789*#\r\x7f"),
)
def test_no_held_digit_passes_after_the_restart(
    keys: str, apart_s: float, delay_s: float, repeat_s: float, for_s: float, later: str
) -> None:
    chord = TerminalChord()
    strokes = held(keys[0], keys[1], delay_s, repeat_s, apart_s=apart_s, for_s=for_s)
    found = verdicts(strokes, chord)
    assert found.count(Verdict.RESTART) == 1
    assert Verdict.PASS not in found[found.index(Verdict.RESTART) :]
    end_s = strokes[-1][1]
    assert verdicts([(later, end_s + 0.1), ("0", end_s + 0.2)], chord) == [Verdict.PASS, Verdict.SWALLOW]
    after = [("0", end_s + 0.3 + QUIET_S), ("2", end_s + 0.4 + QUIET_S)]
    assert verdicts(after, chord) == [Verdict.PASS, Verdict.PASS]


def test_a_second_hold_restarts_again() -> None:
    chord = TerminalChord()
    assert Verdict.RESTART in verdicts(held("0", "2", 0.25, 0.09), chord)
    assert Verdict.RESTART in verdicts([(key, at + 10) for key, at in held("0", "2", 0.25, 0.09)], chord)
