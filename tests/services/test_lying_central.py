"""A central server that lies: the last good state stays, it is said once, and the station goes on."""

import json
import logging
from typing import Any

import pytest

from station.records.base64url import decoded, encoded
from station.records.claims import Category, Permit
from station.records.envelope import sign
from station.records.keys import SigningKey
from station.sync import mirror as mirroring_module
from station.sync.intake import GIVE_WAY_EVERY
from station.sync.mirror import PAGES_LIMIT, RESNAPSHOT_AGAIN_S
from station.sync.objects import OBJECT_LIMIT_BYTES
from station.sync.refused_records import AGAIN_S, AT_ONCE_LIMIT, REMEMBERED_LIMIT
from tests.services.lying_central import DAY_S, NOW_S, UNIT, LyingCentral, Reply, digest, refusal, said
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


# --- objects ---


async def test_a_snapshot_signed_by_somebody_else(central: LyingCentral, synced: Parts) -> None:
    before = await good_state(synced)
    rogue = SigningKey.generate()
    central.key(51, 11, signer=rogue)
    central.permit(1, 11, 10**9, signer=rogue)
    central.blocklist(10**9, signer=rogue)
    central.epoch = "epoch-2"
    assert not await synced.poll()
    assert await good_state(synced) == before
    assert set(await synced.reasons()) == {"object_record_invalid", "snapshot_foreign"}
    assert synced.mirror.state.epoch == "epoch-1"


async def test_a_first_snapshot_signed_by_somebody_else(central: LyingCentral, parts: Parts) -> None:
    rogue = SigningKey.generate()
    central.objects.clear()
    central.put("site", 0, name="X", timezone="UTC")
    central.key(51, 11, signer=rogue)
    assert not await parts.poll()
    assert await parts.store.objects("site") == []
    assert parts.mirror.state.cursor is None


async def test_an_empty_snapshot_does_not_empty_the_mirror(central: LyingCentral, synced: Parts) -> None:
    before = await good_state(synced)
    central.objects.clear()
    central.epoch = "epoch-2"
    assert not await synced.poll()
    assert await good_state(synced) == before
    assert await synced.reasons() == ["snapshot_foreign"]


async def test_a_site_that_begins_empty(central: LyingCentral, parts: Parts) -> None:
    central.objects.clear()
    assert await parts.poll()


async def test_one_rogue_record_in_a_page(central: LyingCentral, synced: Parts) -> None:
    before = await synced.field("permit", 1, "record")
    central.permit(1, 11, 999, signer=SigningKey.generate(), pin_tag=b"q" * 16)
    central.put("area", 3, name="Dalen")
    for _ in range(3):
        assert await synced.poll()
    assert await synced.field("permit", 1, "record") == before
    assert await synced.field("permit", 1, "pin_tag") == encoded(b"t" * 16)
    assert await synced.field("area", 3, "name") == "Dalen"
    assert await synced.events("record_refused") == [{"type": "permit/1", "id": 1, "reason": "object_record_invalid"}]
    # It counts as received: nothing is fetched again, also not after a restart, and the mirror is confirmed.
    assert central.calls("/mirror/snapshot") == 1
    again = await synced.restarted()
    assert await again.poll()
    assert central.calls("/mirror/snapshot") == 1
    await again.close()


async def test_a_rogue_object_that_is_new_leaves_only_its_name(central: LyingCentral, synced: Parts) -> None:
    central.key(77, signer=SigningKey.generate())
    assert await synced.poll()
    found = await synced.object("key", 77)
    assert found is not None
    assert set(found.body) == {"type", "id", "revision"}
    bundle = await synced.store.bundle(77)
    assert bundle.key_holder is None
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
    "too_late_for_the_database": ("key", 51, {"unlocked_at": 2**63}),
    "log_seen": ("key", 51, {"log_seen": [1, 2**70]}),
    "log_seen_three": ("key", 51, {"log_seen": [1, 2, 3]}),
    "no_record": ("permit", 1, {"record": None}),
    "long_name": ("holder", 11, {"name": "x" * 201}),
    "no_such_time_zone": ("site", 0, {"timezone": "Europe/Atlantis"}),
    "time_zone_out_of_the_folder": ("site", 0, {"timezone": "../../etc/passwd"}),
    "second_site": ("site", 1, {}),
    "second_blocklist": ("blocklist", 1, {}),
    "closed_maybe": ("unit", UNIT, {"closed": "no"}),
    "station_status": ("station", 9, {"name": "A", "address": "B", "status": "sideways"}),
}


@pytest.mark.parametrize(
    ("which", "reason"),
    [pytest.param(each, "object_contradicts_record", id=name) for name, each in CONTRADICTIONS.items()]
    + [pytest.param(each, "object_malformed", id=name) for name, each in MALFORMED.items()]
    + [
        pytest.param(("key", 51, {"record": "AAAA"}), "object_record_invalid", id="record_of_three_bytes"),
        pytest.param(("key", 51, {"record": "å"}), "object_record_invalid", id="record_not_base64url"),
        pytest.param(("area", 2, {"more": "x" * OBJECT_LIMIT_BYTES}), "object_too_long", id="too_long"),
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
    after = await good_state(synced)
    if (type_, id_) == (original.get("type"), original.get("id")):
        for one in [*before, *after]:
            for each in one:
                each.pop("revision", None)
        assert after == before
    assert central.calls("/mirror/snapshot") == 1


async def test_the_longest_object_is_taken(central: LyingCentral, synced: Parts) -> None:
    fixed = len(json.dumps(central.put("area", 2, name="B", more="")))
    central.put("area", 2, name="B", more="x" * (OBJECT_LIMIT_BYTES - fixed))
    assert await synced.poll()
    assert await synced.reasons() == []


async def test_an_object_without_a_name(central: LyingCentral, synced: Parts, clocks: Any) -> None:
    objects = [{"type": ["key"]}, {}, {"type": "key", "id": -1}, {"type": "new", "id": 1, "revision": "1"}]
    objects += [{"type": "two\nlines", "id": 1}, {"type": "area", "id": True, "name": "x", "revision": 2}]
    central.put("area", 4, name="Ny")
    central.lies["/mirror/changes"] = lambda asked: central.changes(
        asked.query["since"], upserts=[*objects, central.objects["area", 4]]
    )
    assert await synced.poll()
    assert await synced.field("area", 4, "name") == "Ny"
    assert {data["type"] for data in await synced.events("record_refused")} == {"?", "key", "new", "area"}


async def test_objects_of_a_type_to_come_are_kept(central: LyingCentral, synced: Parts) -> None:
    central.put("lift", 4, floor=2)
    assert await synced.poll()
    assert await synced.field("lift", 4, "floor") == 2


async def test_the_same_object_twice(central: LyingCentral, parts: Parts) -> None:
    objects = list(central.objects.values())
    central.lies["/mirror/snapshot"] = lambda _: central.snapshot(objects=objects + objects)
    assert await parts.poll()
    assert len(await parts.store.objects("key")) == 1


async def test_a_personal_tag_in_an_object_finds_nobody(central: LyingCentral, synced: Parts) -> None:
    """Only the tag that central has signed leads to a person."""
    central.permit(1, 11, 200, pin_tag=b"s" * 16)
    central.objects["permit", 1]["pin_tag"] = encoded(b"e" * 16)
    central.holder(11, pin_tag=encoded(b"e" * 16))
    assert await synced.poll()
    assert (await synced.store.bundle(pin_tags=[b"e" * 16])).person is None
    assert (await synced.store.bundle(pin_tags=[b"s" * 16])).person is not None


# --- back to an older one ---


@pytest.mark.parametrize("epoch", ["epoch-1", "epoch-2"], ids=["page", "snapshot_of_a_restored_central"])
async def test_rollback(central: LyingCentral, synced: Parts, epoch: str) -> None:
    central.permit(1, 11, 500, pin_tag=b"n" * 16)
    central.blocklist(500, 66)
    central.key(51, 11, issued=NOW_S - 3600)
    assert await synced.poll()
    newer = {name: await synced.field(*name, "record") for name in [("permit", 1), ("blocklist", 0), ("key", 51)]}

    central.permit(1, 11, 499, pin_tag=b"o" * 16)
    central.blocklist(499)
    central.key(51, 11, issued=NOW_S - 3601)
    central.put("area", 3, name="Dalen")
    central.epoch = epoch
    for _ in range(3):
        assert await synced.poll()
        synced.clocks.advance(RESNAPSHOT_AGAIN_S)

    for name, record in newer.items():
        assert await synced.field(*name, "record") == record
    assert (await synced.store.bundle(pin_tags=[b"o" * 16])).person is None
    assert (await synced.store.bundle(pin_tags=[b"n" * 16])).person is not None
    assert await synced.field("area", 3, "name") == "Dalen"
    assert await synced.reasons() == ["object_older"] * 3
    assert central.calls("/mirror/snapshot") == (1 if epoch == "epoch-1" else 2)

    # What a restored central signs anew goes on upwards.
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


async def test_a_blocked_key_is_blocked_though_its_record_is_an_old_one(central: LyingCentral, synced: Parts) -> None:
    newer = await synced.field("key", 51, "record")
    central.key(51, 11, issued=NOW_S - 2 * DAY_S, status="blocked")
    assert await synced.poll()
    assert await synced.field("key", 51, "status") == "blocked"
    assert await synced.field("key", 51, "record") == newer


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


# --- the sum is wrong ---


async def test_a_snapshot_with_parts_missing(central: LyingCentral, synced: Parts) -> None:
    before = await good_state(synced)
    objects = list(central.objects.values())
    central.epoch = "epoch-2"
    central.lies["/mirror/snapshot"] = lambda _: central.snapshot(objects=objects[:-1])
    assert not await synced.poll()
    assert await good_state(synced) == before
    assert await synced.reasons() == ["snapshot_inconsistent"]
    central.lies["/mirror/snapshot"] = lambda _: central.snapshot(digest=digest([]))
    synced.clocks.advance(RESNAPSHOT_AGAIN_S)
    assert not await synced.poll()
    # Said once, not at every poll.
    assert await synced.reasons() == ["snapshot_inconsistent"]


async def test_a_digest_that_never_fits(central: LyingCentral, synced: Parts, caplog: pytest.LogCaptureFixture) -> None:
    """Everything is fetched again now and then, ever more seldom; the mirror counts as unconfirmed meanwhile."""
    confirmed_s = synced.mirror.state.confirmed_at
    central.lies["/mirror/changes"] = lambda asked: central.changes(asked.query["since"], digest=digest([]))
    synced.clocks.advance(RESNAPSHOT_AGAIN_S)
    central.put("area", 3, name="Dalen")
    assert await synced.poll()
    assert central.calls("/mirror/snapshot") == 2
    snapshots = []
    for _ in range(100):
        synced.clocks.advance(60)
        central.put("area", 3, name="Dalen")
        await synced.poll()
        snapshots.append(central.calls("/mirror/snapshot"))
    assert snapshots[-1] == 5
    central.lies.clear()
    assert confirmed_s is not None
    assert synced.mirror.state.confirmed_at is not None
    behind_s = synced.time.now().unix_s - synced.mirror.state.confirmed_at
    assert behind_s > 1000
    assert await synced.poll()
    assert (synced.mirror.age_s() or 0) > 1000, "304 says nothing about what does not fit"
    central.put("area", 3, name="Dalen 2")
    assert await synced.poll()
    assert synced.mirror.age_s() == 0


async def test_a_cursor_that_is_never_good(central: LyingCentral, synced: Parts) -> None:
    central.lies["/mirror/changes"] = refusal(410, "resnapshot")
    synced.clocks.advance(RESNAPSHOT_AGAIN_S)
    assert await synced.poll()
    for _ in range(9):
        synced.clocks.advance(60)
        assert not await synced.poll()
    assert central.calls("/mirror/snapshot") == 2


@pytest.mark.parametrize("moving", [False, True])
async def test_pages_without_end(
    central: LyingCentral, synced: Parts, moving: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirroring_module, "PAGES_LIMIT", 10)
    page = {"upserts": [], "removes": [], "more": True, "count": 0, "digest": digest([])}
    calls = iter(range(PAGES_LIMIT))
    cursor = synced.mirror.state.cursor
    central.lies["/mirror/changes"] = lambda _: said(page | {"cursor": f"c{next(calls)}" if moving else cursor})
    assert not await synced.poll()
    assert central.calls("/mirror/changes") == (10 if moving else 1)


# --- many at once ---


async def test_thousands_of_refusals_are_a_few_events(
    central: LyingCentral, synced: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    rogue = SigningKey.generate()
    permit = Permit(NOW_S + 1, NOW_S, NOW_S, 11, 5, (), (), (), b"t" * 16, Category.PERMANENT)
    record = encoded(sign(permit, rogue))
    for number in range(100, 100 + REMEMBERED_LIMIT + 2 * GIVE_WAY_EVERY):
        central.put("permit", number, holder=11, record=record)
    central.epoch = "epoch-2"
    assert await synced.poll()
    reports = await synced.events("record_refused")
    assert len(reports) == AT_ONCE_LIMIT
    assert reports[-1]["more"] == REMEMBERED_LIMIT + 2 * GIVE_WAY_EVERY - AT_ONCE_LIMIT
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
    central.lies["/time"] = said({"record": "AA"})
    synced.clocks.advance(3600)
    await synced.store.close()
    await synced.poll()
    assert "record.refused type=time" in caplog.text
    assert "event.not_kept" in caplog.text


# --- time/1 ---


async def test_time_of_another_nonce(central: LyingCentral, parts: Parts) -> None:
    old = encoded(central.time(b"o" * 16))
    central.lies["/time"] = said({"record": old})
    assert not await parts.poll()
    assert await parts.reasons() == ["time_of_another_nonce"]
    assert parts.time.now().trust is None
    assert central.calls("/mirror/snapshot") == 0


async def test_time_signed_by_somebody_else(central: LyingCentral, parts: Parts) -> None:
    other = LyingCentral()
    central.lies["/time"] = lambda asked: said({"record": encoded(other.time(decoded(asked.json["nonce"])))})
    assert not await parts.poll()
    assert await parts.reasons() == ["record_unknown_signer"]
    assert parts.time.now().trust is None


async def test_time_that_was_kept_back(central: LyingCentral, parts: Parts) -> None:
    def late(asked: Any) -> Reply:
        record = central.time(decoded(asked.json["nonce"]))
        parts.clocks.advance(11)
        return said({"record": encoded(record)})

    central.lies["/time"] = late
    assert await parts.poll()
    assert await parts.reasons() == ["time_not_believed"]
    assert parts.time.now().trust is None
    assert parts.mirror.age_s() is None
    # The mirror is worth having; nobody can say how old it is.
    assert await parts.field("area", 2, "name") == "Backen"


async def test_time_before_the_floor(central: LyingCentral, synced: Parts) -> None:
    synced.clocks.advance(3600)
    trusted = synced.time.now()
    central.ahead_s = -2 * 3600
    assert await synced.poll()
    assert synced.time.now() == trusted
    assert await synced.reasons() == ["time_not_believed"]


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
