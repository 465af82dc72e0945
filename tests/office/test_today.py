"""The first page: true, short, and each number leads to its list; tasks follow what they are about."""

import re
import time
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from central.actions.people import end_employment, resume_employment
from central.actions.stations import revoke_station
from central.actions.tasks import open_many_locked_task, open_new_key_task
from central.feed import change_and_sign
from central.models import Receipt, Site, Task
from tests.central.site import make_site, saved
from tests.office.asking import at, report, words

HOUR_S = 3600


@pytest.fixture
def office(there: SimpleNamespace, seat: Any) -> Any:
    return seat("coordinator", there.site, there.one.unit)


def open_tasks(site: Site) -> list[str]:
    return list(Task.objects.filter(site=site, done_at=None).values_list("kind", flat=True))


def test_nothing_to_do_is_said(seat: Any) -> None:
    there = make_site(1)
    assert 'id="nothing"' in words(seat("coordinator", there.site, there.unit).get(at(there, "today/")))
    open_new_key_task(there.own)
    assert 'id="nothing"' not in words(seat("coordinator", there.site, there.unit).get(at(there, "today/")))


def test_few_emergency_keys_are_judged_for_each_unit_by_what_it_wants(
    there: SimpleNamespace, office: Any, seat: Any
) -> None:
    of_site = seat("site_administrator", there.site)
    few = r"<b>(\d)</b> emergency keys left: (\w+)<"
    assert re.findall(few, words(of_site.get(at(there, "today/")))) == [("1", "Norr"), ("1", "Söder")]
    assert re.findall(few, words(office.get(at(there, "today/")))) == [("1", "Norr")]
    office.post(at(there, "pools/wanted/"), {"unit": "1", "wanted": "1"})
    assert re.findall(few, words(of_site.get(at(there, "today/")))) == [("1", "Söder")]
    assert office.post(at(there, "pools/wanted/"), {"unit": "2", "wanted": "1"}).status_code == 404
    for wrong in ("", "-1", "100", "x"):
        office.post(at(there, "pools/wanted/"), {"unit": "1", "wanted": wrong})
    there.one.unit.refresh_from_db()
    assert there.one.unit.emergency_keys_wanted == 1


def test_a_pool_key_is_late_when_the_shift_is_over_that_it_was_activated_for(
    there: SimpleNamespace, office: Any
) -> None:
    now = int(time.time())
    for key, holder, ends in ((101, 11, now - 2 * HOUR_S), (102, 10, now + HOUR_S)):
        began = now - 8 * HOUR_S
        report(there.one.station, "key_activated", key=key, holder=holder, at=began, data={"expires": ends})
        report(there.one.station, "pool_key_taken", key=key, holder=holder, at=began - 1)
    today = words(office.get(at(there, "today/")))
    late = today.partition('id="overdue"')[2]
    assert "Tim Test 1" in late
    assert "/keys/102/" not in late
    listed = words(office.get(at(there, "pools/?status=not_back"))).partition("<tbody>")[2].partition("</tbody>")[0]
    assert ("/keys/101/" in listed, "/keys/102/" in listed) == (True, False)


@pytest.mark.parametrize("what", ["record_refused", "event_set_aside", "config_rejected"])
def test_what_a_station_cannot_mend_is_one_task_until_somebody_did_it(
    there: SimpleNamespace, office: Any, what: str
) -> None:
    for _ in range(2):
        report(there.one.station, what)
    (task,) = Task.objects.filter(site=there.site, done_at=None)
    assert (task.kind, task.unit, task.detail) == ("station_told", there.one.unit, what)
    assert "Call the technicians" in words(office.get(at(there, "today/")))
    office.post(at(there, f"tasks/{task.pk}/done/"))
    assert open_tasks(there.site) == []


def test_a_key_that_is_not_genuine_is_a_task_of_its_unit(there: SimpleNamespace, office: Any) -> None:
    report(there.two.station, "key_refused", key=101, data={"reason": "not_genuine"})
    report(there.two.station, "key_refused", key=102, data={"reason": "blocked"})
    report(there.two.station, "key_refused", key=9999, data={"reason": "not_genuine"})
    (task,) = Task.objects.filter(site=there.site, done_at=None)
    assert (task.unit, task.key) == (there.one.unit, there.one.keys[1])
    assert "did not prove to be the one" in words(office.get(at(there, "today/")))


def test_bytes_in_a_keys_log_and_a_lost_network_are_nobodys_task(there: SimpleNamespace) -> None:
    report(there.one.station, "record_refused", key=101, data={"generation": 1, "offset": 0})
    report(there.one.station, "central_lost")
    assert open_tasks(there.site) == []


def test_a_changed_last_day_moves_the_task_and_coming_back_closes_it(there: SimpleNamespace) -> None:
    first, later = date(2040, 1, 1), date(2040, 2, 2)
    end_employment(there.own, "Kim", first)
    end_employment(there.own, "Kim", later)
    (task,) = Task.objects.filter(site=there.site, done_at=None)
    assert (task.kind, task.due) == ("collect_key", later)
    resume_employment(there.own, None, "Kim")
    assert open_tasks(there.site) == []


def test_a_key_that_was_handed_in_is_collected_no_more(there: SimpleNamespace, office: Any) -> None:
    end_employment(there.own, "Kim", date(2040, 1, 1))
    office.post(at(there, "keys/100/take-back/"))
    assert open_tasks(there.site) == []
    assert Receipt.objects.get(site=there.site).kind == "returned"


def test_whoever_has_left_needs_no_new_key(there: SimpleNamespace) -> None:
    open_new_key_task(there.own)
    end_employment(there.own, "Kim")
    assert open_tasks(there.site) == ["collect_key"]


def test_who_is_deleted_leaves_no_task(there: SimpleNamespace) -> None:
    open_new_key_task(there.own)
    with change_and_sign():
        for key in there.one.keys[:1]:
            key.delete()
        there.own.delete()
    assert open_tasks(there.site) == []


def test_a_revoked_station_is_looked_after_no_more(there: SimpleNamespace) -> None:
    open_many_locked_task(there.one.station)
    report(there.one.station, "record_refused")
    revoke_station(there.one.station, "Kim")
    assert open_tasks(there.site) == ["renew_pins"]


def test_a_task_that_waits_too_long_is_marked(there: SimpleNamespace, office: Any) -> None:
    task = open_new_key_task(there.own)
    assert '<span class="pill out">late' not in words(office.get(at(there, "today/")))
    task.due = there.site.today() - timedelta(days=1)
    saved(task)
    assert '<span class="pill out">late' in words(office.get(at(there, "today/")))
