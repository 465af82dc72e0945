"""Guessing is slow, right tokens always get in, sessions end, pages have their headers, settings are fit to deploy."""

import gzip
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count, cycle
from types import SimpleNamespace
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.contrib.auth import get_user_model
from django.db import OperationalError, connection
from django.test import Client, override_settings

from central.actions.codes import new_enrolment_code
from central.actions.keys import block_key
from central.actions.stations import revoke_station
from central.doors import limits
from central.doors.limits import Limit
from central.doors.sessions import NOTED_EVERY_S, SEEN
from central.models import BlockReached, Membership, PasswordToChange, StationHealth, TryCount
from station.records.base64url import encoded
from station.records.keys import SigningKey
from station.records.proofs import enrolment_proof
from tests.central.served import Caller, Served

NONCE = "A" * 22


@pytest.fixture
def client(served: Served, monkeypatch: pytest.MonkeyPatch) -> Any:
    TryCount.objects.all().delete()
    # Else a try comes back while a slow machine asks.
    now = limits._now_ms()
    monkeypatch.setattr(limits, "_now_ms", lambda: now)
    return Client(REMOTE_ADDR="203.0.113.7", SERVER_NAME="localhost")


@pytest.fixture
def person(served: Served) -> Iterator[Any]:
    # It is about how often, not about how well a password is kept: Argon2id takes a second on a busy machine.
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        user, _ = get_user_model().objects.get_or_create(username="vera.exempel", is_staff=True, is_superuser=True)
        user.set_password("ett-långt-lösenord")
        user.save()
        # As chosen by herself.
        PasswordToChange.objects.filter(user=user).delete()
        yield user
        user.delete()


def slowed(ask: Callable[[], Any]) -> Any:
    """The first answer that tells to wait; until then all are alike."""

    first = ask().status_code
    assert first != 429
    for _ in range(300):
        answer = ask()
        if answer.status_code == 429:
            assert int(answer["Retry-After"]) >= 1
            return first
        assert answer.status_code == first
    raise AssertionError("never slowed down")


def test_a_bucket_empties_and_fills_again(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_800_000_000_000
    monkeypatch.setattr(limits, "_now_ms", lambda: now)
    limit = Limit("test", 30, 2)
    assert [limits.count_try(limit, "a") for _ in range(30)] == [0] * 30
    assert (limits.count_try(limit, "a"), limits.wait_s(limit, "a"), limits.wait_s(limit, "b")) == (2, 2, 0)
    now += 2000
    assert limits.count_try(limit, "a") == 0
    assert limits.count_try(limit, "a") > 0
    limits.give_back(limit, "a")
    assert limits.count_try(limit, "a") == 0
    now += 1_000_000
    assert [limits.count_try(limit, "a") for _ in range(31)] == [0] * 30 + [2], "never more than the burst"
    limits.forget_full_buckets()
    assert limits.wait_s(limit, "a") == 2
    now += 60_000
    limits.forget_full_buckets()
    assert not TryCount.objects.filter(bucket__startswith="test:").exists()


def test_what_one_limit_refuses_counts_under_none(served: Served) -> None:
    full, other = Limit("full", 1, 3600), Limit("other", 1, 3600)
    assert limits.count_all([(full, "x")]) == 0
    assert limits.count_all([(other, "x"), (full, "x")]) > 0
    assert limits.count_all([(other, "x")]) == 0


def proven(code: str, key: SigningKey) -> dict[str, str]:
    """The body of an enrolment."""
    return {"code": code, "public_key": encoded(key.public), "proof": encoded(enrolment_proof(code, key))}


def test_wrong_tokens_are_slowed_down_and_the_right_one_is_not(
    site: SimpleNamespace, enrolled: Caller, client: Any
) -> None:
    def ask(token: Any) -> Any:
        return client.get(f"/api/v1/mirror/snapshot?nonce={NONCE}", headers={"Authorization": f"Bearer {token}"})

    assert slowed(lambda: ask("guess")) == 401
    right = ask(enrolled.enrolled["token"])
    assert right.status_code == 200
    b"".join(right)
    # Nor are right codes from behind the same address.
    body = proven(new_enrolment_code(site.station), SigningKey.generate())
    assert client.post("/api/v1/enrol", body, content_type="application/json").status_code == 201


def test_codes_are_not_guessed_from_one_address(site: SimpleNamespace, client: Any) -> None:
    code, key = new_enrolment_code(site.station), SigningKey.generate()

    def post(shown: Any, **other: Any) -> Any:
        return client.post("/api/v1/enrol", proven(shown, key) | other, content_type="application/json")

    numbers = count()
    assert slowed(lambda: post(f"{next(numbers):04d}-0000000000")) == 403
    assert post(code).status_code == 429
    TryCount.objects.all().delete()
    # A proof that is none counts against the address, too.
    assert slowed(lambda: post(code, proof=encoded(bytes(64)))) == 403
    TryCount.objects.all().delete()
    assert post(code).status_code == 201


def test_a_replayed_code_is_refused_and_slowed_down(site: SimpleNamespace, enrolled: Caller, client: Any) -> None:
    code = new_enrolment_code(site.station)
    assert enrolled.enrol(code).status_code == 201
    other = SigningKey.generate()

    def replay() -> Any:
        return client.post("/api/v1/enrol", proven(code, other), content_type="application/json")

    assert slowed(replay) == 410


def test_gzip_bombs_are_refused_and_slowed_down(enrolled: Caller, client: Any) -> None:
    bomb = gzip.compress(b" " * 3_000_000)
    headers = {"Authorization": f"Bearer {enrolled.enrolled['token']}", "Content-Encoding": "gzip"}

    def send(body: bytes = bomb) -> Any:
        return client.post("/api/v1/events", body, content_type="application/json", headers=headers)

    assert slowed(send) == 413
    # What is right is still taken, from the same address.
    assert send(gzip.compress(b'{"events": []}')).status_code == 400
    del headers["Content-Encoding"]
    assert client.get(f"/api/v1/mirror/snapshot?nonce={NONCE}", headers=headers).status_code == 200


def test_a_database_that_is_away_is_503_wherever_it_is_missed(client: Any) -> None:
    """Also outside the calls themselves: where a body is counted, and where a browser's cookie is looked at."""

    def away(*_: Any) -> Any:
        raise OperationalError("away")

    client.raise_request_exception = False
    client.cookies["sessionid"] = "a" * 32
    with connection.execute_wrapper(away):
        unreadable = client.post("/api/v1/time", b"x", content_type="a/b", headers={"Content-Encoding": "br"})
        for answer in (unreadable, client.get("/api/v1/healthz"), client.get("/api/v1/pin")):
            assert (answer.status_code, answer.json()["error"]) == (503, "unavailable")
            assert int(answer["Retry-After"]) > 0


def test_another_sites_pages_are_refused_and_slowed_down(site: SimpleNamespace, client: Any, person: Any) -> None:
    Membership.objects.create(user=person, role="site_administrator", site=site.site)
    client.force_login(person)
    numbers = cycle((1, 60_000, 60_001))
    assert slowed(lambda: client.get(f"/office/{next(numbers)}/keys/")) == 404
    assert client.get(f"/office/{site.site.number}/keys/").status_code == 200


def test_pages_have_their_headers(client: Any, person: Any) -> None:
    client.force_login(person)
    answer = client.get("/admin/")
    assert "default-src 'self'" in answer["Content-Security-Policy"]
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert "no-store" in answer["Cache-Control"]
    session = client.session
    session[SEEN] -= NOTED_EVERY_S
    session.save()
    cookie = client.get("/admin/").cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Strict", "")


def test_a_form_without_its_token_is_refused(served: Served, person: Any) -> None:
    strict = Client(enforce_csrf_checks=True, SERVER_NAME="localhost")
    strict.force_login(person)
    assert strict.post("/admin/central/unit/add/", {"name": "x"}).status_code == 403


@pytest.mark.slow
def test_the_settings_are_fit_to_deploy(served: Served) -> None:
    command = [sys.executable, "-m", "central.cli", "manage", "--data", str(served.data)]
    done = subprocess.run(
        [*command, "check", "--deploy", "--fail-level", "DEBUG"],
        env=os.environ | {"CENTRAL_TLS": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_what_the_api_changes_is_in_the_audit_log(site: SimpleNamespace, enrolled: Caller) -> None:
    enrolled.reported({"type": "key_locked_out", "key": 100, "at": 1_790_000_000})
    entry = LogEntry.objects.get_for_object(site.key).first()
    assert entry is not None
    assert entry.changes == {"locked_at": ["None", "1790000000"]}
    assert entry.additional_data == {"station": 1}


def test_how_a_station_is_doing(site: SimpleNamespace, enrolled: Caller) -> None:
    cursor = enrolled.snapshot()["cursor"]
    enrolled.changes(cursor)
    enrolled.reported(
        {"type": "station_restarted", "at": 1_790_000_000, "clock": 1, "data": {"reason": "chord"}},
        {"type": "config_rejected", "at": 1_790_000_001, "clock": 1},
        {"type": "config_applied", "at": 1_790_000_002, "clock": 1, "data": {"version": "ab12"}},
    )
    health: Any = StationHealth.objects.get(station=site.station)
    assert (health.clock, health.config_version, health.config_rejected_at) == (1, "ab12", None)
    assert (health.restarted_at, health.restart_reason) == (1_790_000_000, "chord")
    assert health.events_behind_s is not None
    report = "outbox=17, mirror=95, clock=0, config=3fa2b1c4d5e6"
    asked = {"since": cursor, "nonce": NONCE}
    enrolled.http.get("/mirror/changes", params=asked, headers={"Station-Health": report})
    health.refresh_from_db()
    assert (health.outbox, health.clock, health.config_version) == (17, 0, "3fa2b1c4d5e6")
    assert (health.mirror_at or 0) - (health.mirror_confirmed_at or 0) == 95
    for nonsense in ("", "outbox=-1", "outbox=" + "9" * 30, "x" * 4000, "clock=7, =, outbox", "config=<b>"):
        header = {"Station-Health": nonsense + ", clock=1"}
        assert enrolled.http.get("/mirror/changes", params=asked, headers=header).status_code == 200
    health.refresh_from_db()
    assert (health.clock, health.config_version) == (1, "3fa2b1c4d5e6")
    block_key(site.key)
    known = BlockReached.objects.filter(block__key=site.key, station=site.station)
    assert not known.exists()
    newer = enrolled.changes(cursor).json()["cursor"]
    enrolled.changes(newer)
    assert known.exists()
    revoke_station(site.station)
    assert enrolled.http.get("/mirror/snapshot", params={"nonce": NONCE}).status_code == 401
