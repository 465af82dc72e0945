"""The commonest changes to a person in a real browser, with the clicks that they take: a choice in a list is one."""

from typing import Any

import pytest

from central.models import Holder, Key, Site, Unit
from tests.central.served import Served
from tests.office.browser import Browser, keep_picture, programs

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(None in programs(), reason="needs Debian's chromium and chromium-driver"),
]
NORTH, NIGHT = 1, 6


class Counting:
    """Counts what is clicked."""

    def __init__(self, browser: Browser) -> None:
        self.browser, self.clicks = browser, 0

    def __getattr__(self, name: str) -> Any:
        def act(*args: Any) -> None:
            self.clicks += 1
            getattr(self.browser, name)(*args)

        assert name in ("click", "tick", "choose")
        return act


@pytest.fixture
def hand(browser: Browser) -> Counting:
    browser.go("/office/1/people/")
    return Counting(browser)


def unit(number: int) -> Unit:
    return Unit.objects.get(site__number=1, number=number)


def test_a_new_night_nurse_may_open_at_night_only(browser: Browser, hand: Counting) -> None:
    hand.click('main a[href$="/people/employee/"]')
    browser.type("#id_given_name", "Natalia")
    browser.type("#id_family_name", "Nattljus")
    hand.choose("#id_unit", str(unit(NIGHT).pk))
    hand.click("main form button")
    assert hand.clicks == 3
    browser.click('main a[href*="/people/"]')
    assert "every day 21:00–07:00" in browser.text("#opens")
    keep_picture(browser, "person")


def test_somebody_covers_until_sunday(browser: Browser, hand: Counting, served: Served) -> None:
    number = next(p["holder"] for p in served.summary["people"] if p["name"] == "Nils Nypon")
    browser.go(f"/office/1/people/{number}/")
    hand.click("#for-a-time")
    hand.choose("#id_unit", str(unit(NORTH).pk))
    hand.click("#save")
    assert hand.clicks == 3
    assert "Kvarnbacken, Björkdungen, until" in browser.text("#opens .given")


def test_somebody_moves_with_their_key(browser: Browser, hand: Counting, served: Served) -> None:
    who = next(p for p in served.summary["people"] if p["name"] == "Qasim Kvitten")
    browser.go(f"/office/1/people/{who['holder']}/")
    hand.click("#move")
    hand.choose("#id_unit", str(unit(NORTH).pk))
    hand.click("#save")
    assert hand.clicks == 3
    assert "Kvarnbacken, Björkdungen" in browser.text("#opens")
    assert Key.objects.get(site__number=1, number=who["key"]).unit == unit(NORTH)
    assert Holder.objects.get(site=Site.objects.get(number=1), number=who["holder"]).unit == unit(NORTH)


def test_hours_of_ones_own(browser: Browser, hand: Counting, served: Served) -> None:
    number = next(p["holder"] for p in served.summary["people"] if p["name"] == "Yasmin Yuzu")
    browser.go(f"/office/1/people/{number}/")
    hand.click("#access")
    keep_picture(browser, "access")
    hand.tick("input[name=hours][value=evening]")
    hand.click("#save")
    assert hand.clicks == 3
    assert "every day 15:00–22:00" in browser.text("#opens")


def test_each_dangerous_act_names_the_person_and_is_undone_by_one_click(
    browser: Browser, hand: Counting, served: Served
) -> None:
    who = next(p for p in served.summary["people"] if p["name"] == "Ingrid Ingefära")
    person, key = f"/office/1/people/{who['holder']}/", f"/office/1/keys/{who['key']}/"

    def state() -> list[Any]:
        holder, own = Holder.objects.get(site__number=1, number=who["holder"]), Key.objects.get(number=who["key"])
        areas = sorted(holder.permissions.values_list("areas", flat=True))
        return [holder.unit, holder.status, holder.employment_ends, own.unit, own.status, areas]

    before = state()
    acts: list[tuple[str, str, list[tuple[str, str]]]] = [
        (key, ".dangers", [("click", "#block")]),
        (key, "form:has(#take-back)", [("click", "#take-back")]),
        (person, "details:has(#take-back-access)", [("tick", "summary"), ("click", "#take-back-access")]),
        (person, "details:has(#end)", [("tick", "summary"), ("tick", "input[value=now]"), ("click", "#end")]),
    ]
    for page, form, clicks in acts:
        browser.go(page)
        begun = hand.clicks
        for how, what in clicks:
            getattr(hand, how)(f"{form} {what}")
            if how == "tick" and what == "summary":
                assert "Ingrid Ingefära" in browser.text(form)
                assert "undone for ten minutes" in browser.text(form)
        assert hand.clicks - begun == len(clicks)
        assert state() != before
        hand.click("#undo")
        assert state() == before
    browser.go(f"{person}move/")
    assert "undone for ten minutes" in browser.text()
    hand.choose("#id_unit", str(unit(NIGHT).pk))
    hand.click("#save")
    assert state() != before
    hand.click("#undo")
    assert state() == before
