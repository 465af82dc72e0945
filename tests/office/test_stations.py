"""The stations' pages: enrolment, health, out of order, certificates that end, revoked."""

import re
import time
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command

from central.feed import change_and_sign
from central.models import Blocklist, EnrolmentCode, Holder, Station, StationHealth, StationToken, Task
from central.operations.scheduler import do_what_is_due
from central.signing import keyring
from station.records import claims
from station.records.envelope import verified
from station.rules.support import Neighbour, Position, nearest
from tests.office.asking import at, words

DAY_S = 86400


@pytest.fixture
def office(there: SimpleNamespace, seat: Any) -> Any:
    return seat("system_administrator", there.site)


def set_station(station: Any, **fields: Any) -> None:
    Station.objects.filter(pk=station.pk).update(**fields)


def test_a_new_station_is_enrolled_by_a_code_that_is_shown_once(there: SimpleNamespace, office: Any) -> None:
    form = {"name": "Nya entrén", "address": "Påhittsgatan 1", "unit": there.one.unit.pk, "role": 0}
    answer = office.post(at(there, "stations/new/"), form)
    assert re.search(r"<code>[0-9A-Z]{4}-[0-9A-Z]{10}<", words(answer))
    assert "no-store" in answer["Cache-Control"]
    station = Station.objects.get(site=there.site, name="Nya entrén")
    assert station.number == 3
    assert EnrolmentCode.objects.filter(station=station).count() == 1
    assert re.search("<code>", words(office.post(at(there, "stations/1/code/"))))


def test_the_label_for_the_wall_names_the_nearest_stations_and_all_numbers(there: SimpleNamespace, office: Any) -> None:
    always = {"days": 127, "from": 0, "to": 1440, "holidays": True}
    there.site.support = [
        {**always, "phone": "000-000 01", "text": {"en": "Technicians"}},
        {**always, "phone": "000-000 02", "text": {"sv": "Chef i beredskap"}},
        {**always, "days": 1, "phone": "000-000 01", "text": {"en": "Technicians"}},
    ]
    near, far, box, lost = (
        Station(site=there.site, unit=there.two.unit, number=n, name=f"Vägg {n}") for n in range(3, 7)
    )
    near.latitude, near.longitude = 60_001_000, 15_000_000
    far.latitude, far.longitude = 60_000_000, 15_009_000
    box.role, lost.stolen = Station.Role.ACTIVATION_BOX, True
    near.address = "Påhittsgatan 1"
    with change_and_sign():
        for each in (there.site, near, far, box, lost):
            each.save()
    set_station(there.one.station, latitude=60_000_000, longitude=15_000_000)
    assert "/stations/1/label/" in words(office.get(at(there, "stations/1/")))
    text = words(office.get(at(there, "stations/1/label/")))
    found = [text.index(each) for each in ("3 · Vägg 3, Påhittsgatan 1", "4 · Vägg 4", f"2 · {there.two.station.name}")]
    assert found == sorted(found), "nearest first, and those without a place last"
    # Central shares no rules with stations; the order is one all the same.
    places = {2: None, 3: Position(60_001_000, 15_000_000), 4: Position(60_000_000, 15_009_000)}
    others = [Neighbour(number, "", "", None, place) for number, place in places.items()]
    assert [each.station for each in nearest(others, 1, Position(60_000_000, 15_000_000))] == [3, 4, 2]
    assert not {"Vägg 5", "Vägg 6"} & set(re.findall(r"Vägg \d", text)), "no box, and none that is revoked"
    assert text.count("000-000 01") == text.count("000-000 02") == 1
    assert "Hold 0 and 2 until the station starts again." in text


def test_health_is_shown(there: SimpleNamespace, office: Any) -> None:
    now = int(time.time())
    set_station(there.one.station, last_contact=now, certificate_expires=now + 100 * DAY_S + 600)
    StationHealth.objects.create(
        station=there.one.station, revision=1, mirror_at=now - 7265, events_at=now, events_behind_s=185, clock=1,
        config_version="v17", config_at=now, restarted_at=now, restart_reason="watchdog",
    )  # fmt: skip
    text = words(office.get(at(there, "stations/1/")))
    for part in ("2 h 01 min", "3 min", "held since it was set", "v17", "watchdog", "100"):
        assert part in text, part
    assert "ends soon" not in text


def test_a_station_whose_clock_knows_no_calendar_is_shown(there: SimpleNamespace, office: Any) -> None:
    StationHealth.objects.create(station=there.one.station, restarted_at=2**53 - 1, config_at=253_402_300_799)
    text = words(office.get(at(there, "stations/1/")))
    assert str(2**53 - 1) in text
    assert "253402300799" in text


@pytest.mark.parametrize(("role", "days", "soon"), [(0, 19, True), (0, 21, False), (1, 179, True), (1, 181, False)])
def test_certificates_that_end_are_told(there: SimpleNamespace, office: Any, role: int, days: int, soon: bool) -> None:
    set_station(there.one.station, role=role, certificate_expires=int(time.time()) + days * DAY_S + 600)
    assert ("ends soon" in words(office.get(at(there, "stations/")))) is soon


def test_out_of_order_by_hand_stays_until_somebody_says_otherwise(there: SimpleNamespace, office: Any) -> None:
    office.post(at(there, "stations/1/out-of-order/"), {"note": "wet"})
    now = int(time.time())
    set_station(there.one.station, last_contact=now)
    do_what_is_due(now)
    there.one.station.refresh_from_db()
    assert there.one.station.status == "down"
    assert "wet" in words(office.get(at(there, "stations/1/")))
    office.post(at(there, "stations/1/in-order/"))
    do_what_is_due(now)
    there.one.station.refresh_from_db()
    assert there.one.station.status == "up"
    # Not a later now: the server's own companion looks at the same stations by its clock.
    set_station(there.one.station, last_contact=now - 3600)
    do_what_is_due(now)
    there.one.station.refresh_from_db()
    assert there.one.station.status == "down"


def test_a_stolen_station_is_revoked(there: SimpleNamespace, office: Any, seat: Any) -> None:
    # Somebody has a PIN: else the server's own companion finds that all are renewed.
    Holder.objects.filter(site=there.site).update(pin_at=int(time.time()), pin_version=there.site.pin_version)
    StationToken.objects.create(sha256=f"{there.number:064}", station=there.one.station, created_at=1)
    office.post(at(there, "stations/1/revoke/"), {"sure": "1"})
    record = bytes(Blocklist.objects.get(site=there.site).record)
    said = verified(claims.Blocklist, record, keyring.verifying_keys(there.site))
    assert said is not None
    assert said.blocked_stations == (1,)
    assert not StationToken.objects.filter(station=there.one.station).exists()
    assert "every PIN of the site has to be renewed" in words(office.get(at(there, "stations/1/")))
    administrator = seat("site_administrator", there.site)
    assert f'<a href="{at(there, "pins/")}">Renew PINs</a>' in words(administrator.get(at(there, "today/")))
    assert f'<a href="{at(there, "pins/")}">Renew PINs</a>' in words(administrator.get(at(there, "stations/1/")))
    assert office.post(at(there, "stations/1/code/")).status_code == 302


def test_the_command_opens_the_same_task(there: SimpleNamespace) -> None:
    for _ in range(2):
        call_command("revoke_station", 2, site=there.number)
    assert Task.objects.get(site=there.site, kind="renew_pins").station == there.two.station
