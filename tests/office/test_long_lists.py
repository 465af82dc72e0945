"""A large site: nothing falls off the end of a list, and what was searched for stays while pages are turned."""

import re
import time
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from central.actions.look_ups import CASE_OPEN_S
from central.feed import change_and_sign
from central.models import Event, Holder, Key, Lock, LookUp, Permission, Receipt, Task
from tests.office.asking import at, report, words

MANY = 250


@pytest.fixture
def office(there: SimpleNamespace, seat: Any) -> Any:
    return seat("site_administrator", there.site)


def every_page(client: Any, path: str, css: str) -> list[str]:
    """All matches on all pages, by their own links."""
    found: list[str] = []
    seen = set()
    while path not in seen:
        seen.add(path)
        text = words(client.get(path))
        found += re.findall(css, text)
        following = re.search(r'href="(\?[^"]+)" rel="next"', text)
        path = path.partition("?")[0] + following[1].replace("&amp;", "&") if following else path
    return found


def test_people_keys_and_locks(there: SimpleNamespace, office: Any) -> None:
    unit, area = there.one.unit, there.area
    Holder.objects.bulk_create(
        Holder(site=there.site, number=1000 + n, given_name=f"Åsa{n:03}", family_name="Mängd", category=0, unit=unit)
        for n in range(MANY)
    )
    Key.objects.bulk_create(Key(site=there.site, number=1000 + n, kind=1, unit=unit) for n in range(MANY))
    Lock.objects.bulk_create(Lock(site=there.site, number=1000 + n, area=area) for n in range(MANY))
    people = every_page(office, at(there, "people/?q=åSA+mängd"), r">(Åsa\d+ Mängd)</a>")
    assert len(people) == len(set(people)) == MANY
    assert len(every_page(office, at(there, "people/"), r"/people/\d+/")) == MANY + 4
    keys = every_page(office, at(there, "keys/?status=blank"), r"/keys/(\d+)/")
    assert sorted(keys) == sorted(str(1000 + n) for n in range(MANY))
    locks = every_page(office, at(there, "locks/"), r'\?lock=(\d+)"')
    assert len(set(locks)) == MANY + 1
    with change_and_sign():
        there.one.own.permissions.get().locks.set(Lock.objects.filter(site=there.site, number=1003))
    assert "Eva Exempel 1" in words(office.get(at(there, "locks/?lock=1003")))
    for page in ("0", "-1", "99999", "x", "9" * 400):
        assert office.get(at(there, f"keys/?page={page}")).status_code == 200


def test_who_may_open_and_tasks(there: SimpleNamespace, office: Any) -> None:
    holders = Holder.objects.bulk_create(
        Holder(site=there.site, number=1000 + n, given_name=f"Bo{n:03}", family_name="Mängd", category=0,
               unit=there.one.unit)
        for n in range(MANY)
    )  # fmt: skip
    Permission.objects.bulk_create(Permission(holder=holder, every_area=True) for holder in holders)
    assert len(set(every_page(office, at(there, "locks/?lock=101"), r"Bo\d+ Mängd"))) == MANY
    common = {"site": there.site, "unit": there.one.unit}
    Task.objects.bulk_create(
        Task(**common, kind="new_key", holder=holder, due="2030-01-01", opened_at=int(time.time()))
        for holder in holders[:70]
    )
    Receipt.objects.bulk_create(
        Receipt(**common, kind="lent", holder=holder, key=there.one.keys[2], made_at=int(time.time()), made_by="Karin")
        for holder in holders[70:140]
    )
    tasks = every_page(office, at(there, "today/"), r"Give a new key to <a[^>]*>(Bo\d+)")
    assert len(set(tasks)) == 70
    shown = set()
    for page in (1, 2, 3):
        shown |= set(re.findall(r">(Bo\d+) Mängd<", words(office.get(at(there, f"today/?receipts={page}")))))
    assert {f"Bo{n:03}" for n in range(70, 140)} <= shown


def test_the_opening_log_is_turned_within_one_look_up(there: SimpleNamespace, seat: Any) -> None:
    now = int(time.time())
    Event.objects.bulk_create(
        Event(site=there.site, station=there.one.station, event=uuid4(), instance=uuid4(), seq=n, at=now - n,
              received_at=now, clock=0, type="lock_opened", key=100, holder=10, lock=100_000 + n)
        for n in range(MANY)
    )  # fmt: skip
    report(there.one.station, "lock_opened", key=200, holder=20, lock=999_999)
    auditor = seat("auditor", there.site)
    day = there.site.today().isoformat()
    form = {
        "about": "holder",
        "q": "10",
        "since": "2020-01-01",
        "until": day,
        "reason": "Complaint 77",
        "cause": "other",
    }
    answer = auditor.post(at(there, "log/"), form)
    path = answer["Location"]
    locks = every_page(auditor, path, r">(10\d{4})</td>")
    assert locks == [str(100_000 + n) for n in range(MANY)]
    assert LookUp.objects.filter(site=there.site).count() == 1
    # A look-up is its maker's own, and of now.
    assert "100000" not in words(seat("auditor", there.site).get(path))
    LookUp.objects.filter(site=there.site).update(at=now - CASE_OPEN_S - 60)
    assert "100000" not in words(auditor.get(path))
    for nonsense in ("x", "-1", "9" * 40, ""):
        assert auditor.get(at(there, f"log/?look_up={nonsense}")).status_code == 200
