"""Neighbours, support lines and the privacy notice, from whatever the mirror has."""

import pytest

from central.operations.sample.places import PRIVACY_NOTICE, SUPPORT, TECHNICIANS
from station.ports import Json, MirrorObject
from station.rules.facts import LookUpReason, LookUps
from station.rules.support import Neighbour, Position, SupportLine
from station.sync.site_facts import (
    HELP_LIMIT,
    help_texts,
    log_days,
    look_ups,
    neighbours,
    privacy,
    station_name,
    support_lines,
)


def station(number: int, unit: int = 1, **more: Json) -> MirrorObject:
    body = {"name": f"Station {number}", "address": "Påhittsgatan 1", "unit": unit, "role": 0, **more}
    return MirrorObject("station", number, body)


def test_neighbours_nearest_first_without_ourselves_and_who_is_silent() -> None:
    stations = [station(2, 9), station(3), station(4), station(5), station(6, name=7)]
    found = neighbours(stations, [5], 4, unit=1)
    assert found == (
        Neighbour(3, "Station 3", "Påhittsgatan 1", 1),
        Neighbour(5, "Station 5", "Påhittsgatan 1", 1, silent=True),
        Neighbour(2, "Station 2", "Påhittsgatan 1", 9),
    )
    assert station_name(stations, 4) == "Station 4"
    assert station_name(stations, 6) == station_name(stations, 8) == ""


def test_places_come_before_units() -> None:
    here, near = {"lat": 59_000_000, "lon": 17_000_000}, {"lat": 59_001_000, "lon": 17_000_000}
    found = neighbours(
        [station(4, **here), station(3), station(5, 9, **near), station(6, lat=1.5, lon=2)], [], 4, unit=1
    )
    assert [(other.station, other.position) for other in found] == [
        (5, Position(59_001_000, 17_000_000)),
        (3, None),
        (6, None),
    ]


@pytest.mark.parametrize("role", [1, 2, "", None])
def test_nobody_is_sent_to_a_box(role: Json) -> None:
    found = neighbours([station(2, role=role), station(3)], [], 4, unit=1)
    assert [other.station for other in found] == [3]


TEXTS = tuple(TECHNICIANS.items())


def test_the_sample_sites_lines() -> None:
    weekdays, always, *_ = support_lines({"support": SUPPORT})
    assert weekdays == SupportLine(frozenset(range(5)), 480, 990, holidays=False, phone="000-000 01", texts=TEXTS)
    assert (always.days, always.from_min, always.to_min, always.holidays) == (frozenset(range(7)), 0, 1440, True)


@pytest.mark.parametrize(("told", "days"), [(90, 90), (None, None), (0, None), ("90", None), (True, None)])
def test_how_long_the_log_is_kept(told: Json, days: int | None) -> None:
    assert log_days({"log_days": told}) == days


LINE = {"days": 1, "from": 480, "to": 990, "holidays": True, "phone": "1"}


@pytest.mark.parametrize(("days", "expected"), [(113, {4, 5, 6, 0}), (64, {6}), (127, set(range(7)))])
def test_days(days: int, expected: set[int]) -> None:
    (line,) = support_lines({"support": [{**LINE, "days": days}]})
    assert line.days == expected


@pytest.mark.parametrize(
    "wrong",
    [
        *({"days": value} for value in (0, 128, -1, True, "mon-fri", None)),
        *({"from": value} for value in (-1, 1440, True, "480", None)),
        *({"to": value} for value in (0, 1441, True, "990", None)),
        *({"phone": value} for value in ("", None, 112)),
    ],
)
def test_what_cannot_be_used_is_left_out(wrong: dict[str, Json]) -> None:
    assert support_lines({"support": [{**LINE, **wrong}, LINE]}) == support_lines({"support": [LINE]})


@pytest.mark.parametrize("plan", [None, "mon-fri", {}, [None, 5, []]])
def test_no_plan_no_lines(plan: Json) -> None:
    assert support_lines({"support": plan}) == ()


def test_the_notice_by_language() -> None:
    assert privacy({"privacy": PRIVACY_NOTICE}) == tuple(PRIVACY_NOTICE.items())
    assert privacy({"privacy": {"sv": " ", "en": 5, "da": "Ja."}}) == (("da", "Ja."),)
    assert privacy({}) == ()


def test_the_sites_own_help_by_topic_and_language() -> None:
    told = {"sv": {"lost": " Ring 1. ", "frozen": 5, "dance": "Nej."}, "fi": {"lost": "x" * 3000}, "da": "Ja."}
    assert help_texts({"help": told}) == {"lost": (("sv", "Ring 1."), ("fi", "x" * HELP_LIMIT))}
    assert help_texts({"help": []}) == {}


def test_how_often_the_log_was_read() -> None:
    told = {"year": 2026, "counts": {"incident": 2, "dance": 3, "other": 1, "x": -1, "y": True}}
    this_year = {2026: {LookUpReason.INCIDENT: 2, LookUpReason.OTHER: 4}}
    assert look_ups({"lookups": told}) == LookUps(this_year)
    nothing: object
    for nothing in (None, [], 5):
        assert look_ups({"lookups": {**told, "last_year": nothing}}) == LookUps(this_year)
    last_year = {2025: {LookUpReason.KEY_LOST: 7}}
    assert look_ups({"lookups": {**told, "last_year": {"key_lost": 7}}}) == LookUps({**this_year, **last_year})
    assert look_ups({"lookups": {"year": 2026}}) == LookUps({})
    for wrong in ({}, {"lookups": 5}, {"lookups": {"year": "2026", "counts": {}}}):
        assert look_ups(wrong) is None
