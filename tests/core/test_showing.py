"""From state to screen: every phase has a line, and nothing secret gets on it."""

from dataclasses import asdict, replace

import pytest

from station.core.events import KeySeen, StationChanged
from station.core.facts import Attempts, Now
from station.core.key_news import KeyNews
from station.core.screen import Line
from station.core.showing import Surroundings, screen
from station.core.visit import Phase, State
from station.records.claims import EVERY_AREA
from tests.core.visiting import NOON, OWN, STATION, SUBSTITUTE, TIM, TIM_FOUND, Desk, desk, permit

NOW = Now(1000.0, NOON, None)


@pytest.mark.parametrize(
    ("phase", "line"),
    [
        (Phase.EMPTY, Line.EMPTY),
        (Phase.CLEARING, Line.READING),
        (Phase.READING, Line.READING),
        (Phase.PROMPT, Line.PROMPT),
        (Phase.CHECKING, Line.CHECKING),
        (Phase.ACTIVATING, Line.ACTIVATING),
        (Phase.READY, Line.READY),
        (Phase.REFUSED, Line.REFUSED),
        (Phase.STILL_ON, Line.STILL_ON),
        (Phase.UNREADABLE, Line.UNREADABLE),
        (Phase.SWITCHING_OFF, Line.READING),
        (Phase.LEFT_IN, Line.LEFT_IN),
        (Phase.GONE, Line.OUT_OFF),
        (Phase.IDENTIFYING, Line.READY),
        (Phase.BROKEN, Line.READER_BROKEN),
    ],
)
def test_a_line_for_every_phase(phase: Phase, line: Line) -> None:
    assert desk(phase).line() is line


OUT = {
    Phase.EMPTY: Line.OUT_OFF,
    Phase.CLEARING: Line.OUT_UNSURE,
    Phase.READING: Line.OUT_OFF,
    Phase.PROMPT: Line.OUT_OFF,
    Phase.CHECKING: Line.OUT_EARLY,
    Phase.ACTIVATING: Line.OUT_UNSURE,
    Phase.READY: Line.OUT_READY,
    Phase.REFUSED: Line.OUT_OFF,
    Phase.STILL_ON: Line.OUT_UNSURE,
    Phase.UNREADABLE: Line.OUT_OFF,
    Phase.SWITCHING_OFF: Line.OUT_UNSURE,
    Phase.LEFT_IN: Line.OUT_OFF,
    Phase.IDENTIFYING: Line.OUT_READY,
}


@pytest.mark.parametrize("phase", [p for p in OUT if p is not Phase.EMPTY])
def test_a_line_for_every_phase_that_a_key_is_pulled_in(phase: Phase) -> None:
    at = desk(phase)
    at.pull()
    assert at.line() is OUT[phase]
    at.wait(6)
    assert (at.phase, at.line()) == (Phase.EMPTY, OUT[phase])
    at.wait(25)
    assert at.line() is Line.EMPTY


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("before", [None, *Phase])
def test_any_state_whatever_has_a_line(phase: Phase, before: Phase | None) -> None:
    state = State(phase=phase, left_as=before, pulled_in=before)
    assert isinstance(screen(state, NOW).line, Line)


def test_digits_are_only_counted() -> None:
    at = desk(Phase.PROMPT)
    at.type("918273")
    shown = at.screen
    assert shown.digits == 6
    assert "918273" not in repr(shown)
    assert "918273" not in repr(asdict(shown))


def test_a_pool_key_has_nobodys_name_until_its_pin_was_right() -> None:
    at = desk(Phase.PROMPT, SUBSTITUTE)
    assert (at.screen.key, at.screen.holder_name, at.screen.language) == (200, None, None)
    at = Desk()
    at.start_shift(SUBSTITUTE, TIM_FOUND)
    assert at.screen.holder_name == TIM.name


def test_the_holders_language_goes_with_the_key() -> None:
    at = desk(Phase.PROMPT)
    assert (at.screen.language, at.screen.holder_name) == ("sv", "Anna Exempel")
    at.pull()
    at.wait(4)
    at.wait(26)
    assert not at.screen.language
    assert not at.screen.holder_name


@pytest.mark.parametrize(
    ("areas", "every", "names"),
    [(EVERY_AREA, True, ()), ((2, 5), False, ("Söderby",)), ((), False, ())],
)
def test_the_receipt_names_areas(areas: tuple[int, ...], every: bool, names: tuple[str, ...]) -> None:
    at = Desk()
    at.start_shift(OWN.but(permit=permit(areas=areas)))
    receipt = at.screen.receipt
    assert receipt
    assert (receipt.every_area, receipt.areas, receipt.area_names) == (every, () if every else areas, names)
    assert (receipt.locks, receipt.mirror_age_s, receipt.online) == (1, 12, True)


def test_a_wait_counts_whole_seconds_down_and_never_shows_none() -> None:
    at = desk(Phase.PROMPT)
    at.state = replace(at.state, attempts=Attempts(4, at.mono_s + 5))
    seen = []
    for _ in range(6):
        seen.append((at.line(), at.screen.wait_s))
        at.wait(0.9)
    assert seen == [(Line.WAIT, s) for s in (5, 5, 4, 3, 2, 1)]
    assert (at.line(), at.screen.wait_s) == (Line.PROMPT, None)


def test_a_key_that_had_lost_power() -> None:
    at = desk(Phase.PROMPT)
    assert not at.screen.notes.lost_power
    assert screen(at.state, NOW, Surroundings(KeyNews(lost_power=True))).notes.lost_power


def test_a_new_key_has_not_lost_power() -> None:
    seen = KeySeen(OWN.seen.id_record, OWN.seen.record, clock_was_unset=True)
    at = Desk()
    at.put_in(replace(OWN, seen=seen))
    assert not at.screen.notes.lost_power


def test_the_stations_own_standing() -> None:
    at = Desk(trust=None)
    at.feed(StationChanged(replace(STATION, online=False, mirror_age_s=None)))
    status = at.screen.status
    assert (status.station, status.online, status.mirror_age_s, status.hindrance) == (3, False, None, None)
    assert (status.unix_s, status.clock_trusted, status.time_zone) == (NOON, False, "UTC")
