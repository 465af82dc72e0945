"""Every PIN anew: unit by unit, a slip for each person, until nobody is left."""

import json
import re
import time
from types import SimpleNamespace
from typing import Any

import pytest
from auditlog.models import LogEntry

from central.actions import pins as pin_actions
from central.feed.cursors import newest_revision
from central.models import Holder, Receipt, Task
from central.operations.scheduler import do_what_is_due
from central.signing import keyring
from tests.central.site import told_since
from tests.office.asking import at, words


@pytest.fixture
def office(there: SimpleNamespace, seat: Any) -> Any:
    return seat("site_administrator", there.site)


def left(office: Any, there: SimpleNamespace) -> int:
    (number,) = re.findall(r'id="left">(\d+)<', words(office.get(at(there, "pins/"))))
    return int(number)


def all_have_pins(there: SimpleNamespace, since: int) -> None:
    """PINs of the newest version."""
    there.site.refresh_from_db()
    Holder.objects.filter(site=there.site).update(pin_at=since, pin_version=there.site.pin_version)


def test_people_who_have_none_get_their_first(there: SimpleNamespace, office: Any) -> None:
    all_have_pins(there, 1000)
    Holder.objects.filter(pk=there.two.own.pk).update(pin_at=None)
    assert left(office, there) == 1
    answer = office.post(at(there, "pins/renew/"))
    assert re.findall(r"PIN <code>(\d{6})<", words(answer))
    assert "Eva Exempel 2" in words(answer)
    assert "no-store" in answer["Cache-Control"]
    assert left(office, there) == 0


def test_after_a_revoked_station_every_pin_is_renewed(
    there: SimpleNamespace, office: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_have_pins(there, int(time.time()) - 10)
    before = newest_revision(there.site.pk)
    office.post(at(there, "stations/1/revoke/"), {"sure": "1"})
    task = Task.objects.get(site=there.site)
    assert left(office, there) == 4
    # It is not ticked off by hand: it is over when everybody has a new one.
    office.post(at(there, f"tasks/{task.pk}/done/"))
    answer = words(office.post(at(there, "pins/renew/"), {"unit": "1"}))
    pins = re.findall(r"PIN <code>(\d{6})<", answer)
    assert len(pins) == 2
    assert "Exempel 2" not in answer
    there.site.refresh_from_db()
    tags = {bytes(holder.pin_tag) for holder in Holder.objects.filter(unit=there.one.unit)}
    assert tags == {keyring.pin_secrets(there.site).tags(pin)[0] for pin in pins}
    assert "2 / 2" in words(office.get(at(there, "pins/")))
    assert Receipt.objects.filter(site=there.site, kind="pin").count() == 2
    # Whoever gets one at the counter meanwhile is done as well.
    office.post(at(there, "people/20/pin/"))
    assert left(office, there) == 1
    monkeypatch.setattr(pin_actions, "AT_ONCE", 1)
    words(office.post(at(there, "pins/renew/")))
    task.refresh_from_db()
    assert task.done_at is not None
    assert {json.loads(text)["type"] for text in told_since(there.site, before)} == {"blocklist", "permit", "site"}
    assert office.post(at(there, "pins/renew/")).status_code == 302


def test_it_is_begun_by_hand_and_ended_by_the_server(there: SimpleNamespace, office: Any) -> None:
    now = int(time.time())
    all_have_pins(there, now - 10)
    for _ in range(2):
        office.post(at(there, "pins/begin/"))
    task = Task.objects.get(site=there.site)
    assert "Renew PINs" in words(office.get(at(there, "today/")))
    do_what_is_due(now)
    task.refresh_from_db()
    assert task.done_at is None
    all_have_pins(there, now + 10)
    do_what_is_due(now)
    task.refresh_from_db()
    assert task.done_at is not None


def test_only_of_the_own_units(there: SimpleNamespace, seat: Any) -> None:
    all_have_pins(there, 0)
    seat("site_administrator", there.site).post(at(there, "pins/begin/"))
    of_a_unit = seat("site_administrator", there.site, there.one.unit)
    assert "Söder" not in words(of_a_unit.get(at(there, "pins/")))
    assert of_a_unit.post(at(there, "pins/renew/"), {"unit": "2"}).status_code == 302
    assert of_a_unit.post(at(there, "pins/renew/"), {"unit": "x"}).status_code == 302
    assert "Exempel 2" not in words(of_a_unit.post(at(there, "pins/renew/")))


def test_the_audit_log_says_that_there_is_a_new_pin_and_never_which(there: SimpleNamespace, office: Any) -> None:
    (pin,) = re.findall(r'id="pin">(\d{6})<', words(office.post(at(there, "people/10/pin/"))))
    entry = LogEntry.objects.get_for_object(there.one.own).first()
    assert entry is not None
    assert (entry.actor, set(entry.changes)) == (office.user, {"pin_at"})
    assert not any(pin in str(each.changes) for each in LogEntry.objects.all())


def test_a_renewal_waits_and_goes_on(there: SimpleNamespace, office: Any) -> None:
    all_have_pins(there, int(time.time()))
    office.post(at(there, "pins/begin/"))
    office.post(at(there, "pins/pause/"), {"paused": "1"})
    assert 'id="paused"' in words(office.get(at(there, "pins/")))
    assert office.post(at(there, "pins/renew/")).status_code == 302, "nobody gets a new one"
    office.post(at(there, "pins/pause/"), {"paused": "0"})
    assert 'class="one-slip with-pin"' in words(office.post(at(there, "pins/renew/")))


def test_a_renewal_by_hand_is_cancelled_and_the_next_goes_on_where_it_stopped(
    there: SimpleNamespace, office: Any
) -> None:
    now = int(time.time())
    all_have_pins(there, now)
    office.post(at(there, "pins/begin/"))
    site = type(there.site).objects.get(pk=there.site.pk)
    versions = site.pin_versions
    assert len(versions) == 2
    office.post(at(there, "pins/renew/"), {"unit": "1"})
    office.post(at(there, "pins/cancel/"))
    assert not Task.objects.filter(site=there.site, done_at=None).exists()
    assert 'id="left">0<' in words(office.get(at(there, "pins/")))
    site.refresh_from_db()
    assert site.pin_versions == versions, "PINs from before stay good"
    do_what_is_due(now)
    site.refresh_from_db()
    assert site.pin_versions == versions
    office.post(at(there, "pins/begin/"))
    site.refresh_from_db()
    assert site.pin_versions == versions, "who has a new one keeps it"
    office.post(at(there, "pins/renew/"))
    site.refresh_from_db()
    assert site.pin_versions == versions[:1]
    assert not Task.objects.filter(site=there.site, done_at=None).exists()


def test_a_renewal_because_of_a_stolen_station_is_not_cancelled(there: SimpleNamespace, office: Any) -> None:
    all_have_pins(there, int(time.time()))
    office.post(at(there, "pins/begin/"))
    office.post(at(there, "stations/1/revoke/"), {"sure": "1"})
    assert 'id="cancel"' not in words(office.get(at(there, "pins/")))
    office.post(at(there, "pins/cancel/"))
    assert Task.objects.filter(site=there.site, done_at=None).count() == 2


def test_a_station_is_revoked_by_whoever_says_that_they_mean_it(there: SimpleNamespace, office: Any) -> None:
    office.post(at(there, "stations/1/revoke/"))
    there.one.station.refresh_from_db()
    assert not there.one.station.stolen
    assert "cannot be undone" in words(office.get(at(there, "stations/1/")))
