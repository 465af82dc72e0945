"""Why is it red? The answer for a person or key and a lock, what mends it, and the on-call manager's night."""

import re
import time
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from auditlog.models import LogEntry

from central.actions.keys import block_key
from central.actions.people import edit_person, end_employment
from central.actions.tasks import open_refused_pin_task
from central.feed import change, change_and_sign
from central.models import Area, Key, Lock, Permission, Station
from central.office.last_night import evening_before
from central.office.refusal_words import WORDS
from station.rules.facts import Refusal, Unfit
from station.rules.locks import Reason
from tests.central.site import saved
from tests.office.asking import at, report, words

NOW = int(time.time())
LONG_AGO = NOW - 3 * 86400


@pytest.fixture(autouse=True)
def _access_was_given_long_ago(there: SimpleNamespace) -> None:
    LogEntry.objects.filter(object_id=there.one.permission.pk).update(
        timestamp=datetime.fromtimestamp(LONG_AGO).astimezone()
    )


@pytest.fixture
def office(there: SimpleNamespace, seat: Any) -> Any:
    return seat("coordinator", there.site, there.one.unit)


def switched_on(there: SimpleNamespace, since: int = NOW - 600, until: int = NOW + 3600) -> None:
    data = {"expires": until, "not_before": since - 60}
    report(there.one.station, "key_activated", key=100, holder=10, at=since, data=data)


def rule(client: Any, there: SimpleNamespace, **asked: Any) -> str:
    """The rule of the last line: of the chosen time, if there is one."""
    page = words(client.get(at(there, "why/"), {"q": "Eva Exempel 1", "lock": "101", **asked}))
    table = page.partition('id="answers"')[2].partition("</table>")[0]
    return table.rpartition('<tr class="')[2].partition('"')[0]


def test_it_opens_when_nothing_is_in_the_way(there: SimpleNamespace, office: Any) -> None:
    assert rule(office, there) == "not_activated"
    switched_on(there)
    assert rule(office, there) == "opens"
    assert rule(office, there, q="100") == "opens", "by the key's number"
    assert rule(office, there, lock="1") == "opens", "the test lock"
    assert rule(office, there, q="20") == rule(office, there, q="200") == "", (
        "people and keys of other units are not there"
    )
    assert "There is no lock 999999." in words(office.get(at(there, "why/?q=100&lock=999999")))


def test_each_obstacle_is_named_with_what_mends_it(there: SimpleNamespace, office: Any) -> None:
    switched_on(there)

    def page() -> str:
        return words(office.get(at(there, "why/?q=100&lock=101")))

    with change():
        Key.objects.get(pk=there.key.pk)
        there.key.locked_at = NOW - 5
        there.key.save()
    assert rule(office, there) == "locked"
    assert 'id="unlock"' in page()
    office.post(at(there, "keys/100/unlock/"))
    assert rule(office, there) == "opens"
    with change_and_sign():
        other = saved(Area(site=there.site, number=3, name="Dalen"))
        saved(Lock(site=there.site, number=300, area=other))
    assert rule(office, there, lock="300") == "no_area"
    assert f'id="give" href="{at(there, "people/10/access/")}"' in words(office.get(at(there, "why/?q=100&lock=300")))
    with change_and_sign():
        Permission.objects.get(pk=there.permission.pk)
        there.permission.windows = [[127, 0, 1]]
        there.permission.save()
    tomorrow = datetime.now(ZoneInfo("Europe/Stockholm")) + timedelta(days=1)
    noon, midnight = (tomorrow.replace(hour=hour, minute=0).strftime("%Y-%m-%dT%H:%M") for hour in (12, 0))
    assert rule(office, there, at=noon) == "outside_hours"
    assert rule(office, there, at=midnight) == "opens"
    assert "00:00–00:01" in page().partition('id="hours"')[2]
    block_key(there.key)
    assert rule(office, there) == "blocked"
    assert 'id="to-key"' in page()
    yesterday = (tomorrow - timedelta(days=2)).strftime("%Y-%m-%dT00:00")
    assert rule(office, there, at=yesterday) == "not_activated", "it was not blocked then"


def test_access_that_came_after_the_key_was_switched_on(there: SimpleNamespace, office: Any) -> None:
    switched_on(there)
    assert rule(office, there) == "opens"
    with change_and_sign():
        there.permission.every_area = True
        there.permission.save()
    assert rule(office, there) == "access_changed"
    switched_on(there, int(time.time()))
    assert rule(office, there) == "opens"


def test_a_key_is_switched_off_and_a_stations_word_is_worth_nothing(there: SimpleNamespace, office: Any) -> None:
    switched_on(there)
    report(there.one.station, "key_deactivated", key=100, holder=10, at=NOW - 300)
    assert rule(office, there) == "not_activated"
    switched_on(there, NOW - 200)
    assert rule(office, there) == "opens"
    with change_and_sign():
        station = Station.objects.get(pk=there.one.station.pk)
        station.stolen = True
        station.save()
    assert rule(office, there) == "station_blocked"
    end_employment(there.own)
    assert rule(office, there) == "ended"


def test_the_last_refusals_and_what_stations_did(there: SimpleNamespace, office: Any) -> None:
    switched_on(there, NOW - 900)
    report(there.one.station, "key_synced", key=100, at=NOW - 930)
    report(there.one.station, "pin_rejected", key=100, at=NOW - 60)
    report(there.one.station, "key_refused", key=100, at=NOW - 50, data={"reason": "outside_window"})
    report(there.one.station, "lock_refused", key=100, lock=101, holder=10, at=NOW - 40, data={"outcome": "expired"})
    report(there.one.station, "lock_refused", key=100, lock=77, holder=10, at=NOW - 30, data={"outcome": "clock_unset"})
    Station.objects.filter(pk=there.one.station.pk).update(last_contact=NOW - 11 * 86400)
    page = words(office.get(at(there, "why/?q=100&lock=101")))
    refusals = page.partition('id="refusals"')[2].partition("</table>")[0]
    for told in ("wrong PIN", "outside the hours", "no longer switched on"):
        assert told in refusals
    assert "clock" not in refusals, "where else somebody was is the log's, and is read for a reason"
    assert page.partition('id="did"')[2].partition("</table>")[0].count("Entré Norr") == 2
    (kept,) = LogEntry.objects.filter(actor=office.user, action=LogEntry.Action.ACCESS)
    assert (kept.object_repr, kept.additional_data) == ("101", {"asked": "why", "key": 100})
    assert 'id="pin"' in page
    assert 'id="old-station"' in page


def test_pool_keys_and_several_who_fit(there: SimpleNamespace, office: Any, seat: Any) -> None:
    page = words(seat("system_administrator", there.site).get(at(there, "why/?q=eva&lock=101")))
    choices = page.partition('id="choices"')[2].partition("</ul>")[0]
    assert ("key=100&" in choices, "key=200&" in choices) == (True, True)
    assert rule(office, there, q="101") == "nobody", "a substitute key on its shelf"
    report(there.one.station, "pool_key_taken", key=101, holder=11)
    assert rule(office, there, q="Tim Test 1") == "not_activated"
    report(there.one.station, "pool_key_returned", key=101)
    assert rule(office, there, q="Tim Test 1") == "not_activated", "whoever has no key may ask for one of the pool"
    with change_and_sign():
        saved(Key(site=there.site, number=103, kind=1, unit=there.one.unit, status="active"))
    page = words(office.get(at(there, "why/?q=Tim+Test+1&lock=101")))
    assert "key=101&amp;person=11" in page
    assert rule(office, there, q="", key="101", person="11") == "not_activated"
    assert rule(office, there, q="", key="102", person="11") == "not_permanent"


def test_a_last_day_that_comes_is_the_employments_end(there: SimpleNamespace, office: Any) -> None:
    today = there.site.today()
    end_employment(there.own, last_day=today + timedelta(days=1))
    day_after = (today + timedelta(days=2)).isoformat()
    assert rule(office, there, at=f"{day_after}T12:00") == "ended"


def test_a_first_day_to_come_is_no_permission_that_has_run_out(there: SimpleNamespace, office: Any) -> None:
    tomorrow = there.site.today() + timedelta(days=1)
    edit_person(there.own, {"employment_begins": tomorrow})
    assert rule(office, there) == "not_begun"
    page = words(office.get(at(there, "why/?q=100&lock=101")))
    assert f"From {tomorrow.day} {tomorrow:%b %Y} 00:00" in page
    assert at(there, "people/10/") in page.partition('id="mends"')[2]
    assert rule(office, there, at=f"{tomorrow.isoformat()}T12:00") == "opens"


def test_the_question_is_asked_from_where_one_is(there: SimpleNamespace, office: Any) -> None:
    open_refused_pin_task(there.one.hourly, there.one.keys[2], "not_permanent")
    with change():
        there.key.locked_at = NOW - 5
        there.key.save()
    for path, case in (
        ("keys/100/", "Key 100, Eva Exempel 1"),
        ("people/10/", "Key 100, Eva Exempel 1"),
        ("people/11/", "Key 101, Tim Test 1"),
        ("today/", "Key 100, Eva Exempel 1"),
        ("today/", "Key 102, Tim Test 1"),
    ):
        links = re.findall(r'href="([^"]*/why/\?[^"]*)"', words(office.get(at(there, path))))
        asked = [words(office.get(link.replace("&amp;", "&"))) for link in links]
        assert any(case in page and "Which lock?" in page for page in asked), (path, case)


def test_every_refusal_has_words() -> None:
    codes = {*Refusal, *Unfit, *Reason} - {Reason.OPENED}
    assert {code.value for code in codes} <= set(WORDS)


def test_a_time_that_is_none_is_said(there: SimpleNamespace, office: Any) -> None:
    for nonsense in ("x", "0001-01-01T00:00", "9999-12-31T23:59", "2020-01-01T00:00"):
        answer = words(office.get(at(there, "why/"), {"q": "100", "lock": "101", "at": nonsense}))
        assert answer.partition('id="answers"')[2].partition("</table>")[0].count("<tr class") == 1
        assert 'class="message error"' in answer


def test_what_the_on_call_manager_did_is_on_the_units_page_in_the_morning(there: SimpleNamespace, seat: Any) -> None:
    manager = seat("on_call_manager", there.site)
    with change():
        there.key.locked_at = NOW - 5
        there.key.save()
    assert 'id="unlock"' in words(manager.get(at(there, "why/?q=100&lock=101")))
    manager.post(at(there, "keys/100/unlock/"))
    assert not Key.objects.get(pk=there.key.pk).is_locked
    assert "Eva Exempel 1" in words(manager.get(at(there, "locks/?lock=101")))
    manager.post(at(there, "people/10/pin/"))

    def told(role: str, unit: Any) -> str:
        return (
            words(seat(role, there.site, unit).get(at(there, "today/")))
            .partition('id="last-night"')[2]
            .partition("</section>")[0]
        )

    mine = told("coordinator", there.one.unit)
    for act in ("asked why it is red", "unlocked key", "asked who may open lock", "gave a new PIN to"):
        assert act in mine, act
    assert str(manager.user) in mine
    others = told("coordinator", there.two.unit)
    assert "asked who may open lock" in others, "a lock of no unit is everybody's"
    assert "unlocked" not in others
    assert "Eva" not in others
    LogEntry.objects.filter(actor=manager.user).update(timestamp=datetime.now().astimezone() - timedelta(days=5))
    assert told("coordinator", there.one.unit) == ""


def test_on_a_monday_the_night_began_on_friday(there: SimpleNamespace) -> None:
    zone = ZoneInfo(there.site.timezone)
    for day, evening in ((5, 2), (6, 5), (4, 2), (3, 2), (8, 7)):  # October 2026: the 5th is a Monday
        morning = datetime(2026, 10, day, 7, tzinfo=zone)
        assert evening_before(there.site, int(morning.timestamp())) == datetime(2026, 10, evening, 16, tzinfo=zone), day
