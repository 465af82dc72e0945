"""What stations report and a coordinator has to decide about: tasks of the first page, and what ends them."""

import time
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from central.actions.events import receive_events
from central.actions.keys import block_key
from central.actions.stations import revoke_station
from central.feed import change_and_sign
from central.models import Blocklist, Key, MirrorRow, Task
from tests.office.asking import at, words


@pytest.fixture
def office(there: SimpleNamespace, seat: Any) -> Any:
    return seat("coordinator", there.site, there.one.unit)


def tell(station: Any, type_: str, **fields: Any) -> None:
    event = {"id": str(uuid4()), "instance": str(uuid4()), "seq": 1, "at": int(time.time()), "clock": 0, "type": type_}
    (result,) = receive_events(station, [event | fields], int(time.time()))
    assert result.status == "accepted", result


def went_back(station: Any, type_: str, number: int, was: str) -> None:
    tell(station, "mirror_went_back", data={"type": type_, "id": number, "was": was})


def revision(site: Any, type_: str, number: int) -> int:
    return MirrorRow.objects.get(site=site, type=type_, number=number).revision


def open_tasks(site: Any) -> list[Task]:
    return list(Task.objects.filter(site=site, done_at=None).order_by("pk"))


def test_a_right_pin_that_a_pool_key_refuses_is_told_to_the_persons_coordinator(
    there: SimpleNamespace, office: Any, seat: Any
) -> None:
    for reason in ("not_permanent", "no_permit"):
        tell(there.two.station, "key_refused", key=202, holder=11, data={"reason": reason})
        tell(there.two.station, "key_refused", key=202, holder=11, data={"reason": reason})
    (task,) = open_tasks(there.site)
    assert (task.kind, task.holder, task.key, task.detail) == (
        "refused_pin",
        there.one.hourly,
        there.two.keys[2],
        "no_permit",
    )
    page = words(office.get(at(there, "today/")))
    assert "Tim Test 1" in page
    assert "no permission with that unit&#x27;s keys" in page or "no permission with that unit's keys" in page
    assert "Tim Test" not in words(seat("coordinator", there.site, there.two.unit).get(at(there, "today/")))
    assert office.post(at(there, f"tasks/{task.pk}/done/")).status_code == 302
    assert open_tasks(there.site) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"key": 100, "holder": 11, "data": {"reason": "no_permit"}},
        {"key": 101, "holder": 11, "data": {"reason": "outside_window"}},
        {"key": 101, "holder": 11, "data": {"reason": "\x1b[31m"}},
        {"key": 101, "data": {"reason": "no_permit"}},
        {"key": 101, "holder": 999, "data": {"reason": "no_permit"}},
        {"key": 999, "holder": 11, "data": {"reason": "no_permit"}},
    ],
    ids=str,
)
def test_other_refusals_are_nobodys_task(there: SimpleNamespace, fields: dict[str, Any]) -> None:
    tell(there.one.station, "key_refused", **fields)
    assert open_tasks(there.site) == []


def test_a_task_of_another_unit_is_not_finished(there: SimpleNamespace, seat: Any) -> None:
    """Whoever sees two units' tasks and works in one of them ends that one's only."""
    tell(there.one.station, "key_refused", key=101, holder=21, data={"reason": "no_permit"})
    (task,) = open_tasks(there.site)
    client = seat("coordinator", there.site, there.one.unit)
    from central.models import Membership

    Membership.objects.create(user=client.user, role="section_manager", site=there.site, unit=there.two.unit)
    assert "Tim Test 2" in words(client.get(at(there, "today/")))
    client.post(at(there, f"tasks/{task.pk}/done/"))
    assert open_tasks(there.site) == [task]


def test_an_alarm_is_on_the_list_of_the_stations_unit(there: SimpleNamespace, office: Any) -> None:
    with change_and_sign():
        for number in range(1000, 1012):
            Key(site=there.site, number=number, kind=1, unit=there.two.unit, status="active").save()
    for number in range(1000, 1012):
        tell(there.one.station, "key_locked_out", key=number)
    (task,) = open_tasks(there.site)
    assert (task.kind, task.station) == ("many_locked", there.one.station)
    assert "more than ten keys an hour" in words(office.get(at(there, "today/")))
    assert office.post(at(there, f"tasks/{task.pk}/done/")).status_code == 302
    assert open_tasks(there.site) == []


def test_what_a_restored_server_opens_again_is_confirmed(there: SimpleNamespace, office: Any) -> None:
    """Stations free it when the object itself is told anew; that nothing else of it changes is the point."""
    key = there.one.keys[0]
    for _ in range(3):
        went_back(there.one.station, "key", 100, "blocked")
    went_back(there.two.station, "key", 100, "listed")
    assert [(task.kind, task.key, task.detail) for task in open_tasks(there.site)] == [
        ("went_back", key, "blocked"), ("went_back", key, "listed"),
    ]  # fmt: skip
    before, version = revision(there.site, "key", 100), Blocklist.objects.get(site=there.site).version
    page = words(office.get(at(there, "today/")))
    assert page.count('class="confirm secondary"') == page.count('class="anew danger"') == 2
    first, _second = open_tasks(there.site)
    # "Done" alone decides nothing.
    office.post(at(there, f"tasks/{first.pk}/done/"))
    assert len(open_tasks(there.site)) == 2
    assert office.post(at(there, f"tasks/{first.pk}/confirm/")).status_code == 302
    assert open_tasks(there.site) == []
    assert revision(there.site, "key", 100) > before
    key.refresh_from_db()
    assert (key.status, Blocklist.objects.get(site=there.site).version) == ("active", version)
    assert Task.objects.get(pk=first.pk).done_by == office.user.username
    assert office.post(at(there, f"tasks/{first.pk}/confirm/")).status_code == 404


@pytest.mark.parametrize("was", ["blocked", "listed", "returned", "locked"])
def test_a_key_is_shut_anew(there: SimpleNamespace, office: Any, was: str) -> None:
    went_back(there.one.station, "key", 100, was)
    before = revision(there.site, "key", 100)
    (task,) = open_tasks(there.site)
    assert office.post(at(there, f"tasks/{task.pk}/anew/")).status_code == 302
    key = Key.objects.get(pk=there.one.keys[0].pk)
    if was == "locked":
        assert key.is_locked
    else:
        assert key.status == ("returned" if was == "returned" else "blocked")
    assert revision(there.site, "key", 100) > before
    assert "went_back" not in [task.kind for task in open_tasks(there.site)]


def test_holders_units_and_stations_are_shut_anew(there: SimpleNamespace, office: Any, seat: Any) -> None:
    went_back(there.one.station, "holder", 10, "ended")
    went_back(there.one.station, "unit", 1, "closed")
    went_back(there.two.station, "station", 1, "listed")
    holder, unit, station = open_tasks(there.site)
    for task in (holder, unit):
        assert office.post(at(there, f"tasks/{task.pk}/anew/")).status_code == 302
    for thing in (there.one.own, there.one.unit):
        thing.refresh_from_db()
    assert (there.one.own.status, there.one.unit.closed) == ("ended", True)
    # To free a station that was revoked needs who may revoke one.
    for act in ("confirm", "anew"):
        assert office.post(at(there, f"tasks/{station.pk}/{act}/")).status_code == 403
    administrator = seat("site_administrator", there.site)
    assert administrator.post(at(there, f"tasks/{station.pk}/anew/")).status_code == 302
    there.one.station.refresh_from_db()
    assert there.one.station.stolen


def test_what_is_shut_here_too_and_what_makes_no_sense_is_no_task(there: SimpleNamespace) -> None:
    block_key(there.one.keys[1])
    went_back(there.two.station, "key", 101, "blocked")
    revoke_station(there.one.station)
    Task.objects.filter(site=there.site).delete()
    went_back(there.two.station, "station", 1, "listed")
    nonsense: list[Any] = [
        {}, {"type": "key", "id": 100, "was": "ended"}, {"type": "key", "id": "100", "was": "blocked"},
        {"type": "key", "id": True, "was": "blocked"}, {"type": "key", "id": 999, "was": "blocked"},
        {"type": [], "id": 100, "was": {}}, {"type": "permit", "id": 1, "was": "blocked"}, {"type": "key", "id": 2**70},
    ]  # fmt: skip
    for data in nonsense:
        tell(there.two.station, "mirror_went_back", data=data)
    assert open_tasks(there.site) == []


def test_another_units_things_are_another_coordinators(there: SimpleNamespace, seat: Any) -> None:
    went_back(there.one.station, "key", 100, "blocked")
    (task,) = open_tasks(there.site)
    other = seat("coordinator", there.site, there.two.unit)
    manager = seat("section_manager", there.site, there.one.unit)
    for act in ("confirm", "anew"):
        assert other.post(at(there, f"tasks/{task.pk}/{act}/")).status_code == 404
        assert manager.post(at(there, f"tasks/{task.pk}/{act}/")).status_code == 403
        assert manager.get(at(there, f"tasks/{task.pk}/{act}/")).status_code == 405
    assert 'class="confirm secondary"' not in words(manager.get(at(there, "today/")))
    assert open_tasks(there.site) == [task]
