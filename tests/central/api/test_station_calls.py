"""Time, certificates, provisioning, OpenAPI, health: against a real server."""

import os
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from django.test import Client

from central.actions.pins import give_pin
from central.doors import limits
from central.feed import change_and_sign
from central.models import Station
from station.records.base64url import decoded, encoded
from station.records.claims import StationCertificate, TimeAnswer
from station.records.envelope import verify
from station.records.pins import pin_tag
from tests.central.served import Caller, Served

CALLS = {
    ("get", "/api/v1/healthz"): {"200"},
    ("post", "/api/v1/enrol"): {"201", "400", "403", "410", "413", "429"},
    ("post", "/api/v1/time"): {"200", "400", "404", "413", "429"},
    ("get", "/api/v1/pin"): {"200", "401", "429"},
    ("get", "/api/v1/mirror/snapshot"): {"200", "400", "401", "429"},
    ("get", "/api/v1/mirror/changes"): {"200", "400", "401", "403", "410", "429"},
    ("post", "/api/v1/events"): {"200", "400", "401", "413", "429"},
    ("post", "/api/v1/provision"): {"200", "400", "401", "403", "409", "410", "413", "429"},
    ("post", "/api/v1/certificate"): {"200", "401", "409", "413", "429"},
}


def signers(caller: Caller) -> Any:
    return [decoded(key) for key in caller.enrolled["central_keys"]]


@pytest.fixture
def anybody(served: Served) -> Iterator[Caller]:
    """Somebody without a token."""
    with httpx.Client(base_url=f"{served.url}/api/v1", timeout=60) as http:
        yield Caller(http)


def test_the_time_is_signed_for_the_nonce_and_asks_for_no_token(
    site: SimpleNamespace, enrolled: Caller, anybody: Caller
) -> None:
    nonce = os.urandom(16)
    told = anybody.http.post("/time", json={"site": site.number, "nonce": encoded(nonce)}).json()
    assert set(told) == {"record", "central_keys"}
    answer = verify(TimeAnswer, decoded(told["record"]), signers(enrolled))
    assert answer.nonce == nonce
    assert abs(answer.issued - time.time()) < 10
    assert told["central_keys"] == []
    for wrong in ("", "AAAA", "!" * 22, 5, None):
        assert anybody.http.post("/time", json={"site": site.number, "nonce": wrong}).status_code == 400
    for number in (0, 65536, "1", None):
        assert anybody.http.post("/time", json={"site": number, "nonce": encoded(nonce)}).status_code == 400
    unknown = anybody.http.post("/time", json={"site": 65535, "nonce": encoded(nonce)})
    assert (unknown.status_code, unknown.json()["error"]) == (404, "unknown_site")


def test_who_asks_the_time_too_often_waits(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(REMOTE_ADDR="203.0.113.9", SERVER_NAME="localhost")
    now = limits._now_ms()
    # Else a try comes back while a slow machine asks.
    monkeypatch.setattr(limits, "_now_ms", lambda: now)
    body = {"site": 1, "nonce": "A" * 22}
    answers = [client.post("/api/v1/time", body, content_type="application/json") for _ in range(limits.TIME.burst + 1)]
    assert {answer.status_code for answer in answers[:-1]} == {200}
    assert (answers[-1].status_code, answers[-1]["Retry-After"]) == (429, "1")


def test_what_a_pin_is_tagged_with(site: SimpleNamespace, enrolled: Caller) -> None:
    told = enrolled.http.get("/pin").json()
    assert told == enrolled.enrolled["pin"]
    (pepper,) = told["peppers"]
    tag = pin_tag(give_pin(site.holder).pin.encode(), decoded(told["site_salt"]), decoded(pepper["pepper"]))
    site.holder.refresh_from_db()
    assert (bytes(site.holder.pin_tag), site.holder.pin_version) == (tag, pepper["version"])
    assert told["argon2"] == {"time": 2, "memory_kib": 19456, "lanes": 1}
    assert told["digits"] == 6


def test_as_many_digits_as_the_site_wants(site: SimpleNamespace, enrolled: Caller) -> None:
    with change_and_sign():
        site.site.pin_digits = 8
        site.site.save()
    assert len(give_pin(site.holder).pin) == 8
    assert enrolled.http.get("/pin").json()["digits"] == 8


def test_a_certificate_is_renewed_from_half_of_its_life_on_for_the_enrolled_key(
    site: SimpleNamespace, enrolled: Caller
) -> None:
    early = enrolled.http.post("/certificate")
    assert (early.status_code, early.json()["error"]) == (409, "too_early")
    now = int(time.time())
    Station.objects.filter(pk=site.station.pk).update(
        certificate_issued=now - 31 * 86400, certificate_expires=now + 29 * 86400
    )
    answer = enrolled.http.post("/certificate", json={"public_key": "A" * 43})
    assert answer.status_code == 200
    renewed = verify(StationCertificate, decoded(answer.json()["certificate"]), signers(enrolled))
    assert renewed.public_key == enrolled.key.public
    assert renewed.expires >= now + 60 * 86400
    assert enrolled.http.post("/certificate").status_code == 409


def test_the_openapi_document_lists_every_call_with_its_answers(served: Served) -> None:
    document = httpx.get(f"{served.url}/api/v1/openapi.json").json()
    listed = {
        (method, path): set(call["responses"])
        for path, calls in document["paths"].items()
        for method, call in calls.items()
    }
    assert listed == {call: answers | {"503"} for call, answers in CALLS.items()}


def test_health_and_unknown_calls(served: Served, caller: Caller) -> None:
    assert caller.http.get("/healthz").json() == {"status": "ok"}
    assert httpx.get(f"{served.url}/healthz").json() == {"status": "ok"}
    for method, path, status in (("GET", "/nothing", 404), ("GET", "/enrol", 405), ("DELETE", "/mirror/snapshot", 405)):
        answer = caller.http.request(method, path)
        assert answer.status_code == status
        assert set(answer.json()) == {"error", "detail"}
