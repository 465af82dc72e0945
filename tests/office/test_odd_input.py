"""What nobody means to send is answered like any other mistake: no page ends in an error of the server."""

from itertools import product
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client, RequestFactory
from django.views.defaults import server_error

from central.actions.csv_import import plan
from central.models import Holder, LookUp, OutOfOrder
from tests.central.site import make_site
from tests.office.asking import at, import_lines, words
from tests.office.every_form import SampleSite, act_of, pages_of
from tests.office.visitors import World

LONG = "9" * 5000
ODD = (LONG, "🔑" * 300, "Eva\u202e", "a\0b", "0000-00-00", "9999-12-31", "٣", "-1", "")


@pytest.mark.parametrize("number", ["9" * 20, LONG, "²", "٣"])
def test_numbers_that_are_none(there: SimpleNamespace, seat: Any, number: str) -> None:
    client = seat("site_administrator", there.site)
    for path, name in (("keys/", "q"), ("people/", "q"), ("locks/", "lock")):
        assert client.get(at(there, path), {name: number}).status_code == 200, path
    hourly = there.one.hourly
    before = set(hourly.permissions.values_list("unit", flat=True))
    posted = client.post(at(there, f"people/{hourly.number}/units/"), {"units": [number, *map(str, before)]})
    assert posted.status_code == 302
    assert set(hourly.permissions.values_list("unit", flat=True)) == before
    assert client.post(at(there, "pins/renew/"), {"unit": number}).status_code == 302
    assert client.post(at(there, "keys/100/broken/"), {"emergency": number}).status_code == 302


@pytest.mark.parametrize(
    "one_by_one", [pytest.param(False, marks=pytest.mark.slow), pytest.param(True, marks=pytest.mark.nightly)]
)
def test_whatever_is_typed_into_any_form(there: SimpleNamespace, seat: Any, *, one_by_one: bool) -> None:
    """Taken or refused, on a page; nothing gets into the database that PostgreSQL would not take."""
    sample = SampleSite(World(there, make_site(2, pools=True)).there, seat)
    sample.office.raise_request_exception = False
    forms = {(form.method, *act_of(form)): form for _path, forms in pages_of(sample) for form in forms}
    wrong: list[Any] = []

    def look(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if any(isinstance(each, str) and "\0" in each for each in params or ()):
            wrong.append(f"NUL: {sql}")
        return execute(sql, params, many, context)

    for form in forms.values():
        names = [*(name for name in form.fields if name != "form"), *form.files]
        ways = [{name: odd} for name, odd in product(names, ODD)]
        if not one_by_one:
            ways = [{name: ODD[(at + first) % len(ODD)] for at, name in enumerate(names)} for first in range(3)]
        for way in ways:
            told: dict[str, Any] = {name: [odd] for name, odd in way.items() if name not in form.files}
            told |= {name: SimpleUploadedFile("odd", odd.encode()) for name, odd in way.items() if name in form.files}
            send = sample.office.post if form.method == "post" else sample.office.get
            with transaction.atomic(), connection.execute_wrapper(look):
                answer = send(form.action, form.data() | {"form": uuid4().hex} | told)
                transaction.set_rollback(True)
            if answer.status_code not in (200, 302, 404, 409, 422):
                wrong.append((form.action, {name: odd[:20] for name, odd in way.items()}, answer))
    assert not wrong


@pytest.mark.parametrize("days", [("0001-01-01", "0001-01-01"), ("0001-01-01", "9999-12-31"), ("9999-12-31",) * 2])
def test_a_window_of_the_log_without_bounds(there: SimpleNamespace, seat: Any, days: tuple[str, str]) -> None:
    form = {
        "about": "lock",
        "q": "101",
        "since": days[0],
        "until": days[1],
        "reason": "Complaint 79",
        "cause": "other",
    }
    assert "Complaint 79" in words(seat("auditor", there.site).post(at(there, "log/"), form, follow=True))


def test_the_last_day_of_the_calendar_is_no_end(there: SimpleNamespace, seat: Any) -> None:
    client = seat("coordinator", there.site, there.one.unit)
    form = {"given_name": "Ewa", "family_name": "Evig", "unit": there.one.unit.pk, "category": 0}
    words(client.post(at(there, "people/employee/"), form | {"employment_ends": "9999-12-31"}))
    assert Holder.objects.get(site=there.site, given_name="Ewa").permits.count() == 1
    assert client.post(at(there, "people/10/end/"), {"when": "after", "last_day": "9999-12-31"}).status_code == 302
    assert there.one.own.permits.count() == 1


def test_names_that_no_screen_can_show(there: SimpleNamespace, seat: Any) -> None:
    client = seat("site_administrator", there.site)
    form = {"family_name": "Exempel 3", "unit": there.one.unit.pk, "category": 0}
    for name in ("Eva\x1b[2J", "Eva\u202e", "Eva\x07"):
        assert "errorlist" in words(client.post(at(there, "people/employee/"), form | {"given_name": name}))
        head = "number,given_name,family_name,category,unit,employment_ends\n"
        (line,) = plan(there.site, "staff", f'{head}90,"{name}",Exempel,permanent,1,\n')
        assert line.problem == "given_name"
    words(client.post(at(there, "people/employee/"), form | {"given_name": "Eva\xa0 \nLisa"}))
    assert Holder.objects.get(site=there.site, family_name="Exempel 3").given_name == "Eva Lisa"


def test_a_file_as_large_as_is_allowed_is_applied(there: SimpleNamespace, seat: Any) -> None:
    """What the browser sends along stays below what a form may have, also when every letter takes six characters."""

    client = seat("site_administrator", there.site)
    lines = "number,area,unit\n" + "åäöåäö,2,\n" * 500 + "ö" * 240_000
    shown = words(client.post(at(there, "import/"), {"kind": "locks", "file": SimpleUploadedFile("a", lines.encode())}))
    assert 'enctype="multipart/form-data"' in shown.partition('id="apply"')[0].rpartition("<form")[2]
    assert import_lines(client, there, "locks", lines).status_code == 302


@pytest.mark.parametrize(
    ("language", "words_of_it"),
    [
        ("sv", ("Inte tillåtet", "Finns inte")),
        ("da", ("Ikke tilladt", "Findes ikke")),
        ("nb", ("Ikke tillatt", "Finnes ikke")),
        ("fi", ("Ei sallittu", "Ei löydy")),
        ("en", ("Not allowed", "Not found")),
    ],
)
def test_refusals_are_pages_in_the_user_s_language(
    there: SimpleNamespace, seat: Any, language: str, words_of_it: tuple[str, str]
) -> None:
    client = seat("coordinator", there.site, there.one.unit)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = language
    forbidden, nowhere = words_of_it
    for path, status, heading in (
        ("import/", 403, forbidden), ("people/99/", 404, nowhere), ("keys/100/block/", 405, nowhere),
    ):  # fmt: skip
        answer = client.get(at(there, path))
        assert answer.status_code == status
        assert f"<h1>{heading}</h1>" in answer.content.decode()
        assert 'href="/office/"' in answer.content.decode()
    careful = Client(enforce_csrf_checks=True, headers={"host": "localhost", "accept-language": language})
    careful.force_login(client.user)
    answer = careful.post(at(there, "keys/100/block/"))
    assert answer.status_code == 403
    assert f'<html lang="{language}">' in answer.content.decode()


def test_an_error_of_the_server_is_a_page_too(there: SimpleNamespace) -> None:
    answer = server_error(RequestFactory().get("/office/"))
    assert answer.status_code == 500
    assert "<h1>An error</h1>" in answer.content.decode()


@pytest.mark.parametrize(
    ("posted_to", "looked_at", "back_at"),
    [
        ("keys/100/block/", "keys/100/", "keys/100/"),
        ("keys/100/block/", "keys/?q=1", "keys/?q=1"),
        ("keys/100/block/", "people/10/pin/", ""),
        ("keys/100/block/", None, ""),
        ("keys/100/block/", "https://elsewhere.example/office/1/keys/100/", ""),
    ],
)
def test_what_was_posted_after_the_session_s_end_is_not_done_and_said(
    there: SimpleNamespace, seat: Any, posted_to: str, looked_at: str | None, back_at: str
) -> None:
    client = seat("coordinator", there.site, there.one.unit)
    client.logout()
    before = looked_at if looked_at is None or "//" in looked_at else f"http://localhost{at(there, looked_at)}"
    answer = client.post(at(there, posted_to), headers={"referer": before} if before else {})
    assert answer.status_code == 302
    there.one.keys[0].refresh_from_db()
    assert there.one.keys[0].status == "active"
    login = urlsplit(answer["Location"])
    assert login.path == "/office/login/"
    assert parse_qs(login.query)["next"] == [at(there, back_at)]
    assert "Not done" in words(client.get(answer["Location"]))
    client.force_login(client.user)
    assert client.get(at(there, back_at), follow=True).status_code == 200


def test_the_dry_run_has_the_file_s_own_words(there: SimpleNamespace) -> None:
    head = "number,given_name,family_name,category,unit,employment_ends\n"
    new, changed = plan(there.site, "staff", f"{head}90,Eva,Exempel,hourly,1,\n10,Eva,Exempel 1,long_term,1,\n")
    assert ("category", "", "hourly") in new.changes
    assert changed.changes == [("category", "permanent", "long_term")]


def test_days_that_make_no_sense_are_told(there: SimpleNamespace, seat: Any) -> None:
    form: dict[str, Any] = {
        "about": "lock",
        "q": "101",
        "since": "2030-02-01",
        "until": "2030-01-01",
        "reason": "Complaint 80",
        "cause": "other",
    }
    assert "after the last" in words(seat("auditor", there.site).post(at(there, "log/"), form))
    assert not LookUp.objects.filter(site=there.site).exists()
    client = seat("coordinator", there.site, there.one.unit)
    form = {"given_name": "Ewa", "family_name": "Förbi", "unit": there.one.unit.pk, "category": 0}
    late = words(client.post(at(there, "people/employee/"), form | {"employment_ends": "2020-01-01"}))
    assert "That day is over." in late
    assert not Holder.objects.filter(site=there.site, given_name="Ewa").exists()


def test_a_note_is_text_that_every_database_takes(there: SimpleNamespace, seat: Any) -> None:
    client = seat("site_administrator", there.site)
    client.post(at(there, "stations/1/out-of-order/"), {"note": "mörk\0 skärm\x1b[2J" + "x" * 300})
    note = OutOfOrder.objects.get(station=there.one.station).note
    assert note.startswith("mörk skärm[2Jx")
    assert len(note) == 200
