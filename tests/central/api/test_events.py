"""POST /events, against a real server."""

import gzip
import json
import time
import uuid
from types import SimpleNamespace
from typing import Any

import pytest

from central.models import Event, Key, Opening
from tests.central.key_logs import entry_event
from tests.central.served import Caller, Served

INSTANCE = str(uuid.uuid4())


def event(**fields: Any) -> Any:
    base = {"id": str(uuid.uuid4()), "instance": INSTANCE, "seq": 1, "at": 1_790_000_000, "clock": 0}
    return {**base, "type": "station_started", "data": {"reason": "power"}, **fields}


def deep(levels: int) -> Any:
    return [] if levels == 1 else [deep(levels - 1)]


def send(caller: Caller, *events: Any) -> Any:
    answer = caller.http.post("/events", json={"events": list(events)})
    assert answer.status_code == 200, answer.text
    return answer.json()["results"]


def test_each_event_is_kept_once(site: SimpleNamespace, enrolled: Caller) -> None:
    one = event(type="key_activated", key=100, holder=10, data={"expires": 5, "areas": 1})
    assert send(enrolled, one, one)[0] == {"id": one["id"], "status": "accepted"}
    assert [r["status"] for r in send(enrolled, one, event(seq=2))] == ["duplicate", "accepted"]
    kept = Event.objects.get(site=site.site, event=one["id"])
    assert (kept.station, kept.key, kept.holder, kept.data) == (site.station, 100, 10, one["data"])
    assert (kept.at, kept.clock, kept.seq, str(kept.instance)) == (1_790_000_000, 0, 1, INSTANCE)
    assert abs(kept.received_at - time.time()) < 60
    assert Event.objects.filter(site=site.site).count() == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "x"}, {"seq": -1}, {"seq": "1"}, {"at": 1.5}, {"clock": 3}, {"type": "Not A Type"}, {"key": 0},
        {"key": 2**32}, {"lock": True}, {"data": []}, {"data": {"long": "x" * 5000}}, {"instance": None},
        {"data": {"deep": deep(32)}},
    ],
    ids=str,
)  # fmt: skip
def test_a_malformed_event_is_rejected_and_the_others_kept(site: SimpleNamespace, enrolled: Caller, wrong: Any) -> None:
    results = send(enrolled, event(**wrong), event(seq=3))
    assert [r["status"] for r in results] == ["rejected", "accepted"]
    assert results[0]["reason"]


def test_what_is_no_event_at_all_is_rejected(enrolled: Caller) -> None:
    results = send(enrolled, 5, None, [], {}, event())
    assert [r["status"] for r in results] == ["rejected"] * 4 + ["accepted"]


def test_however_deep_data_are_the_others_are_kept(enrolled: Caller) -> None:
    """With some 915 levels reading them still worked, and writing them did not: the whole batch came for ever."""
    statuses = set()
    for levels in (31, *range(900, 940)):
        body = json.dumps({"events": [event(data={"deep": "@"}), event()]}).replace('"@"', "[" * levels + "]" * levels)
        answer = enrolled.http.post("/events", content=body)
        told = [each["status"] for each in answer.json()["results"]] if answer.status_code == 200 else []
        statuses.add((levels > 31, answer.status_code, *told))
    # No reader takes the deepest of them at all.
    assert statuses == {(False, 200, "accepted", "accepted"), (True, 200, "rejected", "accepted"), (True, 400)}


def test_text_that_no_database_takes_is_rejected(enrolled: Caller) -> None:
    body = json.dumps({"events": [event(data={"text": "\ud800"}), event(seq=9)]})
    answer = enrolled.http.post("/events", content=body.encode(), headers={"Content-Type": "application/json"})
    assert [r["status"] for r in answer.json()["results"]] == ["rejected", "accepted"]


def test_unknown_clocks_and_unknown_types_are_kept(site: SimpleNamespace, enrolled: Caller) -> None:
    assert send(enrolled, event(clock="unknown", type="something_newer", extra=1))[0]["status"] == "accepted"


def test_the_number_of_events_is_limited(enrolled: Caller) -> None:
    for events in ([], [event() for _ in range(101)]):
        assert enrolled.http.post("/events", json={"events": events}).status_code == 400
    assert len(send(enrolled, *[event(seq=n) for n in range(100)])) == 100


def test_gzip_is_accepted_and_a_bomb_is_413(enrolled: Caller) -> None:
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    body = gzip.compress(json.dumps({"events": [event()]}).encode())
    assert enrolled.http.post("/events", content=body, headers=headers).json()["results"][0]["status"] == "accepted"
    bomb = gzip.compress(b" " * 50_000_000)
    assert len(bomb) < 100_000
    answer = enrolled.http.post("/events", content=bomb, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (413, "too_large")
    for broken in (b"not gzip", body[:-4], body + b"more"):
        assert enrolled.http.post("/events", content=broken, headers=headers).status_code == 400


def test_large_bodies_are_413_with_and_without_a_length(enrolled: Caller) -> None:
    large = b'{"events": ["' + b"x" * 1024 * 1024 + b'"]}'
    assert enrolled.http.post("/events", content=large).status_code == 413
    assert enrolled.http.post("/events", content=iter([large[:600_000], large[600_000:]])).status_code == 413
    small = json.dumps({"events": [event()]}).encode()
    assert enrolled.http.post("/events", content=iter([small[:20], small[20:]])).status_code == 200


@pytest.mark.parametrize("body", [b"", b"5", b"[]", b"{", b'{"events": NaN}', b"[" * 50_000, b"\xff\xfe"], ids=repr)
def test_a_malformed_body_is_400(enrolled: Caller, body: Any) -> None:
    answer = enrolled.http.post("/events", content=body)
    assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")


def test_a_key_of_another_site_is_out_of_reach(served: Served, site: SimpleNamespace, enrolled: Caller) -> None:
    number = served.summary["keys"][0]["key"]
    send(enrolled, event(type="key_locked_out", key=number, clock="unknown"))
    assert Key.objects.get(site__number=1, number=number).locked_at is None


def test_the_opening_log_has_what_the_keys_log_told(site: SimpleNamespace, enrolled: Caller) -> None:
    send(enrolled, entry_event(seq=1), event(seq=2), entry_event(seq=2, outcome="blocked", holder=None))
    send(enrolled, entry_event(seq=3, lock=1))
    rows = Opening.objects.filter(site=site.site).order_by("id").values_list("type", "lock", "holder")
    # The test lock's entry is kept like the others, and is nobody's opening.
    assert list(rows) == [("lock_opened", 101, 10), ("lock_refused", 101, None)]
    assert Event.objects.filter(site=site.site, lock=1).count() == 1
