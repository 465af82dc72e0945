"""Snapshots and changes, against a real server: a copy is confirmed by every answer."""

import os
import threading
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connections, transaction

from central.actions.codes import new_enrolment_code
from central.actions.keys import block_key
from central.actions.people import end_employment
from central.actions.station_health import SILENT_AFTER_S, note_silence
from central.actions.stations import set_out_of_order
from central.feed import change_and_sign
from central.feed.change import forget_tombstones
from central.models import Area, FeedCounter, MirrorRow, Station
from station.records import claims
from station.records.base64url import decoded, encoded
from station.records.envelope import verify
from station.records.mirror_digest import MirrorSum
from tests.central.key_logs import entry_event
from tests.central.mirror_copy import MirrorCopy
from tests.central.served import Caller, Served
from tests.central.site import saved

SAFE = 2**53 - 1


def rename(site: SimpleNamespace, name: Any) -> None:
    with change_and_sign():
        site.unit.name = name
        site.unit.save()


def _rename_in_thread(site: SimpleNamespace) -> None:
    rename(site, "Väckt")
    connections.close_all()


def test_a_snapshot_is_confirmed_compressed_and_begins_with_what_judges_it(
    site: SimpleNamespace, enrolled: Caller
) -> None:
    nonce = {"nonce": encoded(os.urandom(16))}
    with enrolled.http.stream("GET", "/mirror/snapshot", params=nonce) as answer:
        assert answer.headers["content-encoding"] == "gzip"
    copy = MirrorCopy(enrolled)
    assert list(copy.answer) == ["epoch", "cursor", "head", "objects"]
    assert {each["type"] for each in copy.answer["objects"]} == {
        "site", "unit", "area", "holder", "permit", "key", "station", "blocklist"
    }  # fmt: skip
    plain = enrolled.http.get("/mirror/snapshot", params=nonce, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.json()["objects"] == copy.answer["objects"]


def test_every_record_of_the_sample_data_verifies_and_agrees_with_its_object(served: Served, caller: Caller) -> None:
    assert caller.enrol(served.summary["enrol_code"]).status_code == 201
    signers = [decoded(key) for key in caller.enrolled["central_keys"]]
    copy = MirrorCopy(caller)
    counts = {type_: len(copy.all(type_)) for type_ in ("holder", "station", "unit", "area")}
    assert counts == {"holder": 40, "station": 13, "unit": 8, "area": 9}
    holders = {each["id"]: each for each in copy.all("holder")}
    for entry in copy.all("key"):
        record = verify(claims.KeyRecord, decoded(entry["record"]), signers)
        assert (record.key, record.kind, record.unit) == (entry["id"], entry["kind"], entry["unit"])
        assert record.holder == entry.get("holder")
    for entry in copy.all("permit"):
        permit = verify(claims.Permit, decoded(entry["record"]), signers)
        assert permit.holder == entry["holder"]
        assert permit.category == holders[entry["holder"]]["category"]
        assert (permit.category == claims.Category.HOURLY) == ("unit" in entry)
        assert permit.expires - permit.issued <= 21 * 86400
    (blocklist,) = copy.all("blocklist")
    newest = verify(claims.Blocklist, decoded(blocklist["record"]), signers)
    assert newest.version == blocklist["version"]
    assert newest.blocked_keys == tuple(k["id"] for k in copy.all("key") if k["status"] == "blocked") != ()
    assert any("locked_at" in key for key in copy.all("key"))
    assert {key["status"] for key in copy.all("key")} == {"active", "blocked", "returned"}
    ended = {number for number, holder in holders.items() if holder["status"] == "ended"}
    assert ended
    assert not ended & {permit["holder"] for permit in copy.all("permit")}
    assert all(("name" in holder) == (number not in ended) for number, holder in holders.items())
    (told,) = copy.all("site")
    assert (told["pin_digits"], len(told["pin_versions"])) == (6, 1)
    assert {entry["phone"] for entry in told["support"]} == {f"000-000 0{n}" for n in (1, 2, 3, 4)}
    assert told["lookups"]["counts"] == {}


def test_what_stations_are_told_has_no_other_members(site: SimpleNamespace, enrolled: Caller) -> None:
    with change_and_sign():
        site.holder.language = "sv"
        site.holder.save()
        site.key.locked_at, site.key.unlocked_at = 5, 6
        site.key.save()
        block_key(site.key)
        site.station.latitude, site.station.longitude = 60_480_000, -15_430_000
        site.station.save()
        saved(Station(site=site.site, number=2, name="Utan plats", unit=site.unit))
    members = {
        "site": {
            "epoch",
            "name",
            "timezone",
            "pin_digits",
            "pin_versions",
            "support",
            "privacy",
            "help",
            "lookups",
            "log_days",
        },
        "unit": {"name", "closed"},
        "area": {"name"},
        "station": {"name", "address", "unit", "role", "lat", "lon"},
        "holder": {"name", "category", "unit", "status", "language"},
        "key": {"kind", "unit", "holder", "status", "locked_at", "unlocked_at", "blocked_at", "record"},
        "permit": {"holder", "record"},
        "blocklist": {"version", "record"},
    }
    copy = MirrorCopy(enrolled)
    told = {name: set(each) - {"type", "id", "revision"} for name, each in copy.objects.items()}
    assert told.pop(("station", 2)) == members["station"] - {"lat", "lon"}
    assert told == {name: members[name.type] for name in told}
    assert {name.type for name in told} == set(members)
    assert copy.objects["station", 1]["lon"] == -15_430_000


def test_a_name_leaves_the_mirror_with_its_person(site: SimpleNamespace, enrolled: Caller) -> None:
    copy = MirrorCopy(enrolled)
    assert copy.objects["holder", 10]["name"] == "Eva E"
    end_employment(site.holder)
    copy.follow()
    assert (copy.objects["holder", 10]["status"], "name" in copy.objects["holder", 10]) == ("ended", False)


def test_nothing_of_another_site_is_told(site: SimpleNamespace, enrolled: Caller) -> None:
    copy = MirrorCopy(enrolled)
    assert [each["name"] for each in copy.all("site")] == [site.site.name]
    assert [each["id"] for each in copy.all("key")] == [100]


def test_changes_bring_a_copy_to_what_a_snapshot_says(site: SimpleNamespace, enrolled: Caller) -> None:
    copy = MirrorCopy(enrolled)
    with change_and_sign():
        site.unit.name = "Norra"
        site.unit.save()
        new = Area(site=site.site, number=3, name="Dalen")
        new.save()
    with change_and_sign():
        new.delete()
        site.permission.delete()
    assert copy.follow(limit=1) == [1, 1, 1]
    assert copy.objects["unit", 1]["name"] == "Norra"
    assert copy.all("permit") == []
    anew = MirrorCopy(enrolled)
    assert (anew.objects, anew.sum, anew.cursor) == (copy.objects, copy.sum, copy.cursor)


def test_nothing_new_is_signed_too(site: SimpleNamespace, enrolled: Caller) -> None:
    copy = MirrorCopy(enrolled)
    assert copy.follow() == [0]
    started = int(time.time())
    assert copy.follow(wait=1) == [0]
    assert copy.heads[-1].issued > started, "signed after the wait"
    assert copy.heads[-1].version == copy.heads[0].version
    rename(site, site.unit.name)
    assert copy.follow() == [0], "saved, and not changed"


def test_a_waiting_call_is_woken(site: SimpleNamespace, enrolled: Caller) -> None:
    copy = MirrorCopy(enrolled)
    started = time.monotonic()
    threading.Timer(0.3, lambda: _rename_in_thread(site)).start()
    assert copy.follow(wait=20) == [1]
    assert time.monotonic() - started < 15
    assert copy.objects["unit", 1]["name"] == "Väckt"


def test_what_is_known_of_a_keys_log_is_told_to_who_asks_with_the_key(site: SimpleNamespace, enrolled: Caller) -> None:
    copy = MirrorCopy(enrolled)
    entry = entry_event(seq=7, generation=2)
    copy.follow(key=100)
    assert copy.heads[-1].log_seen is None, "nothing is known of it"
    enrolled.reported(entry)
    assert copy.follow(key=100) == [0], "an opening changes nothing for anybody"
    head = copy.heads[-1]
    assert (head.key, head.log_seen) == (100, claims.LogPosition(2, 7))
    for other in (None, 101, 2**32 - 1):
        copy.follow(key=other)
        assert copy.heads[-1].log_seen is None


def test_who_has_long_been_silent_is_told_beside_the_mirror(site: SimpleNamespace, enrolled: Caller) -> None:
    with change_and_sign():
        others = [saved(Station(site=site.site, number=n, name=f"Plats {n}", unit=site.unit)) for n in range(2, 62)]
        box = saved(Station(site=site.site, number=90, name="Skåpet", unit=site.unit, role=1))
    copy = MirrorCopy(enrolled)
    copy.follow()
    assert copy.answer["down"] == [], "never enrolled: their silence says nothing"
    now = int(time.time())
    heard = Station.objects.filter(pk__in=[box.pk, *(station.pk for station in others)])
    heard.update(last_contact=now - SILENT_AFTER_S - 1)
    note_silence(now)
    assert copy.follow() == [0], "it is news for nobody"
    assert copy.answer["down"] == list(range(2, 52)), "fifty at most, and no box"
    heard.update(last_contact=now)
    set_out_of_order(others[7])
    note_silence(now)
    assert copy.follow() == [0]
    assert copy.answer["down"] == [9]


@pytest.fixture
def box(site: SimpleNamespace, caller: Caller) -> MirrorCopy:
    """An enrolled activation box of `site`, number 90."""
    with change_and_sign():
        station = saved(Station(site=site.site, number=90, name="Skåpet", unit=site.unit, role=1))
    assert caller.enrol(new_enrolment_code(station)).status_code == 201
    return MirrorCopy(caller)


def test_a_box_gets_few_objects_and_a_head_of_its_own(site: SimpleNamespace, box: MirrorCopy) -> None:
    assert set(box.objects) == {("blocklist", 0), ("site", 0), ("station", 90)}
    rename(site, "Norra")
    assert box.follow() == [0]
    with change_and_sign():
        site.site.name = "Testby"
        site.site.save()
        site.key.status = "blocked"
        site.key.save()
    assert box.follow(limit=1) == [1, 1]
    assert box.objects["site", 0]["name"] == "Testby"
    assert box.answer["down"] == []
    anew = MirrorCopy(box.caller)
    assert (anew.objects, anew.cursor) == (box.objects, box.cursor)


def test_what_a_box_may_not_ask(box: MirrorCopy) -> None:
    refused = [box.caller.changes(box.cursor, key=100), box.caller.http.post("/provision", json={"code": "ABCD-1"})]
    assert [(each.status_code, each.json()["error"]) for each in refused] == [(403, "forbidden")] * 2
    assert box.caller.http.get("/pin").status_code == 200


def test_a_box_waits_for_what_is_its_own(site: SimpleNamespace, box: MirrorCopy) -> None:
    def others() -> None:
        rename(site, "Norra")
        connections.close_all()

    started = time.monotonic()
    threading.Timer(0.2, others).start()
    assert box.follow(wait=1) == [0]
    assert time.monotonic() - started >= 1


def test_a_post_says_whether_a_poll_would_find_something(site: SimpleNamespace, enrolled: Caller) -> None:
    copy = MirrorCopy(enrolled)
    opened = {
        "id": "0192f0c1-2345-7abc-8def-0123456789ab", "instance": "0192f0c1-2345-7abc-8def-0123456789ac",
        "seq": 1, "at": 1_790_000_000, "clock": 0, "type": "key_synced",
    }  # fmt: skip
    for cursor_is_new in (False, True):
        answer = enrolled.http.post("/events", json={"events": [opened]})
        assert (answer.json()["cursor"] != copy.cursor) is cursor_is_new
        rename(site, "Norra")


def test_cursors_that_cannot_be_continued_ask_for_a_snapshot(site: SimpleNamespace, enrolled: Caller) -> None:
    first = enrolled.snapshot()["cursor"]
    padded = first + "=" * (-len(first) % 4)
    epoch, revision = urlsafe_b64decode(padded).decode().rsplit(".", 1)
    for foreign in (f"other.{revision}", f"{epoch}.{int(revision) + 1000}", f"{epoch}.-1"):
        answer = enrolled.changes(urlsafe_b64encode(foreign.encode()).decode().rstrip("="))
        assert (answer.status_code, answer.json()["error"]) == (410, "resnapshot")
    with change_and_sign():
        site.permission.delete()
    assert enrolled.changes(first).status_code == 200
    assert forget_tombstones(site.site.pk, int(time.time()) + 100) == 1
    assert enrolled.changes(first).status_code == 410
    copy = MirrorCopy(enrolled)
    assert copy.follow() == [0]


def test_malformed_parameters_are_400(enrolled: Caller) -> None:
    cursor = enrolled.snapshot()["cursor"]
    nonces = ({"nonce": text} for text in ("", "AAAA", "A" * 21, "A" * 23, "A" * 21 + "B", "A" * 21 + "=", "é" * 22))
    numbers = ({"limit": 0}, {"limit": 501}, {"wait": 51}, {"wait": "x"}, {"key": 0}, {"key": 2**32}, {"key": "x"})
    every: tuple[dict[str, Any], ...] = (*numbers, *nonces)
    for wrong in every:
        answer = enrolled.changes(cursor, **wrong)
        assert (answer.status_code, answer.json()["error"]) == (400, "bad_request"), wrong
    assert enrolled.changes("§").status_code == 400
    assert enrolled.changes("A" * 300).status_code == 400
    assert enrolled.changes(encoded(f"x.{SAFE * 10**6}".encode())).status_code == 410
    assert enrolled.http.get("/mirror/changes", params={"since": cursor}).status_code == 400
    assert enrolled.http.get("/mirror/snapshot").status_code == 400


def test_the_sum_beside_the_counter_is_that_of_the_rows(served: Served) -> None:
    """Of the whole sample, with all that the other tests have done to their sites."""
    # Of one instant: the server beside goes on signing.
    with transaction.atomic():
        for counter in FeedCounter.objects.all():
            rows = MirrorRow.objects.filter(site=counter.site_id, removed_at=None)
            hashes = [bytes(row.hash or b"") for row in rows]
            assert MirrorSum().changed(hashes) == MirrorSum(counter.count, bytes(counter.state))
            assert not MirrorRow.objects.filter(site=counter.site_id, hash=None, removed_at=None).exists()


def test_connections_are_kept(enrolled: Caller) -> None:
    answers = [enrolled.http.get("/healthz") for _ in range(2)]
    first, second = (each.extensions["network_stream"].get_extra_info("client_addr") for each in answers)
    assert first == second
