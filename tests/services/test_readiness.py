"""Each reason why a station only switches keys off, by itself; and the newest blocklist."""

import logging
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlite_utils import Database

from station.ports import Change, LogEvent, StoreFault
from station.records.base64url import decoded
from station.records.keys import SigningKey
from station.rules.facts import OffOnlyReason
from station.sync.objects import ADOPTED_NOTE
from tests.received import received, take
from tests.services.lying_central import DAY_S, NOW_S, STATION, UNIT, LyingCentral, Reply
from tests.services.parts import PINS, Parts


async def off_only(parts: Parts) -> OffOnlyReason | None:
    return (await parts.readiness.facts()).off_only


async def test_nothing_hinders(synced: Parts) -> None:
    facts = await synced.readiness.facts()
    assert facts.off_only is None
    assert (facts.station, facts.unit, facts.online, facts.mirror_age_s) == (STATION, UNIT, True, 0)
    assert facts.certificate_expires == NOW_S + 55 * DAY_S
    assert facts.zone == ZoneInfo("Europe/Stockholm")
    assert facts.area_names == {2: "Backen"}


async def test_no_clock(synced: Parts) -> None:
    # Held over for as long as a mirror lasts, and then no more.
    synced.clocks.advance(11 * DAY_S)
    assert await off_only(synced) is OffOnlyReason.CLOCK
    assert (await synced.readiness.facts()).knows_keys


async def test_no_mirror(central: LyingCentral, parts: Parts) -> None:
    assert await off_only(parts) is OffOnlyReason.NO_MIRROR
    await parts.readiness.reload()
    facts = await parts.readiness.facts()
    # What enrolment has answered of PINs; of keys it has said nothing.
    assert (facts.knows_keys, facts.pin_digits) == (False, PINS.digits)
    central.lies["/mirror/snapshot"] = Reply(500)
    assert not await parts.poll()
    assert await off_only(parts) is OffOnlyReason.NO_MIRROR


async def test_mirror_too_old(central: LyingCentral, synced: Parts) -> None:
    central.lies["/mirror/changes"] = Reply(500)
    synced.clocks.advance(10 * DAY_S)
    assert not await synced.poll()
    assert await off_only(synced) is None
    synced.clocks.advance(1)
    assert await off_only(synced) is OffOnlyReason.MIRROR_TOO_OLD
    facts = await synced.readiness.facts()
    assert (facts.online, facts.mirror_age_s) == (False, 10 * DAY_S + 1)


async def test_certificate(central: LyingCentral, synced: Parts) -> None:
    central.lies["/certificate"] = Reply(500)
    for _ in range(11):
        synced.clocks.advance(5 * DAY_S)
        await synced.poll()
        assert synced.mirror.age_s() == 0
    assert await off_only(synced) is OffOnlyReason.CERTIFICATE


async def test_disk(synced: Parts, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = synced.store.note

    async def full(name: str, value: str | None = None) -> Any:
        if value is not None:
            raise StoreFault("disk_full")
        return await whole(name, value)

    monkeypatch.setattr(synced.store, "note", full)
    for _ in range(2):
        synced.readiness.store_failed(StoreFault("disk_full"))
    assert caplog.text.count("store.failed disk_full") == 1
    for _ in range(3):
        assert await off_only(synced) is OffOnlyReason.DISK
    monkeypatch.undo()
    assert await off_only(synced) is None
    assert caplog.text.count("store.back") == 1
    assert await synced.poll()


async def test_a_database_at_its_limit_is_a_full_disk_until_central_has_taken_some(synced: Parts) -> None:
    def limit(db: Database) -> None:
        (pages,) = db.execute("PRAGMA page_count").fetchone()
        db.execute(f"PRAGMA max_page_count={pages + 40}").fetchall()

    await synced.store.thread.run(limit)
    with pytest.raises(StoreFault) as caught:  # noqa: PT012 - until the last byte
        while True:
            await synced.store.commit(Change([LogEvent("key_synced", NOW_S, 0, key=51)]))
    synced.readiness.store_failed(caught.value)
    for _ in range(2):
        assert await off_only(synced) is OffOnlyReason.DISK
    await synced.outbox.drain()
    assert await off_only(synced) is None


async def test_a_disk_that_fails_a_refresh_is_noticed(central: LyingCentral, synced: Parts) -> None:
    central.put("area", 3, name="Dalen")
    await synced.store.close()
    await synced.poll()
    assert await off_only(synced) is OffOnlyReason.DISK


async def test_a_disk_that_cannot_be_read(synced: Parts) -> None:
    await synced.store.close()
    synced.mirror._commit.site_news += 1
    await synced.readiness.reload()
    assert await off_only(synced) is OffOnlyReason.DISK
    assert (await synced.readiness.facts()).area_names == {2: "Backen"}
    await synced.readiness.adopt_blocklist(b"")


# --- the blocklist ---


def version(parts: Parts) -> int:
    claims = parts.readiness.blocklist_claims
    return claims.version if claims is not None else -1


async def test_the_newer_of_both(central: LyingCentral, synced: Parts) -> None:
    assert version(synced) == 100
    newer = decoded(central.blocklist(500, 66)["record"])
    older = decoded(central.blocklist(400)["record"])
    central.blocklist(101)
    await synced.readiness.adopt_blocklist(newer)
    assert version(synced) == 500
    await synced.readiness.adopt_blocklist(older)
    assert version(synced) == 500
    assert await synced.poll()
    assert await synced.field("blocklist", 0, "version") == 101
    assert version(synced) == 500
    again = await synced.restarted()
    assert version(again) == 500
    central.blocklist(501)
    assert await again.poll()
    assert version(again) == 501
    await again.close()


async def test_a_list_that_was_taken_off_the_mirror_still_counts(central: LyingCentral, synced: Parts) -> None:
    central.blocklist(300, 66)
    assert await synced.poll()
    central.remove("blocklist", 0)
    assert await synced.poll()
    again = await synced.restarted()
    assert version(again) == 300
    await again.close()


async def test_a_list_by_somebody_else_is_not_adopted(central: LyingCentral, synced: Parts) -> None:
    await synced.readiness.adopt_blocklist(decoded(central.blocklist(900, signer=SigningKey.generate())["record"]))
    assert version(synced) == 100


async def test_an_adopted_list_counts_though_it_cannot_be_kept(central: LyingCentral, synced: Parts) -> None:
    newer = decoded(central.blocklist(500, 66)["record"])
    await synced.store.close()
    await synced.readiness.adopt_blocklist(newer)
    assert version(synced) == 500
    assert await off_only(synced) is OffOnlyReason.DISK


@pytest.mark.parametrize("note", ["?", "AAAA", ""])
async def test_a_note_that_cannot_be_read(synced: Parts, note: str) -> None:
    await synced.store.note(ADOPTED_NOTE, note)
    again = await synced.restarted()
    assert version(again) == 100
    await again.close()


async def test_a_time_zone_unknown_here_leaves_the_one_before(
    synced: Parts, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.ERROR)
    site = await synced.object("site", 0)
    assert site is not None
    state = synced.mirror.state
    await take(synced.store, state, [received({**site.body, "timezone": "Europe/Atlantis"})])
    synced.mirror._commit.site_news += 1
    await synced.readiness.reload()
    assert (await synced.readiness.facts()).zone == ZoneInfo("Europe/Stockholm")
    assert "site.time_zone" in caplog.text
    await take(synced.store, state, [], [("site", 0)])
    await synced.readiness.reload()
    assert (await synced.readiness.facts()).zone == ZoneInfo("Europe/Stockholm")
