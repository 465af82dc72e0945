"""Letters as people read them."""

import time

import pytest

from central.letters import fits, order_of

NAMES = ["Örjan", "åsa", "Ärla", "Zoë", "André", "Andrea", "Andre", "Aage", "Øjvind", "Ægir", "bo", "Ülle", "Öna"]


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("sv", "Aage Andre André Andrea bo Ülle Zoë åsa Ægir Ärla Øjvind Öna Örjan"),
        ("fi", "Aage Andre André Andrea bo Ülle Zoë åsa Ægir Ärla Øjvind Öna Örjan"),
        ("da", "Andre André Andrea bo Ülle Zoë Ægir Ärla Øjvind Öna Örjan Aage åsa"),
        ("nb", "Andre André Andrea bo Ülle Zoë Ægir Ärla Øjvind Öna Örjan Aage åsa"),
        ("en", "Aage Ægir Andre André Andrea Ärla åsa bo Øjvind Öna Örjan Ülle Zoë"),
    ],
)
def test_names_stand_as_a_reader_expects(language: str, expected: str) -> None:
    assert sorted(NAMES, key=order_of(language)) == expected.split()


def test_a_letter_in_two_pieces_is_the_same_letter() -> None:
    assert order_of("sv")("A\u030asa") == order_of("sv")("Åsa")
    assert fits("A\u030asa", "Åsa")


@pytest.mark.parametrize(
    ("typed", "name", "found"),
    [
        ("asa", "Åsa Ärlig", True),
        ("ÅSA ärl", "Åsa Ärlig", True),
        ("arlig", "Åsa Ärlig", True),
        ("soren", "Søren Ærø", True),
        ("aero", "Søren Ærø", True),
        ("", "Åsa", True),
        ("asa bo", "Åsa Ärlig", False),
    ],
)
def test_what_is_typed_finds(typed: str, name: str, found: object) -> None:
    assert fits(typed, name) is found


def test_five_thousand_names_are_sorted_at_once() -> None:
    names = [f"{name}{n} Påhitt" for n in range(400) for name in NAMES]
    best = min(_time_of(names) for _ in range(3))
    assert best < 0.1, f"{best * 1000:.0f} ms"


def _time_of(names: list[str]) -> float:
    began = time.perf_counter()
    sorted(names, key=order_of("sv"))
    return time.perf_counter() - began
