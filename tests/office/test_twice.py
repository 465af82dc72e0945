"""Nothing twice, nothing by accident: forms sent again, pages that have grown old, acts that are taken back."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, local
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connections

from central.actions.keys import block_key, break_key
from central.actions.sent_forms import ANSWER_KEPT_S, forget_sent_forms
from central.feed import change, change_and_sign
from central.models import Block, Key, Membership, OutOfOrder, Receipt, SentForm, Task
from central.office import once, seen
from tests.central.own_process import passed_on_postgresql, passed_on_sqlite
from tests.central.site import make_site
from tests.office.asking import at, words
from tests.office.visitors import World

EVERY_FORM = Path(__file__).with_name("every_form_twice.py")
SENT = re.compile(r"\d+ addresses, .*")


@pytest.fixture
def office(there: SimpleNamespace, seat: Any) -> Any:
    return seat("coordinator", there.site, there.one.unit)


def fields(page: Any, act: str) -> dict[str, str]:
    """The hidden fields of the form on the page that leads to that act."""
    (form,) = re.findall(rf'<form method="post" action="[^"]*{act}">(.*?)</form>', words(page), re.DOTALL)
    found = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form))
    return {name: value for name, value in found.items() if name != "csrfmiddlewaretoken"}


def test_a_reload_shows_the_same_pin_and_no_second_one(there: SimpleNamespace, office: Any) -> None:
    form = fields(office.get(at(there, "people/10/")), "people/10/pin/")
    first, again = (office.post(at(there, "people/10/pin/"), form) for _ in range(2))
    assert re.findall(r'id="pin">(\d+)<', words(first)) == re.findall(r'id="pin">(\d+)<', words(again)) != []
    assert Receipt.objects.filter(holder=there.one.own, kind="pin").count() == 1
    # What it was is not in the database, and is gone after a while.
    (pin,) = re.findall(r'id="pin">(\d+)<', words(first))
    sent = SentForm.objects.get(user=office.user)
    assert pin.encode() not in bytes(sent.answer or b"")
    forget_sent_forms(sent.at + ANSWER_KEPT_S + 1)
    assert office.post(at(there, "people/10/pin/"), form).status_code == 409
    assert Receipt.objects.filter(holder=there.one.own, kind="pin").count() == 1


def test_two_at_once_are_one(there: SimpleNamespace, office: Any) -> None:
    form = fields(office.get(at(there, "people/10/")), "people/10/pin/")
    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(lambda _: office.post(at(there, "people/10/pin/"), form), range(2)))
    assert len({re.findall(r'id="pin">(\d+)<', words(answer))[0] for answer in answers}) == 1
    assert Receipt.objects.filter(holder=there.one.own, kind="pin").count() == 1


def test_a_form_without_its_number_or_with_something_else_in_it_is_refused(there: SimpleNamespace, office: Any) -> None:
    assert office.post(at(there, "keys/100/block/"), {"form": ""}).status_code == 400
    form = {"form": once.new_number(), "given_name": "Åsa", "family_name": "Påhitt", "unit": there.one.unit.pk}
    path = at(there, "people/employee/")
    assert office.post(path, form).status_code == 422
    # What was not taken may be mended and sent again; what was taken may not be changed and sent again.
    assert office.post(path, form | {"category": 0}).status_code == 200
    assert office.post(path, form | {"category": 0, "given_name": "Ida"}).status_code == 409


def test_a_page_that_has_grown_old_is_refused_with_what_has_changed(
    there: SimpleNamespace, office: Any, seat: Any
) -> None:
    form = fields(office.get(at(there, "keys/100/")), "keys/100/take-back/")
    other = seat("site_administrator", there.site)
    other.user.first_name, other.user.last_name = "Karin", "Exempel"
    other.user.save()
    assert other.post(at(there, "keys/100/block/")).status_code == 302
    answer = office.post(at(there, "keys/100/take-back/"), form)
    assert answer.status_code == 409
    assert "Karin Exempel" in answer.text
    assert "blocked" in answer.text
    assert Key.objects.get(site=there.site, number=100).status == "blocked"


def test_what_another_has_done_already_is_said(there: SimpleNamespace, office: Any, seat: Any) -> None:
    part = World(there, make_site(2, pools=True)).there.one
    other = seat("site_administrator", there.site)
    other.user.first_name, other.user.last_name = "Karin", "Exempel"
    other.user.save()
    Membership.objects.create(user=other.user, role="section_manager", site=there.site, unit=part.unit)
    both = seat("coordinator", there.site, part.unit)
    Membership.objects.create(user=both.user, role="section_manager", site=there.site, unit=part.unit)
    page = both.get(at(there, "today/"))
    for act, what in (
        (f"tasks/{part.task.pk}/done/", "Task; done"), (f"tasks/{part.went_back.pk}/confirm/", "Task; done"),
        (f"receipts/{part.receipt.pk}/sign/", "Receipt; signed"),
    ):  # fmt: skip
        form = fields(page, act)
        assert other.post(at(there, act)).status_code == 302
        answer = both.post(at(there, act), form)
        assert answer.status_code == 409
        assert f"Karin Exempel: {what}" in answer.text
    pools = both.get(at(there, "pools/"))
    other.post(at(there, "keys/102/block/"))
    answer = both.post(at(there, "keys/102/lend/"), fields(pools, "keys/102/lend/") | {"person": "10"})
    assert answer.status_code == 409
    assert "Status: active → blocked" in answer.text


def test_a_station_put_out_of_order_or_into_use_meanwhile_is_a_change_of_it(
    there: SimpleNamespace, office: Any, seat: Any
) -> None:
    path = f"stations/{there.one.station.number}/"
    other = seat("site_administrator", there.site)
    other.user.first_name, other.user.last_name = "Karin", "Exempel"
    other.user.save()
    with change():
        # Silent already: its status stays as it was.
        there.one.station.status = "down"
        there.one.station.save()
    form = fields(office.get(at(there, path)), f"{path}out-of-order/")
    assert other.post(at(there, f"{path}out-of-order/"), {"note": "dark"}).status_code == 302
    answer = office.post(at(there, f"{path}out-of-order/"), form | {"note": "gone"})
    assert answer.status_code == 409
    assert "Karin Exempel: Out of order" in answer.text
    assert OutOfOrder.objects.get(station=there.one.station).note == "dark"
    form = fields(office.get(at(there, path)), f"{path}in-order/")
    assert other.post(at(there, f"{path}in-order/")).status_code == 302
    answer = office.post(at(there, f"{path}in-order/"), form)
    assert answer.status_code == 409
    assert "Karin Exempel: Out of order; taken away" in answer.text


@pytest.mark.parametrize(("act", "kind", "what"), [
    ("key", "handed_out", "Receipt: key handed out"), ("pin", "pin", "Receipt: PIN"),
])  # fmt: skip
def test_of_two_who_hand_out_at_once_the_second_is_told_of_the_first(
    there: SimpleNamespace, seat: Any, monkeypatch: pytest.MonkeyPatch, act: str, kind: str, what: str
) -> None:
    path = f"people/10/{act}/"
    break_key(there.one.keys[0])
    both = [seat("coordinator", there.site, there.one.unit) for _ in range(2)]
    # One after the other: the second has a page from before.
    forms = [fields(each.get(at(there, "people/10/")), path) for each in both]
    assert both[0].post(at(there, path), forms[0]).status_code == 200
    answer = both[1].post(at(there, path), forms[1])
    assert answer.status_code == 409
    assert f"{both[0].user}: {what}" in answer.text
    made = Receipt.objects.filter(holder=there.one.own, kind=kind)
    assert made.count() == 1
    # At the same moment: each has looked at what has changed before the other has done anything.
    forms = [fields(each.get(at(there, "people/10/")), path) for each in both]
    looked, check = Barrier(2), seen.check
    first = local()

    def check_together(mark: str) -> None:
        check(mark)
        if not hasattr(first, "done"):
            first.done = True
            looked.wait(timeout=20)

    def post(who: Any, form: dict[str, str]) -> Any:
        try:
            return who.post(at(there, path), form)
        finally:
            connections.close_all()

    monkeypatch.setattr(seen, "check", check_together)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(post, both, forms))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    (late,) = [answer for answer in answers if answer.status_code == 409]
    assert f": {what}" in late.text
    assert made.count() == 2


def test_a_block_is_taken_back(there: SimpleNamespace, office: Any) -> None:
    page = office.post(at(there, "keys/100/block/"), follow=True)
    undo = re.findall(r'action="/office/\d+/(undo/\d+/)"', words(page))[0]
    assert Task.objects.filter(holder=there.one.own, done_at=None).exists()
    assert "as it was" in words(office.post(at(there, undo), follow=True))
    assert Key.objects.get(site=there.site, number=100).status == "active"
    assert not Block.objects.filter(key__number=100, key__site=there.site, open=True).exists()
    assert not Task.objects.filter(holder=there.one.own, done_at=None).exists()
    # Once.
    assert "no more" in words(office.post(at(there, undo), follow=True))


def test_nobody_takes_back_what_has_changed_since_or_what_another_did(
    there: SimpleNamespace, office: Any, seat: Any
) -> None:
    page = office.post(at(there, "people/10/end/"), {"when": "now"}, follow=True)
    undo = re.findall(r'action="/office/\d+/(undo/\d+/)"', words(page))[0]
    other = seat("coordinator", there.site, there.one.unit)
    assert "no more" in words(other.post(at(there, undo), follow=True))
    holder = there.one.own
    holder.refresh_from_db()
    with change_and_sign():
        holder.given_name = "Ida"
        holder.save()
    assert office.post(at(there, undo)).status_code == 409
    holder.refresh_from_db()
    assert holder.status == "ended"
    block_key(there.one.keys[0])


@pytest.mark.slow
def test_every_form_sent_twice_acts_once() -> None:
    print(*SENT.findall(passed_on_sqlite(EVERY_FORM)))  # noqa: T201


@pytest.mark.nightly
def test_every_form_sent_twice_acts_once_on_postgresql() -> None:
    print(*SENT.findall(passed_on_postgresql(EVERY_FORM)))  # noqa: T201
