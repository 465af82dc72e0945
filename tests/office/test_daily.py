"""Each act of the daily work, through Django's client: what the page says, and what the database and stations get."""

import json
import re
import time
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from auditlog.models import LogEntry

from central.actions.codes import new_enrolment_code
from central.actions.hand_out import new_provision_code
from central.actions.look_ups import note_look_up
from central.actions.restored import RESTORED_AT
from central.actions.station_health import note_mirror
from central.clock import unix_now
from central.feed import change_and_sign
from central.feed.cursors import newest_revision
from central.models import (
    Block,
    Blocklist,
    BlockReached,
    Holder,
    Key,
    LookUp,
    Permit,
    ProvisionCode,
    Receipt,
    ServerFact,
    StationToken,
    Task,
)
from central.operations.scheduler import end_employments
from central.signing import keyring
from station.records import claims
from station.records.envelope import verified
from tests.central.site import told_since
from tests.office.asking import at, report, words


@pytest.fixture
def office(there: SimpleNamespace, seat: Any) -> Any:
    return seat("coordinator", there.site, there.one.unit)


def test_every_page_says_that_stations_wait_for_the_operator(there: SimpleNamespace, office: Any) -> None:
    banner = "Stations wait until its operator has opened it"
    assert banner not in words(office.get(at(there, "people/")))
    fact = ServerFact.objects.create(name=RESTORED_AT, value=str(unix_now()))
    try:
        assert banner in words(office.get(at(there, "people/")))
    finally:
        fact.delete()


def test_a_new_employee_gets_a_key_and_a_pin_against_a_receipt(there: SimpleNamespace, office: Any) -> None:
    form = {"given_name": "Åsa", "family_name": "Påhitt", "unit": there.one.unit.pk, "category": 0}
    answer = office.post(at(there, "people/employee/"), form)
    (pin,) = re.findall(r'id="pin">(\d{6})<', words(answer))
    assert re.search(r'id="code">\d{10}<', words(answer))
    assert "no-store" in answer["Cache-Control"]
    holder = Holder.objects.get(site=there.site, given_name="Åsa")
    assert (bytes(holder.pin_tag),) == keyring.pin_secrets(there.site).tags(pin)
    key = Key.objects.get(holder=holder)
    assert (key.status, key.kind, key.number) == ("blank", 0, 203)
    assert ProvisionCode.objects.filter(key=key).count() == 1
    # As most in the unit.
    assert [area.number for area in holder.permissions.get().areas.all()] == [2]
    assert Permit.objects.filter(holder=holder).exists()
    receipt = Receipt.objects.get(holder=holder)
    again = words(office.get(at(there, f"receipts/{receipt.pk}/")))
    assert str(key.number) in again
    assert pin not in again
    assert LogEntry.objects.get_for_object(holder).filter(actor=office.user).exists()
    assert not any(pin in str(entry.changes) for entry in LogEntry.objects.all())


def test_a_unit_that_is_not_offered_is_refused(there: SimpleNamespace, office: Any) -> None:
    form = {"given_name": "Åsa", "family_name": "Påhitt", "unit": there.two.unit.pk, "category": 0}
    assert "errorlist" in words(office.post(at(there, "people/employee/"), form))
    assert "already" in words(
        office.post(at(there, "people/employee/"), form | {"unit": there.one.unit.pk, "key_number": 100})
    )
    assert not Holder.objects.filter(site=there.site, given_name="Åsa").exists()


def test_an_hourly_person_uses_the_pools_of_chosen_units(there: SimpleNamespace, seat: Any) -> None:
    office = seat("staffing_administrator", there.site)
    form = {
        "given_name": "Örjan", "family_name": "Timme", "unit": there.one.unit.pk,
        "units": [there.one.unit.pk, there.two.unit.pk],
    }  # fmt: skip
    assert re.search(r'id="pin">\d{6}<', words(office.post(at(there, "people/hourly/"), form)))
    holder = Holder.objects.get(site=there.site, given_name="Örjan")
    assert holder.category == Holder.Category.HOURLY
    assert Permit.objects.filter(holder=holder).count() == 2
    # A coordinator takes away and gives only what is theirs.
    coordinator = seat("coordinator", there.site, there.one.unit)
    coordinator.post(at(there, f"people/{holder.number}/units/"), {"units": []})
    assert [p.unit for p in holder.permissions.all()] == [there.two.unit]


def test_a_forgotten_pin_is_replaced(there: SimpleNamespace, office: Any) -> None:
    before, tag = newest_revision(there.site.pk), bytes(there.one.own.pin_tag)
    answer = words(office.post(at(there, "people/10/pin/")))
    assert re.search(r'id="pin">\d{6}<', answer)
    # Another language would ask for this page again, which nobody can.
    assert 'name="next" value="/office/"' in answer
    there.one.own.refresh_from_db()
    assert bytes(there.one.own.pin_tag) != tag
    assert [json.loads(text)["type"] for text in told_since(there.site, before)] == ["permit"]


def test_a_lost_key_is_blocked_in_one_click_and_followed_to_the_last_lock(there: SimpleNamespace, office: Any) -> None:
    for part in (there.one, there.two):
        new_enrolment_code(part.station)
        StationToken.objects.create(sha256=uuid4().hex * 2, station=part.station, created_at=1)
        note_mirror(part.station, newest_revision(there.site.pk), unix_now())
    assert office.post(at(there, "keys/100/block/")).status_code == 302
    there.one.keys[0].refresh_from_db()
    assert there.one.keys[0].status == "blocked"

    record = bytes(Blocklist.objects.get(site=there.site).record)
    said = verified(claims.Blocklist, record, keyring.verifying_keys(there.site))
    assert said is not None
    assert said.blocked_keys == (100,)

    def reached() -> list[str]:
        return re.findall(r'id="(?:reached|carried|locks)">(\d+)<', words(office.get(at(there, "keys/100/"))))

    assert reached() == ["0", "0", "0"]
    note_mirror(there.one.station, newest_revision(there.site.pk), unix_now())
    assert reached() == ["1", "0", "0"]
    now = int(time.time())
    # Confirmed a day ago: that visit left the list from before.
    report(there.one.station, "key_synced", key=101, at=now, data={"mirror_age_s": 86400})
    assert reached() == ["1", "0", "0"]
    report(there.one.station, "key_synced", key=101, at=now + 5, data={"mirror_age_s": 1})
    report(there.one.station, "key_synced", key=100, at=now + 6, data={"mirror_age_s": 1})
    note_mirror(there.two.station, newest_revision(there.site.pk), unix_now())
    assert reached() == ["2", "1", "0"]
    # The last lock: before that visit it met the key as it was, and after it with the news.
    report(there.one.station, "lock_opened", key=101, lock=101, at=now + 2)
    assert reached() == ["2", "1", "0"]
    report(there.one.station, "lock_opened", key=101, lock=101, at=now + 9)
    assert reached() == ["2", "1", "1"]
    trail = words(office.get(at(there, "keys/100/trail/")))
    steps = re.findall(r"<tr><td>[^<]*</td><td>([^<]*)", trail)
    assert [step.split(":")[0] for step in steps] == [
        f"Reported lost and blocked by {office.user.username}", "Station knows", "Station knows",
        "A key takes it along", "Lock has met it",
    ]  # fmt: skip
    assert 'id="complete"' in trail
    heard = BlockReached.objects.filter(block__key=there.one.keys[0])
    assert {each.station for each in heard} == {there.one.station, there.two.station}
    assert all(now - 60 < each.at < now + 60 for each in heard)
    assert office.get(at(there, "keys/101/trail/")).status_code == 302
    page_ = words(office.get(at(there, "keys/100/")))
    history = page_.partition('id="history"')[2]
    # It is lost, and not broken.
    assert ">Lend this emergency key" in page_
    assert "Broken: lend" not in page_
    assert "Status: active → blocked" in history
    assert office.user.username in history
    assert Task.objects.get(holder=there.one.own, done_at=None).kind == "new_key"
    # A second block elsewhere does not make the first one start anew.
    office.post(at(there, "keys/101/block/"))
    assert reached() == ["2", "1", "1"]
    office.post(at(there, "keys/100/block/"))
    assert Block.objects.filter(key=there.one.keys[0]).count() == 1


def test_a_broken_key_means_an_emergency_key_now_and_a_task(there: SimpleNamespace, seat: Any) -> None:
    on_call = seat("on_call_manager", there.site)
    assert "102" in words(on_call.get(at(there, "keys/100/")))
    assert on_call.post(at(there, "keys/100/broken/"), {"emergency": "101"}).status_code == 302
    assert not Receipt.objects.filter(site=there.site).exists()
    assert "102" in words(on_call.post(at(there, "keys/100/broken/"), {"emergency": "102"}))
    there.one.keys[0].refresh_from_db()
    assert there.one.keys[0].status == "returned"
    task = Task.objects.get(site=there.site)
    assert (task.kind, task.holder) == ("new_key", there.one.own)
    coordinator = seat("coordinator", there.site, there.one.unit)
    assert "Exempel 1" in words(coordinator.get(at(there, "today/")))
    assert re.search(r'id="code">', words(coordinator.post(at(there, "people/10/key/"))))
    task.refresh_from_db()
    assert task.done_at is not None


def test_employment_ends_and_the_keys_are_collected(there: SimpleNamespace, office: Any) -> None:
    last = there.site.today() + timedelta(days=3)
    office.post(at(there, "people/10/end/"), {"when": "after", "last_day": last.isoformat()})
    there.one.own.refresh_from_db()
    assert (there.one.own.status, there.one.own.employment_ends) == ("active", last)
    assert Permit.objects.get(holder=there.one.own).expires - time.time() < 4.1 * 86400
    task = Task.objects.get(site=there.site)
    assert (task.kind, task.key, task.due) == ("collect_key", there.one.keys[0], last)
    assert "handed in" in words(office.post(at(there, "keys/100/take-back/")))
    task.refresh_from_db()
    assert task.done_at is not None
    assert Receipt.objects.get(site=there.site).kind == "returned"
    office.post(at(there, "people/11/end/"), {"when": "now"})
    there.one.hourly.refresh_from_db()
    assert there.one.hourly.status == "ended"
    assert office.post(at(there, "people/10/end/"), {"when": "after", "last_day": "soon"}).status_code == 302
    assert "which day" in words(office.get(at(there, "people/10/")))


def test_a_last_day_that_passes_leaves_keys_to_collect(there: SimpleNamespace) -> None:
    with change_and_sign():
        there.one.own.employment_ends = there.site.today() + timedelta(days=1)
        there.one.own.save()
    end_employments(int(time.time()))
    assert not Task.objects.filter(site=there.site).exists()
    end_employments(int(time.time()) + 3 * 86400)
    assert Task.objects.get(site=there.site).key == there.one.keys[0]


def test_a_locked_key_is_unlocked(there: SimpleNamespace, office: Any) -> None:
    with change_and_sign():
        there.one.keys[0].locked_at = int(time.time())
        there.one.keys[0].save()
    assert "Locked after ten" in words(office.get(at(there, "today/")))
    office.post(at(there, "keys/100/unlock/"))
    there.one.keys[0].refresh_from_db()
    assert not there.one.keys[0].is_locked


def test_a_blank_key_is_provisioned_by_a_code(there: SimpleNamespace, office: Any) -> None:
    assert re.search(r"<code>\d{10}<", words(office.post(at(there, "keys/101/code/"))))
    assert ProvisionCode.objects.filter(key=there.one.keys[1]).count() == 1
    office.post(at(there, "keys/101/block/"))
    assert office.post(at(there, "keys/101/code/")).status_code == 302


def at_hand(page: str) -> list[str]:
    """How many emergency keys each unit has at hand."""
    return re.findall(r'data-label="At hand"><b>(\d+)</b>', page)


def held_by(page: str) -> set[str]:
    """Who has a key of the pools."""
    return set(re.findall(r'data-label="Held by">(?:<a [^>]*>)?([^<]+)', page)) - {"–"}


def test_who_holds_which_pool_key(there: SimpleNamespace, office: Any) -> None:
    now = int(time.time())
    report(there.one.station, "pool_key_taken", key=101, holder=11, at=now - 12 * 3600)
    report(there.one.station, "pool_key_taken", key=102, holder=10, at=now - 4 * 86400)
    text = words(office.get(at(there, "pools/")))
    assert held_by(text) == {"Tim Test 1", "Eva Exempel 1"}
    assert "not back" in text
    assert "more than 3 days" in text
    assert at_hand(text) == ["0"]
    today = words(office.get(at(there, "today/")))
    assert "Keys not back after the shift" in today
    assert "<b>0</b> emergency keys left: Norr" in today
    report(there.one.station, "pool_key_returned", key=102, holder=10, at=now - 60)
    # Reported late by a station that was offline: it happened before the return.
    report(there.two.station, "pool_key_taken", key=102, holder=10, at=now - 3600)
    report(there.one.station, "pool_key_returned", key=101, holder=11, at=now - 60)
    text = words(office.get(at(there, "pools/")))
    assert held_by(text) == set()
    assert at_hand(text) == ["1"]


def test_who_may_open_a_lock(there: SimpleNamespace, office: Any) -> None:
    text = words(office.get(at(there, "locks/?lock=101")))
    assert "Eva Exempel 1" in text
    assert "Exempel 2" not in text
    assert "People of other units: 2" in text
    assert "no such lock" in words(office.get(at(there, "locks/?lock=9")))


def test_the_log_is_read_for_a_reason_and_the_reading_is_logged(there: SimpleNamespace, seat: Any) -> None:
    report(there.one.station, "lock_opened", key=100, holder=10, lock=101)
    auditor = seat("auditor", there.site)
    day = there.site.today().isoformat()
    form = {"about": "lock", "q": "101", "since": day, "until": day, "reason": "", "cause": "client_asked"}
    assert "Eva Exempel 1" not in words(auditor.post(at(there, "log/"), form))
    assert not LookUp.objects.filter(site=there.site).exists()
    form["reason"] = "Complaint 77, invented"
    auditor.post(at(there, "log/"), form | {"cause": ""})
    assert not LookUp.objects.filter(site=there.site).exists()

    def asked(**other: Any) -> str:
        return words(auditor.post(at(there, "log/"), form | other, follow=True))

    assert "Eva Exempel 1" in asked()
    assert "Eva Exempel 1" in asked(about="holder", q="10")
    assert "Eva Exempel 1" not in asked(about="holder", q="11")
    look_up = LookUp.objects.filter(site=there.site).last()
    assert look_up is not None
    assert (look_up.user, look_up.about, look_up.number) == (auditor.user, "lock", 101)
    assert (look_up.cause, look_up.reason) == ("client_asked", "Complaint 77, invented")
    assert "a client has asked" in words(auditor.get(at(there, "log/")))
    assert LogEntry.objects.get_for_object(look_up).exists()
    # Every station shows how often it is done.
    there.site.refresh_from_db()
    assert there.site.look_ups == {
        "year": there.site.today().year, "counts": {"client_asked": 3}, "last_year": {},
    }  # fmt: skip
    assert '"client_asked":3' in told_since(there.site, 0)[-1]
    next_year = note_look_up(
        there.site, unix_now() + 366 * 86400, LookUp.Cause.KEY_LOST, user=auditor.user, about="lock", number=1,
        since=0, until=1, reason="Another",
    )  # fmt: skip
    assert next_year.site.look_ups["counts"] == {"key_lost": 1}
    assert next_year.site.look_ups["last_year"] == {"client_asked": 3}
    assert '"last_year":{"client_asked":3}' in told_since(there.site, 0)[-1]


def test_a_section_manager_signs_receipts(there: SimpleNamespace, office: Any, seat: Any) -> None:
    office.post(at(there, "keys/100/take-back/"))
    receipt = Receipt.objects.get(site=there.site)
    assert office.post(at(there, f"receipts/{receipt.pk}/sign/")).status_code == 403
    other = seat("section_manager", there.site, there.two.unit)
    other.post(at(there, f"receipts/{receipt.pk}/sign/"))
    receipt.refresh_from_db()
    assert receipt.signed_at is None
    manager = seat("section_manager", there.site, there.one.unit)
    assert "key returned" in words(manager.get(at(there, "today/")))
    manager.post(at(there, f"receipts/{receipt.pk}/sign/"))
    signed = Receipt.objects.get(pk=receipt.pk)
    assert (signed.signed_at or 0) > 0
    assert signed.signed_by == manager.user.username


def test_people_are_found_without_regard_to_case_also_beyond_ascii(there: SimpleNamespace, office: Any) -> None:
    with change_and_sign():
        there.one.own.given_name = "Åsa"
        there.one.own.save()
    assert "Åsa" in words(office.get(at(there, "people/?q=åSA+exempel")))
    assert "Åsa" not in words(office.get(at(there, "people/?q=nobody")))


def test_a_lent_emergency_key_is_out_before_any_station_has_seen_it(there: SimpleNamespace, office: Any) -> None:
    office.post(at(there, "keys/100/broken/"), {"emergency": "102"})
    text = words(office.get(at(there, "pools/")))
    assert held_by(text) == {"Eva Exempel 1"}
    assert at_hand(text) == ["0"]
    # Taken out of its own unit's station without a PIN: it is back.
    report(there.one.station, "pool_key_returned", key=102, at=int(time.time()) + 5, received_at=int(time.time()) + 5)
    assert at_hand(words(office.get(at(there, "pools/")))) == ["1"]


def test_who_leaves_brings_back_pool_keys_too(there: SimpleNamespace, office: Any, caller: Any) -> None:
    report(there.one.station, "pool_key_taken", key=101, holder=11, at=int(time.time()) - 60)
    office.post(at(there, "people/11/end/"), {"when": "now"})
    task = Task.objects.get(site=there.site)
    assert (task.kind, task.key, task.holder) == ("collect_key", there.one.keys[1], there.one.hourly)
    assert caller.enrol(new_enrolment_code(there.one.station)).status_code == 201
    caller.reported({"type": "pool_key_returned", "key": 101})
    task.refresh_from_db()
    assert task.done_at is not None


def test_the_trail_of_a_lost_key_says_of_nobody_what_they_opened(there: SimpleNamespace, seat: Any) -> None:
    """The opening log is read for a stated reason, and a unit's people do not follow another unit's keys."""
    manager = seat("provider_key_manager", there.site, there.one.unit)
    manager.post(at(there, "keys/100/block/"))
    now = int(time.time())
    for key, lock in ((101, 101), (201, 101)):
        report(there.one.station, "key_synced", key=key, at=now + 1, data={"mirror_age_s": 0})
        report(there.one.station, "lock_opened", key=key, lock=lock, at=now + key)
    steps = re.findall(r"<tr><td>[^<]*</td><td>([^<]*)", words(manager.get(at(there, "keys/100/trail/"))))
    assert "A key takes it along: 101" in steps
    assert "A key of another unit takes it along" in steps
    assert steps[-1] == "Lock has met it: 101"
    page = words(manager.get(at(there, "keys/100/")))
    assert 'id="carried">2<' in page
    assert "/keys/201/" not in page
    # As text: numbers of forms, and what protects them, are drawn at random.
    assert "201" not in re.sub("<[^>]*>", " ", page)


def test_the_history_of_a_key_says_at_which_station_it_was_made(
    there: SimpleNamespace, office: Any, caller: Any
) -> None:
    key = there.one.keys[0]
    with change_and_sign():
        key.status = "blank"
        key.save()
    assert caller.enrol(new_enrolment_code(there.one.station)).status_code == 201
    assert caller.http.post("/provision", json={"code": new_provision_code(key)}).status_code == 200
    history = words(office.get(at(there, "keys/100/"))).partition('id="history"')[2]
    assert re.search(r"<td>Station 1</td><td>Status: blank → active", history)
