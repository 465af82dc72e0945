"""The one search in the header: a single hit opens, nothing lists nothing, nobody finds what is not theirs."""

import re
from types import SimpleNamespace
from typing import Any

import pytest

from central.actions.people import end_employment
from central.feed import change_and_sign
from tests.office.asking import at, words


@pytest.fixture
def office(there: SimpleNamespace, seat: Any) -> Any:
    with change_and_sign():
        there.one.own.given_name, there.one.own.family_name = "Åsa", "Ärlig"
        there.one.own.save()
    return seat("site_administrator", there.site)


@pytest.mark.parametrize(
    ("typed", "leads_to"),
    [
        ("asa arl", "people/10/"),
        ("ÅSA", "people/10/"),
        ("10", "people/10/"),
        ("102", "keys/102/"),
        ("entre sod", "stations/2/"),
        (" 102 ", "keys/102/"),
    ],
)
def test_a_single_hit_opens(there: SimpleNamespace, office: Any, typed: str, leads_to: str) -> None:
    answer = office.get(at(there, "search/"), {"q": typed})
    assert (answer.status_code, answer["Location"]) == (302, at(there, leads_to))


def test_several_are_a_list_by_kind(there: SimpleNamespace, office: Any) -> None:
    # Key 101 and lock 101.
    page = words(office.get(at(there, "search/?q=101")))
    assert page.index('href="' + at(there, "keys/101/")) < page.index("<h2>Locks</h2>")
    assert 'href="' + at(there, "locks/?lock=101") in page
    assert "<h2>People</h2>" not in page
    assert page.count("Exempel 2") + page.count("Test ") == 0
    assert len(re.findall(r"/people/\d+/", words(office.get(at(there, "search/?q=test"))))) == 2


def test_whoever_has_left_comes_last_and_is_marked(there: SimpleNamespace, office: Any) -> None:
    end_employment(there.one.hourly)
    page = words(office.get(at(there, "search/?q=test")))
    assert page.index("/people/21/") < page.index("/people/11/") < page.index('class="pill ended"')
    assert page.count('class="pill ended"') == 1


def test_nothing_says_so_and_lists_nothing(there: SimpleNamespace, office: Any) -> None:
    for typed in ("Bertil", "999999", "9" * 400, "\0", "<b>", "💥", "asa bertil"):
        page = words(office.get(at(there, "search/"), {"q": typed}))
        assert "Nothing fits" in page
        assert "/people/1" not in page
        assert "/keys/1" not in page
    assert "Type a name" in words(office.get(at(there, "search/")))
    for path in ("keys/?q=Bertil", "people/?q=Bertil", "locks/?lock=999999", "locks/?lock=x"):
        page = words(office.get(at(there, path)))
        assert "<tbody>" not in page, path


def test_nobody_finds_what_is_not_theirs(there: SimpleNamespace, office: Any, seat: Any) -> None:
    mine = seat("coordinator", there.site, there.one.unit)
    for typed in ("Exempel 2", "202", "20", "söder"):
        assert "Nothing fits" in words(mine.get(at(there, "search/"), {"q": typed})), typed
    auditor = seat("auditor", there.site)
    assert "Nothing fits" in words(auditor.get(at(there, "search/?q=asa")))
    assert auditor.get(at(there, "search/?q=101"))["Location"] == at(there, "locks/?lock=101")
    assert office.get("/office/99/search/?q=asa").status_code == 404


def test_it_is_on_every_page_of_a_site_and_on_no_other(there: SimpleNamespace, office: Any) -> None:
    for path in ("today/", "people/", "people/10/", "search/", "users/"):
        assert words(office.get(at(there, path))).count('role="search"') == 1, path
    assert 'role="search"' not in words(office.get("/office/password/"))
