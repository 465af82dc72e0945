"""The daily work as somebody does it: a real browser, a real server, the pages' own buttons, a station that hears it.

``OFFICE_PICTURES=DIR`` keeps pictures of some pages (`make pictures-office`).
"""

import re
import time
from datetime import timedelta
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import pytest

from station.records import claims
from station.records.base64url import decoded
from station.records.envelope import claimed
from tests.central.key_logs import entry_event
from tests.central.served import Caller, Served
from tests.office.browser import Browser, keep_picture, programs

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(None in programs(), reason="needs Debian's chromium and chromium-driver"),
]
NORTH = 1
SMALL_UNIT = 5


def person(served: Served, name: str) -> Any:
    return next(p for p in served.summary["people"] if p["name"] == name)


def in_a_station(caller: Caller, served: Served) -> Caller:
    """A real station's side of the API."""
    from central.actions.codes import new_enrolment_code
    from central.models import Station

    station = Station.objects.get(site__number=1, number=2)
    assert caller.enrol(new_enrolment_code(station)).status_code == 201
    return caller


def news(station: Caller, cursor: str, type_: str) -> list[dict[str, Any]]:
    """What the station hears of that type since the cursor."""
    answer = station.changes(cursor)
    return [row for row in answer.json()["upserts"] if row["type"] == type_] if answer.status_code == 200 else []


def test_a_new_employee(browser: Browser, served: Served, caller: Caller) -> None:
    station = in_a_station(caller, served)
    browser.go("/office/1/today/")
    browser.click('a[href$="/people/employee/"]')
    browser.type("#id_given_name", "Asta")
    browser.type("#id_family_name", "Aronia")
    browser.choose("#id_unit", str(_unit(NORTH)))
    browser.click("main form button")
    assert re.fullmatch(r"\d{6}", browser.text("#pin"))
    code = browser.text("#code")
    assert "Signature" in browser.text(".signature")
    assert browser.printed().startswith(b"%PDF")
    keep_picture(browser, "receipt")
    browser.click('main a[href*="/people/"]')
    assert "Asta Aronia" in browser.text("h1")
    # What was shown once is shown once.
    assert not browser.has("#pin")
    # The blank key is made this one at a station; much later it comes back, against another receipt.
    assert station.http.post("/provision", json={"code": code}).status_code == 200
    browser.click('main table a[href*="/keys/"]')
    assert "active" in browser.text(".facts")
    browser.click("#take-back")
    assert "key returned" in browser.text("h1")
    assert "handed in" in browser.text()


def test_an_hourly_person(browser: Browser, served: Served, caller: Caller) -> None:
    station = in_a_station(caller, served)
    before = station.snapshot()["cursor"]
    browser.go("/office/1/people/")
    keep_picture(browser, "people")
    browser.click('main a[href$="/people/hourly/"]')
    browser.type("#id_given_name", "Benny")
    browser.type("#id_family_name", "Banan")
    browser.choose("#id_unit", str(_unit(NORTH)))
    browser.tick(f'input[name=units][value="{_unit(NORTH)}"]')
    browser.click("main form button")
    assert re.fullmatch(r"\d{6}", browser.text("#pin"))
    # At once: the station has the permit for that unit's substitute keys.
    assert [permit["unit"] for permit in news(station, before, "permit")] == [NORTH]


def test_a_list_on_paper_is_a_table_with_its_heads(browser: Browser, served: Served) -> None:
    a4_pixels, parts = 700, ("thead", "tbody tr", "tbody td")
    how = "return arguments[0].map((part) => getComputedStyle(document.querySelector('.list ' + part)).display)"
    browser.go("/office/1/people/")
    browser.width(a4_pixels)
    assert browser.script(how, parts)[1:] == ["block", "block"]
    browser.on_paper(is_printed=True)
    assert browser.script(how, parts) == ["table-header-group", "table-row", "table-cell"]
    browser.on_paper(is_printed=False)
    browser.width(None)


def test_a_forgotten_pin_found_by_name(browser: Browser, served: Served, caller: Caller) -> None:
    station = in_a_station(caller, served)
    before = station.snapshot()["cursor"]
    browser.go("/office/1/today/")
    browser.type(".search input[name=q]", "fredrik")
    # The only one of that name: their page.
    browser.click(".search button")
    browser.click("#new-pin")
    assert re.fullmatch(r"\d{6}", browser.text("#pin"))
    # The station's next question: a permit with another tag; the old PIN leads nowhere.
    (permit,) = news(station, before, "permit")
    new = claimed(claims.Permit, decoded(permit["record"]))
    assert new is not None
    assert new.holder == permit["holder"]


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
    assert station.news(page["cursor"]) == {"upserts": [], "removes": []}
    # Somebody's key is there the next morning, and then at two locks; one of them before it could know.
    now, other = int(time.time()), person(served, "Greta Granatäpple")["key"]
    station.reported(
        {"type": "key_synced", "key": other, "at": now + 1, "data": {"mirror_age_s": 0}},
        entry_event(other, 1, lock=101, at=now - 60),
        entry_event(other, 2, lock=102, at=now + 60),
    )
    browser.go(f"/office/1/keys/{number}/")
    assert [browser.text(f"#{part}") for part in ("reached", "carried", "locks")] == ["1", "1", "1"]
    keep_picture(browser, "lost-key")
    browser.click("#trail")
    steps = browser.texts("#steps tbody tr")
    assert ["karin.kordinator" in steps[0], "Station knows" in steps[1]] == [True, True]
    assert str(other) in steps[2]
    assert steps[3].endswith(": 102")
    assert len(steps) == 4
    assert "101" in browser.text("#unmet")
    keep_picture(browser, "trail")
    browser.go("/office/1/today/")
    assert "Hassan Hallon" in browser.text()


def test_a_broken_key(browser: Browser, served: Served) -> None:
    number = person(served, "Anna Apelsin")["key"]
    browser.go(f"/office/1/keys/{number}/")
    browser.click("#broken")
    assert "emergency" in browser.text(".slip")
    browser.go("/office/1/today/")
    assert "Anna Apelsin" in browser.text("#tasks ~ table")
    browser.click(f'#tasks ~ table a[href$="/people/{person(served, "Anna Apelsin")["holder"]}/"]')
    browser.click("#new-key")
    assert browser.has("#code")


def test_employment_ends_at_once(browser: Browser, served: Served) -> None:
    who = person(served, "Olivia Oliv")
    browser.go(f"/office/1/people/{who['holder']}/")
    browser.tick("details.dangers:last-of-type summary")
    browser.tick("input[name=when][value=now]")
    browser.click("#end")
    assert str(who["key"]) in browser.text(".message")
    browser.go(f"/office/1/keys/{who['key']}/")
    browser.click("#take-back")
    assert "returned" in browser.text("h1")


def test_the_permission_ends_with_the_last_day(browser: Browser, served: Served, caller: Caller) -> None:
    from central.models import Site
    from station.records.claims import Permit
    from station.records.envelope import verified

    station = in_a_station(caller, served)
    before = station.snapshot()["cursor"]
    who = person(served, "Johan Jordgubbe")
    last = Site.objects.get(number=1).today() + timedelta(days=5)
    browser.go(f"/office/1/people/{who['holder']}/")
    browser.tick("details.dangers:last-of-type summary")
    browser.tick("input[name=when][value=after]")
    browser.date("#id_last_day", last)
    browser.click("#end")
    assert str(who["key"]) in browser.text(".message")
    assert f"{last.day} {last:%b %Y}" in browser.text(".facts")
    (permit,) = news(station, before, "permit")
    said = verified(Permit, decoded(permit["record"]), [decoded(key) for key in station.enrolled["central_keys"]])
    assert said is not None
    assert 4 * 86400 < said.expires - time.time() < 7 * 86400
    browser.go("/office/1/today/")
    assert f"Collect key {who['key']}" in browser.text("main table")


def test_a_blank_key_is_made_at_a_station_by_a_code(browser: Browser, served: Served, caller: Caller) -> None:
    station = in_a_station(caller, served)
    blank = next(key["key"] for key in served.summary["keys"] if key["status"] == "blank" and key["kind"] == 1)
    browser.go(f"/office/1/keys/{blank}/")
    browser.click("#code")
    code = browser.text(".secret code")
    assert station.http.post("/provision", json={"code": code}).json()["key"]["id"] == blank
    browser.go(f"/office/1/keys/{blank}/")
    assert "active" in browser.text(".facts")


def test_a_key_is_unlocked_after_ten_wrong_pins(browser: Browser, served: Served, caller: Caller) -> None:
    station = in_a_station(caller, served)
    number = person(served, "Cecilia Citron")["key"]
    station.reported({"type": "key_locked_out", "key": number})
    before = station.snapshot()["cursor"]
    browser.go("/office/1/today/")
    browser.click(f'main li a[href$="/keys/{number}/"]')
    assert "locked" in browser.text(".facts")
    browser.click("#unlock")
    assert "locked" not in browser.text(".facts")
    (key,) = news(station, before, "key")
    assert key["unlocked_at"] > key["locked_at"]


def test_pools_and_today(browser: Browser, served: Served, caller: Caller) -> None:
    station = in_a_station(caller, served)
    now = int(time.time())
    pool = [key for key in served.summary["keys"] if key["status"] == "active"]
    substitute = next(key["key"] for key in pool if key["kind"] == 1)
    emergency = [key["key"] for key in pool if key["kind"] == 2]
    taken = [(substitute, "Elin Enbär", 13), (emergency[1], "Bertil Blåbär", 80)]
    # The first may have been lent over the counter just now: this is later.
    taken += [(key, "Bertil Blåbär", 0) for key in (emergency[0], *emergency[2:-2])]
    station.reported(
        *(
            {"type": "pool_key_taken", "key": key, "holder": person(served, name)["holder"], "at": now - hours * 3600}
            for key, name, hours in taken
        ),
    )
    browser.go("/office/1/pools/")
    rows = browser.texts("tr.bad")
    assert any("Elin Enbär" in row and "not back" in row and "13 h" in row for row in rows)
    assert any("Bertil Blåbär" in row and "more than 3 days" in row for row in rows)
    assert any(row.startswith("Hemtjänst Norr 0 few") for row in browser.texts("#emergency ~ table tr.bad"))
    keep_picture(browser, "pools")
    browser.go("/office/1/today/")
    late = int(browser.text(".figures a[href$='?status=not_back'] b"))
    assert any("units with few emergency keys" in each for each in browser.texts(".figures li"))
    browser.click(".figures a[href$='?status=not_back']")
    assert len(browser.texts("main table:first-of-type tbody tr.bad")) >= late > 0
    browser.go("/office/1/today/")
    keep_picture(browser, "today")


def test_who_may_open_a_lock(browser: Browser) -> None:
    browser.go("/office/1/locks/")
    browser.click('#all-locks a[href="?lock=101"]')
    assert "Agda Aprikos" in browser.text("#may-open")


def test_who_opened_a_lock_and_what_a_holder_opened(browser: Browser, served: Served, caller: Caller) -> None:
    who = person(served, "Anna Apelsin")
    at = int(time.time()) - 3600
    in_a_station(caller, served).reported(
        *(entry_event(who["key"], lock, lock=lock, at=at, holder=who["holder"]) for lock in (160, 161))
    )
    browser.go("/office/1/log/")
    browser.choose("#id_about", "lock")
    browser.type("#id_q", "160")
    browser.choose("#id_cause", "client_asked")
    browser.type("#id_reason", "Complaint 77, invented")
    browser.click("main form button")
    (row,) = browser.texts("#rows td:nth-child(3)")
    assert row == f"Anna Apelsin {who['holder']}"
    assert re.match(r"\d{1,2} [A-Z][a-z]+ \d{4} \d\d:\d\d:\d\d", browser.text("#rows td"))
    assert "Complaint 77, invented" in browser.text()
    browser.go("/office/1/log/")
    browser.choose("#id_about", "holder")
    browser.type("#id_q", "anna apelsin")
    assert "Complaint 77, invented" in browser.text("#case"), "the reason is asked once"
    browser.click("main form button")
    assert {"160", "161"} <= set(browser.texts("#rows td:nth-child(2)"))
    keep_picture(browser, "log")


def test_how_a_station_is(browser: Browser, served: Served, caller: Caller) -> None:
    station = in_a_station(caller, served)
    station.reported({"type": "station_restarted", "data": {"reason": "watchdog"}})
    report = {"Station-Health": "outbox=7, mirror=130, clock=1, config=3fa2b1c4d5e6"}
    asked = {"since": station.snapshot()["cursor"], "nonce": "A" * 22}
    station.http.get("/mirror/changes", params=asked, headers=report)
    browser.go("/office/1/stations/")
    keep_picture(browser, "stations")
    browser.click('main table a[href$="/stations/2/"]')
    assert browser.text("#outbox") == "7"
    for part in ("3fa2b1c4d5e6", "watchdog", "held since it was set", "2 min"):
        assert part in browser.text(".facts")


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
    browser.tick(".dangers summary")
    assert "cannot be undone" in browser.text(".dangers")
    browser.tick(".dangers input[name=sure]")
    browser.click("#revoke")
    assert "every PIN" in browser.text()
    # The next step: new PINs, unit by unit, a slip for each person.
    browser.click('main a[href$="/pins/"]')
    left = int(browser.text("#left"))
    browser.click(f'button[name=unit][value="{SMALL_UNIT}"]')
    slips = browser.texts(".one-slip")
    assert 0 < len(slips) < left
    assert all(re.search(r"PIN \d{6}", slip) for slip in slips)
    assert browser.printed().startswith(b"%PDF")
    browser.click('main a[href$="/pins/"]')
    assert int(browser.text("#left")) == left - len(slips)


def test_a_user_gets_a_role(browser: Browser) -> None:
    browser.go("/office/1/users/")
    browser.type("#id_username", "kim.nattchef")
    browser.choose("#id_role", "on_call_manager")
    browser.click("#give")
    first = browser.text(".secret code")
    assert len(first) > 12
    browser.go("/office/1/users/")
    assert any("kim.nattchef" in row and "On-call manager" in row for row in browser.texts("#users tr"))
    # Kim's first log-in leads to the password page, and on from there only with a password of their own.
    browser.cookies_cleared()
    browser.log_in("kim.nattchef", first, "/office/password/")
    browser.go("/office/1/today/")
    assert browser.path == "/office/password/"
    assert "Somebody else may know your password" in browser.text(".message.warning")
    for field, text in (("old_password", first), ("new_password1", own := token_urlsafe(12)), ("new_password2", own)):
        browser.type(f"#id_{field}", text)
    browser.click("main form button")
    assert browser.path == "/office/1/today/"
    browser.click(".who button")
    browser.log_in()


def test_the_sites_words_are_tried_and_saved(browser: Browser) -> None:
    from central.models import Site
    from central.operations.sample import places

    browser.go("/office/1/texts/?language=sv")
    browser.type("#id_help_lost", "Ring 000-000 03, och säg vilken nyckel det är som är borta.")
    browser.click("#try")
    assert "Ring 000-000 03, och säg vilken nyckel\n" in browser.text()
    keep_picture(browser, "texts")
    assert Site.objects.get(number=1).help_texts == {}
    browser.click("#save")
    site = Site.objects.get(number=1)
    assert site.help_texts == {"sv": {"lost": "Ring 000-000 03, och säg vilken nyckel det är som är borta."}}
    assert (site.support, site.privacy_notice) == (places.SUPPORT, places.PRIVACY_NOTICE), "nothing else is touched"
    browser.go("/office/1/texts/?language=da")
    browser.tick("#id_support-1-DELETE")
    browser.click("#save")
    site.refresh_from_db()
    assert site.support == [each for at, each in enumerate(places.SUPPORT) if at != 1]


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


def test_five_languages(browser: Browser) -> None:
    headings = []
    for language in ("sv", "da", "nb", "fi", "en"):
        browser.go("/office/1/today/")
        browser.click(f'button[value="{language}"]')
        headings.append(browser.text("h1"))
    assert headings == ["I dag", "I dag", "I dag", "Tänään", "Today"]


def test_the_session_ends_with_the_log_out(browser: Browser) -> None:
    browser.go("/office/1/today/")
    browser.click(".who button")
    browser.go("/office/1/today/")
    assert browser.path.startswith("/office/login/")
    browser.log_in()


def _unit(number: int) -> int:
    from central.models import Unit

    return int(Unit.objects.get(site__number=1, number=number).pk)
