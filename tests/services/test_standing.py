"""Each reason why a station only switches keys off, by itself; and the newest blocklist."""

import logging
import sqlite3
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from station.core.facts import Hindrance
from station.ports import Change, NewEvent, StoreFault
from station.records.base64url import decoded
from station.records.keys import SigningKey
from station.services.standing import ADOPTED_NOTE
from tests.services.lying_central import DAY_S, NOW_S, STATION, UNIT, LyingCentral, Reply
from tests.services.parts import Parts


async def hindrance(parts: Parts) -> Hindrance | None:
    return (await parts.standing.facts()).hindrance


async def test_nothing_hinders(synced: Parts) -> None:
    facts = await synced.standing.facts()
    assert facts.hindrance is None
    assert (facts.station, facts.unit, facts.online, facts.mirror_age_s) == (STATION, UNIT, True, 0)
    assert facts.certificate_expires == NOW_S + 55 * DAY_S
    assert facts.zone == ZoneInfo("Europe/Stockholm")
    assert facts.area_names == {2: "Backen"}


async def test_no_clock(parts: Parts) -> None:
    assert await hindrance(parts) is Hindrance.CLOCK


async def test_no_mirror(central: LyingCentral, parts: Parts) -> None:
    central.lies["/mirror/snapshot"] = Reply(500)
    assert not await parts.poll()
    assert await hindrance(parts) is Hindrance.NO_MIRROR


async def test_mirror_too_old(central: LyingCentral, synced: Parts) -> None:
    central.lies["/mirror/changes"] = Reply(500)
    synced.clocks.advance(10 * DAY_S)
    assert not await synced.poll()
    assert await hindrance(synced) is None
    synced.clocks.advance(1)
    assert await hindrance(synced) is Hindrance.MIRROR_TOO_OLD
    facts = await synced.standing.facts()
    assert (facts.online, facts.mirror_age_s) == (False, 10 * DAY_S + 1)


async def test_certificate(central: LyingCentral, synced: Parts) -> None:
    central.lies["/certificate"] = Reply(500)
    for _ in range(11):
        synced.clocks.advance(5 * DAY_S)
        await synced.poll()
        assert synced.mirroring.age_s() == 0
    assert await hindrance(synced) is Hindrance.CERTIFICATE


async def test_disk(synced: Parts, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = synced.store.note

    async def full(name: str, value: str | None = None) -> Any:
        if value is not None:
            raise StoreFault("disk_full")
        return await whole(name, value)

    monkeypatch.setattr(synced.store, "note", full)
    for _ in range(2):
        synced.standing.store_failed(StoreFault("disk_full"))
    assert caplog.text.count("store.failed disk_full") == 1
    for _ in range(3):
        assert await hindrance(synced) is Hindrance.DISK
    monkeypatch.undo()
    assert await hindrance(synced) is None
    assert caplog.text.count("store.back") == 1
    assert await synced.poll()


async def test_a_database_at_its_limit_is_a_full_disk_until_central_has_taken_some(synced: Parts) -> None:
    def limit(db: sqlite3.Connection) -> None:
        (pages,) = db.execute("PRAGMA page_count").fetchone()
        db.execute(f"PRAGMA max_page_count={pages + 40}").fetchall()

    await synced.store._thread.run(limit)
    with pytest.raises(StoreFault) as caught:  # noqa: PT012 - until the last byte
        while True:
            await synced.store.commit(Change([NewEvent("key_synced", NOW_S, 0, key=51)]))
    synced.standing.store_failed(caught.value)
    for _ in range(2):
        assert await hindrance(synced) is Hindrance.DISK
    await synced.outbox.drain()
    assert await hindrance(synced) is None


async def test_a_disk_that_fails_a_refresh_is_noticed(central: LyingCentral, synced: Parts) -> None:
    central.put("area", 3, name="Dalen")
    await synced.store.close()
    await synced.poll()
    assert await hindrance(synced) is Hindrance.DISK


async def test_a_disk_that_cannot_be_read(synced: Parts) -> None:
    await synced.store.close()
    await synced.standing.reload()
    assert await hindrance(synced) is Hindrance.DISK
    assert (await synced.standing.facts()).area_names == {2: "Backen"}
    await synced.standing.adopt_blocklist(b"")


# --- the blocklist ---


def version(parts: Parts) -> int:
    claims = parts.standing.blocklist_claims
    return claims.version if claims is not None else -1


async def test_the_newer_of_both(central: LyingCentral, synced: Parts) -> None:
    assert version(synced) == 100
    newer = decoded(central.blocklist(500, 66)["record"])
    older = decoded(central.blocklist(400)["record"])
    central.blocklist(101)
    await synced.standing.adopt_blocklist(newer)
    assert version(synced) == 500
    await synced.standing.adopt_blocklist(older)
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
    await synced.standing.adopt_blocklist(decoded(central.blocklist(900, signer=SigningKey.generate())["record"]))
    assert version(synced) == 100


async def test_an_adopted_list_counts_though_it_cannot_be_kept(central: LyingCentral, synced: Parts) -> None:
    newer = decoded(central.blocklist(500, 66)["record"])
    await synced.store.close()
    await synced.standing.adopt_blocklist(newer)
    assert version(synced) == 500
    assert await hindrance(synced) is Hindrance.DISK


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
    state = synced.mirroring.state
    changed = type(site)("site", 0, 999, dict(site.body) | {"timezone": "Europe/Atlantis"})
    await synced.store.apply_page(state, [changed], [])
    await synced.standing.reload()
    assert (await synced.standing.facts()).zone == ZoneInfo("Europe/Stockholm")
    assert "site.time_zone" in caplog.text
    await synced.store.apply_page(state, [], [("site", 0)])
    await synced.standing.reload()
    assert (await synced.standing.facts()).zone == ZoneInfo("Europe/Stockholm")
