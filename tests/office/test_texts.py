"""The site's own words on the screens, and where a station is."""

from types import SimpleNamespace
from typing import Any

import pytest

from central.feed import change_and_sign
from central.models import Site
from tests.central.site import saved, told_since
from tests.office.asking import at, words

NO_NUMBERS = {"support-TOTAL_FORMS": "0", "support-INITIAL_FORMS": "0"}
NUMBER = {
    "support-TOTAL_FORMS": "1", "support-INITIAL_FORMS": "0", "support-0-days": ["1", "64"],
    "support-0-begins": "16:30", "support-0-ends": "00:00", "support-0-phone": "000-000 01", "support-0-text": "Jouren",
}  # fmt: skip


@pytest.fixture
def office(there: SimpleNamespace, seat: Any) -> Any:
    return seat("site_administrator", there.site)


def post(office: Any, there: SimpleNamespace, fields: dict[str, Any], language: str = "sv") -> Any:
    return office.post(at(there, f"texts/?language={language}"), fields)


def test_texts_are_saved_for_one_language_and_told_to_stations(there: SimpleNamespace, office: Any) -> None:
    with change_and_sign():
        there.site.help_texts = {"da": {"lost": "Ring."}}
        saved(there.site)
    answer = post(office, there, {"help_lost": "Ring 000-000 03.\r\nSedan chefen.", "privacy": "Här.", **NUMBER})
    assert answer.status_code == 302
    site = Site.objects.get(pk=there.site.pk)
    assert site.help_texts == {"da": {"lost": "Ring."}, "sv": {"lost": "Ring 000-000 03.\nSedan chefen."}}
    assert site.privacy_notice == {"sv": "Här."}
    assert site.support == [
        {"days": 65, "from": 990, "to": 1440, "holidays": False, "phone": "000-000 01", "text": {"sv": "Jouren"}}
    ]
    assert any("Sedan chefen." in row for row in told_since(there.site, 0))
    post(office, there, {"help_lost": "", "privacy": "", **NO_NUMBERS})
    site.refresh_from_db()
    assert (site.help_texts, site.privacy_notice, site.support) == ({"da": {"lost": "Ring."}}, {}, [])


def test_a_try_is_shown_in_the_lines_of_a_small_screen_and_not_kept(there: SimpleNamespace, office: Any) -> None:
    page = words(post(office, there, {"help_wake": "Tryck på knappen. " * 5, "try": "1", **NO_NUMBERS}))
    shown = page.partition('<pre class="screen" lang="sv">')[2].partition("</pre>")[0]
    assert 2 <= len(shown.splitlines()) <= 3
    assert all(len(line) <= 40 for line in shown.splitlines())
    there.site.refresh_from_db()
    assert there.site.help_texts == {}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"help_lost": "x\u202ey"}, "no screen can show"),
        ({"help_lost": "x" * 2001}, "at most 2000"),
        ({"support-0-phone": "ring"}, "digits, blanks and dashes"),
        ({"support-0-ends": "16:30"}, "ends before it begins"),
        ({"support-0-days": []}, "Look at the telephone numbers"),
        ({"support-0-begins": "25:00"}, "Look at the telephone numbers"),
        ({"support-TOTAL_FORMS": "999"}, "Look at the telephone numbers"),
        ({"support-TOTAL_FORMS": "x"}, "Look at the telephone numbers"),
    ],
)
def test_what_no_station_would_take_is_said_and_not_saved(
    there: SimpleNamespace, office: Any, wrong: dict[str, Any], said: str
) -> None:
    answer = post(office, there, NUMBER | wrong)
    assert answer.status_code == 422
    assert said in words(answer)
    there.site.refresh_from_db()
    assert (there.site.support, there.site.help_texts) == ([], {})


def test_whoever_edits_an_older_page_hears_of_it(there: SimpleNamespace, office: Any, seat: Any) -> None:
    page = words(office.get(at(there, "texts/?language=sv")))
    mark = page.partition('name="seen" value="')[2].partition('"')[0]
    assert mark.startswith("site.")
    assert post(seat("site_administrator", there.site), there, {"privacy": "Ny.", **NO_NUMBERS}).status_code == 302
    assert post(office, there, {"privacy": "Gammal.", "seen": mark, **NO_NUMBERS}).status_code == 409


@pytest.mark.parametrize(
    "text",
    [
        "57.70716, 11.96679",
        "57,70716 11,96679",
        "57.70716° N, 11.96679° Ö",
        "geo:57.70716,11.96679",
        "https://www.openstreetmap.org/?mlat=57.70716&mlon=11.96679#map=12/1.5/2.5",
        "https://www.openstreetmap.org/#map=17/57.70716/11.96679",
        "https://www.google.com/maps/place/X/@1.5,2.5,17z/data=!3m1!4b1!4m5!3m4!8m2!3d57.70716!4d11.96679",
        "https://www.google.com/maps/@57.70716,11.96679,15z?entry=ttu",
        "https://maps.google.com/?q=57.70716,11.96679",
        "https://www.google.com/maps/search/?api=1&query=57.70716%2C11.96679",
    ],
)
def test_a_place_is_taken_from_degrees_and_from_links(there: SimpleNamespace, office: Any, text: str) -> None:
    assert office.post(at(there, "stations/1/place/"), {"place": text}).status_code == 302
    there.one.station.refresh_from_db()
    assert (there.one.station.latitude, there.one.station.longitude) == (57_707_160, 11_966_790)
    assert "57.707160, 11.966790" in words(office.get(at(there, "stations/1/")))


@pytest.mark.parametrize(
    "text",
    [
        "91, 11",
        "57",
        "hemma",
        "https://maps.app.goo.gl/abc",
        "https://shop.example/?q=57.7,11.9",
        "https://google.se.example/maps/@57.7,11.9,15z",
        "https://www.google.com/maps/dir/57.1,11.2/57.3,11.4/@57.2,11.3,9z",
        "javascript://www.openstreetmap.org/?mlat=57.7&mlon=11.9",
        "57.7, 181",
        "--57.7 S, 11",
        "٥٧.٧, ١١.٩",
        "9" * 1999,
    ],
)
def test_what_is_no_place_is_said(there: SimpleNamespace, office: Any, text: str) -> None:
    answer = office.post(at(there, "stations/1/place/"), {"place": text})
    assert answer.status_code == 422
    assert "There is no place in it" in words(answer)
    assert office.post(at(there, "stations/1/place/"), {"place": ""}).status_code == 302


def test_south_and_west_are_below_nothing(there: SimpleNamespace, office: Any) -> None:
    office.post(at(there, "stations/1/place/"), {"place": "1.5 S, 2.5 V"})
    there.one.station.refresh_from_db()
    assert (there.one.station.latitude, there.one.station.longitude) == (-1_500_000, -2_500_000)
    office.post(at(there, "stations/1/place/"), {"place": ""})
    there.one.station.refresh_from_db()
    assert there.one.station.latitude is None
