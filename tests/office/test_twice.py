"""Nothing twice, nothing by accident: forms sent again, pages that have grown old, acts that are taken back."""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, connections
from django.test import override_settings
from django.urls import resolve

from central.actions.keys import block_key
from central.actions.sent_forms import ANSWER_KEPT_S, forget_sent_forms
from central.doors.table import DOORS, Right
from central.models import Block, Key, Membership, Receipt, Role, SentForm, Task
from central.models.users import UNIT_ROLES
from central.office import once
from tests.central import postgresql
from tests.central.served import Served
from tests.central.site import make_site
from tests.office.asking import at, words
from tests.office.forms_of import Form, Page
from tests.office.visitors import World

NOT_COMPARED = re.compile(
    r"django_session|central_sentform|central_trycount|central_serverfact|central_accessperiod|sqlite_"
)
"""What is written about whoever comes, whatever they do; and what is forgotten if it ends in the second it began."""
NOT_ON_PAGES = {
    *("undo", "unlock", "sign", "lent_back", "found", "for_a_time_end", "employ_again", "pins_pause", "pins_cancel"),
    "user_shut",
}
"""Forms that are there only after something else: see the tests above, and those of keys, people, PINs and users."""


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


class Twin:
    """One of two sites alike, and somebody with every role there."""

    def __init__(self, part: SimpleNamespace, seat: Any) -> None:
        self.part = part
        self.office = seat("site_administrator", part.site)
        for role in set(Role) - {Role.SITE_ADMINISTRATOR}:
            unit = part.one.unit if role in UNIT_ROLES else None
            Membership.objects.create(user=self.office.user, role=role, site=part.site, unit=unit)

    def page(self, path: str) -> Page:
        answer = self.office.get(path)
        return Page(answer.text if answer.status_code == 200 else "", path)

    def send(self, form: Form) -> Any:
        """As often as it is called, the same."""
        return self.office.post(form.action, form.data())

    def send_at_once(self, form: Form) -> list[Any]:
        def send(_: int) -> Any:
            try:
                return self.send(form)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(2) as both:
            return list(both.map(send, range(2)))


def rows() -> dict[str, Any]:
    """Every table's number of rows, and a sum of what is in them."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if not NOT_COMPARED.match(table):
                cursor.execute(f'SELECT * FROM "{table}"')
                every = cursor.fetchall()
                found[table] = (len(every), sum(hash(repr(row)) for row in every))
    return found


def more(before: dict[str, Any], after: dict[str, Any]) -> dict[str, int]:
    return {table: after[table][0] - before[table][0] for table in after if after[table][0] != before[table][0]}


OF_A_KIND = 3
"""Pages looked at of each address: a permanent person and an hourly one, keys of all kinds, and the other unit's."""


def name_of(path: str) -> str:
    return str(resolve(path.partition("?")[0]).url_name)


def pages_of(twins: list[Twin]) -> list[tuple[list[str], list[Form]]]:
    """The addresses of the pages that links lead to, side by side, and the forms that the first one has."""
    acts = [f"people/several/?act={act}&who=11&who=20" for act in ("pins", "extend", "end")]
    found = [[at(twin.part, path) for twin in twins] for path in ("today/", *acts)]
    seen = {path for path, _twin in found}
    forms = []
    for pair in found:
        pages = [twin.page(path) for twin, path in zip(twins, pair, strict=True)]
        forms.append([form for form in pages[0].forms if form.method == "post"])
        for links in zip(*(page.links for page in pages), strict=True):
            name = name_of(links[0])
            if links[0] not in seen and f"/{twins[0].part.number}/" in links[0]:
                seen.add(links[0])
                if sum(name_of(path) == name for path, _twin in found) < OF_A_KIND:
                    found.append(list(links))
    return list(zip(found, forms, strict=True))


@dataclass
class Twice:
    """Sends each form of two sites alike: at one once, and after a reload; at the other twice at once, and again."""

    twins: list[Twin]
    taken: set[tuple[Any, ...]] = field(default_factory=set)
    wrong: list[Any] = field(default_factory=list)
    sent: int = 0

    def page(self, paths: list[str], *, is_dangerous: bool) -> None:
        """Each form of the page, on a page that is loaded anew for it."""
        seen: set[Any] = set()
        while True:
            both = [twin.page(path).forms for twin, path in zip(self.twins, paths, strict=True)]
            for forms in zip(*both, strict=True):
                act = _act_of(forms[0])
                if forms[0].method == "post" and forms[0].is_dangerous is is_dangerous and act not in self.taken | seen:
                    seen.add(act)
                    self.send(act, *forms)
                    break
            else:
                return

    def send(self, act: tuple[Any, ...], form: Form, twin_form: Form) -> None:
        """What is in the database afterwards is compared."""
        self.sent += 1
        one, two = self.twins
        looks = [rows()]
        answer = one.send(form)
        looks.append(rows())
        one.send(form)
        looks.append(rows())
        answers = two.send_at_once(twin_form)
        looks.append(rows())
        two.send(twin_form)
        looks.append(rows())
        once_, reloaded, at_once, again = (more(a, b) for a, b in pairwise(looks))
        if looks[1] != looks[2] or looks[3] != looks[4] or once_ != at_once:
            self.wrong.append((act, form.action, once_, reloaded, at_once, again, [answer, *answers]))
        if max(each.status_code for each in (answer, *answers)) < 400:
            self.taken.add(act)
        # A page that is the answer to a form may have a form of its own.
        if answer.status_code == answers[0].status_code == 200:
            for nested in zip(*(Page(each.text, form.action).forms for each in (answer, answers[0])), strict=True):
                if nested[0].method == "post" and "apply" in dict(nested[0].fields) | dict(
                    [nested[0].button or ("", "")]
                ):
                    self.send((*act, "apply"), *nested)


def _act_of(form: Form) -> tuple[Any, ...]:
    return name_of(form.action), form.button and form.button[0], form.fields.get("act", [""])[0]


@pytest.mark.slow
@override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"])
def test_every_form_sent_twice_acts_once(served: Served, seat: Any) -> None:
    world = World(make_site(2, pools=True), make_site(2, pools=True))
    twins = [Twin(part, seat) for part in (world.there, world.elsewhere)]
    twice = Twice(twins)
    pages = pages_of(twins)
    for is_dangerous in (False, True):
        for paths, forms in pages:
            if not any(form.is_dangerous is is_dangerous and _act_of(form) not in twice.taken for form in forms):
                continue
            twice.page(paths, is_dangerous=is_dangerous)
    assert not twice.wrong, "\n".join(map(str, twice.wrong))
    acts = {name.removeprefix("office:") for name, door in DOORS.items()
            if isinstance(door.who, Right) and "POST" in door.methods}  # fmt: skip
    never = acts - {act[0] for act in twice.taken}
    assert never <= NOT_ON_PAGES, f"never taken: {never - NOT_ON_PAGES}"
    assert twice.sent > len(acts) - len(NOT_ON_PAGES)


@pytest.mark.nightly
def test_every_form_sent_twice_acts_once_on_postgresql() -> None:
    this = f"{__file__}::test_every_form_sent_twice_acts_once"
    with postgresql.server() as database:
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", this]
        ran = subprocess.run(
            command,
            env=os.environ | {"DATABASE_URL": database.url()},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
    assert ran.returncode == 0, ran.stdout[-4000:]
    assert "1 passed" in ran.stdout
