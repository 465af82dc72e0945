"""The last visits: what is kept of them, and what an earlier kiosk's file may bring."""

import pytest

from station.display.screen import PastVisit
from station.records.claims import KeyKind
from station.rules.facts import Refusal
from station.runtime.past_visits import VISITS_KEPT, PastVisits
from tests.visit.visiting import NOON, OWN, Machine


def follow(visits: PastVisits, at: Machine) -> None:
    visits.follow(at.state, at.screen)


def test_a_shift_is_one_visit_that_ends_in_ready() -> None:
    visits, at = PastVisits(), Machine()
    follow(visits, at)
    assert visits.newest_first() == ()
    at.start_shift(OWN)
    follow(visits, at)
    assert visits.ended == 0
    at.pull()
    follow(visits, at)
    (visit,) = visits.newest_first()
    assert (visit.kind, visit.outcome, visit.refusal) == (KeyKind.PERSONAL, "ready", None)
    assert visits.ended == at.state.visit
    assert OWN.seen.record.key not in visits.rows()[0].values()


def test_a_visit_that_is_cut_off_is_called_what_it_was() -> None:
    visits, at = PastVisits(), Machine()
    at.put_in()
    follow(visits, at)
    told = [visits.outcome]
    at.type("123456#")
    at.judged()
    follow(visits, at)
    told.append(visits.outcome)
    at.activated()
    follow(visits, at)
    assert [*told, visits.outcome] == ["off", "unsure", "ready"]


def test_an_earlier_kiosks_come_first_and_only_the_last_are_kept() -> None:
    rows = [{"at": NOON - n, "kind": "substitute", "outcome": "refused", "reason": "locked"} for n in range(20)]
    visits = PastVisits()
    visits.take_up(rows)
    kept = visits.newest_first()
    assert len(kept) == VISITS_KEPT
    assert kept[0] == PastVisit(NOON, KeyKind.SUBSTITUTE, "refused", Refusal.LOCKED)
    assert visits.rows()[0] == rows[0]
    again = PastVisits()
    again.take_up(visits.rows())
    assert again.rows() == visits.rows()


@pytest.mark.parametrize("row", [None, 5, [], {}, {"at": "x"}, {"at": True}, {"kind": "personal"}], ids=repr)
def test_what_is_no_visit_is_left_out(row: object) -> None:
    visits = PastVisits()
    visits.take_up([row])
    visits.take_up(row)
    assert visits.rows() == []


def test_an_unknown_word_is_not_known() -> None:
    visits = PastVisits()
    visits.take_up([{"at": 7, "kind": ["x"], "outcome": "exploded", "reason": 5, "name": "Anna Exempel"}])
    assert visits.rows() == [{"at": 7, "kind": None, "outcome": None, "reason": None}]
