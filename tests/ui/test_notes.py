"""Which of the further sentences there is room for."""

from ui.notes import fitted

NOTES = ("One two.", "Three four.", "Five six.")


def test_each_has_its_own_lines_and_air_where_there_is_room() -> None:
    assert fitted("Small.", NOTES, 20, 7) == "Small.\n\nOne two.\n\nThree four.\n\nFive six."
    assert fitted("Small.", NOTES, 20, 6) == "Small.\nOne two.\nThree four.\nFive six."


def test_one_paragraph_where_there_is_less() -> None:
    assert fitted("Small.", NOTES, 20, 3) == "Small. One two.\nThree four. Five\nsix."


def test_the_last_goes_first_and_the_small_line_never() -> None:
    assert fitted("Small.", NOTES, 20, 1) == "Small. One two."
    assert fitted("Small line.", NOTES, 12, 1) == "Small line."
    assert fitted("", NOTES, 12, 1) == "One two."
    assert fitted("", (), 12, 1) == ""
