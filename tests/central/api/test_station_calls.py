"""Time, certificates, provisioning, OpenAPI, health: against a real server."""

import os
import time
from base64 import urlsafe_b64encode
from types import SimpleNamespace
from typing import Any

import httpx

from central.models import Station
from station.records.base64url import decoded
from station.records.claims import StationCertificate, TimeAnswer
from station.records.envelope import verify
from tests.central.served import Caller, Served

CALLS = {
    ("get", "/api/v1/healthz"): {"200"},
    ("post", "/api/v1/enrol"): {"201", "400", "403", "410", "413", "429"},
    ("post", "/api/v1/time"): {"200", "400", "401", "413", "429"},
    ("get", "/api/v1/mirror/snapshot"): {"200", "401", "429"},
    ("get", "/api/v1/mirror/changes"): {"200", "304", "400", "401", "410", "429"},
    ("post", "/api/v1/events"): {"200", "400", "401", "413", "429"},
    ("post", "/api/v1/provision"): {"200", "400", "401", "403", "409", "410", "413", "429"},
    ("post", "/api/v1/certificate"): {"200", "401", "409", "413", "429"},
}


def signers(caller: Caller) -> Any:
    return [decoded(key) for key in caller.enrolled["central_keys"]]


def test_time_is_signed_for_the_nonce(enrolled: Caller) -> None:
    nonce = os.urandom(16)
    body = {"nonce": urlsafe_b64encode(nonce).decode().rstrip("=")}
    record = decoded(enrolled.http.post("/time", json=body).json()["record"])
    answer = verify(TimeAnswer, record, signers(enrolled))
    assert answer.nonce == nonce
    assert abs(answer.issued - time.time()) < 10
    for wrong in ("", "AAAA", "!" * 22, 5, None):
        assert enrolled.http.post("/time", json={"nonce": wrong}).status_code == 400


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
    assert listed == CALLS


def test_health_and_unknown_calls(served: Served, caller: Caller) -> None:
    assert caller.http.get("/healthz").json() == {"status": "ok"}
    assert httpx.get(f"{served.url}/healthz").json() == {"status": "ok"}
    for method, path, status in (("GET", "/nothing", 404), ("GET", "/enrol", 405), ("DELETE", "/mirror/snapshot", 405)):
        answer = caller.http.request(method, path)
        assert answer.status_code == status
        assert set(answer.json()) == {"error", "detail"}
