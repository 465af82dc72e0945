"""Which of the further sentences there is room for."""

import pytest

from ui.notes import fitted

NOTES = ("One two.", "Three four.", "Five six.")


def test_each_has_its_own_lines_and_air_where_there_is_room() -> None:
    assert fitted("Small.", NOTES, 20, 7) == ["Small.\n\nOne two.\n\nThree four.\n\nFive six."]
    assert fitted("Small.", NOTES, 20, 6) == ["Small.\nOne two.\nThree four.\nFive six."]


def test_one_paragraph_where_there_is_less() -> None:
    assert fitted("Small.", NOTES, 20, 3) == ["Small. One two.\nThree four. Five\nsix."]


def test_what_does_not_fit_follows_in_turn_below_the_small_line() -> None:
    assert fitted("Small.", NOTES, 12, 3) == ["Small.\nOne two.\nThree four.", "Small.\n\nFive six."]
    assert fitted("Small.", NOTES, 20, 1) == ["Small. One two.", "Small. Three four.", "Small. Five six."]
    assert fitted("", NOTES, 12, 1) == ["One two.", "Three four.", "Five six."]
    assert fitted("", (), 12, 1) == [""]
    assert fitted("Small line.", (), 12, 1) == ["Small line."]


def test_one_that_fits_nowhere_goes_on_in_the_next_part() -> None:
    long = ("One two three four five six seven.", "Eight.")
    assert fitted("Small.", long, 12, 3) == [
        "Small.\nOne two\nthree four",
        "Small. five\nsix seven.\nEight.",
    ]


@pytest.mark.parametrize("columns", [12, 38, 124])
@pytest.mark.parametrize("rows", [0, 1, 2, 9])
def test_every_word_is_shown_whatever_the_size(columns: int, rows: int) -> None:
    shown = "".join("".join(fitted("Small line.", (*NOTES, "word " * 120), columns, rows)).split())
    rest = shown.replace("Smallline.", "")
    assert rest == "Onetwo.Threefour.Fivesix." + "word" * 120
