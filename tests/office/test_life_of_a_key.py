"""A key from hand to hand: handed in and out again, lost and found, broken and mended, lent and taken back."""

import json
import re
import time
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from auditlog.models import LogEntry

from central.actions import tasks
from central.actions.keys import block_key, has_another, set_key_status, take_back_key
from central.actions.tasks import open_collect_key_task
from central.clock import unix_now
from central.feed import change_and_sign
from central.feed.cursors import newest_revision
from central.models import Block, Handover, Key, Receipt, Station, Task
from central.office.templatetags.office import day
from central.operations.person_export import export_person
from central.signing import keyring
from station.records import claims
from station.records.base64url import decoded
from station.records.envelope import verified
from tests.central.site import told_since
from tests.office.asking import at, report, words


@pytest.fixture
def office(there: SimpleNamespace, seat: Any) -> Any:
    return seat("coordinator", there.site, there.one.unit)


def now_of(thing: Any) -> Any:
    return type(thing).objects.get(pk=thing.pk)


def undo(there: SimpleNamespace, office: Any, page: Any) -> str:
    path = re.findall(r'action="/office/\d+/(undo/\d+/)"', words(page))[-1]
    return words(office.post(at(there, path), follow=True))


def record_of(there: SimpleNamespace, content: dict[str, Any]) -> claims.KeyRecord:
    said = verified(claims.KeyRecord, decoded(content["record"]), keyring.verifying_keys(there.site))
    assert said is not None
    return said


def newcomer(there: SimpleNamespace, office: Any) -> Any:
    """Somebody permanent of the unit who has no key yet."""
    from central.models import Holder

    with change_and_sign():
        holder = Holder(site=there.site, number=77, given_name="Åsa", family_name="Ny", category=0, unit=there.one.unit)
        holder.save()
    return holder


def test_a_key_handed_in_goes_to_somebody_else_by_a_newer_record(there: SimpleNamespace, office: Any) -> None:
    key, holder = there.one.keys[0], newcomer(there, office)
    office.post(at(there, "keys/100/take-back/"))
    before, old = newest_revision(there.site.pk), record_of(there, {"record": now_of(key).mirror_content()["record"]})
    # Left open by mistake: to get the key back from whoever had it, and a new one for whoever gets it.
    collect = open_collect_key_task(now_of(key), there.one.own, there.site.today())
    page = words(office.get(at(there, "keys/100/")))
    assert "77 Åsa Ny" in page
    assert "without a code" in page
    assert "receipt" in words(office.post(at(there, "keys/100/hand-out/"), {"person": "77 Åsa Ny"})).lower()
    handed = now_of(key)
    assert (handed.status, handed.holder, handed.activated_at) == ("active", holder, None)
    (told,) = (json.loads(text) for text in told_since(there.site, before))
    assert (told["type"], told["id"], told["status"], told["holder"]) == ("key", 100, "active", 77)
    record = record_of(there, told)
    assert (record.key, record.holder) == (100, 77)
    assert record.issued > old.issued
    assert now_of(collect).done_at is not None
    assert Receipt.objects.get(key=key, kind="handed_out").holder == holder
    # Once: it is in somebody's hand now.
    answer = office.post(at(there, "keys/100/hand-out/"), {"person": "77"}, follow=True)
    assert "Not handed out" in words(answer)


@pytest.mark.parametrize("who", ["10 Eva Exempel 1", "11", "20", "nobody", ""])
def test_a_key_is_handed_out_to_staff_of_the_unit_who_have_none(there: SimpleNamespace, office: Any, who: str) -> None:
    key = there.one.keys[0]
    take_back_key(key)
    with change_and_sign():
        Key(site=there.site, number=900, kind=0, unit=there.one.unit, holder=there.one.own, status="active").save()
    office.post(at(there, "keys/100/hand-out/"), {"person": who})
    assert now_of(key).status == "returned"


def test_a_taken_back_key_is_given_back_within_ten_minutes(there: SimpleNamespace, office: Any) -> None:
    key = there.one.keys[0]
    task = open_collect_key_task(key, there.one.own, there.site.today())
    page = office.post(at(there, "keys/100/take-back/"))
    assert (now_of(key).status, now_of(task).done_at is None) == ("returned", False)
    assert "as it was" in undo(there, office, page)
    assert (now_of(key).status, now_of(task).done_at, now_of(task).done_by) == ("active", None, "")
    assert not Receipt.objects.filter(key=key).exists()
    # A lost one that was handed in is lost again.
    block_key(now_of(key))
    undo(there, office, office.post(at(there, "keys/100/take-back/")))
    assert now_of(key).status == "blocked"
    assert Block.objects.filter(key=key, open=True).count() == 1


def test_a_lost_key_is_found_for_a_reason(there: SimpleNamespace, office: Any) -> None:
    key = there.one.keys[0]
    office.post(at(there, "keys/100/block/"))
    before = newest_revision(there.site.pk)
    office.post(at(there, "keys/100/found/"), {"reason": "  "})
    assert now_of(key).status == "blocked"
    page = office.post(at(there, "keys/100/found/"), {"reason": "It lay in the car"}, follow=True)
    assert now_of(key).status == "active"
    assert not Block.objects.filter(key=key, open=True).exists()
    assert not Task.objects.filter(holder=there.one.own, done_at=None).exists()
    assert sorted(json.loads(text)["type"] for text in told_since(there.site, before)) == ["blocklist", "key"]
    history = words(office.get(at(there, "keys/100/"))).partition('id="history"')[2]
    assert re.search(rf"<td>{office.user.username}</td><td>Status: blocked → active – It lay in the car", history)
    undo(there, office, page)
    assert now_of(key).status == "blocked"
    # What is done next has another reason.
    assert words(office.get(at(there, "keys/100/"))).count("It lay") == 1
    assert Task.objects.filter(holder=there.one.own, kind="new_key", done_at=None).exists()


def test_a_found_key_of_somebody_with_another_is_handed_in(there: SimpleNamespace, office: Any) -> None:
    key = there.one.keys[0]
    office.post(at(there, "keys/100/block/"))
    office.post(at(there, "people/10/key/"))
    assert has_another(now_of(key))
    assert "a key that is found is handed in" in words(office.get(at(there, "keys/100/")))
    office.post(at(there, "keys/100/found/"), {"reason": "It lay in the car"})
    assert now_of(key).status == "blocked"


def test_a_broken_key_is_not_handed_in_and_is_mended_first(there: SimpleNamespace, office: Any) -> None:
    key, holder = there.one.keys[0], newcomer(there, office)
    before = newest_revision(there.site.pk)
    assert 'id="new-key"' not in words(office.get(at(there, "people/10/"))), "who has a key gets no other one"
    office.post(at(there, "keys/100/broken/"), {"emergency": ""})
    assert 'id="new-key"' in words(office.get(at(there, "people/10/")))
    assert (now_of(key).state, now_of(key).status) == ("broken", "returned")
    # The contract has three words only.
    assert [json.loads(text)["status"] for text in told_since(there.site, before)] == ["returned"]
    assert Task.objects.filter(holder=there.one.own, kind="new_key", done_at=None).exists()
    assert 'class="pill broken">broken' in words(office.get(at(there, "keys/100/")))
    office.post(at(there, "keys/100/hand-out/"), {"person": "77"})
    assert now_of(key).status == "returned"
    # Taken into use on the operator's pages, it works; handed in, it is no broken one.
    set_key_status(now_of(key), Key.Status.ACTIVE)
    take_back_key(now_of(key))
    assert now_of(key).state == "returned"
    set_key_status(now_of(key), Key.Status.ACTIVE)
    office.post(at(there, "keys/100/broken/"), {"emergency": ""})
    office.post(at(there, "keys/100/mended/"))
    office.post(at(there, "keys/100/hand-out/"), {"person": "77"})
    assert (now_of(key).state, now_of(key).holder) == ("active", holder)


def test_a_pool_key_is_lent_and_taken_back_at_the_counter(there: SimpleNamespace, office: Any) -> None:
    for number, person, name in ((101, "11 Tim Test 1", "Tim Test 1"), (102, "eva exempel 1", "Eva Exempel 1")):
        key = Key.objects.get(site=there.site, number=number)
        assert "key lent" in words(office.post(at(there, f"keys/{number}/lend/"), {"person": person}))
        held_by = rf'data-label="Held by"><a [^>]*>{name}<'
        assert re.search(held_by, words(office.get(at(there, "pools/"))))
        assert re.search(rf'id="borrower"><a [^>]*>{name}<', words(office.get(at(there, f"keys/{number}/"))))
        person_page = words(office.get(at(there, f"people/{Receipt.objects.get(key=key).holder.number}/")))
        assert f"/keys/{number}/" in person_page.partition('id="borrowed"')[2].partition("</table>")[0]
        # It is in somebody's hand: not lent again, neither here nor for a broken key.
        office.post(at(there, f"keys/{number}/lend/"), {"person": person})
        office.post(at(there, "keys/100/broken/"), {"emergency": "102"}) if number == 102 else None
        assert Receipt.objects.filter(key=key, kind="lent").count() == 1
        assert now_of(there.one.keys[0]).status == "active"
        assert "key returned" in words(office.post(at(there, f"keys/{number}/lent-back/")))
        assert not re.search(held_by, words(office.get(at(there, "pools/"))))
        answer = office.post(at(there, f"keys/{number}/lent-back/"), follow=True)
        assert "back already" in words(answer)
        assert list(Receipt.objects.filter(key=key).order_by("pk").values_list("kind", flat=True)) == [
            "lent",
            "returned",
        ]


def test_what_stations_tell_and_the_counter_does_are_one(there: SimpleNamespace, office: Any) -> None:
    now = int(time.time())
    report(there.one.station, "pool_key_taken", key=101, holder=11, at=now - 60)
    office.post(at(there, "keys/101/lend/"), {"person": "11"})
    assert not Receipt.objects.filter(site=there.site).exists()
    task = open_collect_key_task(there.one.keys[1], there.one.hourly, there.site.today())
    office.post(at(there, "keys/101/lent-back/"))
    assert now_of(task).done_at is not None
    assert Receipt.objects.get(site=there.site).holder == there.one.hourly
    # Told late: it was before.
    report(there.two.station, "pool_key_taken", key=101, holder=11, at=now - 600)
    assert not Handover.objects.get(key=there.one.keys[1]).is_out
    report(there.one.station, "pool_key_taken", key=101, holder=11, at=now + 5, received_at=now + 5)
    assert Handover.objects.get(key=there.one.keys[1]).is_out


def test_what_was_lent_or_taken_back_is_undone(there: SimpleNamespace, office: Any) -> None:
    key = there.one.keys[2]
    page = office.post(at(there, "keys/102/lend/"), {"person": "10"})
    undo(there, office, page)
    assert not Handover.objects.filter(key=key).exists()
    assert not Receipt.objects.filter(key=key).exists()
    office.post(at(there, "keys/102/lend/"), {"person": "10"})
    undo(there, office, office.post(at(there, "keys/102/lent-back/")))
    assert Handover.objects.get(key=key).holder == 10
    # A station has told since that it is back: that is so.
    again = office.post(at(there, "keys/102/lent-back/"))
    later = int(time.time()) + 5
    report(there.one.station, "pool_key_taken", key=102, holder=10, at=later, received_at=later)
    assert "a station has told since" in undo(there, office, again)
    assert Handover.objects.get(key=key).at == later
    assert Receipt.objects.filter(key=key, kind="returned").count() == 1


@pytest.mark.parametrize(("number", "person"), [(101, "10"), (102, "11"), (101, "20"), (102, "20"), (100, "10")])
def test_nobody_borrows_a_key_that_no_station_switches_on_for_them(
    there: SimpleNamespace, office: Any, number: int, person: str
) -> None:
    office.post(at(there, f"keys/{number}/lend/"), {"person": person})
    assert not Receipt.objects.filter(site=there.site).exists()
    assert not Handover.objects.filter(key__site=there.site).exists()


def test_whoever_had_the_key_before_is_no_business_of_whoever_has_it_now(
    there: SimpleNamespace, office: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The second turns between the key's part of the hand-out and the receipt.
    monkeypatch.setattr(tasks, "unix_now", lambda: unix_now() + 1)
    key, holder = there.one.keys[0], newcomer(there, office)
    early = int(time.time()) - 600
    for lost in (block_key, take_back_key):
        lost(now_of(key), "Karin")
    Block.objects.update(at=early)
    report(there.one.station, "key_refused", key=100, at=early, received_at=early)
    LogEntry.objects.update(timestamp=datetime.fromtimestamp(early, UTC))
    office.post(at(there, "keys/100/hand-out/"), {"person": "77"})
    report(there.one.station, "key_refused", key=100)
    told = export_person(holder, "asked")
    assert [each["number"] for each in told["keys"]] == [100]
    assert (told["blocks"], len(told["events"]), len(told["receipts"])) == ([], 1, 1)
    changes = [entry["changes"].get("status") for entry in told["changes"] if entry["about"] == "key"]
    assert changes == [["returned", "active"]]


def test_a_battery_is_noted(there: SimpleNamespace, seat: Any) -> None:
    technician = seat("technical_department", there.site)
    key = there.one.keys[0]
    for wrong in ("soon", "9999-12-31", "0001-01-01", ""):
        technician.post(at(there, "keys/100/battery/"), {"day": wrong})
        assert now_of(key).battery_replaced is None
    before = newest_revision(there.site.pk)
    technician.post(at(there, "keys/100/battery/"), {"day": there.site.today().isoformat()})
    assert f'id="battery-day">{day(there.site.today())}' in words(technician.get(at(there, "keys/100/")))
    # No business of stations.
    assert newest_revision(there.site.pk) == before


def test_a_section_manager_takes_the_key_and_ends_the_employment(there: SimpleNamespace, seat: Any) -> None:
    manager = seat("section_manager", there.site, there.one.unit)
    manager.post(at(there, "people/10/end/"), {"when": "now"})
    assert "handed in" in words(manager.post(at(there, "keys/100/take-back/")))
    assert (now_of(there.one.own).status, now_of(there.one.keys[0]).status) == ("ended", "returned")
    assert manager.post(at(there, "keys/100/hand-out/"), {"person": "10"}).status_code == 403
    assert manager.post(at(there, "keys/200/take-back/")).status_code == 404


def test_the_technical_department_sees_no_pin_and_gives_none(there: SimpleNamespace, seat: Any) -> None:
    technician = seat("technical_department", there.site)
    assert technician.get(at(there, ""), follow=True).redirect_chain[-1][0].endswith("/people/")
    assert "New PIN" not in words(technician.get(at(there, "people/10/")))
    assert technician.post(at(there, "people/10/pin/")).status_code == 403
    assert "Eva Exempel 1" in words(technician.get(at(there, "locks/?lock=101")))


def test_who_has_not_renewed_today_is_first(there: SimpleNamespace, seat: Any) -> None:
    manager = seat("provider_key_manager", there.site, there.one.unit)
    assert "No unit of yours has an update box" in words(manager.get(at(there, "renewals/")))
    with change_and_sign():
        Station(site=there.site, number=9, name="Boks", unit=there.one.unit, role=Station.Role.UPDATE_BOX).save()
    box = Station.objects.get(site=there.site, number=9)
    late = newcomer(there, manager)
    with change_and_sign():
        Key(site=there.site, number=900, kind=0, unit=there.one.unit, holder=late, status="active").save()
    report(box, "key_activated", key=100, holder=10)
    report(box, "key_activated", key=900, holder=77, at=int(time.time()) - 2 * 86400)
    assert "/renewals/" in words(manager.get(at(there, "pools/")))
    page = words(manager.get(at(there, "renewals/")))
    assert 'id="missing">1</b> / 2' in page
    assert re.findall(r"/keys/(\d+)/", page) == ["900", "100"]
    assert page.count("not today") == 1
