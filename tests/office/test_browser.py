"""The daily work as somebody does it: a real browser, a real server, the pages' own buttons. Counts the clicks.

``OFFICE_PICTURES=DIR`` keeps pictures of some pages.
"""

import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.central.served import Caller, Served
from tests.office.browser import Browser, browsing, programs

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(None in programs(), reason="needs Debian's chromium and chromium-driver"),
]
PASSWORD = secrets.token_urlsafe(12)
NORTH = 1


@pytest.fixture(scope="module")
def browser(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One session for the module, logged in through the page, a coordinator of everything and an auditor."""
    from django.contrib.auth import get_user_model

    from central.models import Site, Unit
    from central.office.models import Membership

    site = Site.objects.get(number=1)
    user = get_user_model().objects.create_user("karin.kordinator", password=PASSWORD)
    for role in ("site_administrator", "auditor"):
        Membership.objects.create(user=user, role=role, site=site)
    Membership.objects.create(user=user, role="section_manager", site=site, unit=Unit.objects.get(site=site, number=1))
    with browsing(served.url, tmp_path_factory.mktemp("browser") / "profile") as it:
        it.go("/office/")
        it.type("input[name=username]", "karin.kordinator")
        it.type("input[name=password]", PASSWORD)
        it.click("main button")
        assert it.path == "/office/1/today/"
        yield it


def keep_picture(browser: Browser, name: str) -> None:
    folder = os.environ.get("OFFICE_PICTURES")
    if folder:
        browser.picture(Path(folder) / f"office-{name}.png")


def person(served: Served, name: str) -> Any:
    return next(p for p in served.summary["people"] if p["name"] == name)


def in_a_station(caller: Caller, served: Served) -> Caller:
    """A real station's side of the API."""
    from central.codes import new_enrolment_code
    from central.models import Station

    station = Station.objects.get(site__number=1, number=2)
    assert caller.enrol(new_enrolment_code(station)).status_code == 201
    return caller


def test_a_new_employee(browser: Browser) -> None:
    browser.go("/office/1/today/")
    browser.click('a[href$="/people/employee/"]')
    browser.type("#id_given_name", "Asta")
    browser.type("#id_family_name", "Aronia")
    browser.choose("#id_unit", str(_unit(NORTH)))
    browser.click("main form button")
    assert re.fullmatch(r"\d{6}", browser.text("#pin"))
    assert re.fullmatch(r"[0-9A-Z]{4}-[0-9A-Z]{10}", browser.text("#code"))
    assert "Signature" in browser.text(".signature")
    assert browser.printed().startswith(b"%PDF")
    keep_picture(browser, "receipt")
    browser.click('main a[href*="/people/"]')
    assert "Asta Aronia" in browser.text("h1")
    # What was shown once is shown once.
    assert not browser.has("#pin")


def test_an_hourly_person(browser: Browser) -> None:
    browser.go("/office/1/people/")
    browser.click('main a[href$="/people/hourly/"]')
    browser.type("#id_given_name", "Benny")
    browser.type("#id_family_name", "Banan")
    browser.choose("#id_unit", str(_unit(NORTH)))
    browser.tick(f'input[name=units][value="{_unit(NORTH)}"]')
    browser.click("main form button")
    assert re.fullmatch(r"\d{6}", browser.text("#pin"))


def test_a_forgotten_pin_found_by_name(browser: Browser, served: Served, caller: Caller) -> None:
    station = in_a_station(caller, served)
    before = station.snapshot()["cursor"]
    browser.go("/office/1/today/")
    browser.type(".finders input[name=q]", "fredrik")
    browser.click(".finders button")
    browser.click("main table a")
    browser.click("#new-pin")
    assert re.fullmatch(r"\d{6}", browser.text("#pin"))
    told = {row["type"] for row in station.changes(before).json()["upserts"]}
    assert {"holder", "permit"} <= told


def test_a_lost_key_and_where_its_block_has_reached(browser: Browser, served: Served, caller: Caller) -> None:
    station = in_a_station(caller, served)
    before = station.snapshot()["cursor"]
    number = person(served, "Hassan Hallon")["key"]
    browser.go(f"/office/1/keys/{number}/")
    browser.click("#block")
    assert "blocked" in browser.text(".facts")
    assert browser.text("#reached") == "0"
    page = station.changes(before).json()
    assert {"blocklist", "key"} <= {row["type"] for row in page["upserts"]}
    # Its next question says that it has kept the answer.
    assert station.changes(page["cursor"]).status_code == 304
    browser.go(f"/office/1/keys/{number}/")
    assert browser.text("#reached") == "1"
    keep_picture(browser, "lost-key")
    browser.go("/office/1/today/")
    assert "Hassan Hallon" in browser.text()


def test_a_broken_key(browser: Browser, served: Served) -> None:
    number = person(served, "Anna Apelsin")["key"]
    browser.go(f"/office/1/keys/{number}/")
    browser.click("#broken")
    assert "emergency" in browser.text(".slip")
    browser.go("/office/1/today/")
    assert "Anna Apelsin" in browser.text("main table")
    browser.click(f'main table a[href$="/people/{person(served, "Anna Apelsin")["holder"]}/"]')
    browser.click("#new-key")
    assert browser.has("#code")


def test_employment_ends(browser: Browser, served: Served) -> None:
    who = person(served, "Olivia Oliv")
    browser.go(f"/office/1/people/{who['holder']}/")
    browser.click("#end")
    assert str(who["key"]) in browser.text(".message")
    browser.go(f"/office/1/keys/{who['key']}/")
    browser.click("#take-back")
    assert "returned" in browser.text("h1")


def test_a_blank_key_and_a_locked_one(browser: Browser, served: Served) -> None:
    blank = next(key["key"] for key in served.summary["keys"] if key["status"] == "blank" and key["kind"] == 1)
    browser.go(f"/office/1/keys/{blank}/")
    browser.click("#code")
    assert re.fullmatch(r"[0-9A-Z]{4}-[0-9A-Z]{10}", browser.text(".secret code"))
    from central.models import Key

    locked = next(key.number for key in Key.objects.filter(site__number=1) if key.is_locked)
    browser.go(f"/office/1/keys/{locked}/")
    browser.click("#unlock")
    assert "locked" not in browser.text(".facts")


def test_pools_and_today(browser: Browser, served: Served, caller: Caller) -> None:
    import time
    import uuid

    station = in_a_station(caller, served)
    now = int(time.time())
    pool = [key for key in served.summary["keys"] if key["status"] == "active"]
    substitute = next(key["key"] for key in pool if key["kind"] == 1)
    emergency = next(key["key"] for key in pool if key["kind"] == 2)
    events = [
        {
            "id": str(uuid.uuid4()), "instance": str(uuid.uuid4()), "seq": 1, "at": now - hours * 3600, "clock": 0,
            "type": "pool_key_taken", "key": key, "holder": person(served, name)["holder"], "data": {},
        }
        for key, name, hours in ((substitute, "Elin Enbär", 13), (emergency, "Bertil Blåbär", 80))
    ]  # fmt: skip
    assert station.http.post("/events", json={"events": events}).status_code == 200
    browser.go("/office/1/pools/")
    rows = browser.texts("tr.bad")
    assert any("Elin Enbär" in row and "overdue" in row for row in rows)
    assert any("Bertil Blåbär" in row and "more than 3 days" in row for row in rows)
    browser.go("/office/1/today/")
    assert "more than 11 hours" in browser.text()
    keep_picture(browser, "today")


def test_locks_and_the_log(browser: Browser) -> None:
    browser.go("/office/1/locks/")
    browser.type("main input[name=lock]", "101")
    browser.click("main button")
    assert "Agda Aprikos" in browser.text()
    browser.go("/office/1/log/")
    browser.type("#id_number", "101")
    browser.type("#id_reason", "Complaint 77, invented")
    browser.click("main form button")
    assert browser.has("#rows")
    assert "Complaint 77, invented" in browser.text()


def test_a_station(browser: Browser) -> None:
    browser.go("/office/1/stations/")
    browser.click('main table a[href$="/stations/3/"]')
    browser.click("#code")
    assert re.fullmatch(r"[0-9A-Z]{4}-[0-9A-Z]{10}", browser.text(".secret code"))
    browser.go("/office/1/stations/3/")
    browser.type("input[name=note]", "screen dark")
    browser.click("#out-of-order")
    assert "screen dark" in browser.text(".facts")
    browser.click("#in-order")
    browser.click("#revoke")
    assert "every PIN" in browser.text()


def test_an_import(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "locks.csv"
    file.write_text("number,area,unit\n9001,2,1\n9002,77,\n", "utf-8")
    browser.go("/office/1/import/")
    browser.choose("#id_kind", "locks")
    browser.put_file("#id_file", file)
    browser.click("main form button")
    assert browser.text("#counts") == "New: 1 · Changed: 0 · Same: 0 · Wrong, left out: 1"
    browser.click("#apply")
    assert "1 lines applied, 1 left out" in browser.text(".message")


def test_three_languages(browser: Browser) -> None:
    headings = []
    for language in ("sv", "da", "en"):
        browser.go("/office/1/today/")
        browser.click(f'button[value="{language}"]')
        headings.append(browser.text("h1"))
    assert headings == ["Idag", "I dag", "Today"]


def test_the_session_ends_with_the_log_out(browser: Browser) -> None:
    browser.go("/office/1/today/")
    browser.click(".who button")
    browser.go("/office/1/today/")
    assert browser.path.startswith("/office/login/")


def _unit(number: int) -> int:
    from central.models import Unit

    return int(Unit.objects.get(site__number=1, number=number).pk)
