"""The digits typed so far."""

from hypothesis import given
from hypothesis import strategies as st

from station.visit.entry import MAX_DIGITS, Entry


def test_digits_come_out_as_they_went_in() -> None:
    entry = Entry()
    for digit in "0071":
        entry = entry.typed(digit)
    assert entry.reveal() == b"0071"
    assert len(entry) == 4


def test_backspace_takes_the_last_digit_and_nothing_from_an_empty_entry() -> None:
    assert Entry("12").shortened().reveal() == b"1"
    assert Entry().shortened().reveal() == b""


def test_a_complete_entry_takes_no_digit_until_it_is_shortened() -> None:
    entry = Entry("12").completed()
    assert entry.complete
    assert entry.typed("3").reveal() == b"12"
    assert not entry.shortened().complete
    assert entry.shortened().typed("3").reveal() == b"13"


def test_nothing_is_not_complete() -> None:
    assert not Entry().completed().complete
    assert not Entry("1").complete


def test_an_entry_does_not_change() -> None:
    entry = Entry("12")
    entry.typed("3")
    entry.shortened()
    entry.completed()
    assert not entry.complete
    assert entry.reveal() == b"12"


def test_it_does_not_grow_without_end() -> None:
    assert len(Entry("1" * MAX_DIGITS).typed("2")) == MAX_DIGITS


@given(st.text("0123456789", min_size=1, max_size=MAX_DIGITS))
def test_neither_digits_nor_their_number_show(digits: str) -> None:
    shown = {repr(Entry(digits)), str(Entry(digits)), f"{Entry(digits)}", repr(Entry(digits).completed())}
    assert shown == {"Entry(…)"}
