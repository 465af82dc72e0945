"""What central makes of entries of keys' logs: evidence only by their own bytes. Named by attack."""

import json
import time
import uuid
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from central.models import Event, LogGaps, LogMark, Opening, Site
from central.models.events import SHOWN_AFTER_S
from central.signing import keyring
from station.records import claims
from station.records.base64url import encoded
from station.records.envelope import sign
from station.records.keys import SigningKey
from station.records.log_ids import garbage_id
from tests.central.key_logs import entry_event, gap_event
from tests.central.served import Caller

NOW = int(time.time())
VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "ids.json").read_text())["log_ids"]


def mark(site: SimpleNamespace) -> tuple[int, int] | None:
    found = LogMark.objects.filter(key=site.key).first()
    return (found.generation, found.seq) if found else None


def missing(site: SimpleNamespace) -> list[tuple[int, int]]:
    found = LogGaps.objects.filter(key=site.key).first()
    return [(first, last) for first, last, _ in found.missing] if found else []


def shown(site: SimpleNamespace, now: int = NOW) -> dict[int | None, str]:
    """By number in the log: how each entry is shown."""
    rows = Event.objects.filter(site=site.site, log_seq__isnull=False)
    return {row.log_seq: row.doubt_shown(now) for row in rows}


def activated(at: int, holder: int = 10, **more: Any) -> dict[str, Any]:
    return {"type": "key_activated", "key": 100, "holder": holder, "at": at, "data": {"expires": at + 3600}, **more}


def statuses(results: list[dict[str, Any]]) -> list[str]:
    return [each["status"] for each in results]


# --- evidence is the entry


@pytest.mark.parametrize("vector", [v for v in VECTORS if "entry_hex" in v], ids=lambda v: v["name"])
def test_an_entry_is_known_by_its_bytes(site: SimpleNamespace, enrolled: Caller, vector: dict[str, Any]) -> None:
    data = {"generation": 1, "entry": encoded(bytes.fromhex(vector["entry_hex"]))}
    event = {"id": vector["id"], "key": vector["key"], "at": NOW, "data": data}
    results = enrolled.report(*(event | {"type": t} for t in ("lock_opened", "lock_refused")))
    # Those with a time in 2026 say another one than this event.
    expected = {"duplicate", "accepted"} if "without_time" in vector["name"] else {"rejected"}
    assert expected & set(statuses(results))
    assert enrolled.report(event | {"id": str(uuid.uuid4()), "type": "lock_opened"})[0]["status"] == "rejected"


FORGED: list[dict[str, Any]] = [
    {"id": "0e5ab1c4-1d3b-4b55-9d5a-6f5b1c1e2d3f"}, {"key": 101}, {"at": 7}, {"lock": 102}, {"holder": 11},
    {"type": "lock_refused"}, {"key": None},
]  # fmt: skip
FORGED_DATA: list[dict[str, Any]] = [
    {"seq": 2}, {"seq": True}, {"outcome": "blocked"}, {"battery_percent": 79}, {"entry": "AAAA"}, {"entry": None},
    {"entry": 5}, {"generation": None}, {"generation": -1}, {"generation": 2**53}, {"generation": "1"},
]  # fmt: skip


@pytest.mark.parametrize("change", FORGED, ids=str)
def test_an_event_that_says_something_else_than_its_entry(
    site: SimpleNamespace, enrolled: Caller, change: dict[str, Any]
) -> None:
    event = entry_event(at=NOW)
    assert statuses(enrolled.report(event | change)) == ["rejected"]
    assert (Event.objects.filter(site=site.site).exists(), mark(site)) == (False, None)
    assert statuses(enrolled.report(event)) == ["accepted"]


@pytest.mark.parametrize("change", FORGED_DATA, ids=str)
def test_data_that_say_something_else_than_the_entry(
    site: SimpleNamespace, enrolled: Caller, change: dict[str, Any]
) -> None:
    event = entry_event(at=NOW)
    assert statuses(enrolled.report(event | {"data": event["data"] | change})) == ["rejected"]
    assert (Event.objects.filter(site=site.site).exists(), mark(site)) == (False, None)


def test_bytes_after_an_entry_make_another_one(site: SimpleNamespace, enrolled: Caller) -> None:
    event = entry_event()
    longer = event["data"] | {"entry": event["data"]["entry"] + "AAAA"}
    assert statuses(enrolled.report(event | {"data": longer})) == ["rejected"]


def test_what_is_left_out_is_taken_from_the_entry(site: SimpleNamespace, enrolled: Caller) -> None:
    event = entry_event(at=NOW)
    bare = {name: event[name] for name in ("id", "type", "at", "key")}
    bare["data"] = {"generation": 1, "entry": event["data"]["entry"]}
    enrolled.reported(bare)
    kept = Opening.objects.get(site=site.site)
    assert (kept.lock, kept.holder, kept.log_seq, kept.data) == (101, 10, 1, event["data"])


@pytest.mark.parametrize("type_", ["station_started", "key_synced", "something_newer", "record_refused", "log_gap"])
def test_nobody_takes_the_id_of_an_entry_that_is_still_to_come(
    site: SimpleNamespace, enrolled: Caller, type_: str
) -> None:
    """The entry would be a duplicate then, and nobody would ever see it."""
    entry = entry_event()
    data = {"first": 1, "last": 2, "generation": 1, "offset": 9}
    assert statuses(enrolled.report({"id": entry["id"], "type": type_, "key": 100, "data": data})) == ["rejected"]
    enrolled.reported(entry)


def test_bytes_that_are_no_entry_are_told_once(site: SimpleNamespace, enrolled: Caller) -> None:
    data = {"generation": 3, "offset": 512, "reason": "log_garbage"}
    event = {"id": str(garbage_id(100, 3, 512)), "type": "record_refused", "key": 100, "data": data}
    assert statuses(enrolled.report(event, event)) == ["accepted", "duplicate"]
    assert statuses(enrolled.report(event | {"data": data | {"offset": 513}})) == ["rejected"]


# --- how far a log is known


def test_log_seen_is_the_greatest_that_came(site: SimpleNamespace, enrolled: Caller) -> None:
    enrolled.reported(entry_event(seq=1), entry_event(seq=3), entry_event(seq=2))
    assert mark(site) == (1, 3)
    # Found again after the key has compacted its log: the same entry, in a later generation.
    again = entry_event(seq=3, at=NOW, generation=2)
    enrolled.report(again, again | {"data": again["data"] | {"generation": 4}})
    assert mark(site) == (4, 3)
    enrolled.report(entry_event(seq=9, at=NOW, generation=1))
    assert mark(site) == (4, 3)


def test_a_station_frees_no_entry_by_its_mere_word(site: SimpleNamespace, enrolled: Caller) -> None:
    before = enrolled.snapshot()["cursor"]
    enrolled.report(
        gap_event(1, 500),
        {"type": "lock_opened", "key": 100, "lock": 101, "data": {"generation": 9, "seq": 900}},
        {"type": "key_synced", "key": 100, "data": {"generation": 9, "seq": 900}},
        {"type": "log_gap", "key": 100, "data": {"generation": 9, "seq": 900, "first": 1, "last": 900}},
    )
    assert mark(site) is None
    assert enrolled.snapshot()["cursor"] == before, "stations hear of none of it in the mirror"


def test_an_entry_from_before_what_is_kept_is_a_duplicate(site: SimpleNamespace, enrolled: Caller) -> None:
    """Its people have been forgotten: it must not come back with their names."""
    old = entry_event(seq=4, at=NOW - (site.site.log_days + 1) * 86400)
    assert statuses(enrolled.report(old)) == ["duplicate"]
    assert (Event.objects.filter(site=site.site).exists(), mark(site)) == (False, (1, 4))


def test_a_gap_shows_until_somebody_brings_the_entries(site: SimpleNamespace, enrolled: Caller) -> None:
    enrolled.reported(entry_event(seq=10), entry_event(seq=14))
    # Nobody has told it: central sees itself that 11 to 13 have not come.
    assert missing(site) == [(11, 13)]
    enrolled.reported(gap_event(11, 13), gap_event(15, 20), gap_event(3, 5))
    assert missing(site) == [(3, 9), (11, 13), (15, 20)]
    enrolled.report(*(entry_event(seq=seq) for seq in (12, 15, 20, 3, 4, 5)))
    assert missing(site) == [(6, 9), (11, 11), (13, 13), (16, 19)]
    enrolled.report(*(entry_event(seq=seq) for seq in (6, 7, 8, 9, 11, 13, 16, 17, 18, 19)))
    assert missing(site) == []
    assert statuses(enrolled.report(gap_event(12, 12))) == ["accepted"]
    assert missing(site) == [], "what has come is not missing, whatever a station says"


def test_entries_that_are_made_up_leave_a_gap(site: SimpleNamespace, enrolled: Caller) -> None:
    """A station in league with a thief acks entries away: what it had to make up for it shows."""
    enrolled.reported(entry_event(seq=40))
    enrolled.reported(entry_event(seq=60))
    assert (mark(site), missing(site)) == ((1, 60), [(41, 59)])


def test_a_log_full_of_holes_fills_no_page(site: SimpleNamespace, enrolled: Caller) -> None:
    enrolled.report(*(entry_event(seq=2 * n) for n in range(1, 90)))
    gaps = missing(site)
    assert len(gaps) == 50
    assert (gaps[0][0], gaps[-1]) == (3, (177, 177))


# --- what contradicts


def test_an_opening_without_an_activation_is_doubtful_after_a_day(site: SimpleNamespace, enrolled: Caller) -> None:
    enrolled.reported(activated(NOW - 7200))
    enrolled.reported(
        entry_event(seq=1, at=NOW - 7200),
        entry_event(seq=2, at=NOW - 3600 + 299),
        entry_event(seq=3, at=NOW - 7200 - 299),
        entry_event(seq=4, at=NOW - 3600 + 350),
        entry_event(seq=5, at=NOW - 7200 - 350),
        entry_event(seq=6, at=NOW - 7000, holder=11),
        entry_event(seq=7, at=NOW - 7000, holder=None),
        # A lock that stays shut contradicts nothing.
        entry_event(seq=8, at=NOW - 90000, outcome="expired"),
    )
    assert set(shown(site).values()) == {""}
    doubtful = [seq for seq, words in shown(site, NOW + SHOWN_AFTER_S + 7200).items() if words]
    assert sorted(doubtful, key=str) == [4, 5, 6, 7]


def test_an_opening_is_judged_anew_when_its_activation_comes(site: SimpleNamespace, enrolled: Caller) -> None:
    enrolled.reported(entry_event(seq=1, at=NOW - 7000), entry_event(seq=2, at=NOW - 7000 + 1, holder=11))
    later = NOW + SHOWN_AFTER_S + 7200
    assert shown(site, later) == {1: "doubtful", 2: "doubtful"}
    enrolled.reported(activated(NOW - 7200))
    assert shown(site, later) == {1: "", 2: "doubtful"}
    # It may have been written when the key was pulled out: then it opens.
    unsure = activated(NOW - 7200, 11, type="key_write_interrupted")
    enrolled.reported(unsure | {"data": unsure["data"] | {"act": "no"}})
    assert shown(site, later)[2] == "doubtful"
    enrolled.reported(unsure | {"data": unsure["data"] | {"act": "unknown"}})
    assert shown(site, later)[2] == ""


def test_no_activation_is_longer_than_a_lock_allows(site: SimpleNamespace, enrolled: Caller) -> None:
    enrolled.reported(activated(NOW - 86400, data={"expires": NOW + 86400}))
    enrolled.reported(entry_event(seq=1, at=NOW - 7200))
    assert shown(site, NOW + SHOWN_AFTER_S + 7200) == {1: "doubtful"}


def box_activation(site: SimpleNamespace, begins: int, role: int = 1, **other: Any) -> dict[str, Any]:
    """The event of a station that has cleared what a box had signed."""
    box = SigningKey.generate()
    certificate = claims.StationCertificate(NOW + 86400, NOW - 86400, 1, 9, box.public, claims.Role(role))
    told = {"key": 100, "station": 9} | other
    act = claims.Activation(
        begins + 3600, begins, told["key"], 10, b"d" * 16, told["station"], claims.ClockSource.RTC, 5
    )
    signer = other.get("signer") or keyring.signing_key(site.site)
    data = {"act": encoded(sign(act, box)), "boxcert": encoded(sign(certificate, signer))}
    return {"type": "key_deactivated", "key": 100, "at": NOW, "data": data}


def test_a_box_whose_certificate_only_a_retired_key_has_signed_explains_nothing(
    site: SimpleNamespace, enrolled: Caller
) -> None:
    enrolled.reported(entry_event(seq=1, at=NOW - 7000))
    Site.objects.filter(pk=site.site.pk).update(retired_key=1)
    enrolled.reported(box_activation(site, NOW - 7200))
    assert shown(site, NOW + SHOWN_AFTER_S + 7200) == {1: "doubtful"}
    Site.objects.filter(pk=site.site.pk).update(retired_key=0)
    enrolled.reported(box_activation(site, NOW - 7200))
    assert shown(site, NOW + SHOWN_AFTER_S + 7200) == {1: ""}


def test_a_boxs_openings_are_not_doubtful_for_ever(site: SimpleNamespace, enrolled: Caller) -> None:
    enrolled.reported(entry_event(seq=1, at=NOW - 7000))
    later = NOW + SHOWN_AFTER_S + 7200
    for forged in (
        box_activation(site, NOW - 7200, signer=SigningKey.generate()),
        box_activation(site, NOW - 7200, role=0),
        box_activation(site, NOW - 7200, key=101),
        box_activation(site, NOW - 7200, station=8),
        {"type": "key_deactivated", "key": 100, "data": {"act": "AA", "boxcert": 5}},
    ):
        enrolled.reported(forged)
        assert shown(site, later) == {1: "doubtful"}
    enrolled.reported(box_activation(site, NOW - 7200))
    assert shown(site, later) == {1: ""}


def test_different_entries_of_one_number_are_all_doubtful(site: SimpleNamespace, enrolled: Caller) -> None:
    enrolled.reported(activated(NOW - 7200))
    enrolled.reported(entry_event(seq=1, at=NOW - 7000), entry_event(seq=2, at=NOW - 6900))
    enrolled.reported(entry_event(seq=1, at=NOW - 6000, generation=2))
    rows = Event.objects.filter(site=site.site, log_seq=1)
    assert [row.doubt_shown(NOW) for row in rows] == ["doubtful", "doubtful"]
    assert shown(site)[2] == ""
    # A lock's refusal, too; and nothing that comes later takes it back.
    enrolled.reported(entry_event(seq=2, at=NOW - 6900, outcome="blocked"), activated(NOW - 7300))
    assert {row.doubt_shown(NOW) for row in Event.objects.filter(site=site.site, log_seq=2)} == {"doubtful"}
    enrolled.reported(entry_event(seq=3, at=NOW - 6800), entry_event(seq=3, at=NOW - 6801))
    assert {row.doubt_shown(NOW) for row in Event.objects.filter(site=site.site, log_seq=3)} == {"doubtful"}


def test_without_a_time_it_is_unjudged(site: SimpleNamespace, enrolled: Caller) -> None:
    enrolled.reported(activated(NOW - 60))
    enrolled.reported(entry_event(seq=1, at=None), entry_event(seq=2, at=None, outcome="clock_unset"))
    assert shown(site) == shown(site, NOW + 10 * SHOWN_AFTER_S) == {1: "unjudged", 2: ""}
