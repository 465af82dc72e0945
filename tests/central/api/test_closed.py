"""A database that was restored: whatever a station asks, it is told to wait until the operator has opened it."""

import json
from collections.abc import Iterator

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from central.actions import restored
from central.api.application import api
from central.api.http import OF_NO_DATABASE
from central.api.polls import Poll, Waited, answers_of
from central.clock import unix_now
from central.feed.cursors import Cursor
from central.feed.pages import Asked
from central.models import ServerFact, Station
from tests.central.served import Caller

HOST = {"host": "localhost"}


@pytest.fixture
def closed(enrolled: Caller) -> Iterator[None]:
    assert enrolled.enrolled
    restored._thread.__dict__.clear()
    fact = ServerFact.objects.create(name=restored.RESTORED_AT, value=str(unix_now()))
    yield
    fact.delete()


def test_every_call_waits_whoever_asks_it(closed: None, enrolled: Caller) -> None:
    calls = [
        (path, method)
        for path, methods in json.loads(json.dumps(api.get_openapi_schema()))["paths"].items()
        for method in methods
        if path not in OF_NO_DATABASE
    ]
    assert len(calls) >= 8
    client = Client(headers=HOST | {"authorization": enrolled.http.headers["authorization"]})
    for path, method in (*calls, ("/api/v1/of_tomorrow", "get")):
        answer = client.generic(method.upper(), path, "{}", content_type="application/json")
        assert (answer.status_code, answer.json()["error"]) == (503, "restored"), path
        assert answer["Retry-After"]
    for path in OF_NO_DATABASE:
        assert client.get(path).status_code == 200


def test_a_poll_that_waited_is_told_the_same(closed: None, enrolled: Caller) -> None:
    station = Station.objects.select_related("site").get(site__number=enrolled.enrolled["site"])
    poll = Poll(Asked(station, b"n" * 16), Cursor("epoch", 1), 500, "token", takes_gzip=False)
    (answer,) = answers_of([Waited(poll, is_over=False)])
    assert getattr(answer, "status_code", None) == 503


def test_the_operator_sees_it_on_the_first_page(closed: None) -> None:
    client = Client(headers=HOST)
    client.force_login(get_user_model().objects.get(username="admin"))
    assert "Closed to stations" in client.get("/admin/").content.decode()
