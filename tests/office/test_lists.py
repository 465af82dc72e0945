"""Lists: sorted by their columns, cut down, remembered; one act on several people; quick at 5,000."""

import re
import time
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from central.feed import change_and_sign
from central.models import Holder, Key, Lock, Receipt
from tests.office.asking import at, words

MANY = 5000
QUERIES_LIMIT = 40
"""Of a page, whatever the number of rows."""
LIMIT_S = 3.0
"""Generous: the machine may be busy. A page takes a tenth of it (500 ms are wanted)."""


@pytest.fixture
def office(there: SimpleNamespace, seat: Any) -> Any:
    return seat("site_administrator", there.site)


def people_of(page: Any) -> list[str]:
    return re.findall(r'<td><a href="[^"]*/people/\d+/">([^<]*)</a>', words(page))


def named(there: SimpleNamespace, *names: str) -> None:
    with change_and_sign():
        for number, name in enumerate(names, 50):
            holder = Holder(site=there.site, number=number, given_name=name, family_name="Påhitt", category=0,
                            unit=there.one.unit)  # fmt: skip
            holder.save()


def test_a_column_sorts_as_the_reader_expects(there: SimpleNamespace, office: Any) -> None:
    named(there, "Örjan", "åsa", "Ärla", "Bo")
    office.get(at(there, "people/?unit=1&q=påhitt"))
    answers = {}
    for language in ("sv", "da", "en"):
        office.cookies["django_language"] = language
        page = office.get(at(there, "people/?q=påhitt"))
        assert re.search(r'aria-sort="ascending"><a href="\?q=[^"]*sort=-person">', words(page))
        answers[language] = [name.removesuffix(" Påhitt") for name in people_of(page)]
    assert answers.pop("en") == ["Ärla", "åsa", "Bo", "Örjan"]
    assert answers == {"sv": ["Bo", "åsa", "Ärla", "Örjan"], "da": ["Bo", "Ärla", "Örjan", "åsa"]}
    down = people_of(office.get(at(there, "people/?q=påhitt&sort=-number")))
    assert [name.removesuffix(" Påhitt") for name in down] == ["Bo", "Ärla", "åsa", "Örjan"]


def test_sort_and_filters_are_remembered_until_all(there: SimpleNamespace, office: Any, seat: Any) -> None:
    every = people_of(office.get(at(there, "people/")))
    chosen = people_of(office.get(at(there, "people/?unit=2&status=active&sort=-person")))
    assert chosen == ["Tim Test 2", "Eva Exempel 2"]
    assert people_of(office.get(at(there, "people/"))) == chosen
    # What is searched for is not.
    assert people_of(office.get(at(there, "people/?q=Exempel"))) == ["Eva Exempel 1", "Eva Exempel 2"]
    assert people_of(office.get(at(there, "people/"))) == chosen
    # Another list and another person have their own.
    assert words(office.get(at(there, "keys/"))).count("/keys/1") > 0
    assert people_of(seat("site_administrator", there.site).get(at(there, "people/"))) == every
    assert people_of(office.get(at(there, "people/?all=1"))) == every
    assert people_of(office.get(at(there, "people/"))) == every
    for nonsense in ("unit=x", "unit=77", "status=%00", "sort=password", "sort=--person", "unit=" + "9" * 400):
        assert len(people_of(office.get(at(there, f"people/?{nonsense}")))) == len(every)


@pytest.mark.parametrize("name", ["people", "keys", "pools", "stations", "users", "locks"])
def test_every_head_leads_to_a_list(there: SimpleNamespace, office: Any, name: str) -> None:
    page = words(office.get(at(there, f"{name}/")))
    heads = re.findall(r'<th scope="col"[^>]*><a href="(\?[^"]+)">', page)
    assert len(heads) > 1
    for head in heads:
        again = words(office.get(at(there, f"{name}/") + head.replace("&amp;", "&")))
        assert again.count("aria-sort=") == 1
        assert again.count("<tr") == page.count("<tr")


def several(office: Any, there: SimpleNamespace, act: str, *who: int, **more: Any) -> Any:
    return office.post(at(there, "people/several/"), {"act": act, "who": who, **more}, follow=True)


def test_several_are_named_before_anything_is_done(there: SimpleNamespace, office: Any) -> None:
    page = words(office.get(at(there, "people/several/?act=end&who=10&who=21")))
    assert "Eva Exempel 1" in page
    assert "Tim Test 2" in page
    assert "open nothing" in page
    assert Holder.objects.filter(site=there.site, status="active").count() == 4
    assert "Say which day" in words(several(office, there, "end", 10, when="after"))
    said = words(several(office, there, "end", 10, 21, when="now"))
    assert "Done for Eva Exempel 1, Tim Test 2." in said
    assert set(Holder.objects.filter(site=there.site, status="ended").values_list("number", flat=True)) == {10, 21}
    # Whoever has left is named, and left out.
    assert "Not for these" in words(office.get(at(there, "people/several/?act=end&who=10&who=11")))
    for nothing in ("", "?act=end", "?act=x&who=10", "?act=end&who=x"):
        assert "Tick people" in words(office.get(at(there, f"people/several/{nothing}"), follow=True))


def test_several_get_new_pins_a_later_day_and_their_receipts(there: SimpleNamespace, office: Any) -> None:
    slips = words(several(office, there, "pins", 10, 11))
    assert len(set(re.findall(r"PIN <code[^>]*>(\d{6})<", slips))) == 2
    assert Receipt.objects.filter(site=there.site, kind="pin").count() == 2
    with change_and_sign():
        there.one.own.refresh_from_db()
        there.one.own.employment_ends = there.site.today()
        there.one.own.save()
    assert "That day is over" in words(several(office, there, "extend", 10, last_day="2020-01-01"))
    said = words(several(office, there, "extend", 10, 11, last_day="2031-01-31"))
    assert "Done for Eva Exempel 1." in said
    assert "no last day: Tim Test 1" in said
    there.one.own.refresh_from_db()
    assert there.one.own.employment_ends.isoformat() == "2031-01-31"
    Receipt.objects.create(site=there.site, unit=there.one.unit, kind="handed_out", key=there.one.keys[0],
                           holder=there.one.own, made_at=int(time.time()), made_by="Karin")  # fmt: skip
    again = words(office.get(at(there, "people/several/?act=slips&who=10&who=11")))
    assert again.count('class="one-slip') == 1
    assert "PIN <code" not in again


def test_several_move_with_their_keys(there: SimpleNamespace, office: Any, seat: Any) -> None:
    two = there.two.unit
    page = words(office.get(at(there, "people/several/?act=move&who=10&who=20")))
    assert "is handed in, here and now" in page
    said = words(several(office, there, "move", 10, 11, 20, unit=two.pk, opens="new", key="along"))
    assert "Done for Eva Exempel 1, Tim Test 1." in said
    assert "there already: Eva Exempel 2." in said
    assert Holder.objects.filter(site=there.site, unit=two).count() == 4
    assert Key.objects.get(site=there.site, number=100).unit == two
    # Whose key is handed in has none that goes along.
    said = words(several(office, there, "move", 10, unit=there.one.unit.pk, opens="keep", key="back"))
    assert "Keys handed in: 100" in said
    assert Key.objects.get(site=there.site, number=100).status == "returned"
    # Whoever is in a closed unit moves to no other's, with whomever they are ticked.
    with change_and_sign():
        two.refresh_from_db()
        two.closed = True
        two.save()
    mine = seat("coordinator", there.site, two)
    assert f'value="{there.one.unit.pk}"' not in words(mine.get(at(there, "people/several/?act=move&who=11&who=20")))


def test_nobody_acts_on_others(there: SimpleNamespace, seat: Any) -> None:
    mine = seat("coordinator", there.site, there.one.unit)
    assert "Exempel 2" not in words(several(mine, there, "end", 20, when="now"))
    assert Holder.objects.get(site=there.site, number=20).status == "active"
    assert several(seat("section_manager", there.site, there.one.unit), there, "pins", 10).status_code == 403


@pytest.mark.usefixtures("nothing_stays")
def test_a_page_of_five_thousand_is_quick(there: SimpleNamespace, office: Any) -> None:
    unit = there.one.unit
    names = ["Åsa", "Ärla", "Örjan", "Bo", "Eva", "Ægir", "Søren", "Zoë"]
    holders = Holder.objects.bulk_create(
        Holder(site=there.site, number=1000 + n, given_name=names[n % 8], family_name=f"Mängd{n * 7919 % MANY}",
               category=0, unit=unit)
        for n in range(MANY)
    )  # fmt: skip
    Key.objects.bulk_create(
        Key(site=there.site, number=1000 + n, kind=0, unit=unit, holder=holder, status="active")
        for n, holder in enumerate(holders)
    )
    Lock.objects.bulk_create(Lock(site=there.site, number=1000 + n, area=there.area) for n in range(MANY))
    slow = {}
    for path in ("people/", "people/?sort=-unit&page=30", "keys/?sort=person", "locks/", "pools/", "stations/",
                 "users/", "search/?q=asa", "people/?q=mangd77"):  # fmt: skip
        began = time.perf_counter()
        with CaptureQueriesContext(
            connection,
        ) as asked:
            words(office.get(at(there, path)))
        slow[path] = (round(time.perf_counter() - began, 3), len(asked))
    assert all(took < LIMIT_S and queries <= QUERIES_LIMIT for took, queries in slow.values()), slow
