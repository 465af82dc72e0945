"""A person's page edits the person: each act through Django's client, and what stations get of it."""

import re
import time
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from central.actions.people import end_employment
from central.feed import change_and_sign
from central.models import AccessPeriod, Area, Holder, Key, Lock, Permit, Receipt, Task, TemporaryAccess, Unit
from central.office.templatetags.office import day
from central.signing import keyring
from station.records import claims
from station.records.envelope import verified
from tests.central.site import saved
from tests.office.asking import at, words

NIGHT = [[127, 0, 420], [127, 1260, 1440]]


@pytest.fixture
def office(there: SimpleNamespace, seat: Any) -> Any:
    return seat("coordinator", there.site, there.one.unit)


@pytest.fixture
def lagan(there: SimpleNamespace) -> Area:
    """Unit two's own area, and lock 300 in it."""
    with change_and_sign():
        area: Area = saved(Area(site=there.site, number=9, name="Lagan"))
        saved(Lock(site=there.site, number=300, area=area))
    there.two.unit.usual_areas.set([area])
    return area


def permit(there: SimpleNamespace, holder: Holder) -> claims.Permit:
    record = bytes(Permit.objects.get(holder=holder).record)
    said = verified(claims.Permit, record, keyring.verifying_keys(there.site))
    assert said is not None
    return said


def shown(page: Any) -> dict[str, str]:
    """What the page's form brings along of what it showed."""
    (text,) = re.findall(r'name="shown" value="([^"]*)"', words(page))
    return {"shown": text.replace("&quot;", '"')}


def edit(**more: Any) -> dict[str, Any]:
    return {"given_name": "Eva", "family_name": "Exempel 1", "category": 0} | more


def access(there: SimpleNamespace, *areas: Area, **more: Any) -> dict[str, Any]:
    return {"areas": [area.pk for area in areas], "hours": "always", "locks": ""} | more


def test_what_the_office_knows_of_somebody_is_edited(there: SimpleNamespace, office: Any) -> None:
    path = at(there, "people/10/edit/")
    last = there.site.today() + timedelta(days=9)
    form = edit(given_name="Ida", category=1, employment_ends=last.isoformat(), language="da", note="Has a dog")
    assert office.post(path, shown(office.get(path)) | form).status_code == 302
    holder = Holder.objects.get(site=there.site, number=10)
    assert (str(holder), holder.category, holder.language, holder.note) == ("Ida Exempel 1", 1, "da", "Has a dog")
    said = permit(there, holder)
    assert said.category == claims.Category.LONG_TERM
    assert said.expires - time.time() < 10.1 * 86400
    # The key is due on the last day, and no more when that is taken away; the note is nobody's outside.
    assert Task.objects.get(holder=holder, kind="collect_key").due == last
    assert "note" not in holder.mirror_content()
    assert "Has a dog" in words(office.get(at(there, "people/10/")))
    later = edit(given_name="Ida", category=1, employment_ends="", language="da", note="Has a dog")
    office.post(path, shown(office.get(path)) | later)
    assert not Task.objects.filter(holder=holder, kind="collect_key", done_at=None).exists()
    over = edit(employment_ends=(there.site.today() - timedelta(days=1)).isoformat())
    assert "is over" in words(office.post(path, shown(office.get(path)) | over))


def test_before_the_first_day_nothing_opens(there: SimpleNamespace, office: Any) -> None:
    path, first = at(there, "people/10/edit/"), there.site.today() + timedelta(days=9)
    office.post(path, shown(office.get(path)) | edit(employment_begins=first.isoformat()))
    assert permit(there, there.one.own).not_before > time.time() + 8 * 86400
    assert "opens nothing before" in words(office.get(at(there, "people/10/")))
    assert f"from {day(first)}" in words(office.get(at(there, "locks/?lock=101")))


def test_two_who_edit_at_once_both_have_it(there: SimpleNamespace, office: Any, lagan: Area) -> None:
    """Field by field, and tick by tick; what both changed is asked about again."""
    path = at(there, "people/10/edit/")
    mine, hers = shown(office.get(path)), shown(office.get(path))
    office.post(path, hers | edit(note="Hers"))
    office.post(path, mine | edit(language="da"))
    holder = Holder.objects.get(site=there.site, number=10)
    assert (holder.note, holder.language) == ("Hers", "da")
    both = office.post(path, mine | edit(note="Mine"))
    assert "meanwhile, to: Hers" in words(both)
    office.post(path, shown(both) | edit(note="Mine", language="da"))
    holder.refresh_from_db()
    assert holder.note == "Mine"
    # Ticks: I give Lagan, she takes Backen.
    admin = office_of_site(there)
    path = at(there, "people/10/access/")
    mine, hers = shown(admin.get(path)), shown(admin.get(path))
    admin.post(path, hers | access(there))
    assert admin.post(path, mine | access(there, there.area, lagan)).status_code == 302
    assert permit(there, holder).areas == (9,)
    # A form that brings nothing along changes nothing.
    admin.post(path, access(there, there.area))
    assert permit(there, holder).areas == (9,)


def office_of_site(there: SimpleNamespace) -> Any:
    from django.contrib.auth import get_user_model

    from central.models import Membership
    from tests.office.asking import OfficeClient

    user = get_user_model().objects.create(username=f"admin-{there.site.number}")
    Membership.objects.create(user=user, role="site_administrator", site=there.site)
    client = OfficeClient(headers={"host": "localhost", "accept-language": "en"})
    client.force_login(user)
    return client


def test_hours_areas_and_locks_are_given_and_shown(there: SimpleNamespace, office: Any, lagan: Area) -> None:
    path = at(there, "people/10/access/")
    form = shown(office.get(path)) | access(there, there.area, hours="night", locks="101")
    assert office.post(path, form).status_code == 302
    said = permit(there, there.one.own)
    assert (said.areas, said.locks) == ((2,), (101,))
    assert sorted([w.weekdays, w.start_minute, w.end_minute] for w in said.windows) == NIGHT
    for page in ("people/10/", "locks/?lock=101"):
        assert "every day 21:00–07:00" in words(office.get(at(there, page)))
    own = {"hours": "own", "days_0": [1, 2, 4, 8, 16], "from_0": "07:00", "to_0": "16:00"}
    own |= {"days_1": [32], "from_1": "22:00", "to_1": "06:00"}
    office.post(path, shown(office.get(path)) | access(there, there.area) | own)
    text = words(office.get(at(there, "people/10/")))
    assert "Mon–Fri 07:00–16:00; Sat 22:00–06:00" in text
    # The page shows them as they were given.
    assert re.search(r'name="from_1" value="22:00"', words(office.get(path)))
    # Half a line, a lock that is none, another unit's area.
    half = shown(office.get(path)) | access(there, there.area) | own | {"to_1": ""}
    assert "needs days, from and to" in words(office.post(path, half))
    wrong = shown(office.get(path)) | access(there, there.area, locks="999 300")
    assert "999, 300" in words(office.post(path, wrong))
    assert office.post(path, shown(office.get(path)) | access(there, lagan)).status_code == 422


def test_a_unit_has_usual_areas_and_hours_that_new_people_get(there: SimpleNamespace, office: Any, seat: Any) -> None:
    path = at(there, f"units/{there.one.unit.number}/")
    form = {"areas": [there.area.pk], "hours": "night"}
    assert office.post(path, shown(office.get(path)) | form).status_code == 302
    assert "every day 21:00–07:00" in words(office.get(at(there, "units/")))
    assert office.get(at(there, "units/2/")).status_code == 404
    new = {"given_name": "Nora", "family_name": "Natt", "unit": there.one.unit.pk, "category": 0}
    office.post(at(there, "people/employee/"), new)
    said = permit(there, Holder.objects.get(site=there.site, given_name="Nora"))
    assert (said.areas, len(said.windows)) == ((2,), 2)
    # Those who were there keep what they have; other hours can be chosen at once, also by the hour.
    assert permit(there, there.one.own).windows == ()
    hourly = {"given_name": "Ture", "family_name": "Timme", "unit": there.one.unit.pk, "units": [there.one.unit.pk]}
    office.post(at(there, "people/hourly/"), hourly | {"hours": "day"})
    (window,) = permit(there, Holder.objects.get(site=there.site, given_name="Ture")).windows
    assert (window.start_minute, window.end_minute) == (420, 960)


def test_areas_for_a_time(there: SimpleNamespace, office: Any, lagan: Area) -> None:
    path = at(there, "people/10/for-a-time/")
    until = there.site.today() + timedelta(days=3)
    assert office.post(path, {"unit": there.two.unit.pk, "until": until.isoformat()}).status_code == 302
    assert permit(there, there.one.own).areas == (2, 9)
    text = words(office.get(at(there, "people/10/")))
    assert f"Lagan, until {day(until)}" in text
    assert f"until {day(until)}" in words(office.get(at(there, "locks/?lock=300")))
    # Whoever is for the whole site is offered each area once.
    everywhere = words(office_of_site(there).get(path))
    assert everywhere.count("Lagan") == everywhere.count("Backen") == 1
    far = there.site.today() + timedelta(days=99)
    for wrong in ({"until": far.isoformat(), "unit": there.two.unit.pk}, {"until": until.isoformat()}):
        assert "errorlist" in words(office.post(path, wrong))
    (given,) = re.findall(r'name="given" value="(\d+)"', text)
    office.post(at(there, "people/10/for-a-time/end/"), {"given": given})
    assert permit(there, there.one.own).areas == (2,)
    assert not TemporaryAccess.objects.filter(permission__holder=there.one.own).exists()


def test_a_closed_unit_is_neither_covered_nor_moved_to(there: SimpleNamespace, office: Any, lagan: Area) -> None:
    with change_and_sign():
        Unit.objects.get(pk=there.two.unit.pk)
        there.two.unit.closed = True
        there.two.unit.save()
    until = there.site.today().isoformat()
    cover = {"unit": there.two.unit.pk, "until": until}
    assert "errorlist" in words(office.post(at(there, "people/10/for-a-time/"), cover))
    move = {"unit": there.two.unit.pk, "opens": "new", "key": "along"}
    assert "errorlist" in words(office.post(at(there, "people/10/move/"), move))


def test_who_moves_leaves_no_access_and_no_key_behind(
    there: SimpleNamespace, office: Any, seat: Any, lagan: Area
) -> None:
    office.post(at(there, "people/10/for-a-time/"), {"areas": [there.area.pk], "until": there.site.today().isoformat()})
    office.post(at(there, "keys/100/block/"))
    before = bytes(Key.objects.get(site=there.site, number=100).record or b"")
    answer = office.post(at(there, "people/10/move/"), {"unit": there.two.unit.pk, "opens": "new", "key": "along"})
    assert answer["Location"].endswith("/people/")
    assert permit(there, there.one.own).areas == (9,)
    assert not TemporaryAccess.objects.filter(permission__holder=there.one.own).exists()
    # The new coordinator reaches key and task; the key's record names the new unit, for any station to write.
    key = Key.objects.get(site=there.site, number=100)
    said = verified(claims.KeyRecord, bytes(key.record or b""), keyring.verifying_keys(there.site))
    assert said is not None
    assert (key.unit, said.unit, bytes(key.record or b"") != before) == (there.two.unit, 2, True)
    other = seat("coordinator", there.site, there.two.unit)
    assert "Eva Exempel 1" in words(other.get(at(there, "today/")))
    assert other.get(at(there, "keys/100/")).status_code == 200
    assert office.get(at(there, "keys/100/")).status_code == 404


def test_who_moves_may_keep_access_and_hand_in_the_key(there: SimpleNamespace, office: Any, lagan: Area) -> None:
    office.post(at(there, "people/10/move/"), {"unit": there.two.unit.pk, "opens": "keep", "key": "back"})
    assert permit(there, there.one.own).areas == (2,)
    key = Key.objects.get(site=there.site, number=100)
    assert (key.status, key.unit) == ("returned", there.one.unit)
    # Somebody has to file it: the new unit's manager, who has the person.
    assert Receipt.objects.get(key=key, kind="returned").unit == there.two.unit
    # By the hour: the new unit's substitute keys instead of the old one's.
    office.post(at(there, "people/11/move/"), {"unit": there.two.unit.pk, "opens": "new"})
    assert [each.unit for each in there.one.hourly.permissions.all()] == [there.two.unit]


def test_all_areas_are_taken_back_and_given_back(there: SimpleNamespace, office: Any) -> None:
    page = office.post(at(there, "people/10/take-areas/"), follow=True)
    assert "Eva Exempel 1 may open nothing now." in words(page)
    assert permit(there, there.one.own).areas == ()
    undo = re.findall(r'action="/office/\d+/(undo/\d+/)"', words(page))[0]
    assert "as it was" in words(office.post(at(there, undo), follow=True))
    assert permit(there, there.one.own).areas == (2,)
    # Not over what somebody else has given since.
    undo = re.findall(r"(undo/\d+/)", words(office.post(at(there, "people/10/take-areas/"), follow=True)))[0]
    path = at(there, "people/10/access/")
    admin = office_of_site(there)
    admin.post(path, shown(admin.get(path)) | access(there, there.area, hours="day"))
    assert office.post(at(there, undo)).status_code == 409


def test_of_somebody_hourly_each_unit_changes_what_is_its_own(there: SimpleNamespace, office: Any, seat: Any) -> None:
    everywhere = seat("staffing_administrator", there.site)
    page = words(everywhere.get(at(there, "people/11/")))
    (mine,) = re.findall(r'name="shown" value="([^"]*)"', page)
    path, one, two = at(there, "people/11/units/"), there.one.unit, there.two.unit
    everywhere.post(path, {"shown": mine.replace("&quot;", '"'), "units": [one.pk, two.pk]})
    # Meanwhile that page was open elsewhere: what it takes away is gone, what it never showed stays.
    everywhere.post(path, {"shown": mine.replace("&quot;", '"'), "units": []})
    assert [each.unit for each in there.one.hourly.permissions.all()] == [two]
    everywhere.post(path, {"units": [one.pk, two.pk]})
    page = at(there, "people/11/access/?unit=1")
    office.post(page, shown(office.get(page)) | access(there, there.area, hours="night"))
    windows = {each.unit: each.windows for each in there.one.hourly.permissions.all()}
    assert (windows[one], windows[two]) == (NIGHT, [])
    assert office.get(at(there, "people/11/access/?unit=2")).status_code == 404
    answer = words(office.post(at(there, "people/11/take-areas/"), follow=True))
    assert "Other units" in answer
    assert {each.unit: each.areas.count() for each in there.one.hourly.permissions.all()} == {one: 0, two: 1}


def test_access_that_somebody_had_on_a_day(there: SimpleNamespace, office: Any, lagan: Area) -> None:
    today = there.site.today()
    AccessPeriod.objects.filter(holder=there.one.own).update(since=int(time.time()) - 5 * 86400)
    AccessPeriod.objects.create(
        holder=there.one.own, opens={"areas": [9], "locks": [300], "windows": [[31, 420, 960]]},
        since=int(time.time()) - 20 * 86400, until=int(time.time()) - 5 * 86400,
    )  # fmt: skip

    def on(day: date) -> str:
        return words(office.get(at(there, f"people/10/?on={day}"))).partition('id="then"')[2]

    assert re.search(r"Backen.*all day, every day", on(today), re.DOTALL)
    then = on(today - timedelta(days=10))
    assert re.search(r"Lagan; single locks 300.*Mon–Fri 07:00–16:00", then, re.DOTALL)
    assert "Nothing on that day" in on(today - timedelta(days=30))
    for odd in ("x", "9999-12-31", "0001-01-01", "2026-02-30"):
        assert "Nothing on that day" not in words(office.get(at(there, f"people/10/?on={odd}")))
    assert "Known since" in on(today)


def test_a_double_is_asked_about_before_it_is_added(there: SimpleNamespace, office: Any) -> None:
    form = {"given_name": "EVÁ ", "family_name": "exempel  1", "unit": there.one.unit.pk, "category": 0}
    answer = words(office.post(at(there, "people/employee/"), form))
    assert "Eva Exempel 1 already, number 10, unit Norr" in answer
    assert Holder.objects.filter(site=there.site).count() == 4
    assert re.search(r'id="pin">', words(office.post(at(there, "people/employee/"), form | {"add_another": "on"})))
    assert Holder.objects.filter(site=there.site).count() == 5
    # Whoever left comes back under the old number, from the same question.
    end_employment(there.one.hourly)
    form = {"given_name": "Tim", "family_name": "Test 1", "unit": there.one.unit.pk, "units": [there.one.unit.pk]}
    assert "/people/11/again/" in words(office.post(at(there, "people/hourly/"), form))
    # Of another unit: that there is one, and no way there.
    form = {"given_name": "Eva", "family_name": "Exempel 2", "unit": there.one.unit.pk, "category": 0}
    answer = words(office.post(at(there, "people/employee/"), form))
    assert "number 20" in answer
    assert "/people/20/" not in answer


def test_who_left_is_employed_again(there: SimpleNamespace, office: Any, lagan: Area) -> None:
    end_employment(there.one.own)
    assert not Permit.objects.filter(holder=there.one.own).exists()
    page = words(office.get(at(there, "people/10/")))
    assert 'id="again"' in page
    assert office.get(at(there, "people/10/edit/")).status_code == 302
    last = there.site.today() + timedelta(days=30)
    form = {"category": 1, "unit": there.one.unit.pk, "employment_ends": last.isoformat()}
    # By the hour only without a key of their own.
    assert "take back their own key: 100" in words(office.post(at(there, "people/10/again/"), form | {"category": 2}))
    assert re.search(r'id="pin">\d{6}<', words(office.post(at(there, "people/10/again/"), form)))
    holder = Holder.objects.get(site=there.site, number=10)
    assert (holder.status, holder.category, holder.employment_ends) == ("active", 1, last)
    assert permit(there, holder).areas == (2,)
    assert not Task.objects.filter(holder=holder, kind="collect_key", done_at=None).exists()
    assert office.post(at(there, "people/10/again/"), form).status_code == 302
    # To hourly: the way that the page says.
    office.post(at(there, "keys/100/take-back/"))
    office.post(at(there, "people/10/end/"), {"when": "now"})
    office.post(at(there, "people/10/again/"), {"category": 2, "unit": there.one.unit.pk})
    holder.refresh_from_db()
    assert [each.unit for each in holder.permissions.all()] == [there.one.unit]
    assert Permit.objects.filter(holder=holder).count() == 1
