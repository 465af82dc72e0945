"""Sessions warn before they end, and what was typed is there again after the log-in and in another language."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings

from central.clock import unix_now
from central.doors.sessions import BEGAN, SEEN
from tests.central.served import Served
from tests.office.asking import at, words
from tests.office.browser import PASSWORD, USER, Browser, programs

has_browser = pytest.mark.skipif(None in programs(), reason="needs Debian's chromium and chromium-driver")


def noted(client: Any, **times: int) -> None:
    session = client.session
    session.update(times)
    session.save()


def left(client: Any, there: SimpleNamespace) -> int:
    page = words(client.get(at(there, "people/")))
    return int(page.partition('data-left="')[2].partition('"')[0])


def test_a_session_in_use_is_prolonged_until_the_shift_is_over(there: SimpleNamespace, seat: Any) -> None:
    office, now = seat("coordinator", there.site, there.one.unit), unix_now()
    noted(office, **{BEGAN: now, SEEN: now - settings.SESSION_IDLE_S + 50})
    assert settings.SESSION_IDLE_S - 20 < office.get("/office/stay/").json()["left_s"] <= settings.SESSION_IDLE_S
    assert left(office, there) > settings.SESSION_IDLE_S - 20
    noted(office, **{BEGAN: now - settings.SESSION_LIMIT_S + 100, SEEN: now})
    assert office.get("/office/stay/").json()["left_s"] in range(60, 101)
    assert left(office, there) <= 100
    noted(office, **{SEEN: now - settings.SESSION_IDLE_S - 1})
    assert office.get("/office/stay/").status_code == 302


@pytest.mark.slow
@has_browser
def test_what_was_typed_is_there_again(browser: Browser, served: Served) -> None:
    browser.go("/office/1/people/employee/")
    browser.type("#id_given_name", "Asta")
    browser.click('form[action$="/language/"] button[value=sv]')
    assert browser.value("#id_given_name") == "Asta"
    assert browser.text("h1") == "Ny anställd"
    browser.click('form[action$="/language/"] button[value=en]')
    browser.type("#id_family_name", "Aronia")
    # The session ends while the page is open.
    browser.cookie_removed("sessionid")
    browser.click("main form button")
    assert "Log in" in browser.text("h1")
    assert "Not done" in browser.text()
    browser.type("input[name=username]", USER)
    browser.type("input[name=password]", PASSWORD)
    browser.click("main button")
    assert browser.path == "/office/1/people/employee/"
    assert [browser.value(f"#id_{name}_name") for name in ("given", "family")] == ["Asta", "Aronia"]
    # Not on the next page, and not for ever.
    browser.go("/office/1/people/")
    browser.go("/office/1/people/employee/")
    assert browser.value("#id_given_name") == ""


@pytest.mark.slow
@has_browser
def test_the_warning_is_shown_before_the_end(browser: Browser, served: Served) -> None:
    from django.contrib.sessions.backends.db import SessionStore

    browser.go("/office/1/people/")
    assert not browser.is_shown("#session-ends")
    session = SessionStore(browser.cookie("sessionid"))
    began = session[BEGAN]
    session[BEGAN] = unix_now() - settings.SESSION_LIMIT_S + 302
    session.save()
    try:
        browser.go("/office/1/people/")
        browser.wait_until_shown("#session-ends")
        assert "five minutes" in browser.text("#session-ends")
        browser.tick("#session-stay")
        # The end of the shift comes all the same.
        browser.wait_until_shown("#session-ends [data-when=last]")
        assert "twelve hours" in browser.text("#session-ends")
    finally:
        session[BEGAN] = began
        session.save()
