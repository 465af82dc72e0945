"""Snapshots and changes, against a real server."""

import hashlib
import threading
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from types import SimpleNamespace
from typing import Any

from django.db import connections

from central.actions.station_health import SILENT_AFTER_S, note_silence
from central.feed import change_and_sign
from central.feed.change import forget_tombstones
from central.models import Area
from station.records import claims
from station.records.base64url import decoded
from station.records.envelope import verify
from tests.central.served import Caller, Served


def digest_of(objects: Any) -> Any:
    lines = sorted(f"{o['type']}:{o['id']}:{o['revision']}\n".encode("ascii") for o in objects)
    return hashlib.sha256(b"".join(lines)).hexdigest()


def rename(site: SimpleNamespace, name: Any) -> None:
    with change_and_sign():
        site.unit.name = name
        site.unit.save()


def settled(caller: Caller) -> Any:
    """A cursor that has everything, also what the server notes about stations by itself."""
    cursor = caller.snapshot()["cursor"]
    deadline = time.monotonic() + 10
    while (answer := caller.changes(cursor)).status_code == 200:
        assert time.monotonic() < deadline
        cursor = answer.json()["cursor"]
    assert answer.status_code == 304
    return cursor


def test_a_snapshot_sums_itself_up_and_is_compressed(site: SimpleNamespace, enrolled: Caller) -> None:
    with enrolled.http.stream("GET", "/mirror/snapshot") as answer:
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.headers["transfer-encoding"] == "chunked"
    body = enrolled.snapshot()
    assert body["count"] == len(body["objects"])
    assert body["digest"] == digest_of(body["objects"])
    assert {o["type"] for o in body["objects"]} == {
        "site", "unit", "area", "holder", "permit", "key", "station", "blocklist"
    }  # fmt: skip
    plain = enrolled.http.get("/mirror/snapshot", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.json()["digest"] == body["digest"]


def test_every_record_of_the_sample_data_verifies_and_agrees_with_its_object(served: Served, caller: Caller) -> None:
    enrolled = caller
    code = served.summary["enrol_code"]
    assert enrolled.enrol(code).status_code == 201
    signers = [decoded(key) for key in enrolled.enrolled["central_keys"]]
    objects = enrolled.snapshot()["objects"]
    by_type = {t: [o for o in objects if o["type"] == t] for t in {o["type"] for o in objects}}
    assert {t: len(found) for t, found in by_type.items() if t in ("holder", "station", "unit", "area")} == {
        "holder": 40, "station": 13, "unit": 8, "area": 9
    }  # fmt: skip
    holders = {o["id"]: o for o in by_type["holder"]}
    for entry in by_type["key"]:
        record = verify(claims.KeyRecord, decoded(entry["record"]), signers)
        assert (record.key, record.kind, record.unit) == (entry["id"], entry["kind"], entry["unit"])
        assert record.holder == entry.get("holder")
    for entry in by_type["permit"]:
        permit = verify(claims.Permit, decoded(entry["record"]), signers)
        holder = holders[entry["holder"]]
        assert permit.holder == entry["holder"]
        assert permit.pin_tag == decoded(holder["pin_tag"])
        assert permit.category == holder["category"]
        assert (permit.category == claims.Category.HOURLY) == ("unit" in entry)
        assert permit.expires - permit.issued <= 21 * 86400
    (blocklist,) = by_type["blocklist"]
    newest = verify(claims.Blocklist, decoded(blocklist["record"]), signers)
    assert newest.version == blocklist["version"]
    assert newest.blocked_keys == tuple(k["id"] for k in by_type["key"] if k["status"] == "blocked") != ()
    assert any("locked_at" in k for k in by_type["key"])
    assert {k["status"] for k in by_type["key"]} == {"active", "blocked", "returned"}
    ended = {h["id"] for h in holders.values() if h["status"] == "ended"}
    assert ended
    assert not ended & {p["holder"] for p in by_type["permit"]}


def test_nothing_of_another_site_is_told(site: SimpleNamespace, enrolled: Caller) -> None:
    assert [o["name"] for o in enrolled.snapshot()["objects"] if o["type"] == "site"] == [site.site.name]
    assert {o["id"] for o in enrolled.snapshot()["objects"] if o["type"] == "key"} == {100}


def test_changes_bring_a_mirror_to_what_a_snapshot_says(site: SimpleNamespace, enrolled: Caller) -> None:
    before = enrolled.snapshot()
    with change_and_sign():
        site.unit.name = "Norra"
        site.unit.save()
        new = Area(site=site.site, number=3, name="Dalen")
        new.save()
    with change_and_sign():
        new.delete()
        site.permission.delete()
    mirror = {(o["type"], o["id"]): o for o in before["objects"]}
    cursor, more, page = before["cursor"], True, {}
    while more:
        page = enrolled.changes(cursor, limit=1).json()
        assert len(page["upserts"]) + len(page["removes"]) <= 1
        mirror |= {(o["type"], o["id"]): o for o in page["upserts"]}
        for gone in page["removes"]:
            mirror.pop((gone["type"], gone["id"]), None)
        cursor, more = page["cursor"], page["more"]
    assert (page["count"], page["digest"]) == (len(mirror), digest_of(mirror.values()))
    assert mirror["unit", 1]["name"] == "Norra"
    assert not any(type_ == "permit" for type_, _ in mirror)
    now = enrolled.snapshot()
    assert (now["cursor"], now["digest"]) == (cursor, page["digest"])


def test_nothing_new_is_304_and_a_waiting_one_is_woken(site: SimpleNamespace, enrolled: Caller) -> None:
    cursor = settled(enrolled)
    started = time.monotonic()
    threading.Timer(0.3, lambda: _rename_in_thread(site)).start()
    answer = enrolled.changes(cursor, wait=20)
    assert answer.status_code == 200
    assert time.monotonic() - started < 15
    assert [o["name"] for o in answer.json()["upserts"]] == ["Väckt"]


def test_a_station_that_went_silent_is_shown_as_down_and_up_again(site: SimpleNamespace, enrolled: Caller) -> None:
    def status() -> Any:
        return next(o["status"] for o in enrolled.snapshot()["objects"] if o["type"] == "station")

    now = int(time.time())
    assert status() == "up"
    note_silence(now + SILENT_AFTER_S + 60)
    assert status() == "down"
    note_silence(now)
    assert status() == "up"


def _rename_in_thread(site: SimpleNamespace) -> None:
    rename(site, "Väckt")
    connections.close_all()


def test_a_save_that_changes_nothing_tells_nothing(site: SimpleNamespace, enrolled: Caller) -> None:
    cursor = settled(enrolled)
    rename(site, site.unit.name)
    assert enrolled.changes(cursor).status_code == 304


def test_every_post_answer_has_the_head_cursor(site: SimpleNamespace, enrolled: Caller) -> None:
    cursor = settled(enrolled)
    answer = enrolled.http.post("/time", json={"nonce": "A" * 21 + "Q"})
    assert answer.json()["cursor"] == cursor


def test_cursors_that_cannot_be_continued_ask_for_a_snapshot(site: SimpleNamespace, enrolled: Caller) -> None:
    first = enrolled.snapshot()["cursor"]
    padded = first + "=" * (-len(first) % 4)
    epoch, revision = urlsafe_b64decode(padded).decode().rsplit(".", 1)
    for foreign in (f"other.{revision}", f"{epoch}.{int(revision) + 1000}", f"{epoch}.-1"):
        answer = enrolled.changes(urlsafe_b64encode(foreign.encode()).decode().rstrip("="))
        assert (answer.status_code, answer.json()["error"]) == (410, "resnapshot")
    _remove_permission(site)
    assert enrolled.changes(first).status_code == 200
    assert forget_tombstones(site.site.pk, int(time.time()) + 100) == 1
    assert enrolled.changes(first).status_code == 410
    cursor = enrolled.snapshot()["cursor"]
    assert enrolled.changes(cursor).status_code in (200, 304)


def _remove_permission(site: SimpleNamespace) -> None:
    with change_and_sign():
        site.permission.delete()


def test_malformed_parameters_are_400(enrolled: Caller) -> None:
    cursor = enrolled.snapshot()["cursor"]
    for parameters in ({"limit": 0}, {"limit": 501}, {"wait": 51}, {"wait": "x"}):
        answer = enrolled.changes(cursor, **parameters)
        assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")
    assert enrolled.changes("§").status_code == 400
    assert enrolled.changes("A" * 300).status_code == 400
    assert enrolled.http.get("/mirror/changes").status_code == 400


def test_connections_are_kept(enrolled: Caller) -> None:
    answer = enrolled.http.get("/healthz")
    assert answer.headers["connection"] == "keep-alive"
