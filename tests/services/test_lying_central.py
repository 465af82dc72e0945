"""A central server that lies: the last good state stays, it is said once, and the station goes on."""

import logging
from typing import Any

import pytest

from station.records.base64url import decoded, encoded
from station.records.claims import Category, Permit
from station.records.envelope import sign
from station.records.keys import SigningKey
from station.sync.refused_records import AGAIN_S, AT_ONCE_LIMIT, REMEMBERED_LIMIT
from tests.services.lying_central import DAY_S, NOW_S, UNIT, LyingCentral, Reply, refusal, said
from tests.services.parts import Parts


async def good_state(parts: Parts) -> Any:
    types = ["site", "unit", "area", "holder", "permit", "key", "blocklist", "central_key", "station"]
    return [[each.body for each in await parts.store.objects(type_)] for type_ in types]


# --- the whole answer is wrong ---

WRONG = {
    "garbage": Reply(200, b"\x00\xff" * 100),
    "500": Reply(500, b"oops"),
    "captive_portal": Reply(200, b"<html>Guest WiFi</html>", {"Content-Type": "text/html"}),
    "redirect": Reply(302, b"", {"Location": "http://portal.invalid/"}),
    "unauthorized": refusal(401, "unauthorized"),
    "resnapshot_everywhere": refusal(410, "resnapshot"),
}


@pytest.mark.parametrize("lie", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize(
    "where", [["/mirror/changes", "/mirror/snapshot"], ["/time", "/mirror/changes", "/mirror/snapshot"]], ids=len
)
async def test_no_answer_of_central(
    central: LyingCentral, synced: Parts, lie: Reply, where: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    before, confirmed = await good_state(synced), synced.mirror.state
    central.blocklist(200, 51)
    central.lies = dict.fromkeys(where, lie)
    for _ in range(3):
        assert not await synced.poll()
        synced.clocks.advance(1)
    assert await good_state(synced) == before
    assert synced.mirror.state == confirmed
    assert len(await synced.events("central_lost")) == 1
    assert caplog.text.count("central.lost") == 1
    central.lies.clear()
    assert await synced.poll()
    assert await synced.field("blocklist", 0, "version") == 200
    assert len(await synced.events("central_back")) == 1
    assert synced.station.refreshes == 5


async def test_a_station_that_never_met_central_says_lost_and_not_back_at_a_good_start(
    central: LyingCentral, parts: Parts
) -> None:
    assert await parts.poll()
    assert await parts.events() == []


# --- objects that are not used ---


async def test_one_rogue_record_closes_nothing(central: LyingCentral, synced: Parts) -> None:
    before = await synced.field("permit", 1, "record")
    central.permit(1, 11, 999, signer=SigningKey.generate(), pin_tag=b"q" * 16)
    central.put("area", 3, name="Dalen")
    for _ in range(3):
        assert await synced.poll()
    assert await synced.field("permit", 1, "record") == before
    assert (await synced.store.bundle(pin_tags=[b"t" * 16])).person is not None
    assert (await synced.store.bundle(pin_tags=[b"q" * 16])).person is None
    assert await synced.field("area", 3, "name") == "Dalen"
    assert await synced.events("record_refused") == [{"type": "permit", "id": 1, "reason": "object_record_invalid"}]
    # It is part of the mirror: nothing is fetched again, also not after a restart, and the mirror is confirmed.
    assert synced.mirror.age_s() == 0
    again = await synced.restarted()
    assert await again.poll()
    assert central.calls("/mirror/snapshot") == 1
    assert await again.field("permit", 1, "record") == before
    await again.close()


async def test_a_rogue_object_that_is_new_is_held_and_not_used(central: LyingCentral, synced: Parts) -> None:
    count = synced.mirror.state.sum.count
    central.key(77, signer=SigningKey.generate())
    assert await synced.poll()
    assert await synced.object("key", 77) is None
    assert (await synced.store.bundle(77)).key is None
    assert synced.mirror.state.sum.count == count + 1
    central.key(77)
    assert await synced.poll()
    assert await synced.object("key", 77) is not None
    assert central.calls("/mirror/snapshot") == 1


Change = dict[str, Any]
CONTRADICTIONS: dict[str, tuple[str, int, Change]] = {
    "key_of_another_number": ("key", 52, {}),
    "key_kind": ("key", 51, {"kind": 1}),
    "key_unit": ("key", 51, {"unit": UNIT + 1}),
    "key_holder": ("key", 51, {"holder": 12}),
    "key_without_holder": ("key", 51, {"holder": None}),
    "permit_holder": ("permit", 1, {"holder": 12}),
    "blocklist_version": ("blocklist", 0, {"version": 10**6}),
}
MALFORMED: dict[str, tuple[str, int, Change]] = {
    "status": ("key", 51, {"status": "lost"}),
    "status_missing": ("key", 51, {"status": None}),
    "number_in_quotes": ("key", 51, {"kind": "0"}),
    "true_for_1": ("holder", 11, {"category": True}),
    "category": ("holder", 11, {"category": 3}),
    "unlocked_before_1970": ("key", 51, {"unlocked_at": -1}),
    "no_record": ("permit", 1, {"record": None}),
    "list_of_holders": ("permit", 1, {"holder": [11]}),
    "long_name": ("holder", 11, {"name": "x" * 201}),
    "no_such_time_zone": ("site", 0, {"timezone": "Europe/Atlantis"}),
    "time_zone_out_of_the_folder": ("site", 0, {"timezone": "../../etc/passwd"}),
    "second_site": ("site", 1, {}),
    "second_blocklist": ("blocklist", 1, {}),
    "closed_maybe": ("unit", UNIT, {"closed": "no"}),
    "station_role": ("station", 9, {"name": "A", "address": "B", "unit": UNIT, "role": "sideways"}),
    "number_of_nobody": ("holder", 2**40, {}),
}


@pytest.mark.parametrize(
    ("which", "reason"),
    [pytest.param(each, "object_contradicts_record", id=name) for name, each in CONTRADICTIONS.items()]
    + [pytest.param(each, "object_malformed", id=name) for name, each in MALFORMED.items()]
    + [
        pytest.param(("key", 51, {"record": "AAAA"}), "object_record_invalid", id="record_of_three_bytes"),
        pytest.param(("key", 51, {"record": "å"}), "object_record_invalid", id="record_not_base64url"),
        pytest.param(("holder", 11, {"category": 2}), "object_contradicts_permit", id="category_of_the_permit"),
    ],
)
async def test_an_object_that_cannot_be(
    central: LyingCentral, synced: Parts, which: tuple[str, int, Change], reason: str
) -> None:
    type_, id_, changes = which
    before = await good_state(synced)
    original = central.objects.get((type_, id_)) or next(
        (each for (t, _), each in central.objects.items() if t == type_), {}
    )
    fields = {name: value for name, value in original.items() if name not in {"type", "id", "revision"}}
    central.put(type_, id_, **(fields | changes))
    assert await synced.poll()
    assert await synced.reasons() == [reason]
    assert await good_state(synced) == before
    assert central.calls("/mirror/snapshot") == 1
    assert synced.mirror.age_s() == 0
    # The next good version of it is used again.
    if (type_, id_) == (original.get("type"), original.get("id")):
        central.put(type_, id_, **fields)
        assert await synced.poll()
        assert (await synced.object(type_, id_)) is not None
        assert await synced.field(type_, id_, "revision") == central.revision


async def test_a_permit_of_another_category_than_its_holder(central: LyingCentral, synced: Parts) -> None:
    before = await synced.field("permit", 1, "record")
    central.permit(1, 11, 200, category=Category.HOURLY)
    assert await synced.poll()
    assert await synced.field("permit", 1, "record") == before
    assert await synced.events("record_refused") == [{"type": "permit", "id": 1, "reason": "object_contradicts_permit"}]
    # Both at once, and both are believed.
    central.permit(1, 11, 300, category=Category.HOURLY)
    central.holder(11, category=2)
    assert await synced.poll()
    assert await synced.field("holder", 11, "category") == 2
    assert await synced.field("permit", 1, "record") == central.objects["permit", 1]["record"]


async def test_a_type_and_a_member_to_come_close_nothing(central: LyingCentral, synced: Parts) -> None:
    central.put("lift", 4, floor=2, doors=[{"colour": None}])
    central.put("area", 2, name="Backen", colour="blue")
    central.again("key", 51, colour="blue")
    assert await synced.poll()
    assert synced.mirror.age_s() == 0
    assert synced.mirror.state.sum.count == len(central.objects)
    assert await synced.field("area", 2, "name") == "Backen"
    assert await synced.events() == []
    central.again("key", 51, status="blocked")
    assert await synced.poll()
    assert await synced.field("key", 51, "status") == "blocked"


async def test_a_personal_tag_in_an_object_finds_nobody(central: LyingCentral, synced: Parts) -> None:
    """Only the tag that central has signed leads to a person."""
    central.permit(1, 11, 200, pin_tag=b"s" * 16)
    central.again("permit", 1, pin_tag=encoded(b"e" * 16))
    central.holder(11, pin_tag=encoded(b"e" * 16))
    assert await synced.poll()
    assert (await synced.store.bundle(pin_tags=[b"e" * 16])).person is None
    assert (await synced.store.bundle(pin_tags=[b"s" * 16])).person is not None


# --- back to an older one ---


async def test_older_records_are_not_used(central: LyingCentral, synced: Parts) -> None:
    central.permit(1, 11, 500, pin_tag=b"n" * 16)
    central.blocklist(500, 66)
    central.key(51, 11, issued=NOW_S - 3600)
    assert await synced.poll()
    newer = {name: await synced.field(*name, "record") for name in [("permit", 1), ("blocklist", 0), ("key", 51)]}

    central.permit(1, 11, 499, pin_tag=b"o" * 16)
    central.blocklist(499)
    central.key(51, 11, issued=NOW_S - 3601)
    assert await synced.poll()
    for name, record in newer.items():
        assert await synced.field(*name, "record") == record
    assert (await synced.store.bundle(pin_tags=[b"o" * 16])).person is None
    assert (await synced.store.bundle(pin_tags=[b"n" * 16])).person is not None
    assert await synced.reasons() == ["object_older"] * 3
    assert central.calls("/mirror/snapshot") == 1

    central.permit(1, 11, NOW_S, pin_tag=b"r" * 16)
    central.blocklist(NOW_S, 67)
    assert await synced.poll()
    assert (await synced.store.bundle(pin_tags=[b"r" * 16])).person is not None
    assert await synced.field("blocklist", 0, "version") == NOW_S


async def test_rollback_of_a_permit_under_another_number(central: LyingCentral, synced: Parts) -> None:
    central.permit(2, 11, 99, pin_tag=b"o" * 16)
    assert await synced.poll()
    assert await synced.reasons() == ["object_older"]
    assert (await synced.store.bundle(pin_tags=[b"o" * 16])).person is None
    # Another unit's permit has nothing to do with it.
    central.permit(3, 11, 98, pin_tag=b"u" * 16, unit=UNIT)
    assert await synced.poll()
    assert (await synced.store.bundle(pin_tags=[b"u" * 16])).person is not None


@pytest.mark.parametrize("issued", [NOW_S - 2 * DAY_S, NOW_S], ids=["old", "by_somebody_else"])
@pytest.mark.parametrize("status", ["blocked", "returned"])
async def test_a_blocked_key_is_blocked_whatever_is_wrong_with_its_record(
    central: LyingCentral, synced: Parts, issued: int, status: str
) -> None:
    newer = await synced.field("key", 51, "record")
    signer = SigningKey.generate() if issued == NOW_S else None
    central.key(51, 11, issued=issued, status=status, signer=signer)
    assert await synced.poll()
    assert await synced.field("key", 51, "status") == status
    assert await synced.field("key", 51, "record") == newer


async def test_an_ended_holder_has_ended_whatever_is_wrong_with_the_object(
    central: LyingCentral, synced: Parts
) -> None:
    central.holder(11, status="ended", category=7)
    assert await synced.poll()
    assert await synced.field("holder", 11, "status") == "ended"
    assert await synced.reasons() == ["object_malformed"]


async def test_what_is_signed_in_the_far_future_is_refused(central: LyingCentral, synced: Parts) -> None:
    """On a key it would close every lock: ``clock_behind``."""
    before = await good_state(synced)
    floor_s = synced.time.floor_s
    central.permit(1, 11, 10**9, issued=NOW_S + 400 * DAY_S)
    central.blocklist(10**9, issued=NOW_S + 2 * DAY_S)
    assert await synced.poll()
    after = await good_state(synced)
    assert [each["record"] for one in after for each in one if "record" in each] == [
        each["record"] for one in before for each in one if "record" in each
    ]
    assert await synced.reasons() == ["object_issued_in_future"] * 2
    assert synced.time.floor_s == floor_s


# --- many at once ---


async def test_thousands_of_refusals_are_a_few_events(
    central: LyingCentral, synced: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    rogue = SigningKey.generate()
    permit = Permit(NOW_S + 1, NOW_S, NOW_S, 11, 5, (), (), (), b"t" * 16, Category.PERMANENT)
    record = encoded(sign(permit, rogue))
    # The last snapshot was a good one.
    assert await synced.poll()
    central.epoch = "epoch-2"
    for number in range(100, 100 + REMEMBERED_LIMIT + 50):
        central.put("permit", number, holder=11, record=record)
    assert await synced.poll()
    reports = await synced.events("record_refused")
    assert len(reports) == AT_ONCE_LIMIT
    assert reports[-1]["more"] == REMEMBERED_LIMIT + 50 - AT_ONCE_LIMIT
    assert caplog.text.count("record.refused") == AT_ONCE_LIMIT + 1
    assert central.calls("/mirror/snapshot") == 2


async def test_a_refusal_that_lasts_is_reported_once_a_day(central: LyingCentral, synced: Parts) -> None:
    for days in range(3):
        for _ in range(2):
            central.key(51, 11, signer=SigningKey.generate())
            assert await synced.poll()
        assert len(await synced.reasons()) == days + 1
        synced.clocks.advance(AGAIN_S)


async def test_a_refusal_that_cannot_be_kept_is_in_the_log(
    central: LyingCentral, synced: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    central.lies["/time"] = said({"record": "AA", "central_keys": []})
    synced.clocks.advance(3600)
    await synced.store.close()
    await synced.poll()
    assert "record.refused type=time" in caplog.text
    assert "event.not_kept" in caplog.text


# --- time/1 ---


async def test_time_of_another_nonce(central: LyingCentral, parts: Parts) -> None:
    old = encoded(central.time(b"o" * 16))
    central.lies["/time"] = said({"record": old, "central_keys": []})
    assert not await parts.poll()
    assert await parts.reasons() == ["time_of_another_nonce"]
    assert parts.time.now().trust is None
    assert central.calls("/mirror/snapshot") == 0


async def test_time_signed_by_somebody_else(central: LyingCentral, parts: Parts) -> None:
    other = LyingCentral()
    central.lies["/time"] = lambda asked: other.answer_time(decoded(asked.json["nonce"]))
    assert not await parts.poll()
    assert await parts.reasons() == ["record_unknown_signer"]
    assert parts.time.now().trust is None


async def test_time_that_was_kept_back(central: LyingCentral, parts: Parts) -> None:
    def late(asked: Any) -> Reply:
        record = central.time(decoded(asked.json["nonce"]))
        parts.clocks.advance(11)
        return said({"record": encoded(record), "central_keys": []})

    central.lies["/time"] = late
    assert await parts.poll()
    assert await parts.reasons() == ["time_too_late"]
    assert parts.time.now().trust is None
    assert parts.mirror.age_s() is None
    # The mirror is worth having; nobody can say how old it is.
    assert await parts.field("area", 2, "name") == "Backen"


@pytest.mark.parametrize("log", ["station", "httpx", "httpcore"])
async def test_no_tag_in_any_log(
    central: LyingCentral, parts: Parts, caplog: pytest.LogCaptureFixture, log: str
) -> None:
    caplog.set_level(logging.DEBUG, log)
    central.permit(1, 11, 101, pin_tag=b"marked tag 12345")
    central.permit(2, 11, 102, pin_tag=b"marked tag 12345", signer=SigningKey.generate())
    central.put("permit", 3, holder="x", record="x", pin_tag=encoded(b"marked tag 12345"))
    assert await parts.poll()
    assert encoded(b"marked tag 12345") not in caplog.text
    assert "marked" not in caplog.text
