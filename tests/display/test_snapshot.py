"""From state to screen: every phase has a line, and nothing secret gets on it."""

from dataclasses import asdict, replace

import pytest

from station.display.idle import HelpTopic, IdleState, View
from station.display.key_findings import KeyFindings
from station.display.screen import Changes, IdlePage, Line, Notes, OutsideHelp, Progress, Technician
from station.display.snapshot import REMINDER_S, Contact, ScreenExtras, is_free, may_sleep, screen
from station.records.claims import EVERY_AREA, ClockSource
from station.rules.clock import ClockDoubt
from station.rules.facts import Attempts, LookUps, Now, OffOnlyReason
from station.rules.support import Neighbour, SupportLine
from station.visit.effects import RecordRefusal
from station.visit.inputs import StationChanged
from station.visit.machine import TABLE
from station.visit.state import KeyLeft, Phase, Presence, RemovedKey, State
from tests.visit.visiting import ANNA, NOON, OWN, STATION, SUBSTITUTE, TIM, TIM_FOUND, Machine, key, machine_at, permit

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
        (Phase.BLANK, Line.BLANK),
        (Phase.HANDING_OUT, Line.HANDING_OUT),
        (Phase.HANDED_OUT, Line.HANDED_OUT),
        (Phase.SWITCHING_OFF, Line.READING),
        (Phase.LEFT_IN, Line.LEFT_IN),
        (Phase.BROKEN, Line.READER_BROKEN),
    ],
)
def test_a_line_for_every_phase(phase: Phase, line: Line) -> None:
    assert machine_at(phase).line() is line


@pytest.mark.parametrize("phase", [phase for phase, presence in TABLE if presence is Presence.RETURNING])
def test_a_key_that_only_seems_to_be_back_is_being_read(phase: Phase) -> None:
    assert machine_at(phase, Presence.RETURNING).line() is Line.READING


OUT = {
    Phase.CLEARING: Line.OUT_UNSURE,
    Phase.READING: Line.OUT_OFF,
    Phase.PROMPT: Line.OUT_OFF,
    Phase.CHECKING: Line.OUT_EARLY,
    Phase.ACTIVATING: Line.OUT_UNSURE,
    Phase.READY: Line.OUT_READY,
    Phase.REFUSED: Line.OUT_OFF,
    Phase.STILL_ON: Line.OUT_UNSURE,
    Phase.UNREADABLE: Line.OUT_OFF,
    Phase.BLANK: Line.OUT_OFF,
    Phase.HANDING_OUT: Line.OUT_HANDING_OUT,
    Phase.HANDED_OUT: Line.OUT_OFF,
    Phase.SWITCHING_OFF: Line.OUT_UNSURE,
    Phase.LEFT_IN: Line.OUT_OFF,
}


@pytest.mark.parametrize("phase", OUT)
def test_a_line_for_every_phase_that_a_key_is_pulled_in(phase: Phase) -> None:
    at = machine_at(phase)
    at.pull()
    assert at.line() is OUT[phase]
    at.wait(6)
    assert (at.phase, at.line()) == (Phase.EMPTY, OUT[phase])
    at.wait(25)
    assert at.line() is Line.EMPTY


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("presence", Presence)
@pytest.mark.parametrize("farewell", [None, *(RemovedKey(left, named) for left in KeyLeft for named in (True, False))])
def test_any_state_whatever_has_a_line(phase: Phase, presence: Presence, farewell: RemovedKey | None) -> None:
    state = State(phase=phase, presence=presence, farewell=farewell)
    assert isinstance(screen(state, NOW).line, Line)


def test_digits_are_only_counted() -> None:
    at = machine_at(Phase.PROMPT)
    at.type("918273")
    shown = at.screen
    assert shown.digits == 6
    assert "918273" not in repr(shown)
    assert "918273" not in repr(asdict(shown))


def test_a_pool_key_has_nobodys_name_until_its_pin_was_right() -> None:
    at = machine_at(Phase.PROMPT, which=SUBSTITUTE)
    assert (at.screen.key, at.screen.holder_name, at.screen.language) == (200, None, None)
    at = Machine()
    at.start_shift(SUBSTITUTE, TIM_FOUND)
    assert at.screen.holder_name == TIM.name


def test_the_holders_language_goes_with_the_key() -> None:
    at = machine_at(Phase.PROMPT)
    assert (at.screen.language, at.screen.holder_name) == ("sv", "Anna Exempel")
    at.pull()
    at.wait(4)
    at.wait(26)
    assert not at.screen.language
    assert not at.screen.holder_name


def test_a_key_that_did_not_get_to_say_which_it_is_is_not_called_by_the_name_of_the_one_before() -> None:
    at = machine_at(Phase.ACTIVATING, which=SUBSTITUTE)
    at.pull()
    assert at.screen.key == 200
    at.insert()
    at.cleared()
    at.pull()
    after = at.screen
    assert (after.line, after.key, after.kind, after.holder_name) == (Line.OUT_OFF, None, None, None)


@pytest.mark.parametrize(
    ("areas", "every", "names"),
    [(EVERY_AREA, True, ()), ((2, 5), False, ("Söderby",)), ((), False, ())],
)
def test_the_receipt_names_areas(areas: tuple[int, ...], every: bool, names: tuple[str, ...]) -> None:
    at = Machine()
    at.start_shift(OWN.but(permit=permit(areas=areas)))
    receipt = at.screen.receipt
    assert receipt
    assert (receipt.every_area, receipt.areas, receipt.area_names) == (every, () if every else areas, names)
    assert (receipt.locks, receipt.mirror_age_s, receipt.online) == (1, 12, True)


def test_a_wait_counts_whole_seconds_down_and_never_shows_none() -> None:
    at = machine_at(Phase.PROMPT)
    at.state = replace(at.state, attempts=Attempts(4, at.mono_s + 5))
    seen = []
    for _ in range(6):
        seen.append((at.line(), at.screen.wait_s))
        at.wait(0.9)
    assert seen == [(Line.WAIT, s) for s in (5, 5, 4, 3, 2, 1)]
    assert (at.line(), at.screen.wait_s) == (Line.PROMPT, None)


def test_a_key_that_had_lost_power() -> None:
    at = machine_at(Phase.PROMPT)
    assert not at.screen.notes.lost_power
    assert screen(at.state, NOW, ScreenExtras(KeyFindings(lost_power=True))).notes.lost_power


def test_a_key_left_in_is_told_how_soon_it_goes_off() -> None:
    at = machine_at(Phase.READY)
    assert at.screen.off_in_s is None
    at.wait(at.state.policy.left_in_s - REMINDER_S - 0.5)
    assert at.screen.off_in_s is None
    seen: list[int | None] = []
    for _ in range(3):
        at.wait(1)
        seen.append(at.screen.off_in_s)
    assert seen == [15, 14, 13]
    at.pull()
    assert at.screen.off_in_s is None


@pytest.mark.parametrize(
    ("presence", "off_in_s"), [(Presence.IN, 10), (Presence.OUT, None), (Presence.RETURNING, None)]
)
def test_only_a_key_that_is_in_is_told_how_soon_it_goes_off(presence: Presence, off_in_s: int | None) -> None:
    at = machine_at(Phase.READY, presence)
    at.state = replace(at.state, policy=replace(at.state.policy, left_in_s=10.0))
    assert at.screen.off_in_s == off_in_s


@pytest.mark.parametrize("phase", [Phase.ACTIVATING, Phase.SWITCHING_OFF, Phase.CLEARING])
def test_pulled_halfway_to_on_is_told_apart_from_halfway_to_off(phase: Phase) -> None:
    at = machine_at(phase)
    at.pull()
    assert (at.line(), at.screen.halfway) == (Line.OUT_UNSURE, phase is Phase.ACTIVATING)


def test_the_stations_own_status() -> None:
    at = Machine(trust=None)
    at.feed(StationChanged(replace(STATION, online=False, mirror_age_s=None)))
    status = at.screen.status
    assert (status.station, status.online, status.mirror_age_s, status.off_only) == (3, False, None, None)
    assert (status.unix_s, status.clock_trusted, status.time_zone) == (NOON, False, "UTC")


HELP = IdleState(View.HELP, HelpTopic.LOGGED, 2)
SITES_TEXT = (("sv", "Egen text."),)
LINE_NOW = SupportLine(frozenset(range(7)), 0, 0, holidays=True, phone="02")
LINE_DAYS = SupportLine(frozenset(range(5)), 0, 0, holidays=False, phone="01")
NEIGHBOURS = tuple(Neighbour(number, "En station", "") for number in range(4, 9))
HELPFUL = replace(
    STATION,
    neighbours=NEIGHBOURS,
    support=(LINE_DAYS, LINE_NOW),
    privacy=(("sv", "Allt."),),
    help_texts={"logged": SITES_TEXT},
    log_days=90,
    look_ups=LookUps({2026: {}}),
    offline_since=NOON - 60,
)


def test_help_is_only_for_an_empty_station() -> None:
    extras = ScreenExtras(idle=HELP)
    for phase in (Phase.EMPTY, Phase.BROKEN):
        at = machine_at(phase)
        at.feed(StationChanged(HELPFUL))
        assert is_free(at.state, NOW)
        shown = screen(at.state, NOW, extras)
        assert shown.idle_page == IdlePage(
            View.HELP,
            HelpTopic.LOGGED,
            2,
            site_texts=SITES_TEXT,
            privacy=HELPFUL.privacy,
            log_days=90,
            look_ups=LookUps({2026: {}}),
        )
        assert shown.outside_help.support is LINE_NOW, "this hour's number is on every page"
        assert shown.outside_help.others == (LINE_DAYS,), "and help may send to any other"
        assert screen(at.state, NOW, ScreenExtras(idle=IdleState(View.HELP))).idle_page == IdlePage(View.HELP)
    for phase, presence in set(TABLE) - {(Phase.EMPTY, Presence.OUT), (Phase.BROKEN, Presence.OUT)}:
        assert screen(machine_at(phase, presence).state, NOW, extras).idle_page is None
    at = machine_at(Phase.READY)
    at.pull()
    at.wait(6)
    assert not is_free(at.state, NOW)
    assert screen(at.state, NOW, extras).idle_page is None, "a receipt is still to be read"


def test_standby_hides_nothing_that_must_be_known() -> None:
    extras = ScreenExtras(idle=IdleState(View.STANDBY))
    now = replace(NOW, trust=ClockSource.SYNCED)
    at = Machine()
    assert may_sleep(at.state, now)
    shown = screen(at.state, now, extras).idle_page
    assert shown is not None
    assert shown.view is View.STANDBY
    at.feed(StationChanged(replace(STATION, off_only=OffOnlyReason.DISK)))
    assert not may_sleep(at.state, now)
    assert screen(at.state, now, extras).idle_page is None
    broken = machine_at(Phase.BROKEN)
    assert not may_sleep(broken.state, now)
    assert screen(broken.state, now, extras).idle_page is None


def test_the_technicians_page_is_shown_in_its_view_only() -> None:
    page = Technician("/dev/x", True, "", ClockDoubt.NO_SOURCE, 1, 0, "", "", 0)
    shown = screen(Machine().state, NOW, ScreenExtras(idle=IdleState(View.TECHNICIAN), technician=page)).idle_page
    assert shown is not None
    assert shown.technician is page
    shown = screen(Machine().state, NOW, ScreenExtras(idle=HELP, technician=page)).idle_page
    assert shown is not None
    assert shown.technician is None


def test_a_flickering_contact_is_told_but_not_on_a_receipt() -> None:
    extras = ScreenExtras(contact=Contact((999.0, 999.5, 1000.0)))
    assert screen(machine_at(Phase.READING).state, NOW, extras).flickering
    assert not screen(machine_at(Phase.READY).state, NOW, extras).flickering


def test_progress_is_of_the_activation_only() -> None:
    extras = ScreenExtras(progress=Progress(1, 2))
    assert screen(machine_at(Phase.ACTIVATING).state, NOW, extras).progress == Progress(1, 2)
    assert screen(machine_at(Phase.READY).state, NOW, extras).progress is None


def test_a_station_that_does_not_help_says_who_does() -> None:
    trusted = replace(NOW, trust=ClockSource.SYNCED)
    at = Machine()
    at.feed(StationChanged(HELPFUL))
    assert screen(at.state, trusted).outside_help == OutsideHelp()
    at.feed(StationChanged(replace(HELPFUL, off_only=OffOnlyReason.CLOCK)))
    assert screen(at.state, trusted).outside_help == OutsideHelp(NEIGHBOURS[:4], LINE_DAYS)
    assert screen(at.state, NOW).outside_help.support is LINE_NOW, "without an hour, the line that always answers"
    at.feed(StationChanged(replace(HELPFUL, off_only=OffOnlyReason.CLOCK, support=(LINE_DAYS,))))
    assert screen(at.state, NOW).outside_help.support is LINE_DAYS


@pytest.mark.parametrize(
    ("silent", "shown"),
    [((), [4, 5, 6, 7]), ((4, 6), [4, 5, 6, 7]), ((4, 5, 6, 7), [4, 5, 6, 8]), ((4, 5, 6, 7, 8), [4, 5, 6, 7])],
)
def test_silent_stations_are_named_but_not_they_alone(silent: tuple[int, ...], shown: list[int]) -> None:
    others = tuple(replace(other, silent=other.station in silent) for other in NEIGHBOURS)
    at = Machine()
    at.feed(StationChanged(replace(HELPFUL, off_only=OffOnlyReason.CLOCK, neighbours=others)))
    named = screen(at.state, NOW).outside_help.neighbours
    assert [other.station for other in named] == shown
    assert [other.station for other in named if other.silent] == [number for number in shown if number in silent]


@pytest.mark.parametrize("receipt_s", [3.0, 30.0, 60.0])
@pytest.mark.parametrize("phase", [Phase.REFUSED, Phase.UNREADABLE])
def test_why_a_key_was_refused_and_whom_to_call_stay_when_it_is_out(phase: Phase, receipt_s: float) -> None:
    at = machine_at(phase)
    at.state = replace(at.state, policy=replace(at.state.policy, receipt_s=receipt_s))
    at.feed(StationChanged(HELPFUL))
    there = at.screen
    at.pull()
    for wait_s in (1, 5, 23):
        at.wait(wait_s)
        gone = at.screen
        assert (gone.line, gone.refusal, gone.unreadable) == (Line.OUT_OFF, there.refusal, phase is Phase.UNREADABLE)
        assert gone.outside_help == there.outside_help != OutsideHelp()
    at.wait(max(receipt_s, 30) - 28)
    assert (at.screen.line, at.screen.refusal) == (Line.EMPTY, None)


def test_a_key_that_comes_takes_over_from_a_refusal_at_once() -> None:
    at = machine_at(Phase.REFUSED)
    at.pull()
    at.wait(4)
    at.put_in()
    assert (at.line(), at.screen.refusal, at.screen.unreadable) == (Line.PROMPT, None, False)
    at.pull()
    assert (at.line(), at.screen.refusal, at.screen.outside_help) == (Line.OUT_OFF, None, OutsideHelp())


def test_what_is_at_the_bottom_and_how_many_boxes_there_are() -> None:
    at = Machine()
    at.feed(StationChanged(replace(HELPFUL, name="Björkgården", pin_digits=7)))
    assert (at.screen.status.name, at.screen.status.pin_digits) == ("Björkgården", 7)


def test_offline_since_when() -> None:
    at = Machine()
    at.feed(StationChanged(replace(HELPFUL, online=False)))
    assert screen(at.state, NOW).status.offline_since == NOON - 60
    at.feed(StationChanged(HELPFUL))
    assert screen(at.state, NOW).status.offline_since is None


def test_changes_are_told_by_name_on_both_receipts() -> None:
    before = replace(permit().permit, areas=(1, 99))
    extras = ScreenExtras(KeyFindings(permit_before=before))
    shown = screen(machine_at(Phase.READY).state, NOW, extras)
    assert shown.notes.changes == Changes(added=(2,), removed=(99,))
    assert shown.area_names == ((2, "Söderby"),)
    home = machine_at(Phase.PROMPT)
    home.pull()
    assert screen(home.state, NOW, extras).notes.changes == Changes(added=(2,), removed=(99,))
    assert screen(machine_at(Phase.REFUSED).state, NOW, extras).notes == Notes()


@pytest.mark.parametrize("phase", [Phase.CLEARING, Phase.CHECKING, Phase.ACTIVATING])
def test_pulled_too_early_is_said_for_half_a_minute(phase: Phase) -> None:
    at = machine_at(phase)
    at.state = replace(at.state, policy=replace(at.state.policy, receipt_s=3.0))
    at.pull()
    at.wait(6)
    assert at.phase is Phase.EMPTY
    at.wait(20)
    assert at.line() is OUT[phase]
    at.wait(10)
    assert at.line() is Line.EMPTY


def test_a_station_that_starts_says_so_and_not_that_it_can_only_switch_off() -> None:
    at = Machine()
    at.feed(StationChanged(replace(STATION, off_only=OffOnlyReason.STARTING)))
    assert at.screen.outside_help == OutsideHelp()
    at.put_in()
    assert at.line() is Line.READING
    assert not [effect for effect in at.everything if isinstance(effect, RecordRefusal)]
    at.feed(StationChanged(STATION))
    at.news(OWN)
    assert at.line() is Line.PROMPT
    at.feed(StationChanged(replace(STATION, off_only=OffOnlyReason.CLOCK)))
    assert at.bounce() != ()
    assert at.line() is Line.REFUSED


def test_somebody_who_has_left_is_not_named() -> None:
    """Central no longer tells who it was."""
    at = machine_at(Phase.PROMPT, which=key(holder=replace(ANNA, name="")))
    assert (at.screen.key, at.screen.holder_name) == (100, None)
