"""Nothing twice, nothing by accident: forms sent again, pages that have grown old, acts that are taken back."""

import re
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from central.actions.keys import block_key
from central.actions.sent_forms import ANSWER_KEPT_S, forget_sent_forms
from central.models import Block, Key, Receipt, SentForm, Task
from central.office import once
from tests.office.asking import at, words


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
    from central.feed import change_and_sign

    with change_and_sign():
        holder.given_name = "Ida"
        holder.save()
    assert office.post(at(there, undo)).status_code == 409
    holder.refresh_from_db()
    assert holder.status == "ended"
    block_key(there.one.keys[0])
